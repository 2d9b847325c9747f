// A loop on several threads of the operating system, which are there for the loop alone: a graph is
// built for seconds and then not for minutes, many queries come at once or not for long, and a process
// that forks in between has none to miss.

internal import CChromaPlatform
import Glibc
import Synchronization

/// Runs `body` for each of 0 ..< `count`, in any order, on the calling thread and up to
/// `threadCount` − 1 others, and returns when all have ended. What `body` writes must be apart for each
/// item and each worker, whose number is below `threadCount`.
///
/// - Parameters:
///   - itemsPerThreadMin: so many are done before another thread has begun.
///   - isUrgent: whether somebody waits; the other threads have the lowest priority if not.
func parallelLoop(
  _ count: Int, threadCount: Int, itemsPerThreadMin: Int = 16, isUrgent: Bool = false,
  body: (_ worker: Int, _ item: Int) -> Void
) {
  let helperCount = min(threadCount, count / itemsPerThreadMin) - 1
  guard helperCount > 0 else {
    for item in 0..<count { body(0, item) }
    return
  }
  withoutActuallyEscaping(body) { body in
    let loop = ParallelLoop(
      count: count, stride: min(4, itemsPerThreadMin), isUrgent: isUrgent, body: body)
    let helpers = (1...helperCount).map { loop.spawn(worker: $0) }
    loop.run(worker: 0)
    for case .some(let thread) in helpers { pthread_join(thread, nil) }
  }
}

/// Unchecked because the body is called as its owner allows: for an item once.
private final class ParallelLoop: @unchecked Sendable {
  private let count: Int
  private let body: (Int, Int) -> Void
  private let next = Atomic<Int>(0)

  /// Items that a worker takes at a time: their results often share cache lines.
  private let stride: Int
  private let isUrgent: Bool

  private final class Start {
    let loop: ParallelLoop
    let worker: Int

    init(loop: ParallelLoop, worker: Int) {
      self.loop = loop
      self.worker = worker
    }
  }

  init(count: Int, stride: Int, isUrgent: Bool, body: @escaping (Int, Int) -> Void) {
    self.count = count
    self.stride = stride
    self.isUrgent = isUrgent
    self.body = body
  }

  /// Nil if the system has no thread to give: the others do its work.
  func spawn(worker: Int) -> pthread_t? {
    // The process's signals are for its own threads.
    var all = sigset_t()
    var old = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(loop: self, worker: worker))
    let code = pthread_create(
      &thread, nil,
      { start in
        if let start {
          let start = Unmanaged<Start>.fromOpaque(start).takeRetainedValue()
          if !start.loop.isUrgent { chroma_thread_lower_priority() }
          start.loop.run(worker: start.worker)
        }
        return nil
      }, start.toOpaque())
    if code == 0 { return thread }
    start.release()
    return nil
  }

  func run(worker: Int) {
    while true {
      let first = next.add(stride, ordering: .relaxed).oldValue
      guard first < count else { return }
      for item in first..<min(first + stride, count) { body(worker, item) }
    }
  }
}
