import ChromaBase
import ChromaEngine
import ChromaRecovery
import ChromaStorage
import ChromaTestSupport
import Testing

/// Whatever is damaged, `repair` brings every collection back to work, keeps what the damaged bytes did
/// not hold, and finds nothing to do a second time. Method: random databases, one damage at a random
/// place of one file, compared with the models.
@Suite struct RepairTests {
  private func repair(_ fileSystem: any FileSystem) throws(ChromaError) -> RepairReport {
    try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
  }

  /// After a repair: nothing is left to repair, and everything opens.
  private func expectSound(_ fileSystem: any FileSystem, _ place: String) throws {
    let left = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
    #expect(left.filter { $0.severity == .damage } == [], "\(place)")
    let before = try Sample.files(of: fileSystem)
    let second = try repair(fileSystem)
    #expect(second.isUnchanged && second.losses.isEmpty && second.savedDirectory == nil, "\(place)")
    var after = try Sample.files(of: fileSystem)
    after["LOCK"] = before["LOCK"]
    #expect(after == before, "\(place)")
  }

  @Test("a sound database is left alone", arguments: 0..<4 as Range<UInt64>)
  func soundDatabase(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    try expectSound(fileSystem, "seed \(seed)")
    try Sample.expect(sample.models, in: fileSystem, "seed \(seed)")
  }

