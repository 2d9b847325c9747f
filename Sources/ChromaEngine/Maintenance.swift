// What keeps a database small, quick to open and quick to search, beside its writes: merges, indexing,
// and what `flush` and `compact` ask for. The engine and its background thread share it.

import ChromaBase
import ChromaCatalog
import Synchronization

final class Maintenance: Sendable {
  /// Long enough for a turn among writers that take steps, short enough for whoever closes.
  private static let tidyTimeoutMilliseconds = 500
  /// Whoever closes is kept waiting by it.
  private static let leaveTimeoutMilliseconds = 50
  /// How long `flush` and `compact` wait for somebody who merges the same collection.
  private static let mergeTimeoutNanoseconds =
    UInt64(Limits.writeTurnTimeoutMilliseconds) * 1_000_000
  private static let mergePollNanoseconds: UInt64 = 10_000_000
  /// The same for somebody who indexes it, or was killed doing so.
  private static let indexTimeoutNanoseconds =
    mergeTimeoutNanoseconds + UInt64(Limits.indexLeaseNanoseconds)

  let catalog: any Catalog
  let known: KnownCollections
  let compactor: Compactor
  let indexer: Indexer
  private let commits: CommitQueue
  /// Held by the thread that merges: a second one would only find the lease taken.
  private let merging = Mutex(())

  init(
    catalog: any Catalog, known: KnownCollections, compactor: Compactor, indexer: Indexer,
    commits: CommitQueue
  ) {
    self.catalog = catalog
    self.known = known
    self.compactor = compactor
    self.indexer = indexer
    self.commits = commits
  }

  /// What a collection that was written to still needs: a step if nobody writes to it any more, and
  /// the merges that sizes ask for.
  ///
  /// - Throws: `.locked` at once where others write: whoever asked for nothing does not wait.
  func tidy(_ id: UUID, isIdle: Bool, cancel: CancelToken?) throws(ChromaError) {
    let state = try known.state(of: id)
    if isIdle {
      try takeIdleStep(state, cancel, timeoutMilliseconds: Self.tidyTimeoutMilliseconds)
    }
    while try merge(
      state, cancel, timeoutMilliseconds: Self.tidyTimeoutMilliseconds,
      { version in compactor.policy.merged(version.sizes) })
    {}
  }

  /// The step of a collection whose process ends, and so writes to it no more.
  ///
  /// - Throws: `.locked` soon where others write: they will take it.
  func leave(_ id: UUID) throws(ChromaError) {
    try takeIdleStep(
      try known.state(of: id), nil, timeoutMilliseconds: Self.leaveTimeoutMilliseconds)
  }

  private func takeIdleStep(
    _ state: CollectionState, _ cancel: CancelToken?, timeoutMilliseconds: Int
  ) throws(ChromaError) {
    try exclusively(timeoutMilliseconds: timeoutMilliseconds) {
      [compactor] () throws(ChromaError) in
      try compactor.step(state, cancel: cancel) { row, table in
        compactor.policy.isDueWhenIdle(
          byteCount: row.logByteCount,
          wastedByteCount: table.wastedByteCount(logByteCount: row.logByteCount),
          liveByteCount: table.version.liveByteCount)
      }
    }
  }

  // MARK: The index

  /// Indexes as much of a collection as one publication holds.
  ///
  /// - Returns: Whether anything was published, so that there may be more to do.
  /// - Throws: `.locked` where others index or write: whoever asked for nothing does not wait.
  func index(_ id: UUID, cancel: CancelToken?) throws(ChromaError) -> Bool {
    let state = try known.state(of: id)
    let effort = IndexEffort(
      recordCountMax: indexer.limits.publishRecordCount,
      nanosecondsMax: indexer.limits.publishNanoseconds)
    return try state.indexing.withLock { (_) throws(ChromaError) in
      try indexer.advance(state, effort, cancel: cancel) { (work) throws(ChromaError) in
        try exclusively(timeoutMilliseconds: Self.tidyTimeoutMilliseconds, work)
      }
    }
  }

  /// Whether so much waits for the index that whoever sees it should do something.
  func isIndexOverdue(_ state: CollectionState) -> Bool {
    state.indexableCount > indexer.limits.unindexedCountMax
  }

  /// Gives the index of a collection some time, if it is overdue and nobody is at it.
  func indexStep(_ id: UUID, nanosecondsMax: UInt64) throws(ChromaError) {
    guard let state = known.knownState(of: id), isIndexOverdue(state) else { return }
    let effort = IndexEffort(
      recordCountMax: indexer.limits.publishRecordCount, nanosecondsMax: nanosecondsMax,
      isBounded: true)
    _ = try state.indexing.withLockIfAvailable { (_) throws(ChromaError) in
      try indexer.advance(state, effort, cancel: nil) { (work) throws(ChromaError) in
        try exclusively(timeoutMilliseconds: Self.leaveTimeoutMilliseconds, work)
      }
    }
  }

