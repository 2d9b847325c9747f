// The thread that compacts what writers leave to it.
//
// It starts with the first write, sleeps without waking up while there is nothing to do, and runs at
// the lowest priority. A collection is looked at a second after the last write to it, and every five
// seconds while it is written to.
//
// Invariants:
//   * The thread never holds the engine: the engine's end stops and joins the thread.
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

  private static let idleNanoseconds: UInt64 = 1_000_000_000
  private static let busyNanoseconds: UInt64 = 5_000_000_000
  /// In which steps may begin when the engine closes; each takes some 50 ms at most.
  private static let leaveNanoseconds: UInt64 = 100_000_000

  private let clock: any Clock
  private let monitor = Monitor()
  private let cancel = CancelToken()
  private var maintenance: Maintenance?
  private var writes: [UUID: Writes] = [:]
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
      if isStopping { return }
      writes[id, default: Writes(first: now, last: now)].last = now
      if thread == nil { thread = spawn() }
      if writes.count == 1 { monitor.broadcast() }
    }
  }

  /// Ends the thread, soon, waits for its end, and takes the steps that it had not come to: of a
  /// process that deletes much and ends at once, nobody else would.
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
      return (self.maintenance, writes.keys)
    }
    let start = clock.monotonicNanoseconds()
    for id in rest where clock.monotonicNanoseconds() &- start < Self.leaveNanoseconds {
      try? maintenance?.leave(id)
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
    while let (maintenance, ids) = next() {
      for (id, isIdle) in ids where !cancel.isRequested {
        do throws(ChromaError) {
          try maintenance.tidy(id, isIdle: isIdle, cancel: cancel)
        } catch {
          if error.kind == .locked { note(id) }
        }
      }
    }
  }

  /// Waits for collections to look at; nil when the thread is to end.
  private func next() -> (Maintenance, [(id: UUID, isIdle: Bool)])? {
    monitor.withLock {
      while true {
        guard !isStopping, let maintenance else { return nil }
        let now = clock.monotonicNanoseconds()
        var due: [(id: UUID, isIdle: Bool)] = []
        for (id, writes) in writes {
          let isIdle = now &- writes.last >= Self.idleNanoseconds
          if isIdle || now &- writes.first >= Self.busyNanoseconds { due.append((id, isIdle)) }
        }
        for (id, isIdle) in due {
          // One that is still written to comes again, idle at last.
          writes[id] = isIdle ? nil : Writes(first: now, last: now)
        }
        if !due.isEmpty { return (maintenance, due) }
        if writes.isEmpty {
          monitor.wait()
        } else {
          monitor.wait(milliseconds: 250)
        }
      }
    }
  }
}
