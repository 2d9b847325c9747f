// A database file, and what all its connections in this process share.
//
// The first failed sync ends writing: see `SyncLatch`.

package import ChromaBase
package import ChromaStorage

/// A SQLite database in any file system. Opens nothing before `connect`.
package final class SQLiteDatabase: Sendable {
  package let path: String
  let fileSystem: any FileSystem
  let clock: any Clock
  let random: any RandomSource
  package let syncs: SyncLatch

  /// - Parameter syncs: Shared with whatever else may not be written after a failed sync.
  package init(
    path: String, fileSystem: any FileSystem, clock: any Clock, random: any RandomSource,
    syncs: SyncLatch? = nil
  ) {
    self.path = path
    self.fileSystem = fileSystem
    self.clock = clock
    self.random = random
    self.syncs = syncs ?? SyncLatch(path)
  }

  /// Opens a connection, making the database if it is not there.
  ///
  /// The caller sees to it that two processes do not make one database at once.
  package func connect() throws(ChromaError) -> SQLiteConnection {
    try SQLiteConnection(to: self)
  }
}
