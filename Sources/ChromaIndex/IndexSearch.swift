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
    try ExactScan.offer(
      rest, to: &best, by: distance, order: order, verify: verify, poll: poll)
    if let graph, allowedCount > 0, count > 0 {
      scratch.prepare(for: graph, poolCount: 0, blockCount: 0)
      if graph.quantizer.encode(query, into: scratch.query) {
        report.strategy = .codeScan
        let window = try CodeScan.window(
          count, in: graph, among: allowed, candidateCount: allowedCount, kernels: kernels,
          scratch: scratch, poll: poll)
        report.measuredCount = allowedCount
        report.rerankedCount = try BoundedRanking.offer(
          window, to: &best, by: distance, order: order, verify: verify, poll: poll)
      } else {
        try ExactScan.offer(
          allowed, to: &best, by: distance, order: order, verify: verify, poll: poll)
      }
    }
    return (best.neighbors(), report)
  }
}
