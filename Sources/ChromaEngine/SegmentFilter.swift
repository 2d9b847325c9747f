// A filter over one segment: first what its columns and indexes tell of all rows at once, then, row by
// row and no further than somebody asks, what only documents tell.
//
// Invariants:
//   * The bounds of a node lie inside the rows that it was evaluated for, and those rows hold every row
//     for which the node is asked later: a child of `all` is not evaluated for rows that an earlier
//     one refused, nor one of `any` for rows that an earlier one was sure of.
//   * Documents are read for rows that are possible and not sure, and for no others. For such a row at
//     a node, its exact children tell nothing more: those of `all` hold, those of `any` do not.

import ChromaBase
import ChromaQuery
import ChromaSegment
import ChromaText

/// For one thread and one call.
final class SegmentFilter {
  let segment: Segment
  let cancel: CancelToken?
  private let plan: FilterPlan
  private let recorder: FilterRecorder?
  private var doubts: Doubts
  /// By the nodes' numbers, of leaves that look at metadata: what to look at.
  private var answers: [[ColumnAnswer]?]
  /// By the nodes' numbers, as first made.
  private var estimates: [Estimate?]
  private var reader: DocumentReader
  /// What is known without documents.
  private(set) var bounds = RowBounds.none

  /// Bytes that the bounds of all leaves may take.
  private static let leafByteCountMax = 16 * 1024 * 1024
  /// Rows from which on a leaf asks an index of documents, instead of leaving it to the documents.
  private static let gramRowCountMin = 32

  /// - Parameter domain: The rows that count.
  init(
    _ plan: FilterPlan, over segment: Segment, in domain: Bitset, cancel: CancelToken?,
    recorder: FilterRecorder?
  ) throws(ChromaError) {
    self.plan = plan
    self.segment = segment
    self.cancel = cancel
    self.recorder = recorder
    doubts = Doubts(nodeCount: plan.nodeCount)
    answers = Array(repeating: nil, count: plan.nodeCount)
    estimates = Array(repeating: nil, count: plan.nodeCount)
    reader = DocumentReader(segment)
    bounds = try evaluate(plan.root, within: domain)
  }

  // MARK: Rows that match

  /// All of them.
  func rows() throws(ChromaError) -> Bitset {
    var rows = bounds.sure
    for row in bounds.doubtful where try matches(Int(row)) { rows.insert(row) }
    return rows
  }

  /// Whether a row of the domain matches.
  func matches(_ row: Int) throws(ChromaError) -> Bool {
    if bounds.sure.contains(UInt32(row)) { return true }
    guard bounds.possible.contains(UInt32(row)) else { return false }
    try cancel?.check()
    let unpackedCount = reader.unpackedBlockCount
    let (plan, doubts, cancel) = (plan, doubts, cancel)
    let matches = try reader.withDocument(row) { (utf8) throws(ChromaError) in
      try doubts.holds(plan.root, of: UInt32(row), utf8, cancel: cancel)
    }
    recorder?.countDocument(unpackedBlockCount: reader.unpackedBlockCount - unpackedCount)
    // What is in doubt has a document.
    return matches ?? false
  }

  // MARK: Bounds

  private func evaluate(
    _ node: FilterPlan.Node, within domain: Bitset
  ) throws(ChromaError) -> RowBounds {
    try cancel?.check()
    var result: RowBounds
    switch node.kind {
    case .all(let children):
      result = RowBounds(exact: domain)
      for child in try inOrder(children, within: domain) {
        let rest = result.possible
        if rest.isEmpty { break }
        result.formIntersection(try evaluate(child, within: rest))
      }
    case .any(let children):
      result = .none
      var rest = domain
      for child in try inOrder(children, within: domain) {
        if rest.isEmpty { break }
        result.formUnion(try evaluate(child, within: rest))
        rest.subtract(result.sure)
      }
    case .leaf(let leaf, let isNegated):
      result = try evaluate(leaf, of: node, within: domain)
      if isNegated { result = result.negated(in: domain) }
    }
    if !result.isExact { keep(result, of: node) }
    if let recorder {
      recorder.count(
        node, estimated: try estimate(node, candidateCount: domain.count).rowCount,
        found: result.possible.count)
    }
    return result
  }

  private func keep(_ bounds: RowBounds, of node: FilterPlan.Node) {
    doubts.isInDoubt[node.number] = true
    if case .leaf = node.kind, plan.nodeCount * (segment.rowCount / 4) > Self.leafByteCountMax {
      return
    }
    doubts.bounds[node.number] = bounds
  }

