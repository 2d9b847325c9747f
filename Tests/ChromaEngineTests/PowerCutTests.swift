import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// What `simulate` found once, as the shortest history that shows it. Method: engines on a simulated
/// disk; a process dies between two calls of the disk, or a call fails; the power is cut so that all
/// that was not synced is lost; whoever opens the directory then finds what was acknowledged.
@Suite struct PowerCutTests {
  private final class Setting {
    let disk: SimulatedDisk
    let clock = SimulatedClock()
    /// Without a file for each: most segments are larger.
    private static let limits: CompactionLimits = {
      var limits = CompactionLimits()
      limits.inlineSegmentByteCountMax = 1
      return limits
    }()
    private let random = SeededRandomSource(seed: 1)

    init(_ disk: SimulatedDisk = SimulatedDisk()) {
      self.disk = disk
    }

    func open(_ process: SimulatedProcess? = nil) throws -> Engine {
      try Engine(
        EngineEnvironment(
          fileSystem: process ?? disk, directory: "/data/db", clock: clock, random: random,
          isShared: true, compactionLimits: Self.limits))
    }

    /// The disk after a power cut that loses all it can.
    func afterPowerCut() -> Setting {
      Setting(SimulatedDisk(disk.image.afterPowerCut(number: 0)))
    }
  }

