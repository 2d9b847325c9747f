import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// Generations come and go, are shared between engines, damaged and lost, and no query notices. Method:
/// engines on one directory in memory with small limits; answers compared with exact ones.
@Suite struct IndexGenerationTests {
  private static let dimension = 8
  private let setting = IndexSetting()

  private func vector(_ number: Int) -> [Float] {
    var random = SeededRandom(UInt64(number) &+ 77)
    return (0..<Self.dimension).map { _ in Float(random.int(in: -1000...1000)) / 100 }
  }

  private func batch(_ operation: Operation, _ numbers: some Sequence<Int>) -> RecordBatch {
    let ids = numbers.map { Text("id-\($0)") }
    if operation == .delete { return RecordBatch(operation: .delete, ids: ids) }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(dimension: Self.dimension, values: numbers.flatMap(vector)))
  }

  private func explain(_ engine: Engine, _ id: UUID) throws -> QueryExplanation {
    try IndexSetting.explain(engine, id, dimension: Self.dimension)
  }

  /// Compares what some queries find with and without the index.
  private func expectExact(_ engine: Engine, _ id: UUID, _ place: Comment) throws {
    let queries = (500..<505).flatMap(vector)
    let found = try IndexSetting.query(engine, id, queries, dimension: Self.dimension)
    let exact = try IndexSetting.query(
      engine, id, queries, dimension: Self.dimension, isExact: true)
    #expect(found.isSame(as: exact), place)
  }

  private func indexBlobs() throws -> [String] {
    try setting.files.list("/db/blobs").filter { $0.hasSuffix(".index") }
  }

  /// An engine with a collection of 100 records, all indexed.
  private func indexed() throws -> (engine: Engine, id: UUID) {
    let engine = try setting.open()
    let id = try IndexSetting.create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    return (engine, id)
  }

  @Test func aCollectionGetsAnIndexBeyondACertainSizeAndLosesItBelowHalfOfThat() throws {
    let engine = try setting.open()
    let id = try IndexSetting.create(in: engine)
    try engine.write(batch(.add, 0..<20), to: id)
    try engine.flush(id)
    #expect(try explain(engine, id).generation == 0)
    try engine.write(batch(.add, 20..<21), to: id)
    try engine.flush(id)
    let first = try explain(engine, id)
    #expect(first.generation > 0 && first.unindexedCount == 0)
    try engine.write(batch(.delete, 0..<10), to: id)
    try engine.flush(id)
    #expect(try explain(engine, id).generation > first.generation)
    try engine.write(batch(.delete, 10..<11), to: id)
    try engine.flush(id)
    #expect(try explain(engine, id).generation == 0)
    #expect(try indexBlobs().isEmpty)
    try expectExact(engine, id, "dropped")
  }

  @Test func whatIsNewerThanTheIndexIsFound() throws {
    let (engine, id) = try indexed()
    try engine.write(batch(.update, 0..<1), to: id)
    try engine.write(batch(.upsert, 98..<103), to: id)
    try engine.write(
      RecordBatch(
        operation: .update, ids: ["id-7"],
        embeddings: VectorColumn(dimension: Self.dimension, values: vector(1000))), to: id)
    try engine.write(batch(.delete, 20..<30), to: id)
    let explanation = try explain(engine, id)
    #expect(explanation.generation > 0)
    // 0 and 98 to 102 were set again, and 7.
    #expect(explanation.unindexedCount == 7)
    #expect(explanation.recordCount == 93)
    let nearest = try IndexSetting.query(
      engine, id, vector(1000), dimension: Self.dimension, count: 1)
    #expect(nearest.records.ids == ["id-7"])
    #expect(nearest.distances == [0])
    try expectExact(engine, id, "newer")
  }

  @Test func anotherProcessAnswersFromTheSameGenerationToTheBit() throws {
    let (engine, id) = try indexed()
    let other = try setting.open()
    for round in 0..<6 {
      let start = 100 + 20 * round
      try (round % 2 == 0 ? engine : other).write(batch(.upsert, start - 50..<start + 20), to: id)
      try (round % 3 == 0 ? engine : other).tidy(id)
      let (mine, theirs) = (try explain(engine, id), try explain(other, id))
      #expect(mine.generation == theirs.generation && mine.generation > 0)
      #expect(mine.indexedPosition == theirs.indexedPosition)
      #expect(mine.queries == theirs.queries)
      let queries = (500..<520).flatMap(vector)
      let answers = try [engine, other, try setting.open()].map {
        try IndexSetting.query($0, id, queries, dimension: Self.dimension)
      }
      #expect(answers.allSatisfy { $0.isSame(as: answers[0]) })
    }
  }

  @Test func generationsAreExtendedByPatchesAndWrittenWholeNowAndThen() throws {
    let (engine, id) = try indexed()
    let other = try setting.open()
    var counts: Set<Int> = []
    for start in stride(from: 100, to: 400, by: 10) {
      try engine.write(batch(.add, start..<start + 10), to: id)
      try engine.tidy(id)
      let manifest = try #require(try engine.catalog.manifest(of: id)?.index)
      counts.insert(manifest.blobs.count)
      #expect(try Set(indexBlobs()) == Set(manifest.blobs.map(\.name.string)))
      try expectExact(other, id, "up to \(start)")
    }
    #expect(counts.contains(1) && counts.contains { $0 > 1 })
    let total = try #require(try engine.catalog.manifest(of: id)?.index).blobs
      .reduce(0) { $0 + $1.byteCount }
    try engine.compact(id)
    let manifest = try #require(try engine.catalog.manifest(of: id)?.index)
    let fresh = try IndexSetting().fresh(0..<400, vector, Self.dimension)
    #expect(total <= fresh * 8 / 5)
    #expect(manifest.blobs.reduce(0) { $0 + $1.byteCount } <= fresh * 8 / 5)
  }

  @Test func aFlushLeavesNoCodeOfWhatWasDeletedInTheBlobs() throws {
    let (engine, id) = try indexed()
    try engine.write(batch(.delete, 0..<3), to: id)
    try engine.write(batch(.add, 200..<203), to: id)
    try engine.tidy(id)
    try engine.flush(id)
    let manifest = try #require(try engine.catalog.manifest(of: id)?.index)
    #expect(manifest.blobs.count == 1)
    #expect(try indexBlobs().count == 1)
    try engine.flush(id)
    #expect(try engine.catalog.manifest(of: id)?.index == manifest, "nothing is left to do")
  }

  // MARK: Damage

  @Test("a damaged or lost blob costs no answer, and is replaced", arguments: [true, false])
  func damage(isLost: Bool) throws {
    let id = try indexed().id
    let name = try #require(try indexBlobs().first)
    let path = "/db/blobs/\(name)"
    if isLost {
      try setting.files.remove(path)
    } else {
      let file = try setting.files.open(path, .readWrite)
      let size = try #require(try setting.files.attributes(path)).byteCount
      var bytes = try file.read(at: UInt64(size / 2), byteCountMax: 1)
      bytes[0] ^= 1
      try file.write(bytes, at: UInt64(size / 2))
    }
    let engine = try setting.open()
    let other = try setting.open()
    try expectExact(engine, id, "damaged")
    #expect(try explain(engine, id).queries.allSatisfy { $0.strategy == .exactScan })
    let before = try explain(engine, id)
    #expect(before.generation == 0 && before.unindexedCount == before.recordCount)
    #expect(try engine.indexingStatus(of: id).progress == 0)
    try engine.tidy(id)
    #expect(try explain(engine, id).generation > 0)
    #expect(try explain(engine, id).unindexedCount == 0)
    #expect(try !indexBlobs().contains(name))
    for reader in [engine, other] {
      try expectExact(reader, id, "built anew")
      #expect(try explain(reader, id).queries.allSatisfy { $0.strategy != .exactScan })
    }
  }

  // MARK: Settings

  @Test func efSearchTakesEffectAtOnceInEveryProcess() throws {
    let (engine, id) = try indexed()
    let other = try setting.open()
    #expect(try explain(other, id).efSearch == 10_000)
    try engine.modifyCollection(
      id: id, name: nil, metadata: nil, configuration: Text(#"{"hnsw":{"ef_search":7}}"#))
    #expect(try explain(other, id).efSearch == 7)
    #expect(try explain(engine, id).efSearch == 7)
  }

  @Test func anotherNumberOfNeighborsBuildsTheGraphAnewWhileTheOldOneServes() throws {
    let (engine, id) = try indexed()
    let before = try explain(engine, id)
    try engine.modifyCollection(
      id: id, name: nil, metadata: nil, configuration: Text(#"{"hnsw":{"max_neighbors":9}}"#))
    #expect(try explain(engine, id).generation == before.generation)
    // One publication, although there are many more vectors than one holds otherwise.
    #expect(try engine.maintenance.index(id, cancel: nil))
    #expect(try explain(engine, id).unindexedCount == 0)
    #expect(try !engine.maintenance.index(id, cancel: nil))
    try expectExact(engine, id, "another graph")
  }

  @Test func settingsThatNoGraphCanHaveAreTakenAsTheNearestThatOneCan() throws {
    for neighbors in ["0", "18446744073709551615"] {
      let setting = IndexSetting()
      let engine = try setting.open()
      let id = try engine.createCollection(
        CollectionRequest(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "things",
          configuration: Text(
            #"{"hnsw":{"max_neighbors":\#(neighbors),"ef_search":\#(neighbors),"#
              + #""ef_construction":\#(neighbors),"num_threads":\#(neighbors)}}"#),
          metadata: nil, getOrCreate: false)
      ).id
      try engine.write(batch(.add, 0..<60), to: id)
      try engine.flush(id)
      #expect(try explain(engine, id).generation > 0)
      let found = try IndexSetting.query(engine, id, vector(3), dimension: Self.dimension)
      #expect(found.records.ids.count == 10)
    }
  }

  @Test("vectors that have no codes are indexed by being measured", arguments: [false, true])
  func vectorsWithoutCodes(areAll: Bool) throws {
    let engine = try setting.open()
    let id = try IndexSetting.create(in: engine, space: .cosine)
    let values = (0..<100).flatMap { number in
      vector(number).map { areAll || number % 3 == 0 ? $0 * 1e36 : $0 }
    }
    try engine.write(
      RecordBatch(
        operation: .add, ids: (0..<100).map { Text("id-\($0)") },
        embeddings: VectorColumn(dimension: Self.dimension, values: values)), to: id)
    try engine.flush(id)
    let explanation = try explain(engine, id)
    #expect(explanation.generation > 0 && explanation.unindexedCount == 0)
    try expectExact(engine, id, "without codes")
    try engine.write(batch(.delete, 0..<60), to: id)
    try engine.write(batch(.add, 100..<101), to: id)
    try engine.flush(id)
    for reader in [engine, try setting.open()] { try expectExact(reader, id, "fewer") }
  }

  // MARK: Memory

  @Test func anIndexThatDoesNotFitTheMemoryLimitIsNeitherBuiltNorOpened() throws {
    let id = try indexed().id
    let engine = try setting.open(memoryByteCountMax: 1)
    let explanation = try explain(engine, id)
    #expect(explanation.generation == 0)
    #expect(explanation.unindexedCount == explanation.recordCount)
    #expect(explanation.queries.allSatisfy { $0.strategy == .exactScan })
    try expectExact(engine, id, "no room")
    let other = IndexSetting()
    let small = try other.open(memoryByteCountMax: 1)
    let fresh = try IndexSetting.create(in: small)
    try small.write(batch(.add, 0..<100), to: fresh)
    try small.flush(fresh)
    #expect(try explain(small, fresh).generation == 0)
  }

  // MARK: Status and background

  @Test func theStatusCountsOperations() throws {
    let engine = try setting.open()
    let id = try IndexSetting.create(in: engine)
    #expect(try engine.indexingStatus(of: id).progress == 1)
    try engine.write(batch(.add, 0..<20), to: id)
    #expect(try engine.indexingStatus(of: id).indexedCount == 20)
    try engine.write(batch(.add, 20..<100), to: id)
    let state = try engine.known.state(of: id)
    try engine.exclusively { [engine] () throws(ChromaError) in
      _ = try engine.maintenance.compactor.step(state)
    }
    _ = try engine.maintenance.index(id, cancel: nil)
    let status = try engine.indexingStatus(of: id)
    #expect(status.totalCount == 100)
    #expect(status.indexedCount + status.unindexedCount == 100)
    #expect(status.indexedCount > 0 && status.unindexedCount > 0)
    try engine.flush(id)
    #expect(try engine.indexingStatus(of: id).progress == 1)
  }

  @Test func writersWithoutAThreadKeepTheUnindexedFew() throws {
    let engine = try setting.open()
    let id = try IndexSetting.create(in: engine)
    for start in stride(from: 0, to: 600, by: 10) {
      try engine.write(batch(.add, start..<start + 10), to: id)
    }
    let explanation = try explain(engine, id)
    #expect(explanation.generation > 0)
    // At most what a step leaves, a batch, and the tail.
    #expect(explanation.unindexedCount < 200)
    try expectExact(engine, id, "by writers")
  }

  @Test func aLeaseOfAnotherProcessIsRespectedUntilItEnds() throws {
    let (engine, id) = try indexed()
    try engine.write(batch(.add, 100..<150), to: id)
    let lease = Lease(
      id: UUID(random: SystemRandomSource()), collection: id, kind: .index, blobName: nil,
      holder: "another", deadline: .max)
    #expect(try engine.catalog.acquireLease(lease))
    let error = #expect(throws: ChromaError.self) {
      try engine.tidy(id)
    }
    #expect(error?.kind == .locked)
    try expectExact(engine, id, "leased")
    try engine.catalog.releaseLease(id: lease.id)
    try engine.tidy(id)
    #expect(try explain(engine, id).unindexedCount == 0)
  }

  @Test func aVectorKeepsItsPositionThroughCompactions() throws {
    let (engine, id) = try indexed()
    try engine.write(batch(.update, 5..<6), to: id)
    try engine.compact(id)
    for reader in [engine, try setting.open()] {
      let position = try reader.known.state(of: id).read { (view) throws(ChromaError) in
        try view.table.slot(of: "id-5").map { view.table.vectorPosition($0) }
      }
      #expect(position == 101)
    }
  }
}

extension IndexSetting {
  /// Bytes of the index of some records, written at once.
  fileprivate func fresh(
    _ numbers: Range<Int>, _ vector: (Int) -> [Float], _ dimension: Int
  ) throws -> Int {
    var limits = IndexLimits.tiny
    limits.publishRecordCount = numbers.count
    let engine = try open(limits: limits)
    let id = try Self.create(in: engine)
    try engine.write(
      RecordBatch(
        operation: .add, ids: numbers.map { Text("id-\($0)") },
        embeddings: VectorColumn(dimension: dimension, values: numbers.flatMap(vector))), to: id)
    try engine.flush(id)
    return try engine.catalog.manifest(of: id)?.index.blobs.reduce(0) { $0 + $1.byteCount } ?? 0
  }
}
