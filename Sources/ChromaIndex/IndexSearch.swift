// The one way from a query to its nearest records: it decides, from what each way is expected to
// cost, whether to walk through the graph, to scan codes or to measure everything.
//
//     candidates ┬ in the graph ─ walk, or scan of codes ─ those that can be among the nearest ─┐
//                └ not in it ──────────────────────────────────────────────────────────────────┴ exact
//
// Invariants:
//   * Distances are exact, and the same whichever way is taken.
//   * The way and what it finds depend on `count` only where it is larger than ef: the 5 nearest are
//     the first of the 10 nearest.
//   * Nothing depends on the kernels but the last digit of a distance.

package import ChromaBase
package import ChromaKernels

/// A search among a set of candidates, prepared for any number of queries. Several threads may use
/// it at once while nobody changes the vectors.
package struct IndexSearch {
  private let graph: Graph?
  private let vectors: VectorTable
  private let kernels: Kernels
  private let ef: Int
  /// Candidates whose vectors the graph has, and the others.
  private let allowed: Bitset
  private let rest: Bitset
  private let allowedCount: Int
  private let restCount: Int
  private let costs: SearchCosts

  /// - Parameters:
  ///   - graph: may know slots that are no candidates, and not know some that are.
  ///   - candidates: slots that are set in the table.
  ///   - unindexed: slots whose node in the graph, if there is one, is of another vector.
  ///   - ef: how many of the nearest a walk through the graph follows up.
  ///   - isExact: whether to use nothing but the vectors.
  package init(
    graph: Graph?, vectors: VectorTable, candidates: Bitset, unindexed: Bitset, ef: Int,
    isExact: Bool, kernels: Kernels = .best
  ) {
    self.graph = isExact ? nil : graph
    self.vectors = vectors
    self.kernels = kernels
    self.ef = ef
    allowed =
      self.graph.map { candidates.intersection($0.members).subtracting(unindexed) } ?? Bitset()
    allowedCount = allowed.count
    rest = allowedCount == 0 ? candidates : candidates.subtracting(allowed)
    restCount = rest.count
    costs = SearchCosts(graph: self.graph, vectors: vectors)
  }

  /// The `count` candidates nearest to `query`, sorted by distance and, where that is equal, by
  /// `order`. Fewer only if there are fewer candidates.
  ///
  /// - Parameters:
  ///   - query: as many elements as the vectors have.
  ///   - scratch: of this thread.
  ///   - order: a unique number for each candidate.
  ///   - verify: called with slots whose vectors are about to be read, 256 at most.
  ///   - poll: called every some hundred rows. What either throws ends the search.
  package func nearest<Failure: Error>(
    _ count: Int, to query: UnsafeBufferPointer<Float>, scratch: SearchScratch,
    order: (UInt32) -> UInt64,
    verify: (UnsafeBufferPointer<UInt32>) throws(Failure) -> Void,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> (neighbors: [Neighbor], report: SearchReport) {
    let distance = QueryDistance(query, to: vectors, kernels: kernels)
    var best = TopK(limit: count, streamCount: allowedCount + restCount)
    var report = SearchReport(
      strategy: .exactScan, costs: SearchReport.Costs(),
      candidateCount: allowedCount + restCount, restCount: restCount)
    if count <= 0 { return ([], report) }
    try ExactScan.offer(
      rest, to: &best, by: distance, order: order, verify: verify, poll: poll)
    let candidates = try self.candidates(
      count, for: query, scratch: scratch, report: &report, poll: poll)
    if let candidates {
      report.rerankedCount = try BoundedRanking.offer(
        candidates, to: &best, by: distance, order: order, verify: verify, poll: poll)
    } else {
      try ExactScan.offer(
        allowed, to: &best, by: distance, order: order, verify: verify, poll: poll)
    }
    return (best.neighbors(), report)
  }

  /// Of one answer, in nanoseconds.
  func expectedCost(count: Int) -> Double {
    let costs = self.costs.expected(allowedCount, ef: max(1, ef, count))
    let fixedCost = 1000.0
    return fixedCost + self.costs.expected(restCount, ef: restCount).exactScan
      + min(costs.exactScan, costs.codeScan, costs.graph)
  }

  /// Those of the allowed that can be among the `count` nearest; nil if all are to be measured.
  private func candidates<Failure: Error>(
    _ count: Int, for query: UnsafeBufferPointer<Float>, scratch: SearchScratch,
    report: inout SearchReport, poll: () throws(Failure) -> Void
  ) throws(Failure) -> [BoundedCandidate]? {
    guard let graph, allowedCount > 0 else { return nil }
    let limit = max(1, ef, count)
    report.costs = costs.expected(allowedCount, ef: limit)
    scratch.prepare(
      for: graph, poolCount: min(limit, allowedCount),
      blockCount: 2 * max(CodeScan.blockCount, graph.linkCountMax(level: 0)))
    guard report.costs.exactScan > min(report.costs.codeScan, report.costs.graph),
      graph.quantizer.encode(query, into: scratch.query)
    else { return nil }
    if report.costs.graph < report.costs.codeScan {
      report.strategy = allowedCount < graph.memberCount ? .filteredGraph : .graph
      let found = try walk(graph, limit: limit, scratch: scratch, report: &report, poll: poll)
      if let found { return found }
      report.hasSwitched = true
    }
    report.strategy = .codeScan
    report.measuredCount += allowedCount
    return try CodeScan.window(
      count, in: graph, among: allowed, candidateCount: allowedCount, kernels: kernels,
      scratch: scratch, poll: poll)
  }

  /// What a walk finds; nil if it found too little to rely on, or gave up.
  private func walk<Failure: Error>(
    _ graph: Graph, limit: Int, scratch: SearchScratch, report: inout SearchReport,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> [BoundedCandidate]? {
    let limit = min(limit, allowedCount)
    if report.strategy == .graph {
      let found = try graph.candidates(
        limit: limit, scratch: scratch, kernels: kernels, poll: poll)
      report.measuredCount = found.measuredCount
      // Fewer than there are: parts of the graph cannot be reached from others. Hardly more than the
      // pool holds: an island, all of whose links lead to itself, and perhaps the wrong one.
      guard found.keys.count >= limit,
        found.measuredCount >= min(Self.islandFactor * limit, graph.memberCount)
      else { return nil }
      // A pool that is not full has seen every code.
      let isTold = found.pool.count < limit || isTold(found.pool, graph, scratch, Self.spreadMin)
      return isTold ? bounded(found.keys, graph, scratch) : nil
    } else {
      var walk = FilteredWalk(
        AllowedNodes(allowed, share: Double(allowedCount) / Double(graph.memberCount)),
        limit: limit, costs: costs)
      let foundCount = try walk.fill(
        graph, scratch: scratch, kernels: kernels, costMax: report.costs.codeScan, poll: poll)
      report.measuredCount = walk.measuredCount
      guard foundCount == limit else { return nil }
      let pool = UnsafeBufferPointer(start: scratch.pool, count: limit)
      let spreadMin = walk.hasCrossedHole ? Self.spreadMinAcrossHole : Self.spreadMin
      return isTold(pool, graph, scratch, spreadMin) ? bounded(pool, graph, scratch) : nil
    }
  }

  /// Whether codes can tell the pool's nodes apart: if they hardly can, others that are as near may
  /// have been kept out by chance.
  private func isTold(
    _ pool: UnsafeBufferPointer<UInt64>, _ graph: Graph, _ scratch: SearchScratch,
    _ spreadMin: Double
  ) -> Bool {
    guard pool.count >= Self.toldCountMin, let last = pool.last else { return true }
    let (metric, side) = (graph.quantizer.metric, querySide(graph, scratch))
    let spread = Double(PoolKey.estimate(last)) - Double(PoolKey.estimate(pool[pool.count / 4]))
    let bound = withExtendedLifetime(graph) {
      metric.bound(side, graph.layout.side(PoolKey.slot(last)))
    }
    return spread * Double(vectors.dimension).squareRoot() >= spreadMin * bound
  }

  /// Nodes with the least distances that they can be at.
  private func bounded(
    _ keys: UnsafeBufferPointer<UInt64>, _ graph: Graph, _ scratch: SearchScratch
  ) -> [BoundedCandidate] {
    let (layout, side) = (graph.layout, querySide(graph, scratch))
    return withExtendedLifetime(graph) {
      keys.map { key in
        let slot = PoolKey.slot(key)
        let estimate = layout.metric.constant + Double(PoolKey.estimate(key))
        return BoundedCandidate(
          slot: slot, distanceMin: estimate - layout.metric.bound(side, layout.side(slot)))
      }
    }
  }

  private func querySide(_ graph: Graph, _ scratch: SearchScratch) -> CodeSide {
    graph.layout.side(of: UnsafePointer(scratch.query.assumingMemoryBound(to: Int8.self)))
  }

  /// Codes that a walk compares for each node that its pool keeps, at least: 14 in the real data that
  /// the costs were measured on, 1.5 in clusters far tighter than the space between them.
  private static let islandFactor = 2
  /// Smaller pools lie close together in any set: whoever asks for them wants speed.
  private static let toldCountMin = 32
  /// How far the estimates of a pool's last three quarters must lie apart, in units of 1/√dimension of
  /// the bound of their errors: errors point in random directions, so that is what they come to. At 27
  /// and more in sets of ten thousand, even of noise without any structure; below 2 where clusters are
  /// tighter than codes can tell.
  private static let spreadMin = 3.0
  /// The same around a hole, where a walk also misses some of so many that are equally near.
  private static let spreadMinAcrossHole = 12.0
}
