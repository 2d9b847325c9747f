// The catalog in a SQLite file, chroma.db. docs/FORMAT.md defines the file.
//
// One connection writes, and a few read; each stands behind a lock of its own, and belongs to
// whoever holds it. The file is in WAL mode, so readers see the last committed state while the
// writer is at work.
//
// Invariants:
//   * A call that changes something is one immediate transaction; a commit is synced before the call
//     returns.
//   * A call that reads is one read transaction. It is never left open between calls: it would keep
//     the WAL from being folded back into the file.
//   * After a failed sync nothing more is written: see `SQLiteDatabase`.
//   * Files of other programs and of newer releases are refused before a byte of them changes.
//   * A catalog that is read-only has no writer, and changes no byte: see `SQLiteDatabase`.

package import ChromaBase
import ChromaSQLite
package import ChromaStorage
import Synchronization

/// A catalog in a file, shared by any number of processes.
package final class SQLiteCatalog: Catalog {
  /// A connection that one thread uses at a time.
  private final class Slot: Sendable {
    /// Nil before the first use, and once closed.
    let connection: Mutex<SQLiteConnection?>

    init(_ connection: SQLiteConnection? = nil) {
      self.connection = Mutex(connection)
    }
  }

  /// The name of the file in its directory.
  package static let fileName = "chroma.db"
  /// The name of the file that marks a directory as a copy of a database, whole or not yet.
  package static let backupMarkName = "BACKUP"

  let database: SQLiteDatabase
  let clock: any Clock
  private let writer: Slot
  private let readers = (0..<Limits.catalogReaderCount).map { _ in Slot() }
  private let nextReader = Atomic(0)
  private let isClosed = Atomic(false)
  /// Whether a transaction has, and the file has not been cut since. Set and cleared by whoever has
  /// the writer's connection.
  let hasGivenBackPages = Atomic(false)

  /// Opens the catalog of a directory; creates it, or brings it up to date, if need be.
  ///
  /// The write turn is not needed: SQLite's own locks keep two that create it apart.
  ///
  /// - Parameters:
  ///   - directory: An existing directory's absolute path.
  ///   - clock: Says when leases and pins expire.
  ///   - syncs: Shared with whatever else may not be written after a failed sync.
  ///   - isReadOnly: Creates and changes nothing; every call that would throws `.permissionDenied`.
  /// - Throws: `.unsupportedFormat` for a newer release's file, `.corruption` for what is none of
  ///   ours; the sentence names the file, which is unchanged. If it is read-only, `.notFound` if
  ///   there is no database, and `.unsupportedFormat` for an older release's file too.
  package init(
    fileSystem: any FileSystem, directory: String, clock: any Clock, random: any RandomSource,
    syncs: SyncLatch? = nil, isReadOnly: Bool = false
  ) throws(ChromaError) {
    let database = SQLiteDatabase(
      path: "\(directory)/\(Self.fileName)", fileSystem: fileSystem, clock: clock, random: random,
      syncs: syncs, isReadOnly: isReadOnly)
    self.database = database
    self.clock = clock
    if isReadOnly { try CatalogFile.refuseMissing(database.path, in: fileSystem) }
    try CatalogFile.refuseForeign(database.path, in: fileSystem)
    let connection = try Self.repeating(clock) { () throws(ChromaError) in
      try Self.open(database)
    }
    writer = Slot(isReadOnly ? nil : connection)
    // It keeps the file open, by whose identity the engine is known.
    if isReadOnly { readers[0].connection.withLock { $0 = connection } }
  }

  /// Whether opening this catalog would create it: nothing was ever written to its file.
  package static func isUnwritten(
    in directory: String, _ fileSystem: any FileSystem
  ) throws(ChromaError) -> Bool {
    try CatalogFile.isUnwritten("\(directory)/\(fileName)", in: fileSystem)
  }

  /// Connects, and brings the file up to date.
  private static func open(_ database: SQLiteDatabase) throws(ChromaError) -> SQLiteConnection {
    let connection = try connect(database)
    do throws(ChromaError) {
      if database.isReadOnly {
        try CatalogFile.requireCurrent(connection)
      } else {
        try CatalogFile.bringUpToDate(connection)
      }
    } catch {
      connection.closeKeepingWAL()
      throw error
    }
    return connection
  }

  /// Does what may find the database locked, where SQLite doesn't wait: waiting with a lock held
  /// could be a deadlock. So this lets go and comes again. That happens where two create the database
  /// or one closes it as the last, and to those who only read when a writer comes or dies.
  private static func repeating<R>(
    _ clock: any Clock, _ body: () throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    let waitMilliseconds = UInt64(Limits.writeTurnTimeoutMilliseconds)
    let deadline = clock.monotonicNanoseconds() &+ waitMilliseconds * 1_000_000
    while true {
      do throws(ChromaError) {
        return try body()
      } catch {
        guard error.kind == .locked, clock.monotonicNanoseconds() < deadline else { throw error }
        clock.sleep(nanoseconds: 1_000_000)
      }
    }
  }

  package func close() {
    isClosed.store(true, ordering: .sequentiallyConsistent)
    // The last one to close folds the WAL back and removes it: let that be the writer.
    for slot in readers + [writer] {
      slot.connection.withLock { connection in
        connection?.close()
        connection = nil
      }
    }
  }

  // MARK: Transactions

  /// Runs the body on a connection of its own. A statement that it runs inside another sees the same
  /// state. Where nothing may be written the body may run again, if a writer came in between.
  func read<Outcome: Sendable>(
    _ body: @Sendable (SQLiteConnection) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    guard database.isReadOnly else { return try readOnce(body) }
    return try Self.repeating(clock) { () throws(ChromaError) in try readOnce(body) }
  }

  private func readOnce<Outcome: Sendable>(
    _ body: @Sendable (SQLiteConnection) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    // The first that is free: it is also the one whose page cache is warmest.
    for slot in readers {
      let outcome = try slot.connection.withLockIfAvailable { (connection) throws(ChromaError) in
        try read(&connection, body)
      }
      if let outcome { return outcome }
    }
    let turn = nextReader.wrappingAdd(1, ordering: .relaxed).oldValue
    let slot = readers[Int(UInt(bitPattern: turn) % UInt(readers.count))]
    return try slot.connection.withLock { (connection) throws(ChromaError) in
      try read(&connection, body)
    }
  }

  private func read<Outcome>(
    _ connection: inout SQLiteConnection?,
    _ body: @Sendable (SQLiteConnection) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    // Looked at under the slot's lock, which `close` takes after it has set this: no connection is
    // opened behind its back.
    guard !isClosed.load(ordering: .sequentiallyConsistent) else { throw .catalogClosed() }
    let current = if let connection { connection } else { try Self.connect(database) }
    connection = current
    do throws(ChromaError) {
      return try body(current)
    } catch {
      // Its snapshot is gone, or its index of the log was left half-written: a new one looks anew.
      if database.isReadOnly, error.kind == .locked {
        current.close()
        connection = nil
      }
      throw error
    }
  }

  /// Runs the body in a transaction that is durable when this returns.
  func change<Outcome: Sendable>(
    _ body: @Sendable (SQLiteConnection) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    try withWriter { (connection) throws(ChromaError) in
      let outcome: Outcome
      do throws(ChromaError) {
        outcome = try connection.withTransaction(.immediate) { () throws(ChromaError) in
          try body(connection)
        }
      } catch {
        // Every body looks before it writes. A row that is refused all the same contradicts others
        // that are there, which no other writer can have done.
        throw error.kind == .conflict ? .corruption(error.message) : error
      }
      foldBack(connection)
      return outcome
    }
  }

  /// Runs the body on the connection that writes, if it still may.
  func withWriter<Outcome: Sendable>(
    _ body: @Sendable (SQLiteConnection) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    if database.isReadOnly { throw .openedReadOnly(Place.parent(of: database.path)) }
    return try writer.connection.withLock { (connection) throws(ChromaError) in
      guard let connection else { throw .catalogClosed() }
      try database.syncs.checkWritable()
      return try body(connection)
    }
  }

  private static func connect(_ database: SQLiteDatabase) throws(ChromaError) -> SQLiteConnection {
    let connection = try database.connect()
    try connection.execute("PRAGMA foreign_keys = ON")
    // What is pruned and given back in one transaction is then never written: three times faster.
    try connection.execute("PRAGMA cache_spill = \(Limits.catalogDirtyPageCountMax)")
    // What one large transaction made of the WAL goes when it begins anew.
    try connection.execute("PRAGMA journal_size_limit = \(Limits.walByteCountMax)")
    return connection
  }

  /// Folds the WAL back into the file if it has grown, or the file is longer than it need be.
  private func foldBack(_ connection: SQLiteConnection) {
    let byteCount = connection.walByteCount
    let isFileLonger = hasGivenBackPages.load(ordering: .relaxed)
    guard byteCount > Limits.walByteCountMax || isFileLonger else { return }
    // The commit stands, whatever happens here. A full disk or a reader in the way: the next one
    // tries again. A failed sync: the database remembers it, and takes no further change.
    let isWhole = try? connection.checkpoint(
      truncating: isFileLonger || byteCount > Limits.walFileByteCountMax)
    if isWhole == true { hasGivenBackPages.store(false, ordering: .relaxed) }
  }
}
