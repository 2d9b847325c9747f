// Time and chance that a seed replays.

import ChromaBase
import Synchronization

/// A clock that goes on only when somebody sleeps, or looks at it.
package final class SimulatedClock: Clock {
  private static let startNanoseconds: Int64 = 1_700_000_000_000_000_000
  private let now: Mutex<UInt64>

  /// - Parameter elapsedNanoseconds: What it says at first, since it began.
  package init(elapsedNanoseconds: UInt64 = 0) {
    now = Mutex(elapsedNanoseconds)
  }

  package func wallNanoseconds() -> Int64 {
    Self.startNanoseconds + Int64(clamping: monotonicNanoseconds())
  }

  package func monotonicNanoseconds() -> UInt64 {
    now.withLock { now in
      now += 1000
      return now
    }
  }

  package func sleep(nanoseconds: UInt64) {
    now.withLock { $0 += nanoseconds }
  }
}

/// Seeded randomness as the engine takes it.
package final class SeededRandomSource: RandomSource {
  private let random: Mutex<SeededRandom>

  package init(seed: UInt64) {
    random = Mutex(SeededRandom(seed))
  }

  package func next() -> UInt64 {
    random.withLock { $0.next() }
  }
}
