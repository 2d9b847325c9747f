// Reading the values of some rows of a column, by whichever way costs less.

import ChromaBase
import ChromaSegment

extension ValueColumn {
  /// Whether some rows are better found in the index, by walking it, than by their values: a row costs
  /// some nanoseconds there, and looking up a value some hundred.
  func isWorthWalking(for rows: Bitset) -> Bool {
    isIndexed && rows.count >= rowCount / 16
  }

  /// Calls the body for those of the rows that have a value, in ascending order.
  func forEachValue(
    in rows: Bitset, _ cancel: CancelToken?,
    _ body: (_ row: Int, _ value: MetadataValue) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    var visitedCount = 0
    if rows.count >= rowCount / 4 {
      return try forEachValue { (row, value) throws(ChromaError) in
        if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        visitedCount += 1
        if rows.contains(UInt32(row)) { try body(row, value) }
      }
    }
    for row in rows {
      if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      visitedCount += 1
      if let value = try value(ofRow: Int(row)) { try body(Int(row), value) }
    }
  }
}