  /// The rows of a domain of which a leaf holds, not negated.
  private func evaluate(
    _ leaf: FilterPlan.Leaf, of node: FilterPlan.Node, within domain: Bitset
  ) throws(ChromaError) -> RowBounds {
    switch leaf {
    case .metadata(let key, let condition):
      var rows = Bitset()
      for answer in try answers(node, key, condition) {
        let way = try answer.insertRows(into: &rows, within: domain, cancel)
        recorder?.count(node, way)
      }
      rows.formIntersection(domain)
      return RowBounds(exact: rows)
    case .document(let condition):
      return try evaluate(condition, of: node, within: domain)
    case .uri(let condition):
      recorder?.count(node, .records)
      var rows = Bitset()
      for (index, row) in domain.enumerated() {
        if index % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        if let uri = try segment.uri(Int(row)), condition.holds(of: .string(uri)) {
          rows.insert(row)
        }
      }
      return RowBounds(exact: rows)
    }
  }

  private func answers(
    _ node: FilterPlan.Node, _ key: Text, _ condition: Filter.Condition
  ) throws(ChromaError) -> [ColumnAnswer] {
    if let known = answers[node.number] { return known }
    var found: [ColumnAnswer] = []
    for column in segment.columns(of: key) {
      if let answer = try ColumnAnswer(condition, column, cancel) { found.append(answer) }
    }
    answers[node.number] = found
    return found
  }

  // MARK: Documents

  private func evaluate(
    _ condition: FilterPlan.DocumentCondition, of node: FilterPlan.Node, within domain: Bitset
  ) throws(ChromaError) -> RowBounds {
    var rows = try segment.rowsWithDocument()
    rows.formIntersection(domain)
    switch condition.required {
    case .nothing: return .none
    case .presence: return RowBounds(exact: rows)
    case .text(let required, let isAll):
      guard let index = segment.textIndex, required != .anything,
        rows.count >= Self.gramRowCountMin
      else {
        recorder?.count(node, .documents)
        return RowBounds(sure: Bitset(), possible: rows)
      }
      recorder?.count(node, .grams)
      let isExact = try narrow(&rows, to: required, index)
      return isExact && isAll
        ? RowBounds(exact: rows) : RowBounds(sure: Bitset(), possible: rows)
    }
  }

  /// Takes out rows whose documents do not hold what is required.
  ///
  /// - Returns: Whether the documents of all that are left do.
  private func narrow(
    _ rows: inout Bitset, to required: RequiredText, _ index: TextIndex
  ) throws(ChromaError) -> Bool {
    try cancel?.check()
    switch required {
    case .anything:
      return true
    case .literal(let bytes):
      let found = try index.rows(holding: bytes, within: rows)
      rows = found.rows
      return found.isExact
    case .all(let parts):
      var isExact = true
      for part in parts {
        if rows.isEmpty { break }
        if try !narrow(&rows, to: part, index) { isExact = false }
      }
      return isExact
    case .any(let parts):
      var isExact = true
      var found = Bitset()
      for part in parts {
        var rest = rows
        if try !narrow(&rest, to: part, index) { isExact = false }
        found.formUnion(rest)
      }
      rows = found
      return isExact
    }
  }

  // MARK: Costs

  /// What an answer is expected to hold and, in nanoseconds, to cost.
  struct Estimate {
    var rowCount: Int
    var cost: Double
  }

  /// Those first that tell much for little.
  private func inOrder(
    _ children: [FilterPlan.Node], within domain: Bitset
  ) throws(ChromaError) -> [FilterPlan.Node] {
    guard children.count > 1 else { return children }
    let candidateCount = domain.count
    var ranked: [(rank: Double, node: FilterPlan.Node)] = []
    for child in children {
      let estimate = try estimate(child, candidateCount: candidateCount)
      // What it leaves, others have to look at.
      ranked.append((estimate.cost + Double(estimate.rowCount), child))
    }
    return ranked.sorted { $0.rank < $1.rank }.map(\.node)
  }

