import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaIndex
import ChromaRecovery
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Testing

/// An index can be built again, so whatever becomes of one costs no record, hinders no backup, and is
/// found. Method: databases with an index of each collection, spoilt in one way each.
@Suite struct IndexRecoveryTests {
  /// Seeds of samples with indexes of several blobs.
  private static let seeds: [UInt64] = [2, 5]

  private func indexes(
    in fileSystem: any FileSystem, at directory: String = Sample.directory
  ) throws -> [UUID: IndexManifest] {
    let catalog = try SQLiteCatalog(
      fileSystem: fileSystem, directory: directory, clock: SystemClock(),
      random: SystemRandomSource())
    defer { catalog.close() }
    var indexes: [UUID: IndexManifest] = [:]
    for id in try catalog.collectionIDs() {
      guard let index = try catalog.manifest(of: id)?.index, index.generation > 0 else { continue }
      indexes[id] = index
    }
    return indexes
  }

  private func verify(
    _ fileSystem: any FileSystem, at directory: String = Sample.directory
  ) throws -> [Finding] {
    try Recovery.verify(directory, Sample.environment(fileSystem))
  }

  /// Spoils chroma.db with SQL, as nobody does it.
  private func execute(_ statements: [String], in files: Files) throws -> MemoryFileSystem {
    let fileSystem = try Sample.fileSystem(with: files)
    let connection = try SQLiteDatabase(
      path: "\(Sample.directory)/chroma.db", fileSystem: fileSystem, clock: SystemClock(),
      random: SystemRandomSource()
    ).connect()
    for statement in statements { try connection.execute(statement) }
    connection.close()
    return fileSystem
  }

