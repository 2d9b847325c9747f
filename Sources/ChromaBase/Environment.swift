// Time and chance, by parameter: what makes a seed replay a whole run.

import Glibc

package protocol Clock: Sendable {
  /// Nanoseconds since the Unix epoch. May jump; for timestamps that users see.
  func wallNanoseconds() -> Int64
  /// Nanoseconds since an arbitrary moment. Never goes back; for deadlines.
  func monotonicNanoseconds() -> UInt64
  /// Lets the thread wait. A simulated clock moves its time on instead.
  func sleep(nanoseconds: UInt64)
}

package protocol RandomSource: Sendable {
  /// 64 random bits. Thread-safe.
  func next() -> UInt64
}

/// The operating system's clocks.
package struct SystemClock: Clock {
  package init() {}

  package func wallNanoseconds() -> Int64 {
    let time = Self.read(CLOCK_REALTIME)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  package func monotonicNanoseconds() -> UInt64 {
    let time = Self.read(CLOCK_MONOTONIC)
    return UInt64(bitPattern: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }

  package func sleep(nanoseconds: UInt64) {
    var wanted = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    // A signal ends the wait early; the callers are loops with a deadline of their own.
    nanosleep(&wanted, nil)
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}

/// The operating system's entropy.
package struct SystemRandomSource: RandomSource {
  package init() {}

  package func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}
