import ChromaBase
import ChromaEngine
import ChromaRecovery
import ChromaStorage
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

/// A backup holds what the database held at one moment, whoever writes meanwhile; it is a database
/// itself, and whoever is cut off can go on. Method: random databases against their models; writers on
/// other threads; power cuts at every call on the simulated disk.
@Suite struct BackupTests {
  private static let target = "/backups/one"

  @discardableResult
  private func backup(_ fileSystem: any FileSystem) throws(ChromaError) -> BackupReport {
    try Recovery.backup(Sample.directory, to: Self.target, Sample.environment(fileSystem))
  }

  @Test(
    "a backup holds what the database holds, and so does what is restored from it",
    arguments: 0..<10 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    let sample = try Sample(seed: seed, isKilled: seed % 2 == 0)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let report = try backup(fileSystem)
    #expect(report.copiedBlobCount == report.blobCount, "seed \(seed)")
    #expect(try Recovery.verify(Self.target, Sample.environment(fileSystem)) == [], "seed \(seed)")
    try Recovery.restore(Self.target, to: "/restored", Sample.environment(fileSystem))
    #expect(try Recovery.verify("/restored", Sample.environment(fileSystem)) == [], "seed \(seed)")
    try Sample.expect(sample.models, in: fileSystem, at: "/restored", "seed \(seed), restored")
    try Sample.expect(sample.models, in: fileSystem, at: Self.target, "seed \(seed), backup")
    try Sample.expect(sample.models, in: fileSystem, "seed \(seed), source")
  }

  @Test("a second backup copies only what is new, and removes what is gone")
  func incremental() throws {
    let sample = try Sample(seed: 5)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let first = try backup(fileSystem)
    #expect(first.blobCount > 0)
    let second = try backup(fileSystem)
    #expect(second.copiedBlobCount == 0)
    #expect(second.blobCount == first.blobCount)

    var models = sample.models
    let id = try #require(models.keys.min())
    let batch = Self.largeBatch
    do {
      let engine = try Sample.open(fileSystem)
      for row in try engine.collections(
        tenant: "default_tenant", database: "default_database", limit: nil, offset: 0)
      where row.id != id {
        try engine.deleteCollection(
          tenant: "default_tenant", database: "default_database", name: row.name)
        models[row.id] = nil
      }
      try engine.write(batch, to: id)
      models[id]?.apply(batch)
    }
    let third = try backup(fileSystem)
    #expect(third.copiedBlobCount == 1)
    #expect(third.removedBlobCount == first.blobCount + 1 - third.blobCount)
    #expect(try Recovery.verify(Self.target, Sample.environment(fileSystem)) == [])
    try Sample.expect(models, in: fileSystem, at: Self.target, "third backup")
  }

  private static var largeBatch: RecordBatch {
    let count = 1000
    return RecordBatch(
      operation: .upsert, ids: (0..<count).map { Text("large-\($0)") },
      embeddings: VectorColumn(
        dimension: Sample.dimension,
        values: (0..<count * Sample.dimension).map { Float($0 % 17) }))
  }

  private static func record(_ number: Int) -> RecordBatch {
    RecordBatch(
      operation: .add, ids: (0..<20).map { Text("r-\(number)-\($0)") },
      embeddings: VectorColumn(
        dimension: 1200, values: [Float](repeating: Float(number), count: 20 * 1200)))
  }

  @Test("a damaged blob of an earlier backup is copied again")
  func damagedBackup() throws {
    let sample = try Sample(seed: 5)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    try backup(fileSystem)
    let name = try #require(try fileSystem.list("\(Self.target)/blobs").first)
    let file = try fileSystem.open("\(Self.target)/blobs/\(name)", .readWrite)
    try file.setByteCount(100)
    file.close()
    #expect(try backup(fileSystem).copiedBlobCount == 1)
    #expect(try Recovery.verify(Self.target, Sample.environment(fileSystem)) == [])
  }

