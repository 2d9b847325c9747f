// The thread that compacts and indexes what writers leave to it.
//
// It starts with the first work that may come due, sleeps without waking up while there is nothing to
// do, and runs at the lowest priority. A collection is looked at a second after the last write to it,
// and every five seconds while it is written to; at once if too much of it waits for the index.
//
// Invariants:
//   * The thread never holds the engine: the engine's end stops and joins the thread.
//   * One publication of an index at a time, so that neither merges nor other collections wait long.
//   * What others' writes keep it from is tried again; what fails otherwise, after the next write.
//     Nothing depends on it but space and speed.

import CChromaPlatform
import ChromaBase
import Glibc

/// Unchecked because all its state is guarded by `monitor`.
final class BackgroundWorker: @unchecked Sendable {
  /// When a collection was written to: first since it was last looked at, and last.
  private struct Writes {
    let first: UInt64
    var last: UInt64
  }

  private enum Work {
    case tidy(UUID, isIdle: Bool)
    case index(UUID)
  }

  private static let idleNanoseconds: UInt64 = 1_000_000_000
  private static let busyNanoseconds: UInt64 = 5_000_000_000
  /// In which steps may begin when the engine closes; each takes some 50 ms at most.
  private static let leaveNanoseconds: UInt64 = 100_000_000

  private let clock: any Clock
  private let monitor = Monitor()
  private let cancel = CancelToken()
  private var maintenance: Maintenance?
  private var writes: [UUID: Writes] = [:]
  /// Collections to index, the next one first.
  private var indexQueue: [UUID] = []
  /// When there was last found nothing to index: readers who see what waits in vain need not ask again.
  private var indexRests: [UUID: UInt64] = [:]
  private var thread: pthread_t?
  private var isStopping = false

  init(clock: any Clock) {
    self.clock = clock
  }

  /// To be called once, before anything else.
  func start(_ maintenance: Maintenance) {
    monitor.withLock { self.maintenance = maintenance }
  }

  /// Says that a collection was written to.
  func note(_ id: UUID) {
    let now = clock.monotonicNanoseconds()
    monitor.withLock {
      writes[id, default: Writes(first: now, last: now)].last = now
      if writes.count == 1 { wake() }
    }
  }

  /// Says that too much of a collection waits for its index.
  func noteOverdueIndex(_ id: UUID) {
    let now = clock.monotonicNanoseconds()
    monitor.withLock {
      if indexQueue.contains(id) { return }
      if let rest = indexRests[id], now &- rest < Self.idleNanoseconds { return }
      indexQueue.append(id)
      wake()
    }
  }

  /// Under the lock.
  private func wake() {
    if isStopping { return }
    if thread == nil { thread = spawn() }
    monitor.broadcast()
  }

  /// Ends the thread, soon, waits for its end, and takes the steps that it had not come to: of a
  /// process that writes much and ends at once, nobody else would.
  func stop() {
    cancel.request()
    let thread = monitor.withLock {
      isStopping = true
      monitor.broadcast()
      return self.thread
    }
    if let thread { pthread_join(thread, nil) }
    let (maintenance, rest) = monitor.withLock {
      defer { self.maintenance = nil }
      return (self.maintenance, Set(writes.keys).union(indexQueue).sorted())
    }
    let start = clock.monotonicNanoseconds()
    for id in rest where clock.monotonicNanoseconds() &- start < Self.leaveNanoseconds {
      try? maintenance?.leave(id)
    }
    for id in rest {
      let spent = clock.monotonicNanoseconds() &- start
      guard spent < Self.leaveNanoseconds else { return }
      try? maintenance?.indexStep(id, nanosecondsMax: Self.leaveNanoseconds - spent)
    }
  }

  /// Nil if the system has no thread to give: then writers alone keep their logs short.
  private func spawn() -> pthread_t? {
    // The process's signals are for its own threads.
    var all = sigset_t()
    var old = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { context in
        chroma_thread_lower_priority()
        if let context {
          Unmanaged<BackgroundWorker>.fromOpaque(context).takeRetainedValue().run()
        }
        return nil
      }, context.toOpaque())
    if code == 0 { return thread }
    context.release()
    return nil
  }

  private func run() {
    while let (maintenance, work) = next() {
      switch work {
      case .tidy(let id, let isIdle):
        do throws(ChromaError) {
          try maintenance.tidy(id, isIdle: isIdle, cancel: cancel)
        } catch {
          if error.kind == .locked { note(id) }
        }
        // Also after a failure: a damaged segment need not keep the others from being indexed.
        monitor.withLock { if !indexQueue.contains(id) { indexQueue.append(id) } }
      case .index(let id):
        index(id, maintenance)
      }
    }
  }

  private func index(_ id: UUID, _ maintenance: Maintenance) {
    var isMore = false
    do throws(ChromaError) {
      isMore = try maintenance.index(id, cancel: cancel)
    } catch {
      if error.kind == .locked { note(id) }
    }
    let now = clock.monotonicNanoseconds()
    monitor.withLock {
      if isMore {
        indexRests[id] = nil
        indexQueue.append(id)
      } else {
        indexRests = indexRests.filter { now &- $0.value < Self.idleNanoseconds }
        indexRests[id] = now
      }
    }
  }

  /// Waits for something to do; nil when the thread is to end.
  private func next() -> (Maintenance, Work)? {
    monitor.withLock {
      while true {
        guard !isStopping, let maintenance else { return nil }
        let now = clock.monotonicNanoseconds()
        if let (id, isIdle) = takeDueWrites(now) { return (maintenance, .tidy(id, isIdle: isIdle)) }
        if !indexQueue.isEmpty { return (maintenance, .index(indexQueue.removeFirst())) }
        if writes.isEmpty {
          monitor.wait()
        } else {
          monitor.wait(milliseconds: 250)
        }
      }
    }
  }

  /// Under the lock.
  private func takeDueWrites(_ now: UInt64) -> (UUID, isIdle: Bool)? {
    for (id, writes) in writes {
      let isIdle = now &- writes.last >= Self.idleNanoseconds
      guard isIdle || now &- writes.first >= Self.busyNanoseconds else { continue }
      // One that is still written to comes again, idle at last.
      self.writes[id] = isIdle ? nil : Writes(first: now, last: now)
      return (id, isIdle)
    }
    return nil
  }
}