  private func create(_ name: Text, in engine: Engine) throws -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: nil, metadata: nil, getOrCreate: true)
    ).id
  }

  /// A record; a large one makes a blob.
  private func record(_ id: Text, documentByteCount: Int = 10) -> RecordBatch {
    RecordBatch(
      operation: .add, ids: [id], embeddings: VectorColumn(dimension: 1, values: [1]),
      documents: [Text(String(repeating: "x", count: documentByteCount))])
  }

  private let blobByteCount = Limits.inlineBatchByteCountMax + 1

  @Test("a directory whose maker died is durable before anything in it is acknowledged")
  func directoryOfADeadMaker() throws {
    for callCount in 0...80 {
      let setting = Setting()
      let process = SimulatedProcess(on: setting.disk, through: setting.disk)
      process.die(afterCallCount: callCount)
      _ = try? setting.open(process)
      process.bury()
      let id = try create("alpha", in: try setting.open())
      let found = try setting.afterPowerCut().open()
      #expect(try found.count(in: id) == 0, "died after call \(callCount)")
    }
  }

  @Test("a directory whose sync failed is durable before anything in it is acknowledged")
  func directoryOfAFailedSync() throws {
    for ordinal in 1...4 {
      let setting = Setting()
      setting.disk.inject(DiskFault(.syncDirectory, ordinal: ordinal, code: EIO))
      _ = try? setting.open()
      let id = try create("alpha", in: try setting.open())
      let found = try setting.afterPowerCut().open()
      #expect(try found.count(in: id) == 0, "sync \(ordinal)")
    }
  }

  @Test("a new database whose change to write-ahead logging failed acknowledges nothing")
  func failedChangeOfJournal() throws {
    for ordinal in 1...8 {
      let setting = Setting()
      setting.disk.inject(
        DiskFault(.write, pathSuffix: "-journal", ordinal: ordinal, code: EIO))
      guard let engine = try? setting.open() else { continue }
      let id = try create("alpha", in: engine)
      let found = try setting.afterPowerCut().open()
      #expect(try found.count(in: id) == 0, "write \(ordinal)")
    }
  }

  @Test("folding back that failed in the header of chroma.db leaves a database that opens")
  func tornHeader() throws {
    let setting = Setting()
    let process = SimulatedProcess(on: setting.disk, through: setting.disk)
    var engine: Engine? = try setting.open(process)
    let id = try #require(try engine.map { try create("alpha", in: $0) })
    process.kill()
    engine = nil
    process.bury()
    // What the last to close writes over the header.
    let whole = Setting(SimulatedDisk(setting.disk.image))
    try whole.open().write(record("first"), to: id)
    let path = "/data/db/\(SQLiteCatalog.fileName)"
    let header = try whole.disk.open(path, .readOnly).read(at: 0, byteCountMax: 100)
    for byteCount in 0...header.count {
      let torn = Setting(SimulatedDisk(setting.disk.image))
      try torn.disk.open(path, .readWrite).write(Array(header.prefix(byteCount)), at: 0)
      #expect(try torn.open().count(in: id) == 0, "\(byteCount) bytes of the header")
    }
  }

  @Test("a blob folder whose maker died is durable before a blob in it is referred to")
  func blobFolderOfADeadMaker() throws {
    for callCount in 0...30 {
      let setting = Setting()
      let survivor = try setting.open()
      let id = try create("alpha", in: survivor)
      let process = SimulatedProcess(on: setting.disk, through: setting.disk)
      var victim: Engine? = try setting.open(process)
      process.die(afterCallCount: callCount)
      try? victim?.write(record("lost", documentByteCount: blobByteCount), to: id)
      process.kill()
      victim = nil
      process.bury()
      try survivor.write(record("kept", documentByteCount: blobByteCount), to: id)
      let found = try setting.afterPowerCut().open()
      let ids = try found.get(.everything, from: id, limit: nil, offset: 0, include: []).ids
      #expect(ids.contains("kept"), "died after call \(callCount)")
    }
  }

  @Test("after a failed sync of a blob or its folder nothing is acknowledged until reopening")
  func failedSyncOfABlob() throws {
    for (kind, suffix) in [(DiskCall.Kind.sync, ".tmp"), (.syncDirectory, "/blobs")] {
      let setting = Setting()
      let engine = try setting.open()
      let id = try create("alpha", in: engine)
      setting.disk.inject(DiskFault(kind, pathSuffix: suffix, ordinal: 1, code: EIO))
      for byteCount in [blobByteCount, blobByteCount, 10] {
        let batch = record("refused", documentByteCount: byteCount)
        #expect(throws: ChromaError.self) { try engine.write(batch, to: id) }
      }
      #expect(throws: ChromaError.self) { try create("beta", in: engine) }
      #expect(try engine.count(in: id) == 0)
      let reopened = try setting.open()
      try reopened.write(record("kept", documentByteCount: blobByteCount), to: id)
      #expect(try setting.afterPowerCut().open().count(in: id) == 1)
    }
  }

  /// Fills a collection, deletes from it, and has a process die so many calls into dropping that.
  private func dieMerging(
    afterCallCount callCount: Int, on setting: Setting
  ) throws -> (survivor: Engine, UUID) {
    let survivor = try setting.open()
    let id = try create("alpha", in: survivor)
    try survivor.write(record("kept"), to: id)
    try survivor.write(record("deleted"), to: id)
    try survivor.flush()
    try survivor.write(RecordBatch(operation: .delete, ids: ["deleted"]), to: id)
    let process = SimulatedProcess(on: setting.disk, through: setting.disk)
    var victim: Engine? = try setting.open(process)
    process.die(afterCallCount: callCount)
    try? victim?.flush()
    process.kill()
    victim = nil
    process.bury()
    return (survivor, id)
  }

  @Test("a flush drops what was deleted, though somebody died while merging")
  func flushAfterADeadMerger() throws {
    for callCount in 0...120 {
      let setting = Setting()
      let (survivor, id) = try dieMerging(afterCallCount: callCount, on: setting)
      try survivor.flush()
      #expect(try survivor.statistics(of: id).deadRowCount == 0, "died after call \(callCount)")
    }
  }

  @Test("the segment of a dead merger goes with the first commit after its lease has expired")
  func segmentOfADeadMerger() throws {
    for callCount in 0...120 {
      let setting = Setting()
      let (_, id) = try dieMerging(afterCallCount: callCount, on: setting)
      // Somebody who came while the lease held.
      let newcomer = try setting.open()
      try newcomer.write(record("before"), to: id)
      setting.clock.sleep(nanoseconds: 2 * UInt64(Limits.mergeLeaseNanoseconds))
      try newcomer.write(record("after"), to: id)
      #expect(
        try setting.disk.list("/data/db/blobs")
          == newcomer.catalog.referencedBlobs().map(\.string), "died after call \(callCount)")
    }
  }

  @Test("a compaction whose commit failed leaves no blob after the next commit")
  func blobOfAFailedCompaction() throws {
    for ordinal in 1...12 {
      let setting = Setting()
      let engine = try setting.open()
      let id = try create("alpha", in: engine)
      try engine.write(record("kept"), to: id)
      setting.disk.inject(DiskFault(.write, pathSuffix: "-wal", ordinal: ordinal, code: ENOSPC))
      try? engine.flush()
      setting.disk.removeFaults()
      try engine.write(record("later"), to: id)
      #expect(
        try setting.disk.list("/data/db/blobs")
          == engine.catalog.referencedBlobs().map(\.string), "write \(ordinal)")
    }
  }

  @Test("a blob that could not be removed goes with the next commit")
  func failedRemoval() throws {
    let setting = Setting()
    let engine = try setting.open()
    let id = try create("alpha", in: engine)
    for name in ["first", "second"] as [Text] {
      try engine.write(record(name), to: id)
      try engine.flush()
    }
    try engine.write(RecordBatch(operation: .delete, ids: ["first"]), to: id)
    setting.disk.inject(DiskFault(.remove, pathSuffix: ".segment", ordinal: 1, code: EIO))
    try engine.compact()
    try engine.write(record("third"), to: id)
    #expect(
      try setting.disk.list("/data/db/blobs")
        == engine.catalog.referencedBlobs().map(\.string))
  }

  @Test("the blob of a killed writer goes with the next append")
  func blobOfAKilledWriter() throws {
    let setting = Setting()
    let process = SimulatedProcess(on: setting.disk, through: setting.disk)
    var victim: Engine? = try setting.open(process)
    let id = try #require(try victim.map { try create("alpha", in: $0) })
    setting.disk.inject(DiskFault(.write, pathSuffix: "-wal", ordinal: 1, code: EIO))
    #expect(throws: ChromaError.self) {
      try victim?.write(record("lost", documentByteCount: blobByteCount), to: id)
    }
    process.kill()
    victim = nil
    process.bury()
    #expect(try setting.disk.list("/data/db/blobs").count == 1)
    try setting.open().write(record("kept"), to: id)
    #expect(try setting.disk.list("/data/db/blobs").isEmpty)
  }
}
