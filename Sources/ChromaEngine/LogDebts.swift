import ChromaBase
import ChromaCatalog
import Synchronization

/// What the logs of the collections that were just written to have grown to. Thread-safe.
final class LogDebts: Sendable {
  private let debts = Mutex<[UUID: LogDebt]>([:])

  func note(_ debt: LogDebt, of collection: UUID) {
    debts.withLock { $0[collection] = debt }
  }

  func takeAll() -> [UUID: LogDebt] {
    debts.withLock { debts in
      defer { debts = [:] }
      return debts
    }
  }
}
