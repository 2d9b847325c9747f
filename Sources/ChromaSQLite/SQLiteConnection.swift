// A connection to a SQLite database: statements in, rows out.
//
// A statement is compiled once and kept for the connection's life. Rows are lent to a closure, so no
// statement outlives its connection. What SQLite answers is checked: a value of another type than
// asked for is damage (somebody else's file), never a trap.

import CChromaPlatform
import CSQLite
package import ChromaBase

/// One connection. May move between threads, but is used by one at a time, but for `interrupt`.
// @unchecked: the callers keep it to one thread at a time; `interrupt` is SQLite's own promise.
package final class SQLiteConnection: @unchecked Sendable {
  package let path: String
  private let context: VFSContext
  private let forkGeneration = chroma_fork_generation()
  private var vfs: OpaquePointer?
  private(set) var handle: OpaquePointer?
  private var statements: [String: OpaquePointer] = [:]

  init(to database: SQLiteDatabase) throws(ChromaError) {
    path = database.path
    context = VFSContext(database: database)
    do throws(ChromaError) {
      try open()
      try configure()
    } catch {
      close()
      throw error
    }
  }

  deinit {
    close()
  }

  /// Finalizes every statement and closes; again: nothing. The last connection of all processes
  /// checkpoints. In a forked child it abandons what belongs to the parent, and frees nothing.
  package func close() {
    guard chroma_fork_generation() == forkGeneration else {
      if handle != nil { _ = Unmanaged.passRetained(context) }
      handle = nil
      return
    }
    for statement in statements.values { sqlite3_finalize(statement) }
    statements = [:]
    sqlite3_close_v2(handle)
    handle = nil
    chroma_vfs_free(vfs)
    vfs = nil
  }

  /// Closes without folding the WAL back, even as the last: for a database that is not ours to change.
  package func closeKeepingWAL() {
    if let handle { _ = chroma_sqlite_set_option(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) }
    close()
  }

  // MARK: Statements

  /// Runs a statement to its end.
  package func execute(
    _ sql: String, _ values: [SQLiteValue] = []
  ) throws(ChromaError) {
    try forEachRow(sql, values) { (_) throws(ChromaError) in true }
  }

  /// Runs a statement and lends each row, until the closure returns false. The closure may run other
  /// statements: they see the same state of the database.
  package func forEachRow(
    _ sql: String, _ values: [SQLiteValue] = [], _ body: (SQLiteRow) throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    let (statement, isCached) = try prepared(sql)
    defer {
      if isCached {
        // The result repeats what `step` said; the values are let go, since they may be large.
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
      } else {
        sqlite3_finalize(statement)
      }
    }
    for (index, value) in values.enumerated() {
      try check(value.bind(to: statement, at: Int32(truncatingIfNeeded: index + 1)))
    }
    while true {
      context.failure = nil
      let result = sqlite3_step(statement)
      if result == SQLITE_DONE { return }
      guard result == SQLITE_ROW else { throw failure(result) }
      guard try body(SQLiteRow(statement: statement, path: path)) else {
        // Ended here, a statement that writes commits now, and may fail: the change to WAL does.
        return try check(sqlite3_reset(statement))
      }
    }
  }

  /// What the closure makes of the first row; nil if there is none. Runs the statement no further.
  package func firstRow<T>(
    _ sql: String, _ values: [SQLiteValue] = [], _ body: (SQLiteRow) throws(ChromaError) -> T
  ) throws(ChromaError) -> T? {
    var first: T?
    try forEachRow(sql, values) { (row) throws(ChromaError) in
      first = try body(row)
      return false
    }
    return first
  }

  /// Rows that the last insert, update or delete changed.
  package var changedRowCount: Int { Int(clamping: sqlite3_changes64(handle)) }

  /// Ends what another thread runs here, with `.cancelled`. The connection must not be closing.
  package func interrupt() {
    if let handle { sqlite3_interrupt(handle) }
  }

  // MARK: Transactions

  package enum TransactionKind: String {
    /// Reads one state of the database.
    case deferred = "BEGIN DEFERRED"
    /// Writes; the caller holds the write turn.
    case immediate = "BEGIN IMMEDIATE"
  }

  /// Runs the closure in a transaction, and commits unless it throws. Once this returns, what was
  /// written is durable. If the commit fails, it did not happen for any reader.
  package func withTransaction<T>(
    _ kind: TransactionKind, _ body: () throws(ChromaError) -> T
  ) throws(ChromaError) -> T {
    try execute(kind.rawValue)
    do throws(ChromaError) {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // SQLite has rolled back by itself after some errors; this one must not hide the first.
      if sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
      throw error
    }
  }

  /// Bytes of the WAL after the last commit of this connection. The file may be longer: it keeps its
  /// length when it begins anew, because overwriting syncs faster than growing.
  package var walByteCount: Int { context.walPageCount * Int(CHROMA_VFS_PAGE_BYTE_COUNT) }

  /// Moves what the log holds into the database file, as far as no reader needs it where it is.
  /// With `truncating` it waits for readers, a second at most, and leaves the log empty.
  ///
  /// - Returns: whether everything was moved.
  @discardableResult
  package func checkpoint(truncating: Bool) throws(ChromaError) -> Bool {
    context.failure = nil
    var frameCount: Int32 = 0
    var movedCount: Int32 = 0
    let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    let result = sqlite3_wal_checkpoint_v2(try open(handle), nil, mode, &frameCount, &movedCount)
    if result & 0xFF == SQLITE_BUSY { return false }
    try check(result)
    return frameCount == movedCount
  }

  // MARK: Opening

  private func open() throws(ChromaError) {
    let access =
      context.database.isReadOnly
      ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let contextPointer = Unmanaged.passUnretained(context).toOpaque()
    try check(chroma_vfs_open_database(vfsCalls, contextPointer, path, flags, &vfs, &handle))
    sqlite3_busy_handler(
      handle, { VFSContext.from($0)?.wait(isFirst: $1 == 0) ?? 0 }, contextPointer)
    // Takes the place of SQLite's own checkpoints, whose failures nobody would see.
    sqlite3_wal_hook(
      handle,
      { context, _, _, pageCount in
        VFSContext.from(context)?.walPageCount = Int(pageCount)
        return SQLITE_OK
      }, contextPointer)
  }

  private func configure() throws(ChromaError) {
    // A hostile file may hold triggers, views and a schema that calls functions: none may run.
    for (option, value) in [
      (SQLITE_DBCONFIG_DEFENSIVE, true), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
      (SQLITE_DBCONFIG_ENABLE_TRIGGER, false), (SQLITE_DBCONFIG_ENABLE_VIEW, false),
      (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false), (SQLITE_DBCONFIG_DQS_DML, false),
      (SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
      try check(chroma_sqlite_set_option(handle, option, value))
    }
    for pragma in ["cell_size_check=ON", "temp_store=MEMORY", "mmap_size=0"] {
      try execute("PRAGMA \(pragma)")
    }
    if context.database.isReadOnly {
      try check(chroma_sqlite_set_option(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true))
    } else {
      try configureForWriting()
    }
  }

  private func configureForWriting() throws(ChromaError) {
    for pragma in [
      "secure_delete=ON", "synchronous=FULL", "page_size=\(CHROMA_VFS_PAGE_BYTE_COUNT)",
    ] {
      try execute("PRAGMA \(pragma)")
    }
    // Before the first page is written, which the change to WAL does. Later this would be a write of
    // its own, at every connection.
    let pageCount = try firstRow("PRAGMA page_count") { (row) throws(ChromaError) in
      try row.integer(0)
    }
    if pageCount == 0 { try execute("PRAGMA auto_vacuum=INCREMENTAL") }
    let mode = try firstRow("PRAGMA journal_mode=WAL") { (row) throws(ChromaError) in
      try row.text(0)
    }
    guard mode == "wal" else {
      throw ChromaError(.io, "The database \(path) could not be switched to write-ahead logging.")
    }
  }

  private func prepared(
    _ sql: String
  ) throws(ChromaError) -> (statement: OpaquePointer, isCached: Bool) {
    let handle = try open(handle)
    // A statement that is still lending rows cannot run a second time.
    if let cached = statements[sql], sqlite3_stmt_busy(cached) == 0 { return (cached, true) }
    context.failure = nil
    var statement: OpaquePointer?
    let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
    try check(sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil))
    guard let statement else {
      throw ChromaError(.invalidArgument, "An SQL statement for \(path) is empty.")
    }
    if statements[sql] != nil { return (statement, false) }
    statements[sql] = statement
    return (statement, true)
  }

  // MARK: Errors

  private func open(_ handle: OpaquePointer?) throws(ChromaError) -> OpaquePointer {
    guard let handle, chroma_fork_generation() == forkGeneration else {
      throw .closedFile(path)
    }
    return handle
  }

  private func check(_ result: Int32) throws(ChromaError) {
    if result != SQLITE_OK { throw failure(result) }
  }

  /// What the file layer failed with last.
  var recordedFailure: ChromaError? { context.failure }

  func failure(_ result: Int32) -> ChromaError {
    let recorded = context.failure
    context.failure = nil
    let message = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(result)
    return SQLiteFailure.error(
      result, message: message.map { String(cString: $0) } ?? "", path: path, recorded: recorded)
  }
}

extension VFSContext {
  /// Writers hold the write turn, so SQLite waits for nobody but another process's recovery or
  /// checkpoint.
  private static let busyNanoseconds: UInt64 = 1_000_000_000

  /// Whether SQLite should try a lock again: 1, after a nap, until a second has passed.
  fileprivate func wait(isFirst: Bool) -> Int32 {
    let now = database.clock.monotonicNanoseconds()
    if isFirst { busySince = now }
    guard now &- busySince < Self.busyNanoseconds else { return 0 }
    database.clock.sleep(nanoseconds: 1_000_000)
    return 1
  }
}
