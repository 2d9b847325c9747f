// Threads of which one runs at a time, in an order that a seed decides.

import ChromaTestSupport
import Glibc

/// A baton among threads. Whoever has it passes it on, or keeps it, each time it calls `pause`.
// @unchecked: all state is guarded by the mutex, whose address never changes.
final class Stage: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var random: SeededRandom
  /// Of how many pauses one passes the baton.
  private let passInterval: Int
  private var actors: [Int]
  private var current: Int

  init(actorCount: Int, seed: UInt64) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    random = SeededRandom(seed)
    passInterval = random.element(of: [1, 3, 10, 40])
    actors = Array(0..<actorCount)
    current = random.element(of: actors)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Plays a part, from when the baton comes to the end.
  func play(_ actor: Int, _ part: () -> Void) {
    locked { wait(actor) }
    part()
    locked {
      actors.removeAll { $0 == actor }
      if !actors.isEmpty { current = random.element(of: actors) }
      pthread_cond_broadcast(condition)
    }
  }

  /// Perhaps lets others go on first.
  func pause(_ actor: Int) {
    locked {
      guard random.oneIn(passInterval) else { return }
      pass(actor)
    }
  }

  /// Lets others go on first: this one has nothing to do.
  func yield(_ actor: Int) {
    locked { pass(actor) }
  }

  private func pass(_ actor: Int) {
    current = random.element(of: actors)
    guard current != actor else { return }
    pthread_cond_broadcast(condition)
    wait(actor)
  }

  private func wait(_ actor: Int) {
    while current != actor { pthread_cond_wait(condition, mutex) }
  }

  private func locked(_ body: () -> Void) {
    pthread_mutex_lock(mutex)
    body()
    pthread_mutex_unlock(mutex)
  }
}