  @Test("a damaged source is named, and the earlier backup stays what it was")
  func damagedSource() throws {
    let sample = try Sample(seed: 5)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    // A damaged index is no reason to stop: it would be left out.
    let names = try fileSystem.list("/db/blobs").filter { !$0.hasSuffix(SampleIndex.suffix) }
    let name = try #require(names.first)
    let file = try fileSystem.open("/db/blobs/\(name)", .readWrite)
    try file.write([0xFF, 0, 0xFF], at: 200)
    file.close()
    let error = #expect(throws: ChromaError.self) { try backup(fileSystem) }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains(name) == true)
    #expect(try fileSystem.attributes("\(Self.target)/chroma.db") == nil)
    #expect(throws: ChromaError.self) {
      try Recovery.restore(Self.target, to: "/restored", Sample.environment(fileSystem))
    }
  }

  @Test("what is no backup is neither written to nor restored from")
  func refusals() throws {
    let sample = try Sample(seed: 1)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let environment = Sample.environment(fileSystem)
    func kind(_ body: () throws -> Void) -> ChromaError.Kind? {
      do { try body() } catch { return (error as? ChromaError)?.kind }
      return nil
    }
    // Onto itself, into itself, onto another database, onto a backup that lives on its own.
    #expect(
      kind { try Recovery.backup("/db", to: "/db", environment) } == .invalidArgument)
    #expect(kind { try Recovery.backup("/db", to: "/db/b", environment) } == .invalidArgument)
    #expect(try fileSystem.attributes("/db/b") == nil)
    _ = try Sample.open(fileSystem, at: "/other")
    #expect(kind { try Recovery.backup("/db", to: "/other", environment) } == .invalidArgument)
    try backup(fileSystem)
    #expect(kind { try Recovery.restore("/db", to: "/r", environment) } == .invalidArgument)
    #expect(
      kind { try Recovery.restore(Self.target, to: "/other", environment) } == .alreadyExists)
    try Sample.open(fileSystem, at: Self.target).createTenant("somebody")
    #expect(kind { try backup(fileSystem) } == .invalidArgument)
    #expect(kind { try Recovery.backup("/nothing", to: "/b", environment) } == .notFound)
  }

  @Test("a cancelled backup leaves the earlier one, and the next goes on with it")
  func cancelled() throws {
    let sample = try Sample(seed: 5)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let cancel = CancelToken()
    let error = #expect(throws: ChromaError.self) {
      try Recovery.backup(
        Sample.directory, to: Self.target, Sample.environment(fileSystem), cancel: cancel
      ) { progress in
        if progress.doneByteCount > 4096 * 20 { cancel.request() }
      }
    }
    #expect(error?.kind == .cancelled)
    try backup(fileSystem)
    try Sample.expect(sample.models, in: fileSystem, at: Self.target, "after a cancelled one")
  }

  @Test(
    "a backup that loses power is the earlier one or the new one, and can be gone on with",
    arguments: 0..<2 as Range<UInt64>)
  func powerCuts(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: 5)
    let disk = try Sample.disk(with: sample.files, seed: seed)
    try backup(disk)
    var models = sample.models
    let id = try #require(models.keys.min())
    do {
      let engine = try Sample.open(disk)
      try engine.write(Self.largeBatch, to: id)
      try engine.compact(id)
      models[id]?.apply(Self.largeBatch)
    }
    disk.keepsHistory = true
    try backup(disk)
    let images = disk.history
    for number in stride(from: 0, to: images.count, by: max(1, images.count / 30)) {
      let found = SimulatedDisk(images[number].afterPowerCut(&random))
      let place = "seed \(seed), image \(number) of \(images.count)"
      let state = try Sample.records(in: found, at: Self.target)
      let isEarlier = sample.models.allSatisfy { state[$0.key] == $0.value.records }
      let isNew = models.allSatisfy { state[$0.key] == $0.value.records }
      #expect(isEarlier || isNew, "\(place)")
      // Looking at it folded nothing and wrote nothing that counts: the next one goes on.
      let again = SimulatedDisk(images[number].afterPowerCut(&random))
      try backup(again)
      try Sample.expect(models, in: again, at: Self.target, "\(place), made again")
    }
  }

  @Test("writers go on, and the backup is one moment of what they wrote", arguments: 0..<3)
  func concurrentWriters(round: Int) throws {
    let directory = TemporaryDirectory()
    let source = "\(directory.path)/db"
    let engine = try Sample.open(FolderFileSystem(), at: source)
    var ids: [UUID] = []
    for number in 0..<3 {
      ids.append(
        try engine.createCollection(
          CollectionRequest(
            tenant: "default_tenant", database: "default_database", name: Text("c-\(number)"),
            configuration: nil, metadata: nil, getOrCreate: false)
        ).id)
    }
    // One writer writes number n to the first collection, then to the second, and so on: at one
    // moment the counts differ by one at most, and never rise from one collection to the next.
    let stop = Mutex(false)
    let target = "\(directory.path)/backup"
    let (first, last) = (ids[0], ids[2])
    onThreads(2) { [ids] thread in
      if thread == 0 {
        var number = 0
        while !stop.withLock({ $0 }) {
          for id in ids { try? engine.write(Self.record(number), to: id) }
          number += 1
        }
        return
      }
      do {
        while try engine.count(in: last) < 100 {}
        for _ in 0..<3 {
          try Recovery.backup(source, to: target)
          #expect(try Recovery.verify(target) == [])
        }
      } catch {
        Issue.record(error)
      }
      stop.withLock { $0 = true }
    }
    #expect(try engine.count(in: first) > 100)
    let copy = try Sample.open(FolderFileSystem(), at: target)
    let counts = try ids.map { try copy.count(in: $0) }
    #expect(counts[0] >= 100)
    #expect(counts == counts.sorted(by: >) && counts[0] - counts[2] <= 20, "\(counts)")
  }
}
