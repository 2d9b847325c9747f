import Synchronization

/// A wish, made on any thread, that a call end early. Reads look at it every few milliseconds.
package final class CancelToken: Sendable {
  private let wasRequested = Atomic<Bool>(false)

  package init() {}

  package func request() {
    wasRequested.store(true, ordering: .relaxed)
  }

  package var isRequested: Bool { wasRequested.load(ordering: .relaxed) }

  /// - Throws: `.cancelled` once the wish was made.
  package func check() throws(ChromaError) {
    if isRequested { throw ChromaError(.cancelled, "The call was cancelled.") }
  }
}
