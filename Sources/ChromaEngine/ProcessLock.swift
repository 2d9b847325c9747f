import CChromaPlatform

/// The one lock of the process that is held across a fork, so that the child never inherits it from
/// a thread that it does not have. For tables that all threads share, and for moments: nothing
/// under it may block, call the operating system or take another lock.
package enum ProcessLock {
  package static func withLock<R>(_ body: () -> R) -> R {
    chroma_process_lock()
    defer { chroma_process_unlock() }
    return body()
  }
}
