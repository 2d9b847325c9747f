// Notes of what a filter did, for its report.

import ChromaBase
import ChromaQuery
import ChromaText

/// For one thread and one call. Who wants no report has none: noting takes time.
final class FilterRecorder {
  private var report = FilterReport()
  private var estimatedCounts: [Int]
  private var foundCounts: [Int]
  private var ways: [Set<FilterReport.Way>]

  init(nodeCount: Int) {
    estimatedCounts = Array(repeating: 0, count: nodeCount)
    foundCounts = estimatedCounts
    ways = Array(repeating: [], count: nodeCount)
  }

  func count(_ node: FilterPlan.Node, estimated: Int, found: Int) {
    estimatedCounts[node.number] += estimated
    foundCounts[node.number] += found
  }

  func count(_ node: FilterPlan.Node, _ way: FilterReport.Way) {
    ways[node.number].insert(way)
  }

  func countSegment() {
    report.segmentCount += 1
  }

  func countRecord() {
    report.recordCount += 1
  }

  func countDocument(unpackedBlockCount: Int) {
    report.verifiedDocumentCount += 1
    report.unpackedBlockCount += unpackedBlockCount
  }

  func report(of plan: FilterPlan?, matchCount: Int, nanoseconds: UInt64) -> FilterReport {
    var report = report
    report.nanoseconds = nanoseconds
    report.plan = plan.map { node($0.root) }
    report.matchCount = matchCount
    return report
  }

  private func node(_ node: FilterPlan.Node) -> FilterReport.Node {
    let (name, key, children): (Text, Text?, [FilterPlan.Node]) =
      switch node.kind {
      case .all(let children): ("$and", nil, children)
      case .any(let children): ("$or", nil, children)
      case .leaf(.metadata(let key, let condition), let isNegated):
        (condition.name(isNegated: isNegated), key, [])
      case .leaf(.uri(let condition), let isNegated):
        (condition.name(isNegated: isNegated), "chroma:uri", [])
      case .leaf(.document(.value(let condition)), let isNegated):
        (condition.name(isNegated: isNegated), "chroma:document", [])
      case .leaf(.document(.contains), let isNegated):
        (isNegated ? "$not_contains" : "$contains", nil, [])
      case .leaf(.document(.matches(let expression)), let isNegated):
        (expression.name(isNegated: isNegated), nil, [])
      }
    return FilterReport.Node(
      name: name, key: key, estimatedCount: estimatedCounts[node.number],
      matchCount: foundCounts[node.number], ways: ways[node.number],
      children: children.map { self.node($0) })
  }
}

extension Filter.Condition {
  /// The operator that says it.
  fileprivate func name(isNegated: Bool) -> Text {
    switch self {
    case .equals: isNegated ? "$ne" : "$eq"
    case .isAmong: isNegated ? "$nin" : "$in"
    case .isLess: "$lt"
    case .isLessOrEqual: "$lte"
    case .isGreater: "$gt"
    case .isGreaterOrEqual: "$gte"
    case .contains: isNegated ? "$not_contains" : "$contains"
    case .exists: "$exists"
    case .matches(let expression): expression.name(isNegated: isNegated)
    }
  }
}

extension RegularExpression {
  fileprivate func name(isNegated: Bool) -> Text {
    switch source {
    case .regex: isNegated ? "$not_regex" : "$regex"
    case .like: isNegated ? "$not_like" : "$like"
    case .icontains: isNegated ? "$not_icontains" : "$icontains"
    }
  }
}
