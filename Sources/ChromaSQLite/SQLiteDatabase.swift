// A database file, and what all its connections in this process share.
//
// The first failed sync ends writing. The operating system may have marked the pages clean that it
// could not write, so that a second sync would succeed without them: nothing is ever synced again
// through this object, and nothing written. Reads go on.

package import ChromaBase
package import ChromaStorage
import Synchronization

/// A SQLite database in any file system. Opens nothing before `connect`.
package final class SQLiteDatabase: Sendable {
  package let path: String
  let fileSystem: any FileSystem
  let clock: any Clock
  let random: any RandomSource
  private let syncFailure = Mutex<ChromaError?>(nil)

  package init(
    path: String, fileSystem: any FileSystem, clock: any Clock, random: any RandomSource
  ) {
    self.path = path
    self.fileSystem = fileSystem
    self.clock = clock
    self.random = random
  }

  /// Opens a connection, making the database if it is not there.
  ///
  /// The caller sees to it that two processes do not make one database at once.
  package func connect() throws(ChromaError) -> SQLiteConnection {
    try SQLiteConnection(to: self)
  }

  /// Whether no sync has failed.
  package var isWritable: Bool { syncFailure.withLock { $0 == nil } }

  /// Throws if a sync has failed: nothing may be written any more.
  package func checkWritable() throws(ChromaError) {
    if let failure = syncFailure.withLock({ $0 }) {
      throw ChromaError(
        failure.kind,
        "\(path) takes no more writes, because a sync failed and what it covered may be lost; "
          + "reopen the database to go on with what was acknowledged. The failure: "
          + failure.message)
    }
  }

  /// Runs a sync, and remembers its failure for good.
  func syncing(_ sync: () throws(ChromaError) -> Void) throws(ChromaError) {
    try checkWritable()
    do throws(ChromaError) {
      try sync()
    } catch {
      syncFailure.withLock { if $0 == nil { $0 = error } }
      throw error
    }
  }
}
