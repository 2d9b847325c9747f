import Synchronization

/// What the collections of one engine take in memory, in bytes. Thread-safe.
final class MemoryMeter: Sendable {
  /// Beyond it, writers compact at once and collections that are not in use are forgotten.
  let limit: Int
  private let total = Atomic<Int>(0)
  private let uses = Atomic<Int>(0)

  init(limit: Int) {
    self.limit = limit
  }

  func add(_ byteCount: Int) {
    total.wrappingAdd(byteCount, ordering: .relaxed)
  }

  var isOverLimit: Bool { isOver(limit) }

  func isOver(_ byteCount: Int) -> Bool {
    total.load(ordering: .relaxed) > byteCount
  }

  /// Whether so many more bytes stay within the limit.
  func hasRoom(for byteCount: Int) -> Bool {
    byteCount <= limit - min(limit, max(0, total.load(ordering: .relaxed)))
  }

  /// A number larger than all before it: orders uses without a clock.
  func nextUse() -> Int {
    uses.wrappingAdd(1, ordering: .relaxed).newValue
  }
}
