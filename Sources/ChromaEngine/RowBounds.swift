// What is known of the rows that match a condition, before documents are read.

import ChromaBase

/// Two sets of rows between which those that match lie: sure ⊆ matches ⊆ possible.
struct RowBounds {
  private(set) var sure: Bitset
  /// Nil where it is `sure`: nothing is in doubt.
  private var possibleIfMore: Bitset?

  static let none = RowBounds(exact: Bitset())

  /// Exactly these rows.
  init(exact rows: Bitset) {
    sure = rows
  }

  /// - Parameter possible: holds all of `sure`.
  init(sure: Bitset, possible: Bitset) {
    self.sure = sure
    possibleIfMore = possible
  }

  var isExact: Bool { possibleIfMore == nil }
  var possible: Bitset { possibleIfMore ?? sure }

  /// The rows of which only their documents can tell.
  var doubtful: Bitset { possibleIfMore?.subtracting(sure) ?? Bitset() }

  /// The rows of a domain that do not match; both sets are inside it.
  func negated(in domain: Bitset) -> RowBounds {
    guard let possibleIfMore else { return RowBounds(exact: domain.subtracting(sure)) }
    return RowBounds(
      sure: domain.subtracting(possibleIfMore), possible: domain.subtracting(sure))
  }

  mutating func formIntersection(_ other: RowBounds) {
    if !isExact || !other.isExact {
      var possible = possible
      possible.formIntersection(other.possible)
      possibleIfMore = possible
    }
    sure.formIntersection(other.sure)
  }

  mutating func formUnion(_ other: RowBounds) {
    if !isExact || !other.isExact {
      var possible = possible
      possible.formUnion(other.possible)
      possibleIfMore = possible
    }
    sure.formUnion(other.sure)
  }
}
