import ChromaBase
import ChromaKernels
import ChromaTestSupport
import Synchronization
import Testing

@testable import ChromaIndex

/// Whatever a filter lets through, and however that lies towards the query, a search finds it: by the
/// way that was expected to be the cheapest, with exact distances and ties by order.
@Suite struct IndexSearchTests {
  private static let recordCount = 1500
  private static let ef = 32

  /// A set, its table and its graph.
  fileprivate struct Index {
    let set: VectorSet
    let table: VectorTable
    let graph: Graph

    init(_ shape: VectorShape, _ space: Space, count: Int = recordCount, seed: UInt64) throws {
      set = VectorSet(shape, count: count, queryCount: 8, dimension: 24, seed: seed)
      table = try set.table(space)
      let center = Quantizer.center(of: 0..<UInt32(min(500, count)), in: table)
      var builder = GraphBuilder(
        Graph(quantizer: Quantizer(space: space, center: center), maxNeighbors: 12),
        efConstruction: 64, threadCount: 2)
      _ = try builder.insert(Array(0..<UInt32(count)), vectors: table)
      try builder.connect()
      graph = builder.graph
    }

    func search(
      _ count: Int, to query: [Float], among candidates: Bitset, unindexed: Bitset = Bitset(),
      ef: Int = IndexSearchTests.ef, isExact: Bool = false, kernels: Kernels = .best
    ) -> (neighbors: [Neighbor], report: SearchReport) {
      let search = IndexSearch(
        graph: graph, vectors: table, candidates: candidates, unindexed: unindexed, ef: ef,
        isExact: isExact, kernels: kernels)
      return query.withUnsafeBufferPointer { query in
        search.nearest(
          count, to: query, scratch: SearchScratch(), order: { UInt64($0) }, verify: { _ in },
          poll: {})
      }
    }

    func exact(_ count: Int, to query: [Float], among candidates: Bitset) -> [Neighbor] {
      query.withUnsafeBufferPointer { query in
        ExactScan.nearest(
          count, to: query, in: table, among: candidates, order: { UInt64($0) }, poll: {})
      }
    }

    var all: Bitset { Bitset(firstSlots: set.rows.count) }
  }

  /// One for each space, as building takes most of the time.
  private static let gaussians = Mutex<[Space: Index]>([:])

  private func gaussian(_ space: Space) throws -> Index {
    try Self.gaussians.withLock { known in
      if let index = known[space] { return index }
      let index = try Index(.gaussian, space, seed: 1)
      known[space] = index
      return index
    }
  }

  /// How the records that a filter lets through lie towards the query.
  enum Lie: String, CaseIterable {
    case random, near, far

    fileprivate func candidates(_ share: Double, _ index: Index, _ query: [Float]) -> Bitset {
      let slots = index.exact(.max, to: query, among: index.all).map(\.slot)
      let count = max(1, Int(Double(slots.count) * share))
      switch self {
      case .near: return Bitset(slots.prefix(count))
      case .far: return Bitset(slots.suffix(count))
      case .random:
        var random = SeededRandom(UInt64(count))
        return Bitset(slots.shuffled(using: &random).prefix(count))
      }
    }
  }

  @Test("every filter finds its records", arguments: Space.allCases, Lie.allCases)
  func everyFilterFindsItsRecords(space: Space, lie: Lie) throws {
    let index = try gaussian(space)
    for share in [1, 0.9, 0.5, 0.1, 0.01, 0.001] {
      var judge = RecallJudge()
      for query in index.set.queries {
        let candidates = lie.candidates(share, index, query)
        let found = index.search(10, to: query, among: candidates).neighbors
        judge.judge(found, 10, to: query, in: index.table, among: candidates)
      }
      #expect(judge.recall >= 0.97, "\(space), \(lie), \(share)")
    }
  }

  /// Where codes cannot tell a pool's nodes apart, as in clusters tighter than they resolve, a walk
  /// finds some of many that are as near: then all are compared, within the bounds of their errors.
  @Test("what codes cannot tell apart is found", arguments: Space.allCases)
  func whatCodesCannotTellApartIsFound(space: Space) throws {
    for shape in [VectorShape.tightClusters, .duplicates, .equal, .zeros, .offset] {
      let index = try Index(shape, space, count: 1000, seed: 2)
      var judge = RecallJudge()
      for query in index.set.queries {
        let (found, report) = index.search(10, to: query, among: index.all)
        judge.judge(found, 10, to: query, in: index.table, among: index.all)
        if shape == .tightClusters {
          #expect(report.hasSwitched && report.strategy == .codeScan, "\(index.set), \(space)")
        }
      }
      #expect(judge.recall >= 0.97, "\(index.set), \(space)")
    }
  }

