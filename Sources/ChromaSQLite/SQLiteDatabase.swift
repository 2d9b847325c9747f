// A database file, and what all its connections in this process share.
//
// The first failed sync ends writing: see `SyncLatch`.

package import ChromaBase
package import ChromaStorage

/// A SQLite database in any file system. Opens nothing before `connect`.
///
/// One that is read-only writes, creates and removes nothing, whoever else writes meanwhile or was
/// killed writing: see `chroma_vfs_read_only.c`. A call may then fail with `.locked` where a writer
/// comes or dies at that moment; a new connection answers.
package final class SQLiteDatabase: Sendable {
  package let path: String
  let fileSystem: any FileSystem
  let clock: any Clock
  let random: any RandomSource
  package let syncs: SyncLatch
  package let isReadOnly: Bool

  /// - Parameter syncs: Shared with whatever else may not be written after a failed sync.
  package init(
    path: String, fileSystem: any FileSystem, clock: any Clock, random: any RandomSource,
    syncs: SyncLatch? = nil, isReadOnly: Bool = false
  ) {
    self.path = path
    self.fileSystem = fileSystem
    self.clock = clock
    self.random = random
    self.syncs = syncs ?? SyncLatch(path)
    self.isReadOnly = isReadOnly
  }

  /// Opens a connection, making the database if it is not there and may be written.
  ///
  /// The caller sees to it that two processes do not make one database at once.
  package func connect() throws(ChromaError) -> SQLiteConnection {
    try SQLiteConnection(to: self)
  }
}
