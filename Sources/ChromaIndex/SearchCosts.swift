/// What searches of a graph are expected to cost, in nanoseconds.
///
/// The constants were measured on one core of a Zen 4 at 384 dimensions, 50,000 records and 32 links;
/// only how they compare matters, and a factor of two in one of them moves a choice to a way that
/// takes hardly longer.
struct SearchCosts: Sendable {
  /// One code compared in a walk, with its share of all that a walk does besides.
  let visit: Double
  /// One list read of a node that a filter holds back.
  let passage = 40.0
  private let scanRow: Double
  private let exactRow: Double
  private let listCount: Double
  private let memberCount: Double

  init(graph: Graph?, vectors: VectorTable) {
    let codeLineCount = Double((graph?.quantizer.rowByteCount ?? 0) / 64)
    let vectorLineCount = Double(vectors.type.rowByteCount(dimension: vectors.dimension) / 64 + 1)
    visit = 12 + 2 * codeLineCount
    scanRow = 6 + 2 * codeLineCount
    exactRow = 20 + 2.5 * vectorLineCount
    listCount = Double(graph?.linkCountMax(level: 0) ?? 0)
    memberCount = Double(graph?.memberCount ?? 0)
  }

  /// Of each way to search so many of the graph's nodes.
  func expected(_ count: Int, ef: Int) -> SearchReport.Costs {
    var costs = SearchReport.Costs()
    costs.exactScan = Double(count) * exactRow
    // The fourth part of ef is about what is measured exactly.
    costs.codeScan = Double(count) * scanRow + Double(min(count, ef / 4)) * exactRow
    if ef < count { costs.graph = walk(ef: ef, share: Double(count) / memberCount) }
    return costs
  }

  /// Codes that a walk compares that follows up so many nodes: of each list, half has been seen.
  func visitCount(ef: Int) -> Double {
    min(memberCount, Double(ef) * listCount * 0.5 + 100)
  }

  private func walk(ef: Int, share: Double) -> Double {
    let visits = visitCount(ef: ef)
    if share >= FilteredWalk.sweepShareMin { return visits * visit / share }
    // A list of the allowed is full after 1/share lists of others, but there are no more than one for
    // each link.
    let passages = min(listCount, 1 / share)
    return visits * 2 * visit + Double(ef) * passages * passage
  }
}
