import ChromaBase
import ChromaIndex
import ChromaKernels
import ChromaTestSupport
import Testing

/// The graph follows from the records and their order alone, whatever threads and kernels build it; it
/// keeps its invariants for vectors of every shape, and leads to every one of them.
@Suite struct GraphBuilderTests {
  /// Sets whose codes tell the nearest apart: where they do not, a search has to measure more than a
  /// walk finds (see `IndexSearch`).
  private static let clearShapes = VectorShape.allCases.filter {
    $0 != .tightClusters && $0 != .lengths
  }

  private func graph(
    of set: VectorSet, _ space: Space, maxNeighbors: Int = 8, threadCount: Int = 1,
    kernels: Kernels = .best
  ) throws -> (graph: Graph, table: VectorTable) {
    let table = try set.table(space)
    let slots = (0..<UInt32(set.rows.count)).map { $0 }
    var builder = GraphBuilder(
      Graph(quantizer: quantizer(table, slots), maxNeighbors: maxNeighbors), efConstruction: 40,
      threadCount: threadCount, kernels: kernels)
    #expect(try builder.insert(slots, vectors: table) == slots.count)
    try builder.connect()
    return (builder.graph, table)
  }

  private func quantizer(_ table: VectorTable, _ slots: [UInt32]) -> Quantizer {
    Quantizer(space: table.space, center: Quantizer.center(of: slots, in: table))
  }

