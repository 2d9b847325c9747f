// What keeps a database small and quick to open, beside its writes: merges, and what `flush` and
// `compact` ask for. The engine and its background thread share it.

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

  let catalog: any Catalog
  let known: KnownCollections
  let compactor: Compactor
  private let commits: CommitQueue
  /// Held by the thread that merges: a second one would only find the lease taken.
  private let merging = Mutex(())

  init(
    catalog: any Catalog, known: KnownCollections, compactor: Compactor, commits: CommitQueue
  ) {
    self.catalog = catalog
    self.known = known
    self.compactor = compactor
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

  /// Turns the whole log of a collection into segments and drops every dead row: afterwards nothing
  /// that was deleted before the call is left in its segments.
  func flush(_ id: UUID, cancel: CancelToken?) throws(ChromaError) {
    let state = try known.state(of: id)
    try takeStep(state, cancel)
    // Those that have dead rows now; what dies meanwhile is for the next flush.
    try mergeAll(of: state, cancel) { version in
      version.parts.indices.filter { version.parts[$0].deadCount > 0 }.map { [$0] }
    }
  }

  /// Turns a collection into as few segments as their largest size allows.
  func compact(_ id: UUID, cancel: CancelToken?) throws(ChromaError) {
    let state = try known.state(of: id)
    try takeStep(state, cancel)
    try mergeAll(of: state, cancel) { [compactor] version in
      compactor.policy.mergedFully(version.sizes)
    }
  }

  /// Merges groups of a collection's segments, waiting for others who merge it. Whoever was faster may
  /// have copied what died before the call: then the collection is looked at again.
  ///
  /// - Throws: `.locked` if others take longer than a writer waits.
  private func mergeAll(
    of state: CollectionState, _ cancel: CancelToken?,
    _ groups: (CollectionVersion) -> [[Int]]
  ) throws(ChromaError) {
    let clock = compactor.clock
    let end = clock.monotonicNanoseconds() &+ Self.mergeTimeoutNanoseconds
    var rest = try Self.segments(of: state, groups)
    while let group = rest.popLast() {
      try cancel?.check()
      do throws(ChromaError) {
        let isPublished = try merge(state, cancel) { version in
          version.parts.indices.filter { group.contains(version.parts[$0].id) }
        }
        if !isPublished { rest = try Self.segments(of: state, groups) }
      } catch {
        guard error.kind == .locked, clock.monotonicNanoseconds() < end else { throw error }
        clock.sleep(nanoseconds: Self.mergePollNanoseconds)
        rest.append(group)
      }
    }
  }

  private static func segments(
    of state: CollectionState, _ groups: (CollectionVersion) -> [[Int]]
  ) throws(ChromaError) -> [Set<UUID>] {
    try state.read { (_, table, _) in
      groups(table.version).map { group in Set(group.map { table.version.parts[$0].id }) }
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