  private func estimate(
    _ node: FilterPlan.Node, candidateCount: Int
  ) throws(ChromaError) -> Estimate {
    // Once for each node: a filter may have thousands, at every level.
    if let known = estimates[node.number] { return known }
    try cancel?.check()
    var result = Estimate(rowCount: 0, cost: 0)
    switch node.kind {
    case .all(let children):
      result.rowCount = candidateCount
      for child in children {
        let part = try estimate(child, candidateCount: candidateCount)
        result.rowCount = min(result.rowCount, part.rowCount)
        result.cost += part.cost
      }
    case .any(let children):
      for child in children {
        let part = try estimate(child, candidateCount: candidateCount)
        result.rowCount += part.rowCount
        result.cost += part.cost
      }
    case .leaf(let leaf, let isNegated):
      result = try estimate(leaf, of: node, candidateCount: candidateCount)
      if isNegated { result.rowCount = max(0, candidateCount - result.rowCount) }
    }
    result.rowCount = min(result.rowCount, candidateCount)
    estimates[node.number] = result
    return result
  }

  private func estimate(
    _ leaf: FilterPlan.Leaf, of node: FilterPlan.Node, candidateCount: Int
  ) throws(ChromaError) -> Estimate {
    // Of reading a uri, and of reading a document.
    let (uriCost, documentCost) = (200.0, 400.0)
    var result = Estimate(rowCount: 0, cost: 0)
    switch leaf {
    case .metadata(let key, let condition):
      for answer in try answers(node, key, condition) {
        result.rowCount += answer.rowCount
        result.cost += answer.cost(candidateCount: candidateCount)
      }
    case .uri:
      result = Estimate(rowCount: candidateCount, cost: uriCost * Double(candidateCount))
    case .document(let condition):
      if case .text(let required, _) = condition.required {
        result.rowCount =
          try segment.textIndex.flatMap { (index) throws(ChromaError) in
            try estimate(required, index)
          } ?? candidateCount
        // Each is read in the end, and by then there should be few.
        result.cost = documentCost * Double(min(result.rowCount, candidateCount))
      } else {
        result.rowCount = candidateCount
      }
    }
    return result
  }

  /// Nil if nothing is known.
  private func estimate(
    _ required: RequiredText, _ index: TextIndex
  ) throws(ChromaError) -> Int? {
    switch required {
    case .anything: return nil
    case .literal(let bytes): return try index.estimate(bytes)
    case .all(let parts):
      var least: Int?
      for part in parts {
        guard let count = try estimate(part, index) else { continue }
        least = min(least ?? count, count)
      }
      return least
    case .any(let parts):
      var total = 0
      for part in parts {
        guard let count = try estimate(part, index) else { return nil }
        total += count
      }
      return total
    }
  }
}

/// The nodes of a plan that leave something in doubt, in one segment.
private struct Doubts {
  /// By the nodes' numbers.
  var isInDoubt: [Bool]
  /// Of those in doubt. Of leaves only where they are few: their documents tell as much.
  var bounds: [RowBounds?]

  init(nodeCount: Int) {
    isInDoubt = Array(repeating: false, count: nodeCount)
    bounds = Array(repeating: nil, count: nodeCount)
  }

  /// Whether a node in doubt holds of a row that it was evaluated for.
  func holds(
    _ node: FilterPlan.Node, of row: UInt32, _ utf8: UnsafeBufferPointer<UInt8>,
    cancel: CancelToken?
  ) throws(ChromaError) -> Bool {
    if let bounds = bounds[node.number] {
      if bounds.sure.contains(row) { return true }
      if !bounds.possible.contains(row) { return false }
    }
    switch node.kind {
    case .all(let children):
      for child in children where isInDoubt[child.number] {
        if try !holds(child, of: row, utf8, cancel: cancel) { return false }
      }
      return true
    case .any(let children):
      for child in children where isInDoubt[child.number] {
        if try holds(child, of: row, utf8, cancel: cancel) { return true }
      }
      return false
    case .leaf(.document(let condition), let isNegated):
      return try condition.holds(of: utf8, cancel: cancel) != isNegated
    case .leaf:
      return false
    }
  }
}

extension FilterPlan.DocumentCondition {
  /// What a document must be for the condition to hold of it.
  enum Required {
    /// There is none.
    case nothing
    /// Any will do.
    case presence
    /// - isAll: whether it also suffices.
    case text(RequiredText, isAll: Bool)
  }

  var required: Required {
    switch self {
    case .contains(let text):
      text.isEmpty ? .presence : .text(.literal(text.bytes), isAll: true)
    case .matches(let expression):
      .text(expression.required, isAll: false)
    case .value(let condition):
      switch condition.test(of: .string) {
      case .none: .nothing
      case .all: .presence
      case .intervals, .each: .text(.anything, isAll: false)
      }
    }
  }
}
