import ChromaBase
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Testing

/// What the engine answers is what its log comes to. Method: random histories on the engine and on
/// the model; after every few writes everything that can be read is compared. Neither reopening, nor a
/// second engine on the same files, nor any compaction may change an answer.
@Suite struct EngineModelTests {
  static let dimension = 3

  private struct Setting {
    let files = MemoryFileSystem()
    let random = SystemRandomSource()

    func open() throws(ChromaError) -> Engine {
      try Engine(
        EngineEnvironment(
          fileSystem: files, directory: "/db", clock: SystemClock(), random: random,
          isShared: true, compactionLimits: .tiny))
    }
  }

  private func collection(in engine: Engine, space: Space) throws -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: "default_tenant", database: "default_database", name: "history",
        configuration: Text(#"{"hnsw":{"space":"\#(space.rawValue)"}}"#), metadata: nil,
        getOrCreate: false)
    ).id
  }

  @Test("random histories read as the model says", arguments: 0..<60 as Range<UInt64>)
  func histories(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let space = Space.allCases[random.int(in: 0...Space.allCases.count - 1)]
    let setting = Setting()
    var engine = try setting.open()
    let id = try collection(in: engine, space: space)
    let other = try setting.open()
    var model = ModelCollection()
    for step in 0..<40 {
      let batch = RecordBatch.random(
        dimension: Self.dimension, idCount: 30, rowCountMax: 12, using: &random)
      try (random.oneIn(3) ? other : engine).write(batch, to: id)
      model.apply(batch)
      if random.oneIn(10) { engine = try setting.open() }
      if random.oneIn(4) { try compact(random.oneIn(2) ? engine : other, id, &random) }
      if random.oneIn(3) {
        let query = (0..<Self.dimension).map { _ in Float(random.int(in: -3...3)) }
        for reader in [engine, other] {
          try expectEqual(reader, id, model, space, query, "seed \(seed), step \(step)")
        }
      }
    }
  }

  private func compact(_ engine: Engine, _ id: UUID, _ random: inout SeededRandom) throws {
    switch random.int(in: 0...2) {
    case 0: try engine.flush(id)
    case 1: try engine.compact(id)
    default: try engine.tidy(id)
    }
  }

  private func expectEqual(
    _ engine: Engine, _ id: UUID, _ model: ModelCollection, _ space: Space, _ query: [Float],
    _ place: String
  ) throws {
    #expect(try engine.count(in: id) == model.records.count, "\(place)")
    let all: Include = [.documents, .embeddings, .metadatas, .uris]
    let got = try engine.get(.everything, from: id, limit: nil, offset: 0, include: all)
    #expect(got.ids == model.records.map(\.id), "\(place)")
    #expect(got.documents == model.records.map(\.document), "\(place)")
    #expect(got.uris == model.records.map(\.uri), "\(place)")
    #expect(got.embeddings == model.records.flatMap(\.vector), "\(place)")
    #expect(
      got.metadatas
        == model.records.map { record in
          let entries = record.metadata.map { Metadata.Entry($0.key, $0.value) }
          return entries.isEmpty && record.uri == nil ? nil : Metadata(entries)
        }, "\(place)")
    if model.records.isEmpty { return }

    let count = 5
    let answer = try engine.query(
      VectorColumn(dimension: Self.dimension, values: query), .everything, in: id,
      resultCount: count, include: [.distances])
    let expected = model.records.map { ModelCollection.distance($0.vector, query, space) }
    // The model's order: nearest first, ties as inserted.
    let order = expected.indices.sorted { (expected[$0], $0) < (expected[$1], $1) }.prefix(count)
    let distances = try #require(answer.distances)
    #expect(distances.count == order.count, "\(place)")
    for (rank, row) in order.enumerated() where rank < distances.count {
      let difference = abs(Double(distances[rank]) - expected[row])
      #expect(difference <= 1e-5 * max(1, abs(expected[row])), "\(place)")
    }
    // Equal distances may be told apart by rounding in cosine space only.
    if space != .cosine {
      #expect(answer.records.ids == order.map { model.records[$0].id }, "\(place)")
    }
  }
}
