// Values that go into statements, and rows that come out.

import CSQLite
package import ChromaBase

/// A value for a placeholder of a statement.
package enum SQLiteValue: Sendable {
  case null
  case integer(Int64)
  case text(Text)
  case blob([UInt8])

  /// A result code of SQLite.
  func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    switch self {
    case .null:
      sqlite3_bind_null(statement, index)
    case .integer(let value):
      sqlite3_bind_int64(statement, index, value)
    case .text(let text):
      text.bytes.withUnsafeBytes { bytes in
        // SQLite takes a null pointer for NULL, and an empty buffer has one.
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1) { empty in
          sqlite3_bind_text64(
            statement, index, start ?? UnsafePointer(empty.baseAddress), UInt64(bytes.count),
            chroma_sqlite_transient(), UInt8(SQLITE_UTF8))
        }
      }
    case .blob(let blob):
      blob.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
          return sqlite3_bind_zeroblob(statement, index, 0)
        }
        return sqlite3_bind_blob64(
          statement, index, start, UInt64(bytes.count), chroma_sqlite_transient())
      }
    }
  }
}

/// A row of a running statement: valid until the closure that it was lent to returns.
package struct SQLiteRow {
  let statement: OpaquePointer
  /// The database's, for sentences about what is wrong in it.
  package let path: String

  package func isNull(_ column: Int32) -> Bool {
    sqlite3_column_type(statement, column) == SQLITE_NULL
  }

  package func integer(_ column: Int32) throws(ChromaError) -> Int64 {
    try expect(column, SQLITE_INTEGER, "an integer")
    return sqlite3_column_int64(statement, column)
  }

  package func text(_ column: Int32) throws(ChromaError) -> Text {
    try expect(column, SQLITE_TEXT, "text")
    let start = sqlite3_column_text(statement, column)
    let count = Int(sqlite3_column_bytes(statement, column))
    guard let text = Text(validating: UnsafeBufferPointer(start: start, count: count)) else {
      throw .corruption(
        "The file \(path) is damaged: column \(column) holds text that is not UTF-8.")
    }
    return text
  }

  package func blob(_ column: Int32) throws(ChromaError) -> [UInt8] {
    try withBlob(column) { (bytes) throws(ChromaError) in Array(bytes) }
  }

  /// Lends the bytes of a blob, without copying them.
  package func withBlob<T>(
    _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(ChromaError) -> T
  ) throws(ChromaError) -> T {
    try expect(column, SQLITE_BLOB, "a blob")
    let start = sqlite3_column_blob(statement, column)
    let count = Int(sqlite3_column_bytes(statement, column))
    return try body(UnsafeRawBufferPointer(start: start, count: count))
  }

  private func expect(_ column: Int32, _ type: Int32, _ name: String) throws(ChromaError) {
    let found = sqlite3_column_type(statement, column)
    guard found == type else {
      throw .corruption(
        "The file \(path) is damaged: column \(column) of a row should hold \(name), and holds "
          + "SQLite's type \(found).")
    }
  }
}
