import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// A page of `get` is what stands at its place among all matches in the order of insertion, whatever
/// segments and tail its records stand in. Method: segments whose orders interleave, as updates and
/// merges make them, and a tail of new and of updated records.
@Suite struct OrderedWalkTests {
  private let files = MemoryFileSystem()

  private func open() throws(ChromaError) -> Engine {
    var limits = CompactionLimits()
    limits.logRowCountMax = 1000
    return try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactionLimits: limits))
  }

  private func batch(_ operation: ChromaBase.Operation, _ numbers: [Int], _ word: String)
    -> RecordBatch
  {
    let ids = numbers.map { Text("id-\($0)") }
    if operation == .delete { return RecordBatch(operation: .delete, ids: ids) }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(dimension: 1, values: numbers.map { Float($0) }),
      documents: numbers.map { Text("\(word) \($0 % 7)") },
      metadatas: numbers.map { MetadataChange([.init("part", .int(Int64($0 % 3)))]) })
  }

  @Test(arguments: 0...9 as ClosedRange<UInt64>)
  func pagesFollowEachOtherInTheOrderOfInsertion(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let engine = try open()
    let id = try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "walk",
        configuration: nil, metadata: nil, getOrCreate: false)
    ).id
    var order: [Int] = []
    var words: [Int: String] = [:]
    for step in 0..<8 {
      let new = Array(100 * step..<100 * step + random.int(in: 1...60))
      try engine.write(batch(.add, new, "old"), to: id)
      order += new
      for number in new { words[number] = "old" }
      let changed = order.filter { _ in random.oneIn(4) }
      if !changed.isEmpty { try engine.write(batch(.update, changed, "new"), to: id) }
      for number in changed { words[number] = "new" }
      let gone = Set(order.filter { _ in random.oneIn(9) })
      if !gone.isEmpty { try engine.write(batch(.delete, gone.sorted(), ""), to: id) }
      order.removeAll { gone.contains($0) }
      if random.oneIn(2) { try engine.flush(id) }
      if step == 5 { try engine.compact(id) }
    }
    let selections: [(Selection, (Int) -> Bool)] = [
      (.everything, { _ in true }),
      (try Selection(whereJSON: #"{"part": 1}"#), { $0 % 3 == 1 }),
      (try Selection(whereDocumentJSON: #"{"$contains": "new"}"#), { words[$0] == "new" }),
      (
        try Selection(
          whereJSON: #"{"part": {"$ne": 2}}"#, whereDocumentJSON: #"{"$regex": "d [1-4]"}"#),
        { $0 % 3 != 2 && words[$0] == "old" && (1...4).contains($0 % 7) }
      ),
      (try Selection(whereDocumentJSON: #"{"$contains": "nowhere"}"#), { _ in false }),
    ]
    for (selection, matches) in selections {
      let expected = order.filter(matches).map { Text("id-\($0)") }
      #expect(try engine.count(selection, in: id) == expected.count, "seed \(seed)")
      for _ in 0..<20 {
        let offset = random.int(in: 0...expected.count + 2)
        let limit = random.oneIn(5) ? nil : random.int(in: 0...expected.count + 2)
        let start = random.oneIn(2) ? random.element(of: order) : nil
        let rest = order.drop { start != nil && $0 != start }.dropFirst(start == nil ? 0 : 1)
        let wanted = rest.filter(matches).map { Text("id-\($0)") }.dropFirst(offset)
        let page = try engine.get(
          selection, from: id, limit: limit, offset: offset, after: start.map { Text("id-\($0)") },
          include: [])
        #expect(page.ids == Array(wanted.prefix(limit ?? .max)), "seed \(seed)")
      }
    }
  }
}
