// Copying a whole database, page by page, with SQLite's backup interface.

import CSQLite
package import ChromaBase

extension SQLiteConnection {
  /// Pages copied between two calls of the closure.
  private static let copyPageCount: Int32 = 256

  /// Makes another database a copy of this one, as it is now for this connection.
  ///
  /// To be called inside a transaction that has read something: then the copy is of that state,
  /// however long it takes, and whoever writes meanwhile.
  ///
  /// - Parameters:
  ///   - target: A connection to a database that nobody else uses.
  ///   - progress: Called with the pages that are left and those there are.
  package func copy(
    to target: SQLiteConnection,
    progress: (_ leftCount: Int, _ count: Int) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    guard let copying = sqlite3_backup_init(target.handle, "main", handle, "main") else {
      throw target.failure(sqlite3_errcode(target.handle))
    }
    var result = SQLITE_OK
    var interruption: ChromaError?
    while result == SQLITE_OK, interruption == nil {
      result = sqlite3_backup_step(copying, Self.copyPageCount)
      guard result == SQLITE_OK || result == SQLITE_DONE else { break }
      do throws(ChromaError) {
        try progress(
          Int(sqlite3_backup_remaining(copying)), Int(sqlite3_backup_pagecount(copying)))
      } catch {
        interruption = error
      }
    }
    let finished = sqlite3_backup_finish(copying)
    if let interruption { throw interruption }
    guard result == SQLITE_DONE, finished == SQLITE_OK else {
      // The failure may be that of reading or of writing; the file layer of either knows.
      throw recordedFailure ?? target.failure(result == SQLITE_DONE ? finished : result)
    }
  }
}
