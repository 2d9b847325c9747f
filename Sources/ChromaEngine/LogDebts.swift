import ChromaBase
import ChromaCatalog
import Synchronization

/// What the logs of the collections that were just written to have grown to. Thread-safe.
final class LogDebts: Sendable {
  struct Entry {
    let debt: LogDebt
    /// Whether the log is all that there is of the collection.
    let isWhole: Bool
  }

  private let debts = Mutex<[UUID: Entry]>([:])

  /// - Parameter position: The last one of the log.
  func note(_ debt: LogDebt, upTo position: Int64, of collection: UUID) {
    debts.withLock {
      $0[collection] = Entry(debt: debt, isWhole: Int64(debt.recordCount) == position)
    }
  }

  func takeAll() -> [UUID: Entry] {
    debts.withLock { debts in
      defer { debts = [:] }
      return debts
    }
  }
}
