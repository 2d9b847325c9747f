// The order of records by what stands under a key of their metadata.
//
// Invariants:
//   * The order is total and no two records are equal in it: ties stand in the order of insertion,
//     ascending or descending alike.
//   * Records without a scalar under the key come last, ascending or descending alike.

package import ChromaBase
import ChromaQuery

/// By the scalars under a key: bools, numbers, strings, as `Literal` orders them.
package struct RecordOrder: Sendable {
  package let key: Text
  package let isDescending: Bool

  package init(key: Text, isDescending: Bool) {
    self.key = key
    self.isDescending = isDescending
  }

  /// A record's place in the order.
  struct Place {
    /// Nil without a scalar under the key.
    let value: Literal?
    /// The record's own, which says when it was inserted.
    let order: Int64
    let slot: UInt32
  }

  func place(of slot: UInt32, in table: RecordTable) throws(ChromaError) -> Place {
    let value = try table.metadata(slot, keys: [key])?[key].flatMap { Literal($0) }
    return Place(value: value, order: table.order(slot), slot: slot)
  }

  func precedes(_ left: Place, _ right: Place) -> Bool {
    switch (left.value, right.value) {
    case (let one?, let other?) where one != other: precedes(one, other)
    case (_?, nil): true
    case (nil, _?): false
    default: left.order < right.order
    }
  }

  /// Of values that differ.
  func precedes(_ left: Literal, _ right: Literal) -> Bool {
    isDescending ? left > right : left < right
  }
}

/// The first of some records in an order. Memory: so many.
///
/// Invariant: `heap` has at most `countMax` entries, and none of them precedes one of its children,
/// 2i + 1 and 2i + 2: the last of them stands at the top, to be replaced.
struct FirstPlaces {
  private let order: RecordOrder
  private let countMax: Int
  private var heap: [RecordOrder.Place] = []

  init(_ order: RecordOrder, countMax: Int) {
    self.order = order
    self.countMax = countMax
  }

  mutating func insert(_ place: RecordOrder.Place) {
    if heap.count < countMax {
      heap.append(place)
      // All of them are wanted: nothing is ever replaced.
      if countMax != .max { rise(from: heap.count - 1) }
    } else if let last = heap.first, order.precedes(place, last) {
      heap[0] = place
      sink()
    }
  }

  /// In their order.
  func sorted() -> [RecordOrder.Place] {
    heap.sorted(by: order.precedes)
  }

  private mutating func rise(from index: Int) {
    var child = index
    while child > 0 {
      let parent = (child - 1) / 2
      guard order.precedes(heap[parent], heap[child]) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var later = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && order.precedes(heap[later], heap[child]) {
        later = child
      }
      if later == parent { return }
      heap.swapAt(parent, later)
      parent = later
    }
  }
}
