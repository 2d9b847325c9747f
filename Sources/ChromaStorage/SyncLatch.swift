// What a failed sync leaves: no more writes.
//
// The operating system may have marked the pages clean that it could not write, so that a second
// sync would succeed without them. So the first failure is remembered, and neither a sync nor a write
// follows it. Reads go on.

package import ChromaBase
import Synchronization

/// Remembers the first failed sync of all that one engine writes.
package final class SyncLatch: Sendable {
  private let path: String
  private let failure = Mutex<ChromaError?>(nil)

  /// - Parameter path: What takes no more writes then, for the error that says so.
  package init(_ path: String) {
    self.path = path
  }

  /// Whether no sync has failed.
  package var isWritable: Bool { failure.withLock { $0 == nil } }

  /// Throws if a sync has failed: nothing may be written any more.
  package func checkWritable() throws(ChromaError) {
    if let failure = failure.withLock({ $0 }) {
      throw ChromaError(
        failure.kind,
        "\(path) takes no more writes, because a sync failed and what it covered may be lost; "
          + "reopen the database to go on with what was acknowledged. The failure: "
          + failure.message)
    }
  }

  /// Runs a sync, and remembers its failure for good.
  package func syncing(_ sync: () throws(ChromaError) -> Void) throws(ChromaError) {
    try checkWritable()
    do throws(ChromaError) {
      try sync()
    } catch {
      failure.withLock { if $0 == nil { $0 = error } }
      throw error
    }
  }
}
