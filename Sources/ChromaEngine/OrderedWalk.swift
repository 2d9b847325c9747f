// Matching records in the order of insertion, as far as somebody wants them.
//
// Each segment is a run of ascending orders, and so are the records of the tail that replace a row of
// a segment; records inserted since the version come after all of them. Runs are merged a stretch at
// a time: from the first head up to the next one's. A segment is filtered once its turn comes, and a
// document is read once its record's does.

import ChromaBase
import ChromaSegment

/// A window on a sequence of matches: so many are skipped, then so many taken.
struct MatchWindow {
  private var skipCount: Int
  private var takeCount: Int
  private(set) var slots: [UInt32] = []

  /// - Parameter limit: Nil for all of them.
  init(offset: Int, limit: Int?) {
    skipCount = max(0, offset)
    takeCount = max(0, limit ?? .max)
  }

  var isFull: Bool { takeCount == 0 }

  mutating func append(_ slot: UInt32) {
    if skipCount > 0 {
      skipCount -= 1
    } else if takeCount > 0 {
      takeCount -= 1
      slots.append(slot)
    }
  }

  /// Skips so many at once; false if some of them are to be taken.
  mutating func skip(_ count: Int) -> Bool {
    guard count <= skipCount else { return false }
    skipCount -= count
    return true
  }
}

/// The matches of one segment.
private struct SegmentRun {
  private let segment: Segment
  private let plan: FilterPlan?
  /// Rows that may match; before the segment was filtered, those that count.
  private var rows: Bitset
  private var filter: SegmentFilter?
  private var isFiltered: Bool
  private var row: Int

  /// Nil if no row counts.
  init?(_ segment: Segment, rows: Bitset, after order: Int64?, _ plan: FilterPlan?) {
    self.segment = segment
    self.plan = plan
    self.rows = rows
    isFiltered = plan == nil
    if let order { self.rows.removeSlots(below: segment.firstRow(ofOrder: order + 1)) }
    guard let first = self.rows.first(from: 0) else { return nil }
    row = first
  }

  /// The order of the first that is left.
  var order: Int64 { segment.order(row) }

  /// Filters the segment, if that was not done.
  ///
  /// - Returns: Whether any row is left.
  mutating func prepare(_ context: Selector) throws(ChromaError) -> Bool {
    guard !isFiltered, let plan else { return true }
    let filter = try context.filter(segment, plan, in: rows)
    rows = filter.bounds.possible
    if !filter.bounds.isExact { self.filter = filter }
    isFiltered = true
    return move(to: row)
  }

  /// Hands over the matches before an order.
  ///
  /// - Returns: Whether any row is left.
  mutating func take(
    before order: Int64, into window: inout MatchWindow, _ cancel: CancelToken?
  ) throws(ChromaError) -> Bool {
    let end = max(row, order == .max ? segment.rowCount : segment.firstRow(ofOrder: order))
    if filter == nil, window.skip(rows.count(in: row..<end)) { return move(to: end) }
    var visitedCount = 0
    while row < end {
      if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      visitedCount += 1
      if try filter?.matches(row) ?? true { window.append(segment.slot(row)) }
      if window.isFull || !move(to: row + 1) { return false }
    }
    return true
  }

  private mutating func move(to next: Int) -> Bool {
    guard let next = rows.first(from: next) else { return false }
    row = next
    return true
  }
}

extension Selector {
  /// The matching slots in the order of insertion, cut to a window.
  ///
  /// - Parameter last: The order after which to begin.
  func walk(
    offset: Int, limit: Int?, after last: Int64?
  ) throws(ChromaError) -> [UInt32] {
    var window = MatchWindow(offset: offset, limit: limit)
    if window.isFull { return [] }
    var runs: [SegmentRun] = []
    for (part, rows) in zip(table.version.parts, table.rowsThatCount) {
      if let run = SegmentRun(part.segment, rows: rows, after: last, plan) { runs.append(run) }
    }
    var updated = table.updatedInOrder(after: last)[...]
    while !window.isFull {
      let nextUpdate = updated.first?.order ?? .max
      guard let first = runs.indices.min(by: { runs[$0].order < runs[$1].order }),
        runs[first].order < nextUpdate
      else {
        guard let slot = updated.popFirst()?.slot else { break }
        if try matches(slot) { window.append(slot) }
        continue
      }
      if try !runs[first].prepare(self) {
        runs.remove(at: first)
        continue
      }
      // The first row that may match is perhaps not the next of all any more: then nothing is taken.
      let others = runs.indices.lazy.filter { $0 != first }.map { runs[$0].order }
      let end = min(nextUpdate, others.min() ?? .max)
      if try !runs[first].take(before: end, into: &window, cancel) { runs.remove(at: first) }
    }
    for slot in table.insertedInOrder(after: last) {
      if window.isFull { break }
      if try matches(slot) { window.append(slot) }
    }
    return window.slots
  }
}

extension Segment {
  /// The first row whose order is at least so large; the number of rows if there is none.
  func firstRow(ofOrder order: Int64) -> Int {
    var (lower, upper) = (0, rowCount)
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if self.order(middle) < order { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }
}
