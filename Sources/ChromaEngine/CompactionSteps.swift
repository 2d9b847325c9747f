import ChromaBase
import ChromaCatalog
import Synchronization

/// What writers do at once about logs that have grown too much. Belongs to whoever holds the turn.
final class CompactionSteps: Sendable {
  /// The part of the memory limit that a log must take for a step to be worth it where memory is
  /// short: otherwise each write would take one, and free nothing.
  private static let memoryShare = 16

  private let compactor: Compactor
  private let known: KnownCollections
  private let debts: LogDebts
  /// Collections whose step failed, and the rows of their log from which it is tried again: a full
  /// disk or a damaged segment must not make every write try in vain.
  private let retries = Mutex<[UUID: Int]>([:])

  init(compactor: Compactor, known: KnownCollections, debts: LogDebts) {
    self.compactor = compactor
    self.known = known
    self.debts = debts
  }

  /// Takes a step for each collection that was written to and needs one.
  ///
  /// - Returns: The collections of which something may come due when they are not written to any more:
  ///   not those whose log is all that there is, and so short that it may stay as it is.
  func takeDue() -> [UUID] {
    let entries = debts.takeAll()
    for (id, entry) in entries where mayBeDue(entry.debt, of: id) {
      let debt = entry.debt
      do throws(ChromaError) {
        try takeStep(id)
        retries.withLock { $0[id] = nil }
      } catch {
        // The commit stands, whatever happens here.
        retries.withLock { $0[id] = error.kind == .notFound ? nil : 2 * debt.rowCount }
      }
    }
    return entries.filter {
      !$0.value.isWhole
        || $0.value.debt.byteCount > compactor.policy.limits.wastedByteCountMin
    }.map(\.key)
  }

  /// Without looking at the collection.
  private func mayBeDue(_ debt: LogDebt, of id: UUID) -> Bool {
    if let retry = retries.withLock({ $0[id] }), debt.rowCount < retry { return false }
    return known.meter.isOverLimit
      || compactor.policy.isDue(
        rowCount: debt.rowCount, recordCount: debt.recordCount, byteCount: debt.byteCount,
        liveByteCount: 0)
  }

  private func takeStep(_ id: UUID) throws(ChromaError) {
    let mustShrink = known.meter.isOverLimit
    let worthwhile = known.meter.limit / Self.memoryShare
    try compactor.step(try known.state(of: id)) { [policy = compactor.policy] row, table in
      mustShrink && table.tailMemoryByteCount > worthwhile
        || policy.isDue(
          rowCount: row.logRowCount, recordCount: row.logDebt.recordCount,
          byteCount: row.logByteCount, liveByteCount: table.version.liveByteCount)
    }
    if mustShrink { known.forgetUnused() }
  }
}
