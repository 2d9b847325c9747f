// chroma.db as its last commit left it, page by page: the WAL's copy of a page before the file's.
//
// Reads the files as they are, whatever is damaged in them, and changes nothing. It stays what it is
// while others write, as long as a `CatalogGuard` holds them off from the pages.

import ChromaBase
import ChromaStorage
import Synchronization

final class CatalogImage: Sendable {
  /// What is wrong with a page.
  enum PageState: Equatable {
    case intact
    /// One bit was flipped: what the page held is known.
    case mended
    case lost
  }

  /// Of the database after its last commit.
  let pageCount: Int
  /// Bytes that chroma.db has beyond its last page.
  let excessByteCount: Int
  let walDamages: [(offset: UInt64, what: String)]
  /// Whether commits may be missing, or stand in part: frames of the WAL cannot be read.
  let hasLostFrames: Bool
  private let file: any File
  private let wal: (any File)?
  private let pageOffsets: [Int: UInt64]

  /// - Returns: Nil if there is no chroma.db.
  init?(_ directory: String, in fileSystem: any FileSystem) throws(ChromaError) {
    let path = "\(directory)/\(DatabaseFiles.catalog)"
    guard let file = try fileSystem.openIfPresent(path, .readOnly) else { return nil }
    let wal = try fileSystem.openIfPresent("\(directory)/\(DatabaseFiles.wal)", .readOnly)
    self.file = file
    self.wal = wal
    var frames = try wal.map { (wal) throws(ChromaError) in try WALFrames(of: wal) }
    // A frame that was just being written looks broken, and is not any more the next time.
    for _ in 0..<Self.rereadCount where frames?.damages.isEmpty == false {
      frames = try wal.map { (wal) throws(ChromaError) in try WALFrames(of: wal) }
    }
    pageOffsets = frames?.pageOffsets ?? [:]
    walDamages = frames?.damages ?? []
    hasLostFrames = frames?.lostFrameCount ?? 0 > 0
    let byteCount = Int(clamping: try file.byteCount())
    if let count = frames?.pageCount {
      pageCount = count
      excessByteCount = 0
      return
    }
    let present = (byteCount + PageSeal.pageByteCount - 1) / PageSeal.pageByteCount
    let first = try file.read(at: 0, byteCountMax: PageSeal.pageByteCount)
    let isKnown = PageSeal.isIntact(first, number: 1)
    let stated = isKnown ? Int(first.uint32(at: Self.pageCountOffset)) : present
    pageCount = stated
    excessByteCount = max(0, byteCount - stated * PageSeal.pageByteCount)
  }

  deinit {
    file.close()
    wal?.close()
  }

  private static let rereadCount = 3
  /// Where a SQLite header has the number of pages.
  private static let pageCountOffset = 28

  var byteCount: Int { pageCount * PageSeal.pageByteCount }

  /// A page, from 1, as it was written, as far as that is known.
  func page(_ number: Int) throws(ChromaError) -> (bytes: [UInt8], state: PageState) {
    var bytes = try storedPage(number)
    if PageSeal.isIntact(bytes, number: number) { return (bytes, .intact) }
    if let mended = PageSeal.mended(bytes, number: number) { return (mended, .mended) }
    if bytes.count < PageSeal.pageByteCount {
      bytes += [UInt8](repeating: 0, count: PageSeal.pageByteCount - bytes.count)
    }
    return (bytes, .lost)
  }

  /// The file that a page stands in, and where.
  func place(of number: Int) -> (file: String, offset: UInt64) {
    if let offset = pageOffsets[number] { return (DatabaseFiles.wal, offset) }
    return (DatabaseFiles.catalog, UInt64(number - 1) * UInt64(PageSeal.pageByteCount))
  }

  /// The bytes of a page as they stand, fewer where the file ends.
  func storedPage(_ number: Int) throws(ChromaError) -> [UInt8] {
    if let wal, let offset = pageOffsets[number] {
      return try wal.read(at: offset, byteCountMax: PageSeal.pageByteCount)
    }
    return try file.read(
      at: UInt64(number - 1) * UInt64(PageSeal.pageByteCount), byteCountMax: PageSeal.pageByteCount)
  }
}
