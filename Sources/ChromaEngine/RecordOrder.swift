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
  }

  func place(of slot: UInt32, in table: RecordTable) throws(ChromaError) -> Place {
    let value = try table.metadata(slot, keys: [key])?[key].flatMap { Literal($0) }
    return Place(value: value, order: table.order(slot))
  }

  func precedes(_ left: Place, _ right: Place) -> Bool {
    switch (left.value, right.value) {
    case (let one?, let other?) where one != other: isDescending ? one > other : one < other
    case (_?, nil): true
    case (nil, _?): false
    default: left.order < right.order
    }
  }
}
