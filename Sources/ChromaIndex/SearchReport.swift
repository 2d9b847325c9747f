/// How one query was answered: for explaining it, and for tests of the choice.
package struct SearchReport: Equatable, Sendable {
  /// The way in which the candidates that the graph has were searched. Those that it has not are
  /// measured exactly, always.
  package enum Strategy: String, Sendable {
    /// All candidates measured exactly.
    case exactScan
    /// All codes compared, then those measured that can be among the nearest: as exact.
    case codeScan
    /// A walk through the graph, whose nodes are all candidates.
    case graph
    /// A walk through the graph that passes through nodes that are no candidates.
    case filteredGraph
  }

  /// What each way was expected to cost, in nanoseconds of the processor that the constants were
  /// measured on. Infinite where it was not open.
  package struct Costs: Equatable, Sendable {
    package var exactScan = Double.infinity
    package var codeScan = Double.infinity
    /// Of the walk through the graph, filtered or not.
    package var graph = Double.infinity
  }

  package var strategy: Strategy
  package var costs: Costs
  /// Records that were to be searched.
  package var candidateCount: Int
  /// Those of them that the graph has not.
  package var restCount: Int
  /// Codes compared with the query.
  package var measuredCount = 0
  /// Vectors measured exactly for their codes; `restCount` more were for lack of one.
  package var rerankedCount = 0
  /// Whether a walk was given up for `strategy`, as it came to cost more.
  package var hasSwitched = false
}