  /// Indexes everything that stands in segments, and leaves nothing of what was deleted.
  private func indexAll(
    of state: CollectionState, _ cancel: CancelToken?, _ progress: (Double) -> Void
  ) throws(ChromaError) {
    let effort = IndexEffort(
      recordCountMax: indexer.limits.publishRecordCount,
      nanosecondsMax: indexer.limits.publishNanoseconds, dropsDeleted: true)
    let totalCount = max(1, state.indexableCount)
    var restCount = totalCount
    try waitingForOthers(cancel, Self.indexTimeoutNanoseconds) { () throws(ChromaError) in
      let isPublished = try state.indexing.withLock { (_) throws(ChromaError) in
        try indexer.advance(state, effort, cancel: cancel) { (work) throws(ChromaError) in
          try exclusively(work)
        }
      }
      // Others may write more meanwhile.
      restCount = min(restCount, state.indexableCount)
      if isPublished { progress(1 - Double(restCount) / Double(totalCount)) }
      return isPublished
    }
  }

  // MARK: On demand

  /// Turns the whole log of a collection into segments and drops every dead row: afterwards nothing
  /// that was deleted before the call is left in its segments or its index, which is complete.
  ///
  /// - Parameter progress: Called now and then with how much is indexed of what was not, 0 to 1.
  func flush(
    _ id: UUID, cancel: CancelToken?, progress: (Double) -> Void
  ) throws(ChromaError) {
    let state = try known.state(of: id)
    try takeStep(state, cancel)
    // Those that have dead rows now; what dies meanwhile is for the next flush.
    try mergeAll(of: state, cancel) { version in
      version.parts.indices.filter { version.parts[$0].deadCount > 0 }.map { [$0] }
    }
    try indexAll(of: state, cancel, progress)
  }

  /// Turns a collection into as few segments as their largest size allows.
  func compact(
    _ id: UUID, cancel: CancelToken?, progress: (Double) -> Void
  ) throws(ChromaError) {
    let state = try known.state(of: id)
    try takeStep(state, cancel)
    try mergeAll(of: state, cancel) { [compactor] version in
      compactor.policy.mergedFully(version.sizes)
    }
    try indexAll(of: state, cancel, progress)
  }

  /// Merges groups of a collection's segments, waiting for others who merge it. Whoever was faster may
  /// have copied what died before the call: then the collection is looked at again.
  ///
  /// - Throws: `.locked` if others take longer than a writer waits.
  private func mergeAll(
    of state: CollectionState, _ cancel: CancelToken?,
    _ groups: (CollectionVersion) -> [[Int]]
  ) throws(ChromaError) {
    var rest = try Self.segments(of: state, groups)
    try waitingForOthers(cancel, Self.mergeTimeoutNanoseconds) { () throws(ChromaError) in
      guard let group = rest.last else { return false }
      let isPublished = try merge(state, cancel) { version in
        version.parts.indices.filter { group.contains(version.parts[$0].id) }
      }
      if isPublished { rest.removeLast() } else { rest = try Self.segments(of: state, groups) }
      return true
    }
  }

  /// Repeats some work until it returns false, waiting for others who are at the same.
  private func waitingForOthers(
    _ cancel: CancelToken?, _ timeoutNanoseconds: UInt64,
    _ work: () throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    let clock = compactor.clock
    var end = clock.monotonicNanoseconds() &+ timeoutNanoseconds
    var isAtWork = true
    while isAtWork {
      try cancel?.check()
      do throws(ChromaError) {
        isAtWork = try work()
        end = clock.monotonicNanoseconds() &+ timeoutNanoseconds
      } catch {
        guard error.kind == .locked, clock.monotonicNanoseconds() < end else { throw error }
        clock.sleep(nanoseconds: Self.mergePollNanoseconds)
      }
    }
  }

  private static func segments(
    of state: CollectionState, _ groups: (CollectionVersion) -> [[Int]]
  ) throws(ChromaError) -> [Set<UUID>] {
    try state.read { view in
      let version = view.table.version
      return groups(version).map { group in Set(group.map { version.parts[$0].id }) }
    }
  }

  /// Gives what compactions freed back to the file system, and leaves nothing in the WAL.
  ///
  /// - Throws: `.locked` if a reader was in the way for longer than the catalog waits.
  func shrink() throws(ChromaError) {
    let isFolded = try exclusively { [catalog] () throws(ChromaError) in
      try catalog.shrink()
      return try catalog.foldBackAll()
    }
    guard isFolded else {
      throw ChromaError(
        .locked,
        "What was deleted may still stand in the write-ahead log: somebody has read the database "
          + "for too long without a pause. Everything is stored; try again.")
    }
  }

  private func takeStep(_ state: CollectionState, _ cancel: CancelToken?) throws(ChromaError) {
    try exclusively { [compactor] () throws(ChromaError) in
      try compactor.step(state, cancel: cancel)
    }
  }

  private func merge(
    _ state: CollectionState, _ cancel: CancelToken?,
    timeoutMilliseconds: Int = Limits.writeTurnTimeoutMilliseconds,
    _ choose: (CollectionVersion) -> [Int]
  ) throws(ChromaError) -> Bool {
    try merging.withLock { (_) throws(ChromaError) in
      try compactor.merge(state, cancel: cancel, choose: choose) {
        (work) throws(ChromaError) in
        try exclusively(timeoutMilliseconds: timeoutMilliseconds, work)
      }
    }
  }

  @discardableResult
  private func exclusively(
    timeoutMilliseconds: Int = Limits.writeTurnTimeoutMilliseconds,
    _ work: @escaping () throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Bool {
    try commits.exclusively(timeoutMilliseconds: timeoutMilliseconds, work)
  }
}
