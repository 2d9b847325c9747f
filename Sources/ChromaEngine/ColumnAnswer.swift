// How a condition on metadata is answered by one column of a segment.

import ChromaBase
import ChromaQuery
import ChromaSegment

/// A column of the key that a condition looks at, in which it may hold.
struct ColumnAnswer {
  private enum Plan {
    /// Every row that has a value.
    case presence
    /// The rows of these of the index's distinct values.
    case numbers([Range<Int>])
    /// Values are looked at: distinct ones, where the column has an index.
    case each
  }

  private let condition: Filter.Condition
  private let column: ValueColumn
  private let plan: Plan
  /// How many rows are expected.
  let rowCount: Int
  /// Of the whole answer, in nanoseconds.
  private let wholeCost: Double

  // Nanoseconds, round numbers for columns of 50,000 rows: for a row that an index lists, for a value
  // that is read where it stands in the order of rows, for one that is looked for by its row, and for
  // one of the distinct values.
  private static let listedCost = 1.0
  private static let scannedCost = 30.0
  private static let soughtCost = 60.0
  private static let distinctCost = 80.0

  /// Nil if the condition holds of nothing in the column.
  init?(
    _ condition: Filter.Condition, _ column: ValueColumn, _ cancel: CancelToken?
  ) throws(ChromaError) {
    self.condition = condition
    self.column = column
    switch condition.test(of: column.kind) {
    case .none:
      return nil
    case .all:
      (plan, rowCount, wholeCost) = (.presence, column.rowCount, Double(column.rowCount) / 8)
    // Where the intervals are many, looking at each distinct value costs less than seeking theirs.
    case .intervals(let intervals)
    where column.isIndexed && intervals.count <= max(32, column.distinctCount / 8):
      var numbers: [Range<Int>] = []
      var count = 0
      for (index, interval) in intervals.enumerated() {
        if index % 1024 == 0 { try cancel?.check() }
        let range = try column.numbers(in: interval)
        if range.isEmpty { continue }
        numbers.append(range)
        count += try column.postingCount(range)
      }
      if numbers.isEmpty { return nil }
      (plan, rowCount) = (.numbers(numbers), min(count, column.rowCount))
      wholeCost = Self.listedCost * Double(count)
    case .intervals, .each:
      (plan, rowCount) = (.each, column.rowCount)
      wholeCost =
        column.isIndexed
        ? Self.distinctCost * Double(column.distinctCount)
        : Self.scannedCost * Double(column.rowCount)
    }
  }

  /// Of finding its rows among so many, in nanoseconds.
  func cost(candidateCount: Int) -> Double {
    min(wholeCost, Self.soughtCost * Double(candidateCount))
  }

  /// Adds the rows of which the condition holds: all of the domain's, and perhaps others.
  func insertRows(
    into rows: inout Bitset, within domain: Bitset, _ cancel: CancelToken?
  ) throws(ChromaError) -> FilterReport.Way {
    if Self.soughtCost * Double(domain.count) < wholeCost {
      for (index, row) in domain.enumerated() {
        if index % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        if let value = try column.value(ofRow: Int(row)), condition.holds(of: value) {
          rows.insert(row)
        }
      }
      return .values
    }
    switch plan {
    case .presence:
      try column.insertRows(into: &rows)
      return .postings
    case .numbers(let numbers):
      try insertRows(of: numbers, into: &rows)
      return .postings
    case .each where column.isIndexed:
      for number in 0..<column.distinctCount {
        if number % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        if condition.holds(of: try column.distinctValue(number)) {
          try column.insertRows(of: number..<number + 1, into: &rows)
        }
      }
      return .postings
    case .each:
      var visitedCount = 0
      try column.forEachValue { (row, value) throws(ChromaError) in
        if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        visitedCount += 1
        if condition.holds(of: value) { rows.insert(UInt32(row)) }
      }
      return .columnScan
    }
  }

  private func insertRows(
    of numbers: [Range<Int>], into rows: inout Bitset
  ) throws(ChromaError) {
    // Where most rows have a value of one run, the others are fewer.
    if numbers.count == 1, let range = numbers.first, rowCount > column.rowCount / 2,
      column.kind.element == nil
    {
      var (present, others) = (Bitset(), Bitset())
      try column.insertRows(into: &present)
      try column.insertRows(of: 0..<range.lowerBound, into: &others)
      try column.insertRows(of: range.upperBound..<column.distinctCount, into: &others)
      present.subtract(others)
      rows.formUnion(present)
    } else {
      for range in numbers { try column.insertRows(of: range, into: &rows) }
    }
  }
}

extension ValueColumn {
  /// The distinct values that lie in an interval.
  fileprivate func numbers(in interval: ValueInterval) throws(ChromaError) -> Range<Int> {
    let start = try interval.start.map { (cut) throws(ChromaError) in
      try firstNumber { (value) throws(ChromaError) in cut.isBefore(value) }
    }
    let end = try interval.end.map { (cut) throws(ChromaError) in
      try firstNumber { (value) throws(ChromaError) in cut.isBefore(value) }
    }
    let first = start ?? 0
    return first..<max(first, end ?? distinctCount)
  }
}
