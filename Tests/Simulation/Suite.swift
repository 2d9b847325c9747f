// A suite is a rule to try under seed after seed; the seeds are shared out to threads.

import ChromaBase
import ChromaTestSupport
import Glibc
import Synchronization

struct Suite: Sendable {
  let name: String
  /// What is counted, in the plural.
  let unit: String
  /// Seeds 0..<count, on every change and in long runs.
  let seedCount: (usual: UInt64, long: UInt64)
  /// Tries one seed, and returns how many things it tried.
  let run: @Sendable (_ seed: UInt64) throws(Finding) -> Int
}

/// How many things passed and failed.
struct Tally: Sendable {
  var passed = 0
  var failed = 0
}

struct Runner {
  /// A suite that is broken fails everywhere; a few seeds tell as much as all.
  private static let failureCountMax = 5

  let threadCount: Int

  /// Runs seeds of a suite, printing progress and what fails.
  func run(_ suite: Suite, seeds: Range<UInt64>) -> Tally {
    let next = Atomic(seeds.lowerBound)
    let tally = Mutex(Tally())
    let startNanoseconds = Self.nanoseconds()
    print("== \(suite.name): seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)")
    onThreads(min(threadCount, seeds.count)) { thread in
      while tally.withLock({ $0.failed }) < Self.failureCountMax {
        let seed = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard seed < seeds.upperBound else { return }
        CrashNote.write(thread: thread, "\(suite.name) --seed \(seed)")
        do throws(Finding) {
          let count = try suite.run(seed)
          tally.withLock { $0.passed += count }
        } catch {
          tally.withLock { $0.failed += 1 }
          print("FAILED \(suite.name), seed \(seed): \(error)")
          print("  again: simulate --suite \(suite.name) --seed \(seed)")
        }
        let done = seed - seeds.lowerBound + 1
        if done.isMultiple(of: max(1, UInt64(seeds.count) / 5)) {
          print("   \(suite.name): \(done) seeds of \(seeds.count)")
        }
        fflush(nil)
      }
    }
    let result = tally.withLock { $0 }
    let milliseconds = (Self.nanoseconds() - startNanoseconds) / 1_000_000
    print(
      "   \(suite.name): \(result.passed) \(suite.unit) passed, \(result.failed) failed, "
        + "\(milliseconds) ms")
    return result
  }

  private static func nanoseconds() -> UInt64 {
    SystemClock().monotonicNanoseconds()
  }
}