  /// Repairs, and expects that only these collections have lost their index, and none a record.
  private func expectDropped(
    _ lost: Set<UUID>, of sample: Sample, in fileSystem: any FileSystem, _ place: String
  ) throws {
    let before = try indexes(in: Sample.fileSystem(with: sample.files))
    let report = try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
    #expect(report.losses.isEmpty, "\(place): \(report)")
    #expect(
      report.actions.count { $0.hasPrefix("The index of \"") && $0.contains("was dropped") }
        == lost.count, "\(place): \(report.actions)")
    let after = try indexes(in: fileSystem)
    #expect(after == before.filter { !lost.contains($0.key) }, "\(place)")
    #expect(try verify(fileSystem) == [], "\(place)")
    try Sample.expect(sample.models, in: fileSystem, place)
  }

  // MARK: Damage

  @Test("a damaged or missing blob of an index is found, and costs no record", arguments: seeds)
  func damagedBlobs(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: seed)
    let known = try indexes(in: Sample.fileSystem(with: sample.files))
    #expect(!known.isEmpty)
    for (id, index) in known.sorted(by: { $0.key < $1.key }) {
      for blob in index.blobs {
        let name = "blobs/\(blob.name)"
        let bytes = try #require(sample.files[name])
        var spoilt = Damage.allCases.compactMap { $0.change(bytes, &random)?.bytes as [UInt8]? }
        spoilt.append(Array(bytes.dropLast()))
        for (number, changed) in (spoilt.map { $0 as [UInt8]? } + [nil]).enumerated() {
          var files = sample.files
          files[name] = changed
          let fileSystem = try Sample.fileSystem(with: files)
          let place = "seed \(seed), \(name), damage \(number)"
          let findings = try verify(fileSystem)
          #expect(findings.contains { $0.file == name && $0.collection == id }, "\(place)")
          #expect(findings.allSatisfy { $0.file == name && $0.isRepairable }, "\(place)")
          try expectDropped([id], of: sample, in: fileSystem, place)
        }
      }
    }
  }

  @Test(
    "rows that say of an index what cannot be are found, and the index goes",
    arguments: [
      "UPDATE collections SET generation = 1000000 WHERE generation > 0",
      "UPDATE collections SET generation = -1 WHERE generation > 0",
      "UPDATE collections SET generation = 0, indexed_position = 0",
      "UPDATE collections SET generation = 0",
      "UPDATE collections SET indexed_position = 1 WHERE generation > 0",
      "UPDATE collections SET indexed_position = compacted_position + 1 WHERE generation > 0",
      "DELETE FROM index_blobs",
      "DELETE FROM index_blobs WHERE key IN (SELECT min(key) FROM index_blobs GROUP BY collection_key)",
      "UPDATE index_blobs SET blob_byte_count = 0",
      "UPDATE index_blobs SET blob_byte_count = blob_byte_count + 1",
      "UPDATE index_blobs SET blob_byte_count = -9223372036854775808",
      "UPDATE index_blobs SET blob_name = CAST(x'FF' AS TEXT) || blob_name",
    ])
  func contradictoryRows(_ statement: String) throws {
    let sample = try Sample(seed: 5)
    let known = try indexes(in: Sample.fileSystem(with: sample.files))
    let fileSystem = try execute([statement], in: sample.files)
    let findings = try verify(fileSystem)
    #expect(findings.contains { $0.severity == .damage }, "\(statement)")
    try expectDropped(Set(known.keys), of: sample, in: fileSystem, statement)
  }

  @Test("a former index that no pin keeps any more goes without a word")
  func formerIndex() throws {
    let sample = try Sample(seed: 5)
    let known = try indexes(in: Sample.fileSystem(with: sample.files))
    let fileSystem = try execute(
      [
        "UPDATE index_blobs SET end_generation = first_generation + 1",
        "UPDATE collections SET generation = 0, indexed_position = 0",
        "UPDATE collections SET log_row_count = log_row_count + 1",
      ], in: sample.files)
    let report = try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
    #expect(report.losses.isEmpty && !report.actions.contains { $0.contains("index") })
    #expect(!known.isEmpty)
    #expect(try indexes(in: fileSystem).isEmpty)
    #expect(try verify(fileSystem) == [])
    try Sample.expect(sample.models, in: fileSystem, "former index")
  }

  @Test(
    "an index whose bytes are intact, and that is not the one of the vectors, is found",
    arguments: seeds, SampleIndex.Mistake.allCases)
  func wrongIndex(seed: UInt64, mistake: SampleIndex.Mistake) throws {
    let sample = try Sample(seed: seed)
    let known = try indexes(in: Sample.fileSystem(with: sample.files))
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let blobs = BlobStore(fileSystem: fileSystem, directory: "\(Sample.directory)/blobs")
    let catalog = try SQLiteCatalog(
      fileSystem: fileSystem, directory: Sample.directory, clock: SystemClock(),
      random: SystemRandomSource())
    // By name, since ids are drawn anew in each run: the first record of others is one that the log
    // changes, of which an index need not know.
    let id = try #require(
      known.keys.min { try catalog.collection(id: $0).name < catalog.collection(id: $1).name })
    #expect(try SampleIndex(catalog: catalog, blobs: blobs, mistake: mistake).publish(id))
    for blob in known[id]?.blobs ?? [] { try blobs.delete(blob.name.string) }
    catalog.close()
    let place = "seed \(seed), \(mistake)"
    let findings = try verify(fileSystem)
    #expect(findings.count == 1 && findings.first?.collection == id, "\(place): \(findings)")
    try expectDropped([id], of: sample, in: fileSystem, place)
  }

  @Test("where a repair writes a segment anew, the index over its records goes", arguments: seeds)
  func rewrittenSegment(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    var rewrittenCount = 0
    for name in sample.files.keys.sorted() where name.hasSuffix(".segment") {
      var files = sample.files
      // A few vectors, which come first.
      files[name]?.replaceSubrange(1000..<1512, with: repeatElement(0, count: 512))
      let fileSystem = try Sample.fileSystem(with: files)
      let report = try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
      let isRewritten = report.actions.contains { $0.contains("was written anew") }
      let isDropped = report.actions.contains { $0.contains("its records are not what they were") }
      #expect(isRewritten == isDropped, "seed \(seed), \(name): \(report.actions)")
      #expect(try verify(fileSystem) == [], "seed \(seed), \(name)")
      rewrittenCount += isRewritten ? 1 : 0
    }
    #expect(rewrittenCount > 0, "seed \(seed)")
  }

  @Test("a catalog made anew has no index, and what is left of one goes", arguments: seeds)
  func lostCatalog(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    var files = sample.files
    files["chroma.db"] = nil
    let fileSystem = try Sample.fileSystem(with: files)
    _ = try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
    #expect(try indexes(in: fileSystem).isEmpty)
    #expect(try verify(fileSystem) == [])
    let left = try fileSystem.list("\(Sample.directory)/blobs")
    #expect(!left.contains { $0.hasSuffix(SampleIndex.suffix) }, "\(left)")
  }

  // MARK: Copies

  @Test("a backup and what is restored from it have the index", arguments: seeds)
  func backup(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let known = try indexes(in: fileSystem)
    #expect(!known.isEmpty)
    let environment = Sample.environment(fileSystem)
    try Recovery.backup(Sample.directory, to: "/backup", environment)
    try Recovery.restore("/backup", to: "/restored", environment)
    for directory in ["/backup", "/restored"] {
      #expect(try indexes(in: fileSystem, at: directory) == known, "seed \(seed), \(directory)")
      #expect(try verify(fileSystem, at: directory) == [], "seed \(seed), \(directory)")
      try Sample.expect(
        sample.models, in: fileSystem, at: directory, "seed \(seed), \(directory)")
    }
  }

  @Test("a damaged index is left out of backups and of what is restored", arguments: seeds)
  func backupOfDamage(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    let environment = { Sample.environment($0 as any FileSystem) }
    for isMissing in [false, true] {
      for isSourceDamaged in [false, true] {
        let fileSystem = try Sample.fileSystem(with: sample.files)
        let known = try indexes(in: fileSystem)
        let id = try #require(known.keys.min())
        let blob = try #require(known[id]?.blobs.last)
        if !isSourceDamaged {
          try Recovery.backup(Sample.directory, to: "/backup", environment(fileSystem))
        }
        let path =
          "\(isSourceDamaged ? Sample.directory : "/backup")/blobs/\(blob.name)"
        if isMissing {
          try fileSystem.remove(path)
        } else {
          let file = try fileSystem.open(path, .readWrite)
          try file.write([0xA5, 0x5A], at: UInt64(64 + blob.byteCount / 2))
          file.close()
        }
        if isSourceDamaged {
          try Recovery.backup(Sample.directory, to: "/backup", environment(fileSystem))
        }
        try Recovery.restore("/backup", to: "/restored", environment(fileSystem))
        let place = "seed \(seed), missing: \(isMissing), source: \(isSourceDamaged)"
        for directory in isSourceDamaged ? ["/backup", "/restored"] : ["/restored"] {
          #expect(try verify(fileSystem, at: directory) == [], "\(place), \(directory)")
          #expect(
            try indexes(in: fileSystem, at: directory) == known.filter { $0.key != id },
            "\(place), \(directory)")
          try Sample.expect(sample.models, in: fileSystem, at: directory, place)
        }
      }
    }
  }
}
