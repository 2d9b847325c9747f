import Chroma
import ChromaTestSupport
import Testing

/// The index as Swift users meet it: it finds what a scan finds, its settings hold at once, and it
/// says what it does. Method: seeded vectors, enough for an index.
@Suite struct IndexTests {
  private static let count = 6000
  private static let dimension = 16

  private static func vector(_ random: inout SeededRandom) -> [Float] {
    (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
  }

  @Test("an index finds what a scan finds, and explains itself")
  func index() async throws {
    let directory = TemporaryDirectory()
    let client = try await Client(path: "\(directory.path)/db", indexingThreadCount: 2)
    let settings = IndexSettings(maxNeighbors: 12, efConstruction: 90, efSearch: 80)
    let collection = try await client.createCollection("points", space: .l2, index: settings)
    #expect(try await collection.indexingStatus().progress == 1)
    var random = SeededRandom(11)
    try await collection.add(
      (0..<Self.count).map { number in
        Record(
          id: "\(number)", embedding: Self.vector(&random),
          metadata: ["odd": .int(Int64(number % 2))]
        )
      })
    try await collection.flush()
    let status = try await collection.indexingStatus()
    #expect(status.progress == 1 && status.indexedCount == Int64(Self.count))
    #expect(status.unindexedCount == 0 && status.totalCount == Int64(Self.count))

    var shared = 0
    for _ in 0..<20 {
      let query = Self.vector(&random)
      let exact = try await collection.query(query, include: [], isExact: true)
      let found = try await collection.query(query, include: [])
      shared += Set(found.map(\.record.id)).intersection(exact.map(\.record.id)).count
      let few = try await collection.query(query, resultCount: 5, include: [])
      #expect(few == Array(found.prefix(5)))
    }
    #expect(shared >= 190)

    let query = Self.vector(&random)
    let explanation = try await collection.explain(query, where: Key("odd") == 1)
    #expect(explanation.generation > 0 && explanation.version > 0)
    #expect(explanation.position == Int64(Self.count))
    #expect(explanation.indexedPosition == Int64(Self.count))
    #expect(explanation.recordCount == Self.count)
    #expect(explanation.candidateCount == Self.count / 2)
    #expect(explanation.unindexedCount == 0 && explanation.scannedCount == 0)
    #expect(explanation.efSearch == 80)
    #expect(explanation.measuredCount > 0 && explanation.rerankedCount > 0)
    let exact = try await collection.explain(query, isExact: true)
    #expect(exact.strategy == .exactScan || exact.strategy == .codeScan)
  }

  @Test("a changed efSearch holds for the next query, of every client")
  func efSearch() async throws {
    let directory = TemporaryDirectory()
    let writer = try await Client(path: "\(directory.path)/db")
    let collection = try await writer.createCollection("points")
    try await collection.add([Record(id: "a", embedding: [0, 1])])
    let reader = try await Client(path: "\(directory.path)/db", isReadOnly: true)
    let seen = try await reader.collection("points")
    #expect(try await seen.explain([0, 1]).efSearch == 100)
    try await collection.modify(efSearch: 17)
    #expect(try await seen.explain([0, 1]).efSearch == 17)
    #expect(try await seen.explain([0, 1]).strategy == .exactScan)
    await #expect(throws: ChromaError.self) { try await collection.modify(efSearch: -1) }
    await #expect(throws: ChromaError.self) { try await collection.explain([1]) }
    try await writer.deleteCollection("points")
    await #expect(throws: ChromaError.self) { try await collection.indexingStatus() }
    await #expect(throws: ChromaError.self) { try await collection.explain([0, 1]) }
  }
}
