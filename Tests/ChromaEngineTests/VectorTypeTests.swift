import ChromaBase
import ChromaCatalog
import ChromaKernels
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// A collection that stores its vectors narrow rounds them once, when they are written. From then on
/// every reader, in this process or after it, from the log or from segments, gets the same values,
/// and distances exact for them. Method: an engine with small limits on a directory in memory,
/// against the rounding and the definition of each distance, computed here.
@Suite struct VectorTypeTests {
  private let files = MemoryFileSystem()
  private static let dimension = 19

  private func open() throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactionLimits: .tiny, indexLimits: .tiny))
  }

  private func create(
    in engine: Engine, _ configuration: Text?, name: Text = "things"
  ) throws(ChromaError) -> CollectionDescription {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: configuration, metadata: nil, getOrCreate: true))
  }

  private func batch(
    _ operation: Operation, _ vectors: [Text: [Float]]
  ) -> RecordBatch {
    let sorted = vectors.sorted { $0.key < $1.key }
    return RecordBatch(
      operation: operation, ids: sorted.map(\.key),
      embeddings: VectorColumn(dimension: Self.dimension, values: sorted.flatMap(\.value)))
  }

  private func vector(_ random: inout SeededRandom) -> [Float] {
    let length = random.element(of: [1, 1, 1e-3, 100] as [Float])
    return (0..<Self.dimension).map { _ in length * Float.random(in: -1...1, using: &random) }
  }

  private func rounded(_ vector: [Float], _ type: VectorType) -> [Float] {
    withUnsafeTemporaryAllocation(
      byteCount: type.rowByteCount(dimension: vector.count), alignment: 4
    ) { row in
      let refused = vector.withUnsafeBufferPointer { type.encode($0, into: row.baseAddress!) }
      precondition(refused == nil)
      return type.withElements(row.baseAddress!, dimension: vector.count) { Array($0) }
    }
  }

  private func distance(_ a: [Float], _ b: [Float], _ space: Space) -> Double {
    let pairs = zip(a, b).map { (Double($0), Double($1)) }
    let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    switch space {
    case .l2: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    case .ip: return 1 - dot
    case .cosine:
      let norms = (pairs.reduce(0) { $0 + $1.0 * $1.0 } * pairs.reduce(0) { $0 + $1.1 * $1.1 })
        .squareRoot()
      return norms == 0 ? 1 : 1 - dot / norms
    }
  }

  /// Compares all that the collection holds, and some queries, with what was stored.
  private func expect(
    _ stored: [Text: [Float]], in engine: Engine, _ id: UUID, _ space: Space,
    _ random: inout SeededRandom, _ comment: Comment
  ) throws {
    let found = try engine.get(
      .everything, from: id, limit: nil, offset: 0, include: [.embeddings])
    #expect(Set(found.ids) == Set(stored.keys), comment)
    for (row, recordID) in found.ids.enumerated() {
      let start = row * Self.dimension
      let vector = Array(found.embeddings?[start..<start + Self.dimension] ?? [])
      #expect(vector == stored[recordID], comment)
    }
    let query = vector(&random)
    let answer = try engine.query(
      VectorColumn(dimension: Self.dimension, values: query), .everything, in: id,
      resultCount: stored.count, include: [.distances])
    let expected = stored.mapValues { distance(query, $0, space) }
    let scale = expected.values.map(abs).max() ?? 1
    for (recordID, distance) in zip(answer.records.ids, answer.distances ?? []) {
      let exact = expected[recordID] ?? .nan
      #expect(abs(Double(distance) - exact) <= 1e-5 * max(1, scale), comment)
    }
    #expect(answer.distances == answer.distances?.sorted(), comment)
    // What was stored is found where it is.
    if space == .l2, let (recordID, vector) = stored.randomElement(using: &random) {
      let own = try engine.query(
        VectorColumn(dimension: Self.dimension, values: vector), .everything, in: id,
        resultCount: 1, include: [.distances, .embeddings])
      #expect(own.distances == [0] && own.records.embeddings == vector, "\(comment) \(recordID)")
    }
  }

  @Test(
    "what is stored is the rounded vector, wherever it stands", arguments: VectorType.allCases,
    Space.allCases)
  func whatIsStoredIsTheRoundedVector(type: VectorType, space: Space) throws {
    for seed in UInt64(1)...3 {
      var random = SeededRandom(seed)
      var engine = try open()
      let configuration =
        #"{"hnsw":{"space":"\#(space.rawValue)"},"vector_dtype":"\#(type.rawValue)"}"#
      let id = try create(in: engine, Text(configuration), name: Text("seed-\(seed)")).id
      var stored: [Text: [Float]] = [:]
      for round in 0..<12 {
        var vectors: [Text: [Float]] = [:]
        for _ in 0..<random.int(in: 1...30) {
          vectors[Text("id-\(random.int(in: 0...99))")] = vector(&random)
        }
        try engine.write(batch(.upsert, vectors), to: id)
        for (recordID, vector) in vectors { stored[recordID] = rounded(vector, type) }
        if random.oneIn(3), let gone = stored.keys.sorted().first {
          try engine.write(RecordBatch(operation: .delete, ids: [gone]), to: id)
          stored[gone] = nil
        }
        switch random.int(in: 0...4) {
        case 0: try engine.flush(id)
        case 1: try engine.compact(id)
        case 2: engine = try open()
        default: break
        }
        let comment: Comment = "seed \(seed), \(type), \(space), round \(round)"
        try expect(stored, in: engine, id, space, &random, comment)
      }
    }
  }

  @Test func aValueBeyondTheTypeIsRefusedByItsName() throws {
    let engine = try open()
    let id = try create(in: engine, #"{"vector_dtype":"f16"}"#).id
    var vector = [Float](repeating: 1, count: Self.dimension)
    vector[7] = 70_000
    let error = #expect(throws: ChromaError.self) {
      try engine.write(batch(.add, ["a": [Float](repeating: 0, count: 19), "b": vector]), to: id)
    }
    #expect(
      error
        == .invalidArgument(
          "The embedding at index 1 has the element 70000.0 at index 7, which is too large for the "
            + "vector_dtype of the collection: f16 holds magnitudes up to 65504.0. Scale the "
            + "embeddings, or store them in a collection with another vector_dtype."))
    #expect(try engine.count(in: id) == 0)
  }

  @Test func queriesKeepTheirPrecision() throws {
    let engine = try open()
    let id = try create(in: engine, #"{"vector_dtype":"f16"}"#).id
    let rest = [Float](repeating: 0, count: Self.dimension - 1)
    try engine.write(batch(.add, ["a": [1] + rest]), to: id)
    // One beyond what f16 holds, one between its numbers: a query is not stored.
    for (element, expected) in [(100_001, 1e10), (0x1.001p+0, 0x1p-24)] as [(Float, Float)] {
      let query = VectorColumn(dimension: Self.dimension, values: [element] + rest)
      let answer = try engine.query(
        query, .everything, in: id, resultCount: 1, include: [.distances])
      #expect(answer.distances == [expected])
    }
  }

  @Test func theTypeIsShownWhereItIsNotTheDefaultAndCannotChange() throws {
    let engine = try open()
    let plain = try create(in: engine, #"{"vector_dtype":"f32"}"#, name: "plain")
    #expect(!plain.configuration.string.contains("vector_dtype"))
    let narrow = try create(in: engine, #"{"vector_dtype":"int8"}"#, name: "narrow")
    #expect(narrow.configuration.string.hasSuffix(#","vector_dtype":"int8"}"#))
    let change = { (id: UUID, configuration: Text) throws(ChromaError) in
      try engine.modifyCollection(
        id: id, name: nil, metadata: nil, configuration: configuration)
    }
    try change(narrow.id, #"{"hnsw":{"ef_search":7},"vector_dtype":"int8"}"#)
    let error = #expect(throws: ChromaError.self) {
      try change(plain.id, #"{"vector_dtype":"f16"}"#)
    }
    #expect(error?.message.contains("cannot be changed") == true)
    #expect(
      try open().collection(id: narrow.id).configuration.string.contains(#""ef_search":7"#))
    #expect(
      try open().collection(id: narrow.id).configuration.string
        .hasSuffix(#","vector_dtype":"int8"}"#))
  }

  @Test(arguments: [#""f8""#, #""F16""#, "16", "{}"])
  func anUnknownTypeIsRefused(value: String) throws {
    let engine = try open()
    let error = #expect(throws: ChromaError.self) {
      try create(in: engine, Text(#"{"vector_dtype":\#(value)}"#))
    }
    #expect(error?.kind == .invalidArgument)
    #expect(error?.message.contains("one of `f32`, `f16`, `bf16`, `int8`") == true)
  }

  @Test func aNarrowCollectionTakesLessSpace() throws {
    var sizes: [VectorType: Int] = [:]
    for type in VectorType.allCases {
      let engine = try open()
      let id = try create(
        in: engine, Text(#"{"vector_dtype":"\#(type.rawValue)"}"#), name: Text(type.rawValue)
      ).id
      let vector = (0..<512).map { Float($0 % 7) - 3 }
      try engine.write(
        RecordBatch(
          operation: .add, ids: (0..<64).map { Text("\($0)") },
          embeddings: VectorColumn(
            dimension: 512, values: Array(repeatElement(vector, count: 64).joined()))),
        to: id)
      try engine.compact(id)
      sizes[type] = try engine.statistics(of: id).segmentByteCount
    }
    let rest = 8 * 1024
    #expect(sizes[.f32]! >= 64 * 2048)
    #expect(sizes[.f16]! <= 64 * 1024 + rest)
    #expect(sizes[.bf16] == sizes[.f16])
    #expect(sizes[.int8]! <= 64 * 576 + rest)
  }
}
