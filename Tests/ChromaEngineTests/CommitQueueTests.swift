// Group commit among threads. What is done inside it belongs to callers who go on as soon as they are
// answered, so the committer may hold nothing of theirs any longer.

import ChromaBase
import ChromaTestSupport
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
}
