// The engine: one open directory, or one database in memory.
//
// It joins the parts: the catalog (tenants, databases, collections, logs), the blobs, the write turn
// among processes, the state of each collection that was used, compaction and indexing. What a call does
// stands in the extensions: `Engine+Collections`, `Engine+Writes`, `Engine+Reads`,
// `Engine+Maintenance`.
//
// Files of a directory: `chroma.db` (with `-wal` and `-shm`), `LOCK`, `blobs/`.

package import ChromaBase
package import ChromaCatalog
import ChromaSegment
package import ChromaStorage
import Glibc
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
  /// Whether a thread compacts and indexes what writers leave to it. Without one they still bound what
  /// they leave.
  package let compactsInBackground: Bool
  /// What collections may take in memory before those that are not in use are forgotten.
  package let memoryByteCountMax: Int
  package let compactionLimits: CompactionLimits
  package let indexLimits: IndexLimits
  /// Threads that index at once, at least 1.
  package let indexingThreadCount: Int

  package init(
    fileSystem: any FileSystem, directory: String, clock: any Clock, random: any RandomSource,
    isShared: Bool, isReadOnly: Bool = false,
    compactsInBackground: Bool = false, memoryByteCountMax: Int? = nil,
    compactionLimits: CompactionLimits = CompactionLimits(),
    indexLimits: IndexLimits = IndexLimits(), indexingThreadCount: Int = 1
  ) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.clock = clock
    self.random = random
    self.isShared = isShared
    self.isReadOnly = isReadOnly
    self.compactsInBackground = compactsInBackground
    self.memoryByteCountMax = memoryByteCountMax ?? .max
    self.compactionLimits = compactionLimits
    self.indexLimits = indexLimits
    self.indexingThreadCount = max(1, indexingThreadCount)
  }

  /// Processors of the machine. Asked for once: the answer is read from a file.
  static let processorCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

  /// Bytes of documents to keep unpacked: a quarter of the memory at most.
  var documentCacheByteCount: Int {
    min(Limits.documentCacheByteCount, memoryByteCountMax / 4)
  }
}

/// All calls may come from any thread, any number at once; they block.
package final class Engine: Sendable {
  let environment: EngineEnvironment
  package let catalog: any Catalog
  let blobs: BlobStore
  let commits: CommitQueue
  let log: LogWriter
  let known: KnownCollections
  let maintenance: Maintenance
  let scratches = SearchScratches()
  private let worker: BackgroundWorker?
  private let isAbandoned = Mutex(false)

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
    let debts = LogDebts()
    let log = LogWriter(
      catalog: catalog, blobs: blobs, random: environment.random, debts: debts)
    let known = KnownCollections(
      catalog: catalog,
      opener: SegmentOpener(
        blobs: blobs,
        cache: DocumentBlockCache(byteCountMax: environment.documentCacheByteCount)),
      indexOpener: IndexOpener(
        blobs: blobs, meter: MemoryMeter(limit: environment.memoryByteCountMax)))
    let holder = UUID(random: environment.random)
    let compactor = Compactor(
      catalog: catalog, blobs: blobs, clock: environment.clock, random: environment.random,
      policy: CompactionPolicy(limits: environment.compactionLimits),
      holder: holder, sweep: log.sweep)
    let indexer = Indexer(
      catalog: catalog, blobs: blobs, clock: environment.clock, random: environment.random,
      limits: environment.indexLimits, threadCount: environment.indexingThreadCount,
      holder: holder, sweep: log.sweep)
    let steps = CompactionSteps(compactor: compactor, known: known, debts: debts)
    let worker =
      environment.compactsInBackground && !isReadOnly
      ? BackgroundWorker(clock: environment.clock) : nil
    let commits = CommitQueue(turn: turn) { (appends) throws(ChromaError) in
      try log.append(appends)
    } settle: {
      for id in steps.takeDue() { worker?.note(id) }
    }
    let maintenance = Maintenance(
      catalog: catalog, known: known, compactor: compactor, indexer: indexer, commits: commits)
    worker?.start(maintenance)
    self.catalog = catalog
    self.blobs = blobs
    self.log = log
    self.known = known
    self.commits = commits
    self.maintenance = maintenance
    self.worker = worker
  }

  /// The last reference closes the files.
  deinit {
    if isAbandoned.withLock({ $0 }) { return }
    worker?.stop()
    catalog.close()
  }

  /// Says that the engine belongs to the process that this one was forked from: whatever it holds
  /// is leaked, because closing it would touch the parent's locks and connections.
  func abandon() {
    isAbandoned.withLock { $0 = true }
    _ = Unmanaged.passRetained(self)
  }

  func knownState(of id: UUID) -> CollectionState? {
    known.knownState(of: id)
  }

  /// What is done when a call finds that too much of a collection waits for its index. To be called
  /// outside the turn.
  ///
  /// - Parameter isWriting: Whether the caller may be made to wait where no thread does the work.
  func checkIndex(of id: UUID, isWriting: Bool) {
    guard let state = known.knownState(of: id), maintenance.isIndexOverdue(state) else { return }
    if let worker {
      worker.noteOverdueIndex(id)
    } else if isWriting {
      // The write stands, whatever happens here.
      try? maintenance.indexStep(
        id, nanosecondsMax: environment.indexLimits.stepNanoseconds)
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

  /// Removes blobs that a committed transaction left without a reference.
  func delete(_ names: [Text]) { log.sweep.remove(names) }
}
