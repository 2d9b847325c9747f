// The rows of chroma.db, as recovery reads them: one by one, so that one that makes no sense costs
// nothing but itself. docs/FORMAT.md says what the columns are.

import ChromaBase
import ChromaCatalog
import ChromaSQLite

/// A row of `collections`, with the database's.
struct CollectionRecord {
  let key: Int64
  let id: UUID
  let tenant: Text
  let database: Text
  let name: Text
  let dimension: Int64?
  let nextPosition: Int64
  let version: Int64
  let compactedPosition: Int64
  let logRowCount: Int64
  let logByteCount: Int64
  let generation: Int64
  let indexedPosition: Int64

  var title: CollectionName { CollectionName(id: id, name: name) }

  static let select = """
    SELECT c.key, c.id, d.tenant, d.name, c.name, c.dimension, c.next_position, c.version,
      c.compacted_position, c.log_row_count, c.log_byte_count, c.generation, c.indexed_position
    FROM collections AS c JOIN databases AS d ON d.key = c.database_key ORDER BY c.key
    """

  init(_ row: SQLiteRow) throws(ChromaError) {
    key = try row.integer(0)
    id = try row.uuid(1)
    tenant = try row.text(2)
    database = try row.text(3)
    name = try row.text(4)
    dimension = try row.optionalInteger(5)
    nextPosition = try row.integer(6)
    version = try row.integer(7)
    compactedPosition = try row.integer(8)
    logRowCount = try row.integer(9)
    logByteCount = try row.integer(10)
    generation = try row.integer(11)
    indexedPosition = try row.integer(12)
  }

  /// What contradicts what; nil if nothing does.
  func contradiction(lastVersion: Int64) -> String? {
    if nextPosition < 1 { return "the next position is \(nextPosition)" }
    if !(0..<nextPosition).contains(compactedPosition) {
      return "its segments reach to position \(compactedPosition), its log ends before "
        + "\(nextPosition)"
    }
    if !(0...lastVersion).contains(version) || version == 0 && compactedPosition > 0 {
      return "its version is \(version), the newest of all is \(lastVersion)"
    }
    if let dimension, !(1...Int64(Limits.dimensionMax)).contains(dimension) {
      return "its dimension is \(dimension)"
    }
    return nil
  }

  /// What about its index contradicts what; nil if nothing does.
  func indexContradiction(lastVersion: Int64) -> String? {
    if !(0...lastVersion).contains(generation) || generation == 0 && indexedPosition != 0 {
      return "its index has generation \(generation) and reaches to position \(indexedPosition), "
        + "the newest version of all is \(lastVersion)"
    }
    if indexedPosition < 0 || indexedPosition > compactedPosition {
      return "its index reaches to position \(indexedPosition), its segments to "
        + "\(compactedPosition)"
    }
    return nil
  }
}

/// A row of `log`.
struct LogRecord {
  let key: Int64
  let firstPosition: Int64
  let recordCount: Int64
  let payload: StoredPayload

  static let select = """
    SELECT key, first_position, record_count, payload, blob_name, blob_byte_count FROM log
    WHERE collection_key = ?1 ORDER BY first_position
    """

  init(_ row: SQLiteRow) throws(ChromaError) {
    key = try row.integer(0)
    firstPosition = try row.integer(1)
    recordCount = try row.integer(2)
    payload = try row.payload(3, name: 4, byteCount: 5)
    guard firstPosition >= 1, recordCount >= 1,
      !firstPosition.addingReportingOverflow(recordCount).overflow
    else {
      throw .corruption(
        "The file \(row.path) is damaged: a row of the log has \(recordCount) records at position "
          + "\(firstPosition).")
    }
  }

  var endPosition: Int64 { firstPosition + recordCount }
}

/// A row of `segments` of the current version, with its deletions.
struct SegmentRecord {
  let key: Int64
  let id: UUID
  let firstVersion: Int64
  let rowCount: Int64
  let payload: StoredPayload
  let deletedCount: Int64?
  let bitmap: [UInt8]?

  static let select = """
    SELECT s.key, s.id, s.first_version, s.row_count, s.payload, s.blob_name, s.blob_byte_count,
      d.row_count, d.bitmap
    FROM segments AS s LEFT JOIN deletions AS d ON d.segment_key = s.key
    WHERE s.collection_key = ?1 AND s.end_version IS NULL ORDER BY s.key
    """

  init(_ row: SQLiteRow) throws(ChromaError) {
    key = try row.integer(0)
    id = try row.uuid(1)
    firstVersion = try row.integer(2)
    rowCount = try row.integer(3)
    payload = try row.payload(4, name: 5, byteCount: 6)
    deletedCount = try row.optionalInteger(7)
    bitmap = row.isNull(8) ? nil : try row.blob(8)
  }
}

/// A row of `index_blobs` of the current index.
struct IndexBlobRecord {
  let key: Int64
  let firstGeneration: Int64
  let name: Text
  let byteCount: Int

  static let select = """
    SELECT key, first_generation, blob_name, blob_byte_count FROM index_blobs
    WHERE collection_key = ?1 AND end_generation IS NULL ORDER BY key
    """

  init(_ row: SQLiteRow) throws(ChromaError) {
    key = try row.integer(0)
    firstGeneration = try row.integer(1)
    name = try row.text(2)
    let count = try row.integer(3)
    guard let exact = Int(exactly: count), exact >= 1 else {
      throw .corruption("The file \(row.path) is damaged: a blob of an index has \(count) bytes.")
    }
    byteCount = exact
  }
}

extension SQLiteRow {
  func optionalInteger(_ column: Int32) throws(ChromaError) -> Int64? {
    isNull(column) ? nil : try integer(column)
  }

  func optionalText(_ column: Int32) throws(ChromaError) -> Text? {
    isNull(column) ? nil : try text(column)
  }

  func uuid(_ column: Int32) throws(ChromaError) -> UUID {
    let bytes = try blob(column)
    guard let id = UUID(bytes: bytes) else {
      throw .corruption("The file \(path) is damaged: a UUID has \(bytes.count) bytes.")
    }
    return id
  }

  func payload(
    _ column: Int32, name: Int32, byteCount: Int32
  ) throws(ChromaError) -> StoredPayload {
    if !isNull(column) { return .inline(try blob(column)) }
    let count = try integer(byteCount)
    guard let exact = Int(exactly: count), exact >= 0 else {
      throw .corruption("The file \(path) is damaged: a blob has \(count) bytes.")
    }
    return .blob(name: try text(name), byteCount: exact)
  }
}

extension UUID {
  /// Sixteen bytes, most significant first; nil for any other number.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    self.init(
      high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
      low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
  }
}

extension SQLiteConnection {
  /// Takes a collection's index out of the catalog.
  func dropIndex(ofCollection key: Int64) throws(ChromaError) {
    try execute("DELETE FROM index_blobs WHERE collection_key = ?1", [.integer(key)])
    try execute(
      "UPDATE collections SET generation = 0, indexed_position = 0 WHERE key = ?1",
      [.integer(key)])
  }

  /// The only column of the only row; 0 without one.
  func integer(_ sql: String) throws(ChromaError) -> Int64 {
    try firstRow(sql) { (row) throws(ChromaError) in try row.integer(0) } ?? 0
  }
}
