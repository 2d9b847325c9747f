// A database directory as it is now, for SQLite to work on without touching it: chroma.db reads as
// its `CatalogImage`, and whatever is written stays in memory.

import ChromaBase
import ChromaStorage
import Synchronization

/// One catalog, frozen. Blobs are not in it.
final class FrozenFileSystem: FileSystem {
  private let image: CatalogImage
  private let catalogPath: String
  private let mends: Bool
  /// The WAL and its index that SQLite makes anew, and what carries the locks of chroma.db.
  private let memory = MemoryFileSystem()
  private let changed = Mutex<Pages>(Pages())

  fileprivate struct Pages {
    var bytes: [Int: [UInt8]] = [:]
    var pageCount: Int?
  }

  /// - Parameters:
  ///   - directory: The image's.
  ///   - mends: Whether a page with one flipped bit reads as it was written; else as damaged.
  init(_ image: CatalogImage, directory: String, mends: Bool = true) throws(ChromaError) {
    self.image = image
    self.mends = mends
    catalogPath = "\(directory)/\(DatabaseFiles.catalog)"
    var path = ""
    for name in directory.split(separator: "/") {
      path += "/\(name)"
      try memory.createDirectory(path)
    }
    try memory.open(catalogPath, .create).close()
  }

  func openIfPresent(_ path: String, _ mode: FileOpenMode) throws(ChromaError) -> (any File)? {
    guard let file = try memory.openIfPresent(path, mode) else { return nil }
    return path == catalogPath ? FrozenFile(file, of: self) : file
  }

  func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    var found = try memory.attributes(path)
    if path == catalogPath { found?.byteCount = UInt64(pageCount * PageSeal.pageByteCount) }
    return found
  }

  @discardableResult
  func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    try memory.createDirectory(path)
  }

  func list(_ path: String) throws(ChromaError) -> [String] { try memory.list(path) }

  func rename(_ source: String, to target: String) throws(ChromaError) {
    try memory.rename(source, to: target)
  }

  @discardableResult
  func remove(_ path: String) throws(ChromaError) -> Bool { try memory.remove(path) }

  func syncDirectory(_ path: String) throws(ChromaError) {}

  // MARK: Pages

  fileprivate var pageCount: Int { changed.withLock { $0.pageCount } ?? image.pageCount }

  fileprivate func page(_ number: Int) throws(ChromaError) -> [UInt8] {
    if let bytes = changed.withLock({ $0.bytes[number] }) { return bytes }
    // What is lost goes on as it is, and fails its checksum there.
    return try mends ? image.page(number).bytes : image.storedPage(number)
  }

  fileprivate func change(_ number: Int, to bytes: [UInt8]) {
    let pageCount = pageCount
    changed.withLock {
      $0.bytes[number] = bytes
      $0.pageCount = max(pageCount, number)
    }
  }

  fileprivate func setPageCount(_ count: Int) {
    changed.withLock { $0.pageCount = count }
  }
}

/// chroma.db of a frozen directory. Locks are those of a file in memory.
private final class FrozenFile: File {
  private let locks: any File
  private let files: FrozenFileSystem
  private static let pageByteCount = UInt64(PageSeal.pageByteCount)

  init(_ locks: any File, of files: FrozenFileSystem) {
    self.locks = locks
    self.files = files
  }

  var path: String { locks.path }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    let end = try byteCount()
    var done = 0
    while done < buffer.count, offset + UInt64(done) < end {
      let place = offset + UInt64(done)
      let page = try files.page(Int(clamping: place / Self.pageByteCount) + 1)
      let part = page[Int(place % Self.pageByteCount)...].prefix(buffer.count - done)
      part.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + part.count])
          .copyMemory(from: $0)
      }
      done += part.count
    }
    return done
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    // SQLite writes whole pages, as the layer above it sees to.
    guard offset % Self.pageByteCount == 0, bytes.count == PageSeal.pageByteCount else {
      throw ChromaError(.io, "The file \(path) takes whole pages only.")
    }
    files.change(Int(clamping: offset / Self.pageByteCount) + 1, to: Array(bytes))
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    files.setPageCount(Int(clamping: byteCount / Self.pageByteCount))
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    UInt64(files.pageCount) * Self.pageByteCount
  }

  func sync() throws(ChromaError) {}

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    try locks.tryLock(range, kind)
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) { try locks.unlock(range) }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    try locks.isLockedElsewhere(range, against: kind)
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try locks.mapShared(at: offset, byteCount: byteCount)
  }

  func close() { locks.close() }
}
