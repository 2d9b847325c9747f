import ChromaBase
import ChromaTestSupport
import Glibc
import Testing

@testable import ChromaIndex

/// A graph that has changed for long is as good as one made anew. Method: 20 rounds in which records
/// are deleted, put back under other slots, and given other vectors; then the graph beside a fresh one
/// of the same records.
@Suite struct GraphChurnTests {
  private static let isLong = getenv("CHROMA_TEST_LONG") != nil
  private static let ef = 32

  /// A graph and its vectors, while they change.
  private struct Churn {
    let set: VectorSet
    let table: VectorTable
    var builder: GraphBuilder
    /// The vector of each slot that is in use.
    var vectors: [UInt32: Int] = [:]
    var random: SeededRandom

    init(_ shape: VectorShape, _ space: Space, recordCount: Int, seed: UInt64) throws {
      set = VectorSet(shape, count: 2 * recordCount, queryCount: 40, dimension: 20, seed: seed)
      random = SeededRandom(seed)
      table = try VectorTable(dimension: 20, space: space)
      for slot in 0..<UInt32(recordCount) {
        vectors[slot] = Int(slot)
        try Self.set(slot, to: set.rows[Int(slot)], in: table)
      }
      let slots = Bitset(firstSlots: recordCount)
      let center = Quantizer.center(of: slots.prefix(500), in: table)
      builder = try Self.builder(slots, table, Quantizer(space: space, center: center))
    }

    static func set(_ slot: UInt32, to vector: [Float], in table: VectorTable) throws {
      try vector.withUnsafeBufferPointer { (vector) throws(ChromaError) in
        try table.set(slot, to: vector)
      }
    }

    /// A graph of the slots, made in their order.
    static func builder(
      _ slots: Bitset, _ table: VectorTable, _ quantizer: Quantizer
    ) throws -> GraphBuilder {
      var builder = GraphBuilder(
        Graph(quantizer: quantizer, maxNeighbors: 12), efConstruction: 64, threadCount: 2)
      _ = try builder.insert(Array(slots), vectors: table)
      try builder.connect()
      return builder
    }

    /// Deletes some records, changes some, and puts as many in as were deleted, under the free slots.
    mutating func round() throws {
      let used = vectors.keys.sorted().shuffled(using: &random)
      let deleted = used.prefix(used.count / 4)
      let changed = used.dropFirst(deleted.count).prefix(used.count / 8)
      try builder.remove(Bitset(deleted + changed))
      if random.oneIn(2) { try builder.connect() }
      for slot in deleted { vectors[slot] = nil }
      let free = (0..<UInt32(set.rows.count / 2 + used.count / 8)).filter { vectors[$0] == nil }
      let inserted = changed + free.shuffled(using: &random).prefix(deleted.count)
      for slot in inserted {
        let vector = random.int(in: 0...set.rows.count - 1)
        vectors[slot] = vector
        try Self.set(slot, to: set.rows[vector], in: table)
      }
      _ = try builder.insert(Array(inserted), vectors: table)
      try builder.connect()
    }
  }

  private func nearest(_ count: Int, to query: [Float], in graph: Graph, _ table: VectorTable)
    -> [Neighbor]
  {
    query.withUnsafeBufferPointer { query in
      let scratch = SearchScratch()
      let limit = min(max(Self.ef, count), graph.memberCount)
      scratch.prepare(for: graph, poolCount: limit, blockCount: 2 * graph.maxNeighbors)
      guard graph.quantizer.encode(query, into: scratch.query) else { return [] }
      let found = graph.candidates(limit: limit, scratch: scratch, poll: {})
      return ExactScan.nearest(
        count, to: query, in: table, among: Bitset(found.keys.map { PoolKey.slot($0) }),
        order: { UInt64($0) }, poll: {})
    }
  }

  private func recall(_ graph: Graph, _ churn: Churn) -> Double {
    var judge = RecallJudge()
    for query in churn.set.queries {
      judge.judge(
        nearest(10, to: query, in: graph, churn.table), 10, to: query, in: churn.table,
        among: graph.members)
    }
    return judge.recall
  }

  /// Nodes that a walk to their own vector does not find though it keeps as many as are as near to it,
  /// as far as codes tell.
  private func lost(_ graph: Graph, _ churn: Churn) -> [UInt32] {
    let scratch = SearchScratch()
    return graph.members.filter { slot in
      scratch.prepare(
        for: graph, poolCount: graph.memberCount, blockCount: 2 * graph.maxNeighbors)
      let isCode = churn.table.withRow(slot) {
        graph.quantizer.encode($0, into: scratch.query)
      }
      precondition(isCode)
      let walk = GraphWalk(
        graph.layout, to: UnsafePointer(scratch.query.assumingMemoryBound(to: Int8.self)),
        scratch: scratch, kernels: .best)
      let own = walk.key(of: slot) >> 32
      let nearCount = graph.members.count { walk.key(of: $0) >> 32 <= own }
      let found = graph.candidates(limit: max(Self.ef, nearCount), scratch: scratch, poll: {})
      return !found.keys.contains { PoolKey.slot($0) == slot }
    }
  }

  @Test(
    "after 20 rounds of changes recall, records found and bytes are as in a fresh graph",
    arguments: [
      VectorShape.gaussian, .unstructured, .clustered, .duplicates, .tightClusters, .lengths,
    ])
  func churn(shape: VectorShape) throws {
    // Where codes cannot tell vectors apart, it is chance whom a walk finds.
    let isTold = shape != .tightClusters && shape != .lengths
    var (churned, fresh) = (0.0, 0.0)
    let seedCount = Self.isLong ? 20 : 3
    for seed in 0..<UInt64(seedCount) {
      let space = Space.allCases[Int(seed) % 3]
      var churn = try Churn(shape, space, recordCount: Self.isLong ? 3_000 : 300, seed: seed)
      for _ in 0..<20 { try churn.round() }
      let graph = churn.builder.graph
      #expect(graph.members == Bitset(churn.vectors.keys), "\(churn.set)")
      #expect(graph.violation == nil, "\(churn.set)")
      #expect(graph.unreachable().isEmpty && graph.strays().isEmpty, "\(churn.set)")
      let new = try Churn.builder(graph.members, churn.table, graph.quantizer).graph
      churned += recall(graph, churn) / Double(seedCount)
      fresh += recall(new, churn) / Double(seedCount)
      // The nearest to a vector by its product need not be near it.
      if space != .ip, isTold { #expect(lost(graph, churn) == [], "\(churn.set), \(space)") }
      let bytes = GraphPatchEncoder(graph, label: GraphPatchTests.label).byteCount
      let newBytes = GraphPatchEncoder(new, label: GraphPatchTests.label).byteCount
      #expect(Double(bytes) <= 1.2 * Double(newBytes), "\(churn.set)")
    }
    if isTold {
      #expect(churned >= fresh - 0.005, "\(shape): \(churned) after changes, \(fresh) anew")
    }
  }
}
