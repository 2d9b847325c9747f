import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// What a memory limit counts, and what writers do about it. Method: engines on a directory in
/// memory, whose files are not mapped.
@Suite struct MemoryLimitTests {
  private static func open(_ memoryByteCountMax: Int) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: MemoryFileSystem(), directory: "/db", clock: SystemClock(),
        random: SystemRandomSource(), isShared: true, memoryByteCountMax: memoryByteCountMax))
  }

  private static func create(_ name: Text, in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: nil, metadata: nil, getOrCreate: false)
    ).id
  }

  private static func upserts(_ numbers: Range<Int>, dimension: Int) -> RecordBatch {
    RecordBatch(
      operation: .upsert, ids: numbers.map { Text("\($0)") },
      embeddings: VectorColumn(
        dimension: dimension, values: Array(repeating: 1, count: numbers.count * dimension)))
  }

  @Test("segments count that are not mapped", arguments: [1000, 100_000])
  func segments(dimension: Int) throws {
    let segmentByteCount = 10 * 4 * dimension
    let engine = try Self.open(8 * segmentByteCount)
    let ids = try (0..<20).map { try Self.create(Text("collection-\($0)"), in: engine) }
    for id in ids {
      try engine.write(Self.upserts(0..<10, dimension: dimension), to: id)
      try engine.flush(id)
    }
    for id in ids {
      #expect(
        try engine.get(.everything, from: id, limit: nil, offset: 0, include: [.embeddings]).ids
          .count == 10)
    }
    #expect(ids.count { engine.knownState(of: $0) != nil } <= 8)
  }

  @Test func aCollectionLargerThanTheLimitIsNotCompactedAtEveryWrite() throws {
    let engine = try Self.open(64 * 1024)
    let id = try Self.create("large", in: engine)
    try engine.write(Self.upserts(0..<5000, dimension: 2), to: id)
    try engine.flush(id)
    let version = try engine.statistics(of: id).version
    for number in 0..<5 {
      try engine.write(Self.upserts(number..<number + 1, dimension: 2), to: id)
    }
    #expect(try engine.statistics(of: id).version == version)
  }
}
