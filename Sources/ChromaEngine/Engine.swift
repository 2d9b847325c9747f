// The engine: one open directory, or one database in memory.
//
// It joins the parts: the catalog (tenants, databases, collections, logs), the blobs, the write turn
// among processes, and the state of each collection that was used. What a call does stands in the
// extensions: `Engine+Collections`, `Engine+Writes`, `Engine+Reads`.
//
// Files of a directory: `chroma.db` (with `-wal` and `-shm`), `LOCK`, `blobs/`.

package import ChromaBase
package import ChromaCatalog
package import ChromaStorage
import Synchronization

/// Where an engine stands and what it may use. The tests put a simulated disk and clock here.
package struct EngineEnvironment: Sendable {
  package let fileSystem: any FileSystem
  /// An absolute path; created if missing.
  package let directory: String
  package let clock: any Clock
  package let random: any RandomSource
  /// Whether other processes may use the directory.
  package let isShared: Bool
  /// Whether nothing may be written: no file is created, changed or removed, and every call that
  /// would throws `.permissionDenied`.
  package let isReadOnly: Bool

  package init(
    fileSystem: any FileSystem, directory: String, clock: any Clock, random: any RandomSource,
    isShared: Bool, isReadOnly: Bool = false
  ) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.clock = clock
    self.random = random
    self.isShared = isShared
    self.isReadOnly = isReadOnly
  }
}

/// All calls may come from any thread, any number at once; they block.
package final class Engine: Sendable {
  let environment: EngineEnvironment
  package let catalog: any Catalog
  let blobs: BlobStore
  let commits: CommitQueue
  let log: LogWriter
  private let states = Mutex(KnownStates())
  private let isAbandoned = Mutex(false)

  private struct KnownStates {
    var byID: [UUID: CollectionState] = [:]
    /// Since other processes' deletions were last looked for.
    var newCount = 0
  }

  /// Opens or creates the database.
  ///
  /// - Parameter wrapCatalog: Puts something before the catalog: the tests' planted defects.
  /// - Throws: `.io`, `.corruption`, `.unsupportedFormat`, `.outOfSpace`; `.notFound` if there is no
  ///   database and none may be created.
  package init(
    _ environment: EngineEnvironment, wrapCatalog: (any Catalog) -> any Catalog = { $0 }
  ) throws(ChromaError) {
    self.environment = environment
    let files = environment.fileSystem
    let directory = environment.directory
    let isReadOnly = environment.isReadOnly
    if !isReadOnly, try files.attributes("\(directory)/\(SQLiteCatalog.fileName)") == nil {
      try files.createDirectories(directory)
    }
    let syncs = SyncLatch(directory)
    let blobs = BlobStore(fileSystem: files, directory: "\(directory)/blobs", syncs: syncs)
    try LostCatalog.refuse(in: directory, blobs: blobs, fileSystem: files)
    let catalog = wrapCatalog(
      try SQLiteCatalog(
        fileSystem: files, directory: directory, clock: environment.clock,
        random: environment.random, syncs: syncs, isReadOnly: isReadOnly))
    let turn =
      environment.isShared && !isReadOnly
      ? try WriteTurn(fileSystem: files, directory: directory, clock: environment.clock) : nil
    self.catalog = catalog
    self.blobs = blobs
    let log = LogWriter(catalog: catalog, blobs: blobs, random: environment.random)
    self.log = log
    commits = CommitQueue(turn: turn) { (appends) throws(ChromaError) in
      try log.append(appends)
    }
  }

  /// The last reference closes the files.
  deinit {
    if !isAbandoned.withLock({ $0 }) { catalog.close() }
  }

  /// Says that the engine belongs to the process that this one was forked from: whatever it holds
  /// is leaked, because closing it would touch the parent's locks and connections.
  func abandon() {
    isAbandoned.withLock { $0 = true }
    _ = Unmanaged.passRetained(self)
  }

  /// The state of a collection, which may not exist: its first read says.
  func state(of id: UUID) throws(ChromaError) -> CollectionState {
    if let state = knownState(of: id) { return state }
    guard let changes = try catalog.changes(in: id, after: .nothing, byteCountMax: 0) else {
      throw CollectionState.gone(id)
    }
    let configuration = try CollectionConfiguration(stored: changes.row.configuration)
    let fresh = CollectionState(
      id: id, space: configuration.space, catalog: catalog, blobs: blobs)
    try forgetDeletedElsewhere()
    return states.withLock { states in
      let state = states.byID[id] ?? fresh
      states.byID[id] = state
      return state
    }
  }

  func knownState(of id: UUID) -> CollectionState? {
    states.withLock { $0.byID[id] }
  }

  /// Forgets a collection that is gone.
  func forget(_ id: UUID) {
    _ = states.withLock { $0.byID.removeValue(forKey: id) }
  }

  func forgetAll() {
    states.withLock { $0.byID = [:] }
  }

  /// Forgets what other processes deleted: nobody may ask for it again, and a process that reads for
  /// months must not keep every collection that ever was. Looks at all that are known once an eighth
  /// of them is new, so that a new one costs no more than some looks.
  private func forgetDeletedElsewhere() throws(ChromaError) {
    let known = states.withLock { states -> [UUID] in
      states.newCount += 1
      guard states.newCount > states.byID.count / 8 else { return [] }
      states.newCount = 0
      return Array(states.byID.keys)
    }
    let all = KnownState(version: 0, position: .max)
    for id in known where try catalog.changes(in: id, after: all, byteCountMax: 0) == nil {
      forget(id)
    }
  }

  // MARK: The write turn

  /// The first thing that every call does which may write.
  func checkWritable() throws(ChromaError) {
    if environment.isReadOnly { throw .openedReadOnly(environment.directory) }
  }

  /// Does something alone inside the write turn of all processes.
  func exclusively<R>(
    timeoutMilliseconds: Int? = nil, _ work: @escaping () throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    try checkWritable()
    return try commits.exclusively(
      timeoutMilliseconds: timeoutMilliseconds ?? Limits.writeTurnTimeoutMilliseconds, work)
  }

  /// Removes blobs that a committed transaction left without a reference. A failure costs only
  /// space, until the next sweep.
  func delete(_ names: [Text]) {
    for name in names { try? blobs.delete(name.string) }
  }
}
