// Where a record's newest state stands.

/// A row of a segment or of the tail, in 64 bits: a collection has one for each slot.
///
///     bit 63: the tail? | segment: 31 bits | row: 32 bits
struct RecordLocation: Hashable {
  private let bits: UInt64

  private static let tailBit: UInt64 = 1 << 63

  /// - Parameters:
  ///   - segment: Index into the version's segments; below 2^31, as the catalog's lists are.
  ///   - row: Below 2^32, as segments are.
  init(segment: Int, row: Int) {
    bits = UInt64(truncatingIfNeeded: segment) << 32 | UInt64(UInt32(truncatingIfNeeded: row))
  }

  init(tailRow: Int) {
    bits = Self.tailBit | UInt64(UInt32(truncatingIfNeeded: tailRow))
  }

  var isInTail: Bool { bits & Self.tailBit != 0 }
  /// Meaningless in the tail.
  var segment: Int { Int(bits >> 32) }
  var row: Int { Int(bits & 0xFFFF_FFFF) }
}
