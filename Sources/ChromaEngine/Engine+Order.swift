// Selected records in the order of a key of their metadata, as far as somebody wants them.
//
// An indexed column is a run of places that is read bit by bit. Places of records that stand in no
// index, or are too few to be looked for in one, are kept in a heap as far as the window reaches, and
// make one more run. The runs are merged. Records without a value follow in the order of insertion,
// and are looked for when their turn comes.

import ChromaBase
import ChromaQuery
import ChromaSegment

/// Selected records in an order of their own, cut to a window.
struct OrderedSelection {
  let selected: SelectedRows
  let order: RecordOrder
  let table: RecordTable
  let cancel: CancelToken?

  init(
    _ selection: Selection, by order: RecordOrder, in table: RecordTable, cancel: CancelToken?
  ) throws(ChromaError) {
    selected = try SelectedRows(selection, in: table, cancel: cancel)
    self.order = order
    self.table = table
    self.cancel = cancel
  }

  /// The `limit` slots that stand `offset` places after the start.
  ///
  /// - Parameter start: The record before the first; nil to begin at the beginning. It need not be
  ///   selected.
  func window(
    after start: UInt32?, offset: Int, limit: Int?
  ) throws(ChromaError) -> [UInt32] {
    let start = try start.map { (slot) throws(ChromaError) in try order.place(of: slot, in: table) }
    var window = MatchWindow(offset: offset, limit: limit)
    let (end, overflow) = offset.addingReportingOverflow(limit ?? .max)
    var first = FirstPlaces(order, countMax: overflow ? .max : end)
    var valueless: [RecordOrder.Place] = []
    for slot in selected.tail {
      let place = try order.place(of: slot, in: table)
      if let start, !order.precedes(start, place) { continue }
      if place.value == nil { valueless.append(place) } else { first.insert(place) }
    }
    if start == nil || start?.value != nil {
      var runs = try indexedRuns(after: start, others: &first)
      runs.append(PlaceRun(first.sorted()))
      try merge(&runs, into: &window)
    }
    if window.isFull { return window.slots }
    var runs = try valuelessRuns(after: start)
    runs.append(PlaceRun(valueless.sorted(by: order.precedes)))
    try merge(&runs, into: &window)
    return window.slots
  }

  /// The columns that are worth to be walked; places in the other ones go to the others.
  private func indexedRuns(
    after start: RecordOrder.Place?, others: inout FirstPlaces
  ) throws(ChromaError) -> [PlaceRun] {
    var runs: [PlaceRun] = []
    for (part, rows) in zip(table.version.parts, selected.rows) where !rows.isEmpty {
      let segment = part.segment
      for column in segment.columns(of: order.key) where column.kind.element == nil {
        if column.isWorthWalking(for: rows) {
          let places = try IndexedPlaces(
            column, of: segment, rows: rows, order, after: start, cancel)
          runs.append(try PlaceRun(places))
          continue
        }
        try column.forEachValue(in: rows, cancel) { row, value in
          let place = RecordOrder.Place(
            value: Literal(value), order: segment.order(row), slot: segment.slot(row))
          if let start, !order.precedes(start, place) { return }
          others.insert(place)
        }
      }
    }
    return runs
  }

  /// What has no scalar under the key, a run for each segment.
  private func valuelessRuns(
    after start: RecordOrder.Place?
  ) throws(ChromaError) -> [PlaceRun] {
    let last = start.flatMap { $0.value == nil ? $0.order : nil }
    var runs: [PlaceRun] = []
    for (part, rows) in zip(table.version.parts, selected.rows) where !rows.isEmpty {
      var present = Bitset()
      for column in part.segment.columns(of: order.key) where column.kind.element == nil {
        try column.insertRows(into: &present)
      }
      var rest = rows.subtracting(present)
      if let last { rest.removeSlots(below: part.segment.firstRow(ofOrder: last + 1)) }
      if !rest.isEmpty { runs.append(try PlaceRun(RowPlaces(part.segment, rest))) }
    }
    return runs
  }

  private func merge(
    _ runs: inout [PlaceRun], into window: inout MatchWindow
  ) throws(ChromaError) {
    runs.removeAll { $0.head == nil }
    var visitedCount = 0
    while !window.isFull, var first = runs.first?.head {
      if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      visitedCount += 1
      var index = 0
      for other in runs.indices.dropFirst() {
        guard let head = runs[other].head, order.precedes(head, first) else { continue }
        first = head
        index = other
      }
      window.append(first.slot)
      try runs[index].removeHead()
      if runs[index].head == nil { runs.remove(at: index) }
    }
  }
}