  @Test("one flipped bit anywhere costs nothing", arguments: 0..<6 as Range<UInt64>)
  func flippedBits(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: seed)
    for (name, bytes) in sample.files.sorted(by: { $0.key < $1.key }) where name != "LOCK" {
      guard let changed = Damage.flip.change(bytes, &random) else { continue }
      var files = sample.files
      files[name] = changed.bytes
      let fileSystem = try Sample.fileSystem(with: files)
      let place = "seed \(seed), \(name) at \(changed.offset) of \(bytes.count)"
      let report = try repair(fileSystem)
      #expect(!report.isUnchanged && report.losses.isEmpty, "\(place): \(report)")
      try expectSound(fileSystem, place)
      try Sample.expect(sample.models, in: fileSystem, place)
      // What was replaced is still there.
      let saved = try Sample.files(of: fileSystem)
      #expect(
        saved.contains { $0.key.hasPrefix("damaged-1/") && $0.value == changed.bytes }, "\(place)")
    }
  }

  @Test("damage to a blob costs only what stood in it", arguments: 0..<8 as Range<UInt64>)
  func damagedBlobs(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: seed)
    for (name, bytes) in sample.files.sorted(by: { $0.key < $1.key })
    where name.hasPrefix("blobs/") {
      for damage in [Damage.zeros, .cut, .empty] {
        guard let changed = damage.change(bytes, &random) else { continue }
        var files = sample.files
        files[name] = changed.bytes
        let fileSystem = try Sample.fileSystem(with: files)
        let place = "seed \(seed), \(name): \(damage) at \(changed.offset) of \(bytes.count)"
        let report = try repair(fileSystem)
        #expect(!report.isUnchanged, "\(place)")
        try expectSound(fileSystem, place)
        try expectKept(sample, report, in: fileSystem, place)
      }
    }
  }

  private func expectEqual(_ found: [ModelRecord], _ expected: [ModelRecord], _ place: String) {
    let isEqual = found == expected
    let difference = zip(found, expected).first { $0 != $1 }
    #expect(
      isEqual,
      "\(place): \(found.count) of \(expected.count) records, first \(String(describing: difference))"
    )
  }

  /// Collections that the report does not name are as they were; in those that it does, records that
  /// are there and were lost in part only, or not at all, are as they were.
  private func expectKept(
    _ sample: Sample, _ report: RepairReport, in fileSystem: any FileSystem, _ place: String
  ) throws {
    let engine = try Sample.open(fileSystem)
    for (id, model) in sample.models {
      let found = try Sample.records(of: id, in: engine)
      let losses = report.losses.filter { $0.collection == id }
      if losses.isEmpty {
        expectEqual(found, model.records, "\(place): \(report.actions)")
        continue
      }
      // A lost batch may have changed any record; a lost segment only takes its own away.
      guard losses.allSatisfy({ $0.what.contains("segment") }) else { continue }
      let counted = losses.filter { !$0.what.contains("document") }
        .reduce(0) { $0 + ($1.recordCount ?? 0) }
      #expect(found.count + counted >= model.records.count, "\(place)")
      let changed = Set(losses.flatMap(\.ids))
      let known = Dictionary(uniqueKeysWithValues: model.records.map { ($0.id, $0) })
      for record in found where !changed.contains(record.id) {
        // Updated in the log after its segment was written, it may have lost the rest.
        #expect(known[record.id] != nil, "\(place): \(record.id)")
      }
    }
  }

  @Test(
    "a missing blob costs its records, and the collection works", arguments: 0..<4 as Range<UInt64>)
  func missingBlobs(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    for name in sample.files.keys.sorted() where name.hasPrefix("blobs/") {
      var files = sample.files
      files[name] = nil
      let fileSystem = try Sample.fileSystem(with: files)
      let report = try repair(fileSystem)
      let lossCount = name.hasSuffix(SampleIndex.suffix) ? 0 : 1
      #expect(report.losses.count == lossCount, "seed \(seed), \(name)")
      try expectSound(fileSystem, "seed \(seed), \(name)")
      try expectKept(sample, report, in: fileSystem, "seed \(seed), \(name)")
    }
  }

  @Test("a damaged catalog costs only the rows that stood in it", arguments: 0..<8 as Range<UInt64>)
  func damagedCatalog(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: seed)
    for damage in [Damage.zeros, .noise, .cut] {
      let bytes = try #require(sample.files["chroma.db"])
      guard let changed = damage.change(bytes, &random) else { continue }
      var files = sample.files
      files["chroma.db"] = changed.bytes
      let fileSystem = try Sample.fileSystem(with: files)
      let place = "seed \(seed), \(damage) at \(changed.offset) of \(bytes.count)"
      let report = try repair(fileSystem)
      #expect(!report.isUnchanged, "\(place)")
      try expectSound(fileSystem, place)
      _ = try Sample.open(fileSystem)
    }
  }

  @Test("a lost page without rows costs nothing", arguments: 0..<8 as Range<UInt64>)
  func lostPageWithoutRows(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    var files = sample.files
    // Page 2 says which page refers to which: without it every row has to be found in its leaf.
    files["chroma.db"]?.replaceSubrange(4096..<8192, with: [UInt8](repeating: 0, count: 4096))
    let fileSystem = try Sample.fileSystem(with: files)
    let report = try repair(fileSystem)
    #expect(report.savedDirectory == "damaged-1", "seed \(seed)")
    try expectSound(fileSystem, "seed \(seed)")
    try Sample.expect(sample.models, in: fileSystem, "seed \(seed)")
  }

  @Test("a lost catalog is made anew from what the segments say", arguments: 0..<6 as Range<UInt64>)
  func lostCatalog(seed: UInt64) throws {
    let setting = MemoryFileSystem()
    var random = SeededRandom(seed)
    var model = ModelCollection()
    let id: UUID
    do {
      let engine = try Sample.open(setting)
      id = try engine.createCollection(
        CollectionRequest(
          tenant: "default_tenant", database: "default_database", name: "mine",
          configuration: Text(#"{"hnsw":{"space":"cosine"}}"#), metadata: nil, getOrCreate: false)
      ).id
      // No deletions, and no segment so small that it stands in the catalog: these go with it.
      for round in 0..<4 {
        let count = round < 3 ? random.int(in: 300...400) : 120
        let batch = RecordBatch(
          operation: .upsert, ids: (0..<count).map { Text("id-\(round % 3)-\($0)") },
          embeddings: VectorColumn(
            dimension: Sample.dimension,
            values: (0..<count * Sample.dimension).map { _ in Float(random.int(in: -3...3)) }),
          documents: (0..<count).map { Text("document \($0)") })
        try engine.write(batch, to: id)
        model.apply(batch)
        try engine.flush(id)
      }
      engine.catalog.close()
    }
    var files = try Sample.files(of: setting)
    files["chroma.db"] = random.oneIn(2) ? nil : []
    let fileSystem = try Sample.fileSystem(with: files)
    let report = try repair(fileSystem)
    #expect(!report.isUnchanged, "seed \(seed)")
    try expectSound(fileSystem, "seed \(seed)")
    let engine = try Sample.open(fileSystem)
    let row = try engine.collection(
      tenant: "default_tenant", database: "default_database", name: "mine")
    #expect(row.id == id, "seed \(seed)")
    expectEqual(
      try Sample.records(of: id, in: engine), model.records, "seed \(seed): \(report)")
    try engine.write(
      RecordBatch(
        operation: .add, ids: ["new"],
        embeddings: VectorColumn(
          dimension: Sample.dimension, values: [Float](repeating: 1, count: Sample.dimension))),
      to: id)
    #expect(try engine.count(in: id) == model.records.count + 1)
  }

  @Test("an open database is not repaired, and one under repair is not opened")
  func openDatabase() throws {
    let sample = try Sample(seed: 1)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let engine = try Sample.open(fileSystem)
    let error = #expect(throws: ChromaError.self) { try repair(fileSystem) }
    #expect(error?.kind == .locked)
    withExtendedLifetime(engine) {}
  }

  @Test(
    "a repair that loses power is brought to its end by the next", arguments: 0..<2 as Range<UInt64>
  )
  func powerCuts(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: 5)
    let blob = try #require(sample.files.keys.filter { $0.hasPrefix("blobs/") }.min())
    var files = sample.files
    for name in ["chroma.db", blob] {
      files[name] = Damage.flip.change(files[name] ?? [], &random)?.bytes
    }
    let disk = try Sample.disk(with: files, seed: seed)
    disk.keepsHistory = true
    _ = try repair(disk)
    let images = disk.history
    for number in stride(from: 0, to: images.count, by: max(1, images.count / 40)) {
      let found = SimulatedDisk(images[number].afterPowerCut(&random))
      _ = try repair(found)
      let place = "seed \(seed), image \(number) of \(images.count)"
      let left = try Recovery.verify(Sample.directory, Sample.environment(found))
      #expect(left.filter { $0.severity == .damage } == [], "\(place)")
      try Sample.expect(sample.models, in: found, place)
    }
  }
}
