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
      let writer = random.oneIn(3) ? other : engine
      if batch.operation.isWhole && random.oneIn(2) {
        try insert(batch, with: writer, to: id, &model, &random)
      } else {
        try writer.write(batch, to: id)
        model.apply(batch)
      }
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

  private func insert(
    _ batch: RecordBatch, with engine: Engine, to id: UUID, _ model: inout ModelCollection,
    _ random: inout SeededRandom
  ) throws {
    let policy = [ConflictPolicy.ignore, .error, .replace][random.int(in: 0...2)]
    var seen = Set(model.records.map(\.id))
    let newCount = batch.ids.count { seen.insert($0).inserted }
    if policy == .error && newCount < batch.count {
      let error = #expect(throws: ChromaError.self) {
        try engine.insert(batch, onConflict: policy, to: id)
      }
      #expect(error?.kind == .alreadyExists)
      return
    }
    let counts = try engine.insert(batch, onConflict: policy, to: id)
    #expect(counts.addedCount == newCount)
    #expect(counts.existingCount == batch.count - newCount)
    model.apply(
      RecordBatch(
        operation: policy == .replace ? .replace : .add, ids: batch.ids,
        embeddings: batch.embeddings, documents: batch.documents, uris: batch.uris,
        metadatas: batch.metadatas))
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
    // The bound is a distance as it was returned, which is within it.
    let bound = distances[distances.count / 2]
    let bounded = try engine.query(
      VectorColumn(dimension: Self.dimension, values: query), .everything, in: id,
      resultCount: count, maxDistance: Double(bound), include: [.distances])
    #expect(bounded.distances == distances.filter { $0 <= bound }, "\(place)")
    let boundedIDs = bounded.records.ids
    #expect(boundedIDs == Array(answer.records.ids.prefix(boundedIDs.count)), "\(place)")
    // Equal distances may be told apart by rounding in cosine space only.
    if space != .cosine {
      #expect(answer.records.ids == order.map { model.records[$0].id }, "\(place)")
    }
  }
}
