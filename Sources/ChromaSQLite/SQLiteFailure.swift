// What SQLite's result codes mean to the engine.

import CSQLite
import ChromaBase

enum SQLiteFailure {
  /// - Parameters:
  ///   - result: SQLite's extended result code.
  ///   - recorded: what the file layer failed with during the call, if it did.
  static func error(
    _ result: Int32, message: String, path: String, recorded: ChromaError?
  ) -> ChromaError {
    let detail = "\(message) (SQLite's code \(result))"
    switch result & 0xFF {
    case SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_CORRUPT, SQLITE_NOTADB:
      // The file layer knows which call on which file; SQLite knows only that something failed.
      if let recorded { return recorded }
      return unrecorded(result, detail: detail, path: path)
    case SQLITE_BUSY, SQLITE_LOCKED:
      return ChromaError(.locked, "The database \(path) is locked: \(detail).")
    case SQLITE_READONLY:
      return readOnly(result, detail: detail, path: path)
    case SQLITE_INTERRUPT:
      return ChromaError(.cancelled, "The call was cancelled.")
    case SQLITE_NOMEM, SQLITE_TOOBIG:
      return ChromaError(.resourceExhausted, "The database \(path) ran out of room: \(detail).")
    case SQLITE_CONSTRAINT:
      return ChromaError(.conflict, "The database \(path) refused a row: \(detail).")
    case SQLITE_ERROR, SQLITE_SCHEMA:
      // The statements are ours and fixed, so it is the tables that are not what they should be.
      return .corruption(
        "The file \(path) does not hold what it should: \(detail). Restore the directory from a "
          + "backup.")
    default:
      return ChromaError(.io, "The database \(path) failed: \(detail).")
    }
  }

  private static func readOnly(_ result: Int32, detail: String, path: String) -> ChromaError {
    // The extended codes are macros that Swift does not import: a primary code, and a number above.
    switch result >> 8 {
    case 1, 5:  // SQLITE_READONLY_RECOVERY, SQLITE_READONLY_CANTINIT
      ChromaError(.locked, "The database \(path) is being recovered: \(detail).")
    case 3:  // SQLITE_READONLY_ROLLBACK
      ChromaError(
        .io,
        "The database \(path) was left half-made or half-changed by a process that ended, so it "
          + "cannot be read as it is: \(detail). Open it for writing once.")
    default:
      ChromaError(.permissionDenied, "The database \(path) was opened read-only: \(detail).")
    }
  }

  private static func unrecorded(_ result: Int32, detail: String, path: String) -> ChromaError {
    switch result & 0xFF {
    // Were the disk full, the file layer would have recorded it: a made-up file claims to have as many
    // pages or rows as there can be.
    case SQLITE_FULL, SQLITE_CORRUPT, SQLITE_NOTADB:
      .corruption(
        "The file \(path) is damaged: \(detail). Restore the directory from a backup.")
    default:
      ChromaError(.io, "The database \(path) failed: \(detail).")
    }
  }
}