  /// Not even noise without any structure sends a query from the graph to a scan.
  @Test("codes tell ordinary vectors apart", arguments: Space.allCases)
  func codesTellOrdinaryVectorsApart(space: Space) throws {
    for shape in [VectorShape.gaussian, .unstructured] {
      let index = try Index(shape, space, count: 1000, seed: 3)
      for query in index.set.queries {
        let report = index.search(10, to: query, among: index.all).report
        #expect(report.strategy == .graph, "\(index.set), \(space), \(report)")
      }
    }
  }

  /// The few nodes of a small pool lie close together, which says nothing about the codes.
  @Test func theSmallestPoolsAreTheQuickestSearches() throws {
    let index = try gaussian(.l2)
    for ef in [1, 2, 10] {
      for query in index.set.queries {
        let report = index.search(1, to: query, among: index.all, ef: ef).report
        #expect(report.strategy == .graph && report.measuredCount < 1000, "\(ef), \(report)")
      }
    }
  }

  /// The expected costs decide, and what a walk turns out to cost or to find.
  @Test func theCheapestWayIsTaken() throws {
    let index = try gaussian(.l2)
    let query = index.set.queries[0]
    func strategy(_ lie: Lie, _ share: Double) -> SearchReport {
      index.search(10, to: query, among: lie.candidates(share, index, query)).report
    }
    #expect(strategy(.random, 1).strategy == .graph)
    #expect(strategy(.random, 0.9).strategy == .filteredGraph)
    #expect(strategy(.random, 0.1).strategy == .codeScan)
    #expect(strategy(.random, 0.001).strategy == .exactScan)
    let far = strategy(.far, 0.9)
    #expect(far.strategy == .codeScan && far.hasSwitched, "\(far)")
    for share in [1, 0.9, 0.5, 0.1, 0.01] {
      for lie in Lie.allCases {
        let report = strategy(lie, share)
        #expect(report.candidateCount == max(1, Int(1500 * share)))
        #expect(Double(report.measuredCount) <= 1500 * share * 1.6 + 500, "\(report)")
      }
    }
  }

  @Test("the nearest 5 are the first of the nearest 10", arguments: UInt64(1)...6)
  func theNearest5AreTheFirstOfTheNearest10(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let shape = random.element(of: VectorShape.allCases)
    let index = try Index(shape, random.element(of: Space.allCases), count: 600, seed: seed)
    for query in index.set.queries {
      let share = random.element(of: [1, 0.9, 0.5, 0.1, 0.01])
      let candidates = random.element(of: Lie.allCases).candidates(share, index, query)
      let longest = index.search(Self.ef, to: query, among: candidates).neighbors
      for count in [0, 1, 5, 10] {
        let found = index.search(count, to: query, among: candidates).neighbors
        #expect(found == Array(longest.prefix(count)), "seed \(seed), \(share), \(count)")
      }
    }
  }

  @Test func everyProcessorFindsTheSame() throws {
    let index = try gaussian(.cosine)
    for share in [1, 0.6, 0.1] {
      for query in index.set.queries {
        let candidates = Lie.random.candidates(share, index, query)
        let answers = Kernels.compiled.filter(\.isSupported).map {
          index.search(10, to: query, among: candidates, kernels: $0)
        }
        for answer in answers {
          #expect(answer.neighbors.map(\.slot) == answers[0].neighbors.map(\.slot), "seed 1")
          #expect(answer.report.measuredCount == answers[0].report.measuredCount, "seed 1")
        }
      }
    }
  }

  /// Records without a node, or with a node of another vector, are measured exactly; where ef is as
  /// large as the set, all are.
  @Test("what the graph does not have is found as well", arguments: UInt64(1)...3)
  func whatTheGraphDoesNotHaveIsFoundAsWell(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let index = try Index(.gaussian, random.element(of: Space.allCases), seed: seed)
    let moved = Bitset((0..<150).map { _ in UInt32(random.int(in: 0...1499)) })
    for slot in moved {
      try index.set.rows[random.int(in: 0...1499)].withUnsafeBufferPointer { row in
        try index.table.set(slot, to: row)
      }
    }
    for slot in UInt32(1500)..<1600 {
      try index.set.queries[Int(slot) % 8].withUnsafeBufferPointer { row in
        try index.table.set(slot, to: row)
      }
    }
    let candidates = Bitset((0..<UInt32(1600)).filter { _ in !random.oneIn(3) })
    for query in index.set.queries {
      let found = index.search(10, to: query, among: candidates, unindexed: moved).neighbors
      #expect(found.first == index.exact(1, to: query, among: candidates).first, "seed \(seed)")
      let expected = index.exact(50, to: query, among: candidates)
      for (ef, isExact) in [(4000, false), (10, true)] {
        let all = index.search(
          50, to: query, among: candidates, unindexed: moved, ef: ef, isExact: isExact)
        #expect(all.neighbors == expected, "seed \(seed), \(ef)")
      }
    }
  }

