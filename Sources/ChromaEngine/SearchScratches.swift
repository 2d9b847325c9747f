import ChromaIndex
import Synchronization

/// The memory of searches, kept for the next ones. Thread-safe.
final class SearchScratches: Sendable {
  /// As many as search at once on a machine; those of a burst are let go.
  private static let keptCountMax = 16

  /// Unchecked because a scratch is either here or with the one search that took it.
  private struct Kept: @unchecked Sendable {
    var scratches: [SearchScratch] = []
  }

  private let kept = Mutex(Kept())

  func withScratch<R, Failure: Error>(
    _ body: (SearchScratch) throws(Failure) -> R
  ) throws(Failure) -> R {
    let scratch = kept.withLock { SearchScratchBox($0.scratches.popLast()) }.scratch
    defer {
      let box = SearchScratchBox(scratch)
      kept.withLock {
        if $0.scratches.count < Self.keptCountMax { $0.scratches.append(box.scratch) }
      }
    }
    return try body(scratch)
  }
}

/// Unchecked because it only hands a scratch over.
private struct SearchScratchBox: @unchecked Sendable {
  let scratch: SearchScratch

  init(_ scratch: SearchScratch?) {
    self.scratch = scratch ?? SearchScratch()
  }
}
