import Chroma
import Testing

/// Counts by filters, orders, pages and distinct values as Swift users meet them.
@Suite struct OrderTests {
  private static func collection(_ values: [MetadataValue?]) async throws -> Collection {
    let client = try await Client.inMemory()
    let collection = try await client.createCollection("records")
    try await collection.add(
      values.enumerated().map { number, value in
        Record(
          id: "\(number)", embedding: [Float(number), 1], document: "number \(number)",
          metadata: value.map { ["key": $0] })
      })
    return collection
  }

  @Test("records stand in the order of a key, page by page, in the log and in segments")
  func order() async throws {
    let collection = try await Self.collection([
      "b", 2, nil, 1.5, true, .ints([1]), "a", .int(2), false, .float(2),
    ])
    let ascending = ["8", "4", "3", "1", "7", "9", "6", "0", "2", "5"]
    let descending = ["0", "6", "1", "7", "9", "3", "4", "8", "2", "5"]
    for _ in 0..<2 {
      #expect(try await collection.get(orderBy: "key").map(\.id) == ascending)
      #expect(try await collection.get(orderBy: "key", descending: true).map(\.id) == descending)
      var ids: [String] = []
      repeat {
        let page = try await collection.get(limit: 3, after: ids.last, orderBy: "key")
        ids += page.map(\.id)
        if page.isEmpty { break }
      } while true
      #expect(ids == ascending)
      #expect(try await collection.get(limit: 2, after: "7").map(\.id) == ["8", "9"])
      try await collection.flush()
    }
    await #expect(throws: ChromaError.self) { try await collection.get(after: "absent") }
    await #expect(throws: ChromaError.self) { try await collection.get(descending: true) }
  }

  @Test("values are distinct, counts are of what matches, and a selection explains itself")
  func values() async throws {
    let collection = try await Self.collection(["b", 2, nil, .float(2), "b", .ints([2, 2]), 0.5])
    for _ in 0..<2 {
      let all = try await collection.distinct("key")
      #expect(all.map(\.value) == [0.5, 2, "b"])
      #expect(all.map(\.count) == [1, 3, 2])
      #expect(try await collection.distinct("key", limit: 1) == [all[0]])
      #expect(try await collection.distinct("key", where: Key("key") == "b") == [all[2]])
      #expect(try await collection.count(where: Key("key") == 2) == 2)
      #expect(try await collection.count(whereDocument: .contains("number")) == 7)
      #expect(try await collection.count() == 7)
      let explanation = try await collection.explain(where: Key("key") == 2)
      #expect(explanation.recordCount == 7 && explanation.candidateCount == 2)
      #expect(explanation.strategy == nil && explanation.filter?.first == "{")
      #expect(try await collection.explain().filter == nil)
      try await collection.compact()
    }
    await #expect(throws: ChromaError.self) { try await collection.distinct("key", limit: -1) }
  }
}
