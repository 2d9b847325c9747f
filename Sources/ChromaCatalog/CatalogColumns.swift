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

  /// A number of things of which there may be none.
  func notNegative(_ column: Int32) throws(ChromaError) -> Int64 {
    let value = try integer(column)
    guard value >= 0 else { throw impossible(column, "\(value)") }
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
    var row = CollectionRow(new, dimension: try dimension(8), nextPosition: try positive(9))
    row.version = try notNegative(10)
    row.compactedPosition = try notNegative(11)
    guard row.compactedPosition < row.nextPosition, row.version > 0 || row.compactedPosition == 0
    else { throw impossible(11, "\(row.compactedPosition)") }
    row.logRowCount = Int(try notNegative(12))
    row.logByteCount = Int(try notNegative(13))
    row.compactedByteCount = try notNegative(14)
    row.generation = try notNegative(15)
    row.indexedPosition = try notNegative(16)
    guard row.indexedPosition <= row.compactedPosition,
      row.generation > 0 || row.indexedPosition == 0
    else { throw impossible(16, "\(row.indexedPosition)") }
    return (try integer(0), row)
  }

  /// The columns of `CatalogSQL.listSegments`.
  ///
  /// - Parameter version: The collection's, which the segment and its deletions must not be above.
  func segment(version: Int64) throws(ChromaError) -> ManifestSegment {
    guard try positive(2) <= version else { throw impossible(2, "\(try integer(2))") }
    let rowCount = Int(try positive(3))
    let reference = SegmentReference(
      id: try uuid(1), payload: try payload(4), rowCount: rowCount)
    if isNull(7) { return ManifestSegment(reference: reference) }
    let deletedCount = try positive(7)
    guard deletedCount <= rowCount else { throw impossible(7, "\(deletedCount)") }
    guard try positive(9) <= version else { throw impossible(9, "\(try integer(9))") }
    return ManifestSegment(
      reference: reference,
      deletedRows: DeletedRows(bitmap: try blob(8), count: Int(deletedCount)))
  }

  /// The columns of `CatalogSQL.listIndexBlobs`.
  ///
  /// - Parameter generation: The collection's, which the blob's must not be above.
  func indexBlob(generation: Int64) throws(ChromaError) -> IndexBlob {
    guard try positive(0) <= generation else { throw impossible(0, "\(try integer(0))") }
    return IndexBlob(name: try text(1), byteCount: Int(try positive(2)))
  }

  /// Three columns: the bytes, or the name of a blob and the number of its bytes.
  private func payload(_ column: Int32) throws(ChromaError) -> StoredPayload {
    if let bytes = try optionalBlob(column) { return .inline(bytes) }
    return .blob(name: try text(column + 1), byteCount: Int(try notNegative(column + 2)))
  }

  /// The columns of `CatalogSQL.selectLog`.
  func logRow() throws(ChromaError) -> LogRow {
    let firstPosition = try positive(0)
    let recordCount = try positive(1)
    guard !firstPosition.addingReportingOverflow(recordCount).overflow else {
      throw impossible(1, "\(recordCount)")
    }
    return LogRow(
      firstPosition: firstPosition, recordCount: Int(recordCount), payload: try payload(2))
  }

  func impossible(_ column: Int32, _ value: String) -> ChromaError {
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

  /// The three columns of a payload.
  static func payload(_ payload: StoredPayload) -> [SQLiteValue] {
    switch payload {
    case .inline(let bytes): [.blob(bytes), .null, .null]
    case .blob(let name, let byteCount): [.null, .text(name), .integer(Int64(byteCount))]
    }
  }

  /// SQLite takes a negative limit for none.
  static func limit(_ limit: Int?) -> SQLiteValue {
    .integer(limit.map { Int64(max($0, 0)) } ?? -1)
  }

  static func offset(_ offset: Int) -> SQLiteValue {
    .integer(Int64(max(offset, 0)))
  }
}