  @Test("answers are the same on any number of threads", arguments: [1, 2, 5])
  func answersAreTheSameOnAnyNumberOfThreads(threadCount: Int) throws {
    struct Failure: Error {}
    let index = try gaussian(.l2)
    let search = IndexSearch(
      graph: index.graph, vectors: index.table, candidates: index.all, unindexed: Bitset(),
      ef: Self.ef, isExact: false)
    let queries = (0..<200).map { index.set.queries[$0 % 8] }
    let answers = search.answers(200, count: 10, threadCountMax: threadCount) { query in
      index.search(10, to: queries[query], among: index.all)
    }
    #expect(answers.count == 200)
    for (query, answer) in zip(queries, answers) {
      let expected = index.search(10, to: query, among: index.all)
      #expect(answer.neighbors == expected.neighbors && answer.report == expected.report)
    }
    #expect(search.answers(0, count: 10, threadCountMax: threadCount) { $0 }.isEmpty)
    #expect(throws: Failure.self) {
      try search.answers(200, count: 10, threadCountMax: threadCount) { query throws(Failure) in
        if query == 77 { throw Failure() }
      }
    }
  }

  /// Of sets so small, the scan is always cheaper than leaps.
  @Test("leaps find what is allowed", arguments: Space.allCases)
  func leapsFindWhatIsAllowed(space: Space) throws {
    let index = try gaussian(space)
    let scratch = SearchScratch()
    for share in [0.3, 0.2, 0.1] {
      var judge = RecallJudge()
      for query in index.set.queries {
        let candidates = Lie.random.candidates(share, index, query)
        scratch.prepare(for: index.graph, poolCount: Self.ef, blockCount: 64)
        var walk = FilteredWalk(
          AllowedNodes(candidates, share: share), limit: Self.ef,
          costs: SearchCosts(graph: index.graph, vectors: index.table))
        let count = query.withUnsafeBufferPointer { query in
          #expect(index.graph.quantizer.encode(query, into: scratch.query))
          return walk.fill(
            index.graph, scratch: scratch, kernels: .best, costMax: .infinity, poll: {})
        }
        let found = Bitset((0..<(count ?? 0)).map { PoolKey.slot(scratch.pool[$0]) })
        #expect(found.count == Self.ef && found.subtracting(candidates).isEmpty)
        let nearest = index.exact(10, to: query, among: found)
        judge.judge(nearest, 10, to: query, in: index.table, among: candidates)
      }
      #expect(judge.recall >= 0.95, "\(space), \(share)")
    }
  }

  @Test func nothingIsFoundWhereNothingIs() throws {
    let index = try Index(.gaussian, .l2, count: 200, seed: 5)
    let query = index.set.queries[0]
    #expect(index.search(10, to: query, among: Bitset()).neighbors.isEmpty)
    #expect(index.search(0, to: query, among: index.all).neighbors.isEmpty)
    #expect(index.search(-1, to: query, among: index.all).neighbors.isEmpty)
    #expect(index.search(1000, to: query, among: index.all, ef: -5).neighbors.count == 200)
    #expect(index.search(1, to: query, among: index.all, ef: .max).neighbors.count == 1)
    for strange: Float in [.nan, .infinity, .greatestFiniteMagnitude, 0] {
      let found = index.search(10, to: Array(repeating: strange, count: 24), among: index.all)
      #expect(found.neighbors.count == 10, "\(strange)")
    }
  }

  @Test func whatIsMeasuredIsVerifiedFirst() throws {
    let index = try gaussian(.cosine)
    for share in [1, 0.9, 0.5, 0.1, 0.001] {
      let candidates = Lie.random.candidates(share, index, index.set.queries[0])
      let search = IndexSearch(
        graph: index.graph, vectors: index.table, candidates: candidates,
        unindexed: Bitset(firstSlots: 20), ef: 20, isExact: false)
      var verified = Bitset()
      var pollCount = 0
      let (found, report) = index.set.queries[0].withUnsafeBufferPointer { query in
        search.nearest(
          10, to: query, scratch: SearchScratch(), order: { UInt64($0) },
          verify: { for slot in $0 { verified.insert(slot) } }, poll: { pollCount += 1 })
      }
      #expect(found.allSatisfy { verified.contains($0.slot) })
      #expect(verified.count < 3 * report.restCount + 400 && pollCount > 0, "\(report)")
      #expect(verified.subtracting(candidates).isEmpty)
    }
  }
}
