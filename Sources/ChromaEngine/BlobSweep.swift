// Removes what killed writers left.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import Synchronization

/// Removes the blobs that no row refers to: those of writers that died before their commit, once for
/// each engine, and those of a commit of this engine that failed, after the next one.
///
/// What a lease keeps is spared, so a sweep that meets one is repeated when the lease has ended: its
/// holder may be a process that was killed a moment ago.
final class BlobSweep: Sendable {
  private enum State {
    case due
    /// Due when no lease names a blob.
    case dueAfterLeases
    case done
  }

  private let catalog: any Catalog
  private let blobs: BlobStore
  private let state = Mutex(State.due)

  init(catalog: any Catalog, blobs: BlobStore) {
    self.catalog = catalog
    self.blobs = blobs
  }

  /// Says that a commit failed, and perhaps left blobs behind.
  func repeatAfterNextCommit() {
    state.withLock { $0 = .due }
  }

  /// Removes blobs that a committed transaction left without a reference. What cannot be removed is
  /// swept after the next commit.
  func remove(_ names: [Text]) {
    for name in names where (try? blobs.delete(name.string)) == nil { repeatAfterNextCommit() }
  }

  /// To be called inside the write turn, where nobody is between a blob and its row, and after an
  /// append of this engine. A commit whose sync failed stands in the WAL, seen by nobody, and comes
  /// back if the next one to look is a recovery; once another commit stands in its place it cannot,
  /// and its blobs can go.
  ///
  /// A failure costs only space, until the next commit tries again.
  func runOnce() {
    state.withLock { state in
      do throws(ChromaError) {
        if case .done = state { return }
        let isAnyLeased = try catalog.isAnyBlobLeased()
        if case .dueAfterLeases = state, isAnyLeased { return }
        let referenced = Set(try catalog.referencedBlobs().map(\.string))
        for name in try blobs.list() where !referenced.contains(BlobStore.blobName(of: name)) {
          try blobs.delete(name)
        }
        state = isAnyLeased ? .dueAfterLeases : .done
      } catch {
        // The commit stands.
      }
    }
  }
}
