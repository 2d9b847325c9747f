// What the columns of chroma.db mean, and short ways to read them.
//
// Page checksums catch what decays. They do not catch a file that somebody made up, so every value
// read here is checked before it is used: a wrong one is `.corruption`, never a trap.

import ChromaBase
import ChromaSQLite

extension SQLiteConnection {
  /// What the closure makes of every row.
  func allRows<Value>(
    _ sql: String, _ values: [SQLiteValue] = [],
    _ body: (SQLiteRow) throws(ChromaError) -> Value
  ) throws(ChromaError) -> [Value] {
    var all: [Value] = []
    try forEachRow(sql, values) { (row) throws(ChromaError) in
      all.append(try body(row))
      return true
    }
    return all
  }

  /// Whether there is a row.
  func hasRow(_ sql: String, _ values: [SQLiteValue]) throws(ChromaError) -> Bool {
    try firstRow(sql, values) { (_) throws(ChromaError) in true } ?? false
  }

  /// The only column of the only row, as of a pragma.
  func integer(_ sql: String) throws(ChromaError) -> Int64 {
    try firstRow(sql) { (row) throws(ChromaError) in try row.integer(0) } ?? 0
  }
}

extension SQLiteRow {
  func optionalText(_ column: Int32) throws(ChromaError) -> Text? {
    isNull(column) ? nil : try text(column)
  }

  func optionalBlob(_ column: Int32) throws(ChromaError) -> [UInt8]? {
    isNull(column) ? nil : try blob(column)
  }

  func uuid(_ column: Int32) throws(ChromaError) -> UUID {
    try withBlob(column) { (bytes) throws(ChromaError) in
      guard bytes.count == 16 else { throw impossible(column, "a UUID of \(bytes.count) bytes") }
      let high = bytes[..<8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      let low = bytes[8...].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      return UUID(high: high, low: low)
    }
  }

  /// A position, or a number of things of which there is at least one.
  func positive(_ column: Int32) throws(ChromaError) -> Int64 {
    let value = try integer(column)
    guard value >= 1 else { throw impossible(column, "\(value)") }
    return value
  }

  func dimension(_ column: Int32) throws(ChromaError) -> Int? {
    isNull(column) ? nil : Int(try positive(column))
  }

  /// The columns of `CatalogSQL.selectCollection` and its likes.
  func collection() throws(ChromaError) -> (key: Int64, row: CollectionRow) {
    let new = NewCollection(
      id: try uuid(1), tenant: try text(2), database: try text(3), name: try text(4),
      configuration: try text(5), schema: try optionalText(6), metadata: try optionalBlob(7))
    let row = CollectionRow(new, dimension: try dimension(8), nextPosition: try positive(9))
    return (try integer(0), row)
  }

  /// The columns of `CatalogSQL.selectLog`.
  func logRow() throws(ChromaError) -> LogRow {
    let firstPosition = try positive(0)
    let recordCount = try positive(1)
    guard !firstPosition.addingReportingOverflow(recordCount).overflow else {
      throw impossible(1, "\(recordCount)")
    }
    let payload: LogPayload
    if let bytes = try optionalBlob(2) {
      payload = .inline(bytes)
    } else {
      let byteCount = try integer(4)
      guard byteCount >= 0 else { throw impossible(4, "\(byteCount)") }
      payload = .blob(name: try text(3), byteCount: Int(byteCount))
    }
    return LogRow(
      firstPosition: firstPosition, recordCount: Int(recordCount), payload: payload)
  }

  private func impossible(_ column: Int32, _ value: String) -> ChromaError {
    .corruption(
      "The file \(path) is damaged: column \(column) of a row holds \(value), which cannot be. "
        + "Restore the directory from a backup.")
  }
}

extension SQLiteValue {
  /// Sixteen bytes, most significant first.
  static func uuid(_ id: UUID) -> SQLiteValue {
    .blob(id.bytes)
  }

  /// Sixteen bytes, most significant first.
  static func request(_ key: RequestKey) -> SQLiteValue {
    .uuid(UUID(high: key.high, low: key.low))
  }

  static func optional(_ text: Text?) -> SQLiteValue {
    text.map { .text($0) } ?? .null
  }

  static func optional(_ bytes: [UInt8]?) -> SQLiteValue {
    bytes.map { .blob($0) } ?? .null
  }

  /// SQLite takes a negative limit for none.
  static func limit(_ limit: Int?) -> SQLiteValue {
    .integer(limit.map { Int64(max($0, 0)) } ?? -1)
  }

  static func offset(_ offset: Int) -> SQLiteValue {
    .integer(Int64(max(offset, 0)))
  }
}
