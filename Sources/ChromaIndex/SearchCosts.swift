/// What searches of a graph are expected to cost, in nanoseconds.
///
/// Measured on one core of a shared Zen 4, 384 dimensions, 50,000 records, 32 links, ef = 100: 28 for
/// each code that a walk compares, 21 to 35 in a scan, 60 to 90 for each list that leaps pass by, 78
/// for each vector. Only how they compare matters: where two ways cost nearly the same, either will do.
struct SearchCosts: Sendable {
  /// One code compared in a walk, with its share of all that a walk does besides, but for what a long
  /// pool adds.
  private let visit: Double
  /// One list read of a node that a filter holds back.
  let passage = 60.0
  private let scanRow: Double
  private let exactRow: Double
  private let listCount: Double
  private let memberCount: Double

  init(graph: Graph?, vectors: VectorTable) {
    let codeLineCount = Double((graph?.quantizer.rowByteCount ?? 0) / 64)
    let vectorLineCount = Double(vectors.type.rowByteCount(dimension: vectors.dimension) / 64 + 1)
    visit = 10 + 2 * codeLineCount
    scanRow = 8 + 2.5 * codeLineCount
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

  /// One code compared in a walk with a pool of so many, into which it moves its key.
  func visit(ef: Int) -> Double {
    visit + Double(ef) / 16
  }

  /// Codes that a walk compares that follows up so many nodes: of each list, half has been seen.
  func visitCount(ef: Int) -> Double {
    min(memberCount, Double(ef) * listCount * 0.5 + 100)
  }

  private func walk(ef: Int, share: Double) -> Double {
    let cost = visitCount(ef: ef) * visit(ef: ef)
    if share >= FilteredWalk.sweepShareMin { return cost / share }
    // A list of the allowed is full after 1/share lists of others, but there are no more than one for
    // each link.
    let passages = min(listCount, 1 / share)
    return 2 * cost + Double(ef) * passages * passage
  }
}