  /// The slots that a walk to the row finds, nearest first.
  private func walk(
    _ graph: Graph, to query: [Float], limit: Int, scratch: SearchScratch = SearchScratch(),
    kernels: Kernels = .best
  ) throws -> [UInt32] {
    scratch.prepare(for: graph, poolCount: limit, blockCount: 2 * graph.maxNeighbors)
    try #require(
      query.withUnsafeBufferPointer { graph.quantizer.encode($0, into: scratch.query) })
    return graph.candidates(limit: limit, scratch: scratch, kernels: kernels, poll: {}).keys
      .map(PoolKey.slot)
  }

  /// The nearest of what a walk finds.
  private func nearest(
    _ count: Int, to query: [Float], in graph: Graph, _ table: VectorTable, limit: Int
  ) throws -> [Neighbor] {
    let found = Bitset(try walk(graph, to: query, limit: limit))
    return query.withUnsafeBufferPointer {
      ExactScan.nearest(count, to: $0, in: table, among: found, order: { UInt64($0) }, poll: {})
    }
  }

  @Test(
    "any number of threads builds the same graph", arguments: Space.allCases,
    [VectorShape.gaussian, .duplicates])
  func threadsBuildTheSame(space: Space, shape: VectorShape) throws {
    let set = VectorSet(shape, count: 500, dimension: 20, seed: 1)
    let one = try graph(of: set, space).graph
    #expect(one.violation == nil, "\(set)")
    for threadCount in 2...3 {
      let built = try graph(of: set, space, threadCount: threadCount).graph
      #expect(one.difference(from: built) == nil, "\(set)")
    }
  }

  @Test("all kernels build the same graph and find the same in it", arguments: Space.allCases)
  func kernelsBuildTheSame(space: Space) throws {
    let set = VectorSet(.gaussian, count: 300, queryCount: 10, dimension: 100, seed: 2)
    let truth = try graph(of: set, space, kernels: .scalar).graph
    for kernels in Kernels.compiled where kernels.isSupported {
      let built = try graph(of: set, space, kernels: kernels).graph
      #expect(truth.difference(from: built) == nil, "\(kernels.name)")
      for query in set.queries {
        #expect(
          try walk(truth, to: query, limit: 30, kernels: .scalar)
            == walk(built, to: query, limit: 30, kernels: kernels), "\(kernels.name)")
      }
    }
  }

  @Test(
    "a record is found by its own vector, whatever the others are like",
    arguments: VectorShape.allCases, [Space.l2, .cosine])
  func recordsAreFound(shape: VectorShape, space: Space) throws {
    let set = VectorSet(shape, count: 300, dimension: 24, seed: 3)
    let (graph, table) = try graph(of: set, space)
    #expect(graph.violation == nil, "\(set)")
    let limit = Self.clearShapes.contains(shape) ? 100 : 300
    for slot in graph.members {
      let row = set.rows[Int(slot)]
      let own = row.withUnsafeBufferPointer {
        ExactScan.nearest(
          1, to: $0, in: table, among: Bitset([slot]), order: { UInt64($0) }, poll: {})
      }
      let found = try nearest(1, to: row, in: graph, table, limit: limit)
      #expect(try #require(found.first).distance <= own[0].distance, "\(set), slot \(slot)")
    }
  }

  @Test(
    "a walk finds nearly all of the nearest", arguments: Self.clearShapes, Space.allCases)
  func recallIsHigh(shape: VectorShape, space: Space) throws {
    let set = VectorSet(shape, count: 400, queryCount: 20, dimension: 24, seed: 4)
    let (graph, table) = try graph(of: set, space)
    var judge = RecallJudge()
    for query in set.queries where query.contains(where: { $0 != 0 }) {
      let found = try nearest(10, to: query, in: graph, table, limit: 100)
      judge.judge(found, 10, to: query, in: table, among: graph.members)
    }
    #expect(judge.recall > 0.95, "\(set), \(space)")
  }

  @Test("thousands of equal vectors are all reached, one list at a time", arguments: Space.allCases)
  func equalVectorsAreReached(space: Space) throws {
    let set = VectorSet(.equal, count: 2_000, dimension: 8, seed: 5)
    let (graph, _) = try graph(of: set, space)
    #expect(graph.violation == nil, "\(set)")
    #expect(graph.unreachable().isEmpty)
    #expect(Set(try walk(graph, to: set.rows[0], limit: 2_000)).count == 2_000)
  }

  @Test(
    "vectors without a code stay out, and others of every magnitude do no harm",
    arguments: Space.allCases)
  func extremesAreSafe(space: Space) throws {
    var random = SeededRandom(6)
    let numbers: [Float] = [
      0, 1, -1, 1e38, -1e38, .leastNonzeroMagnitude, 1e-30, 3e18, -1e9, .infinity, -.infinity, .nan,
    ]
    let table = try VectorTable(dimension: 3, space: space)
    let rows = (0..<400).map { _ in
      (0..<3).map { _ in
        random.oneIn(2) ? random.element(of: numbers) : Float.random(in: -1...1, using: &random)
      }
    }
    for (slot, row) in rows.enumerated() {
      try row.withUnsafeBufferPointer { row throws(ChromaError) in
        try table.set(UInt32(slot), to: row)
      }
    }
    let slots = (0..<400).map { UInt32($0) }
    var builder = GraphBuilder(
      Graph(quantizer: quantizer(table, slots), maxNeighbors: 4), efConstruction: 20,
      threadCount: 1)
    #expect(try builder.insert(slots, vectors: table) == 400)
    #expect(builder.graph.violation == nil, "seed 6")
    #expect((10..<390).contains(builder.graph.memberCount))
    for slot in slots where !rows[Int(slot)].allSatisfy(\.isFinite) {
      #expect(!builder.graph.members.contains(slot))
    }
  }

  @Test("whoever is told to stop leaves a whole graph, and says how far it came")
  func buildingStops() throws {
    let set = VectorSet(.gaussian, count: 300, dimension: 8, seed: 7)
    let table = try set.table(.l2)
    let slots = (0..<300).map { UInt32($0) }.reversed().map { $0 }
    var builder = GraphBuilder(
      Graph(quantizer: quantizer(table, slots), maxNeighbors: 4), efConstruction: 20,
      threadCount: 1)
    var batchCount = 0
    let seen = try builder.insert(slots, vectors: table) {
      batchCount += 1
      return batchCount <= 30
    }
    #expect((30..<300).contains(seen))
    #expect(builder.graph.violation == nil, "after \(seen)")
    #expect(builder.graph.members == Bitset(slots[..<seen]))
    #expect(builder.changed.codes == builder.graph.members)
    #expect(builder.changed.links == builder.graph.members)
    builder.forgetChanges()
    let published = builder.graph
    #expect(try builder.insert(Array(slots[seen...]), vectors: table) == 300 - seen)
    #expect(builder.changed.codes == Bitset(slots[seen...]))
    #expect(builder.changed.links.subtracting(builder.graph.members).isEmpty)
    #expect(published.members == Bitset(slots[..<seen]), "A copy stays as it was.")
    for slot in published.members
    where !builder.changed.links.contains(slot) {
      #expect(
        published.neighbors(of: slot, level: 0) == builder.graph.neighbors(of: slot, level: 0))
    }
  }

  @Test("a scratch that served more searches than it can count forgets nothing and keeps nothing")
  func visitsWrap() throws {
    let set = VectorSet(.gaussian, count: 3, dimension: 2, seed: 8)
    let (graph, _) = try graph(of: set, .l2)
    let scratch = SearchScratch()
    for _ in 0..<65_600 {
      #expect(try walk(graph, to: set.rows[0], limit: 3, scratch: scratch).count == 3)
    }
  }
}
