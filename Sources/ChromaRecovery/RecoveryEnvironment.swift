// Where recovery works, and how it tells how far it has come.

package import ChromaBase
package import ChromaStorage

/// What recovery may use. The tests put a simulated disk and clock here.
package struct RecoveryEnvironment: Sendable {
  package let fileSystem: any FileSystem
  package let clock: any Clock
  package let random: any RandomSource

  package init(fileSystem: any FileSystem, clock: any Clock, random: any RandomSource) {
    self.fileSystem = fileSystem
    self.clock = clock
    self.random = random
  }

  /// The operating system's files.
  package static var system: RecoveryEnvironment {
    RecoveryEnvironment(
      fileSystem: FolderFileSystem(), clock: SystemClock(), random: SystemRandomSource())
  }
}

/// How far a call has come.
package struct RecoveryProgress: Equatable, Sendable {
  /// At most `totalByteCount`.
  package let doneByteCount: Int64
  /// Bytes of files that are to be read, as far as that is known yet: it may grow.
  package let totalByteCount: Int64
}

/// Called on the thread that made the call.
package typealias ProgressReport = (RecoveryProgress) -> Void

/// The doors of this module; see `Recovery+Verify` and its siblings.
package enum Recovery {}

/// Counts bytes for one call, and ends it when its caller wants that.
final class Meter {
  private let cancel: CancelToken?
  private let report: ProgressReport?
  private var doneByteCount: Int64 = 0
  private var totalByteCount: Int64 = 0

  init(_ cancel: CancelToken?, _ report: ProgressReport?) {
    self.cancel = cancel
    self.report = report
  }

  func expect(_ byteCount: Int) {
    totalByteCount += Int64(byteCount)
    tell()
  }

  /// - Throws: `.cancelled`.
  func finish(_ byteCount: Int) throws(ChromaError) {
    try cancel?.check()
    doneByteCount += Int64(byteCount)
    tell()
  }

  var token: CancelToken? { cancel }

  private func tell() {
    report?(
      RecoveryProgress(
        doneByteCount: min(doneByteCount, totalByteCount), totalByteCount: totalByteCount))
  }
}
