// Records in the order of their metadata, and pages that begin after a record.

import ChromaBase

/// Selected records in an order of their own, cut to a window.
struct OrderedSelection {
  let table: RecordTable
  let order: RecordOrder
  let cancel: CancelToken?

  /// The `limit` slots that stand `offset` places after the start, of those given.
  ///
  /// - Parameter start: The record before the first; nil to begin at the beginning. It need not be
  ///   among those given.
  func window(
    of matches: Bitset, after start: UInt32?, offset: Int, limit: Int?
  ) throws(ChromaError) -> [UInt32] {
    let (end, overflow) = offset.addingReportingOverflow(limit ?? .max)
    let first = try start.map { (slot) throws(ChromaError) in try order.place(of: slot, in: table) }
    var places = FirstPlaces(order: order, countMax: overflow ? .max : end)
    var visitedCount = 0
    for slot in matches {
      if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      visitedCount += 1
      let place = try order.place(of: slot, in: table)
      if let first, !order.precedes(first, place) { continue }
      places.insert(place, slot)
    }
    return Array(places.slots().dropFirst(offset))
  }
}

/// The first of some records in an order. Memory: so many.
///
/// Invariant: `heap` has at most `countMax` entries, and none of them precedes one of its children,
/// 2i + 1 and 2i + 2: the last of them stands at the top, to be replaced.
private struct FirstPlaces {
  private let order: RecordOrder
  private let countMax: Int
  private var heap: [(place: RecordOrder.Place, slot: UInt32)] = []

  init(order: RecordOrder, countMax: Int) {
    self.order = order
    self.countMax = countMax
  }

  mutating func insert(_ place: RecordOrder.Place, _ slot: UInt32) {
    if heap.count < countMax {
      heap.append((place, slot))
      // All of them are wanted: nothing is ever replaced.
      if countMax != .max { rise(from: heap.count - 1) }
    } else if let last = heap.first, order.precedes(place, last.place) {
      heap[0] = (place, slot)
      sink()
    }
  }

  /// In their order.
  func slots() -> [UInt32] {
    heap.sorted { order.precedes($0.place, $1.place) }.map(\.slot)
  }

  private mutating func rise(from index: Int) {
    var child = index
    while child > 0 {
      let parent = (child - 1) / 2
      guard order.precedes(heap[parent].place, heap[child].place) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var later = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && order.precedes(heap[later].place, heap[child].place) {
        later = child
      }
      if later == parent { return }
      heap.swapAt(parent, later)
      parent = later
    }
  }
}
