// Group commit among threads. What is done inside it belongs to callers who go on as soon as they are
// answered, so the committer may hold nothing of theirs any longer.

import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

@testable import ChromaEngine

@Suite struct CommitQueueTests {
  @Test func threadsThatWorkAloneAllAreAnsweredOnceAndNeverAtOnce() throws {
    let queue = CommitQueue(turn: nil) { (_) throws(ChromaError) in [] }
    let threadCount = 8
    let callCount = 2000
    let state = Mutex((workers: 0, most: 0, done: 0))
    onThreads(threadCount) { number in
      for call in 0..<callCount {
        let answer = try? queue.exclusively(timeoutMilliseconds: 1) { () throws(ChromaError) in
          state.withLock {
            $0.workers += 1
            $0.most = max($0.most, $0.workers)
          }
          state.withLock {
            $0.workers -= 1
            $0.done += 1
          }
          return number * callCount + call
        }
        #expect(answer == number * callCount + call)
      }
    }
    #expect(state.withLock { $0 } == (0, 1, threadCount * callCount))
  }

  /// A clock that only naps move. The first nap ends once all threads have looked at it.
  private final class CrowdedClock: Clock {
    private let threadCount: Int
    private let state = Mutex((now: UInt64(1), seenBy: Set<pthread_t>()))

    init(threadCount: Int) {
      self.threadCount = threadCount
    }

    func wallNanoseconds() -> Int64 { 0 }

    func monotonicNanoseconds() -> UInt64 {
      state.withLock {
        $0.seenBy.insert(pthread_self())
        return $0.now
      }
    }

    func sleep(nanoseconds: UInt64) {
      while state.withLock({ $0.seenBy.count < threadCount }) { sched_yield() }
      state.withLock { $0.now += nanoseconds }
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func threadsBehindAProcessThatDoesNotMoveWaitTogetherAndNotInTurn() throws {
    let threadCount = 5
    let files = MemoryFileSystem()
    try files.createDirectories("/d")
    let stuck = try WriteTurn(fileSystem: files, directory: "/d", clock: SystemClock())
    try stuck.acquire(timeoutMilliseconds: 0)
    let clock = CrowdedClock(threadCount: threadCount)
    let turn = try WriteTurn(fileSystem: files, directory: "/d", clock: clock)
    let queue = CommitQueue(turn: turn) { (_) throws(ChromaError) in [] }
    let lockedCount = Mutex(0)
    onThreads(threadCount) { _ in
      do throws(ChromaError) {
        try queue.exclusively(timeoutMilliseconds: 1000) { () throws(ChromaError) in }
      } catch {
        if error.kind == .locked { lockedCount.withLock { $0 += 1 } }
      }
    }
    #expect(lockedCount.withLock { $0 } == threadCount)
    #expect(clock.monotonicNanoseconds() < 1_100_000_000)
  }
}
