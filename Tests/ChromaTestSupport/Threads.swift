// Threads of the operating system, for tests: the engine uses no others.

import Glibc

/// Runs the body on so many threads at once, and returns when all have ended.
package func onThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Void) {
  final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start { body(index) }).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { start in
        guard let start else { return nil }
        Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
        return nil
      }, start)
    precondition(failure == 0, "pthread_create failed with \(failure).")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}
