// Holds others off from chroma.db's pages while they are looked at, without writing a byte.
//
// SQLite's own locks, held as its readers hold them (sqlite.org/walformat.html, section 2.3):
//
//   * of chroma.db the shared bytes: nobody folds the WAL back as the last who closes;
//   * of chroma.db-shm the byte of those who fold back, and one of those of readers: nobody folds
//     back at all, and nobody begins the WAL anew.
//
// Others go on reading and writing; they append to the WAL, where it does not disturb.

import ChromaBase
import ChromaStorage

final class CatalogGuard {
  private static let sharedBytes: Range<UInt64> = 0x4000_0002..<0x4000_0002 + 510
  private static let foldingByte: Range<UInt64> = 121..<122
  private static let readerByte: Range<UInt64> = 124..<125
  private static let napNanoseconds: UInt64 = 1_000_000

  private var files: [any File] = []
  private let hasIndex: Bool
  private let indexPath: String
  private let fileSystem: any FileSystem

  /// - Throws: `.locked` if somebody else's lock does not go away; `.io`.
  init(_ directory: String, _ environment: RecoveryEnvironment) throws(ChromaError) {
    fileSystem = environment.fileSystem
    indexPath = "\(directory)/\(DatabaseFiles.index)"
    let catalog = try fileSystem.openIfPresent("\(directory)/\(DatabaseFiles.catalog)", .readOnly)
    let index = try fileSystem.openIfPresent(indexPath, .readOnly)
    hasIndex = index != nil
    if let catalog {
      files.append(catalog)
      try Self.lock(catalog, Self.sharedBytes, environment)
    }
    if let index {
      files.append(index)
      try Self.lock(index, Self.foldingByte, environment)
      try Self.lock(index, Self.readerByte, environment)
    }
  }

  deinit {
    for file in files { file.close() }
  }

  /// Whether nobody can have changed the pages since the beginning: where there was no index,
  /// somebody may have made one, and folded back.
  func holds() throws(ChromaError) -> Bool {
    if hasIndex { return true }
    return try fileSystem.attributes(indexPath) == nil
  }

  private static func lock(
    _ file: any File, _ range: Range<UInt64>, _ environment: RecoveryEnvironment
  ) throws(ChromaError) {
    let clock = environment.clock
    let waitNanoseconds = UInt64(Limits.writeTurnTimeoutMilliseconds) * 1_000_000
    let deadline = clock.monotonicNanoseconds() &+ waitNanoseconds
    while try !file.tryLock(range, .shared) {
      guard clock.monotonicNanoseconds() < deadline else {
        throw ChromaError(
          .locked, "Another process keeps \(file.path) to itself. Try again later.")
      }
      clock.sleep(nanoseconds: napNanoseconds)
    }
  }
}
