import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

extension IndexLimits {
  /// Little data makes many generations.
  static var tiny: IndexLimits {
    var limits = IndexLimits()
    limits.recordCountMin = 20
    limits.publishRecordCount = 16
    limits.publishNanoseconds = .max
    limits.unindexedCountMax = 12
    limits.stepNanoseconds = .max
    return limits
  }
}

/// A directory in memory for engines that index soon.
struct IndexSetting {
  let files = MemoryFileSystem()

  func open(
    compactsInBackground: Bool = false, memoryByteCountMax: Int? = nil,
    limits: IndexLimits = .tiny, clock: any Clock = SystemClock()
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: clock, random: SystemRandomSource(),
        isShared: true, compactsInBackground: compactsInBackground,
        memoryByteCountMax: memoryByteCountMax, compactionLimits: .tiny, indexLimits: limits))
  }

  /// - Parameter efSearch: So large that no walk misses anything, unless said otherwise.
  static func create(
    in engine: Engine, space: Space = .l2, efSearch: Int = 10_000
  ) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "things",
        configuration: Text(
          #"{"hnsw":{"space":"\#(space.rawValue)","ef_search":\#(efSearch),"max_neighbors":4}}"#),
        metadata: nil, getOrCreate: false)
    ).id
  }

  /// The nearest, by id and distance.
  static func query(
    _ engine: Engine, _ id: UUID, _ values: [Float], dimension: Int, count: Int = 10,
    isExact: Bool = false, selection: Selection = .everything
  ) throws(ChromaError) -> QueryAnswer {
    try engine.query(
      VectorColumn(dimension: dimension, values: values), selection, in: id, resultCount: count,
      include: [.distances, .embeddings], isExact: isExact)
  }

  static func explain(
    _ engine: Engine, _ id: UUID, dimension: Int
  ) throws(ChromaError) -> QueryExplanation {
    try engine.explain(
      VectorColumn(dimension: dimension, values: Array(repeating: 0, count: dimension)),
      .everything, in: id, resultCount: 1)
  }
}

extension QueryAnswer {
  func isSame(as other: QueryAnswer) -> Bool {
    rowOffsets == other.rowOffsets && records.ids == other.records.ids
      && distances == other.distances && records.embeddings == other.records.embeddings
  }
}

/// An index changes no answer: whatever was written, deleted, compacted and indexed, by whichever
/// engine, a query through the index answers as one that measures everything. Method: random histories
/// with limits so small that there are many generations, and pools so large that walks miss nothing.
@Suite struct IndexHistoryTests {
  private static let dimension = 3

  @Test("random histories answer through the index as without", arguments: 0..<40 as Range<UInt64>)
  func histories(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let space = random.element(of: Space.allCases)
    let setting = IndexSetting()
    var engine = try setting.open()
    let other = try setting.open()
    let id = try IndexSetting.create(in: engine, space: space)
    var model = ModelCollection()
    var indexedCount = 0
    for step in 0..<50 {
      let batch = RecordBatch.random(
        dimension: Self.dimension, idCount: 150, rowCountMax: 30, using: &random)
      try (random.oneIn(3) ? other : engine).write(batch, to: id)
      model.apply(batch)
      if random.oneIn(8) { engine = try setting.open() }
      if random.oneIn(3) { try maintain(random.oneIn(2) ? engine : other, id, &random) }
      guard random.oneIn(3) else { continue }
      let query = (0..<2 * Self.dimension).map { _ in Float(random.int(in: -30...30)) / 8 }
      let exact = try IndexSetting.query(
        engine, id, query, dimension: Self.dimension, isExact: true)
      for reader in [engine, other] {
        let found = try IndexSetting.query(reader, id, query, dimension: Self.dimension)
        #expect(found.isSame(as: exact), "seed \(seed), step \(step)")
      }
      try expectModel(exact, model, query, space, "seed \(seed), step \(step)")
      let explanation = try IndexSetting.explain(other, id, dimension: Self.dimension)
      #expect(explanation.recordCount == model.records.count)
      if explanation.generation > 0 { indexedCount += 1 }
    }
    #expect(indexedCount > 0, "seed \(seed)")
    try expectConsistent(engine, setting)
  }

  private func maintain(_ engine: Engine, _ id: UUID, _ random: inout SeededRandom) throws {
    switch random.int(in: 0...5) {
    case 0: try engine.flush(id)
    case 1: try engine.compact(id)
    case 2: _ = try engine.maintenance.index(id, cancel: nil)
    default: try engine.tidy(id)
    }
  }

  private func expectModel(
    _ answer: QueryAnswer, _ model: ModelCollection, _ query: [Float], _ space: Space,
    _ place: String
  ) throws {
    let distances = try #require(answer.distances)
    for row in 0..<2 {
      let values = Array(query[row * Self.dimension..<(row + 1) * Self.dimension])
      let expected = model.records
        .map { ModelCollection.distance($0.vector, values, space) }.sorted().prefix(10)
      let found = distances[answer.rowOffsets[row]..<answer.rowOffsets[row + 1]]
      #expect(found.count == expected.count, "\(place)")
      for (one, other) in zip(found, expected) {
        #expect(abs(Double(one) - other) <= 1e-5 * max(1, abs(other)), "\(place)")
      }
    }
  }

  /// Nothing is left over on the disk, and the catalog agrees with itself.
  private func expectConsistent(_ engine: Engine, _ setting: IndexSetting) throws {
    let referenced = Set(try engine.catalog.referencedBlobs().map(\.string))
    let there =
      try setting.files.attributes("/db/blobs") == nil ? [] : setting.files.list("/db/blobs")
    #expect(Set(there) == referenced)
  }
}
