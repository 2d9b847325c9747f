// Blobs: immutable files in one folder, whole and checksummed or not there. `BlobFormat.swift` has
// their bytes.
//
// Invariants:
//   * Under its name a blob is complete: it is written under a temporary one, synced, renamed, and
//     the directory synced. Whoever is killed leaves at most a file that nobody refers to.
//   * A blob never changes. It is removed once nothing refers to it.

package import ChromaBase
internal import Glibc
internal import Synchronization

/// The blobs of one folder. Thread-safe.
package struct BlobStore: Sendable {
  static let temporarySuffix = ".tmp"
  private static let nameByteCountMax = 128

  /// Whether files are mapped where nobody says: not with `CHROMA_NO_MMAP=1`, for file systems on
  /// which a map fails with a signal when the server goes.
  package static let mapsFilesByDefault: Bool = {
    guard let setting = getenv("CHROMA_NO_MMAP") else { return true }
    return String(cString: setting) != "1"
  }()

  /// What is known of the folder.
  private final class Folder: Sendable {
    let isDurable = Atomic(false)
  }

  let fileSystem: any FileSystem
  let syncs: SyncLatch
  private let directory: String
  private let mapsFiles: Bool
  private let folder = Folder()
  private let held = HeldFiles()

  /// - Parameters:
  ///   - directory: Created with the first blob, in one that exists.
  ///   - syncs: Shared with whatever else may not be written after a failed sync.
  ///   - mapsFiles: Whether open blobs are maps of their files, where the file system has maps.
  package init(
    fileSystem: any FileSystem, directory: String, syncs: SyncLatch? = nil,
    mapsFiles: Bool = mapsFilesByDefault
  ) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.syncs = syncs ?? SyncLatch(directory)
    self.mapsFiles = mapsFiles
  }

  // MARK: Writing

  /// Stores a blob durably under a name that no blob has.
  ///
  /// - Throws: `.io`, `.outOfSpace`. Then the blob is not there.
  package func put(_ payload: [UInt8], name: String) throws(ChromaError) {
    let writer = try writer(name)
    do throws(ChromaError) {
      try payload.withUnsafeBufferPointer { (payload) throws(ChromaError) in
        try writer.append(UnsafeRawBufferPointer(payload))
      }
    } catch {
      writer.abandon()
      throw error
    }
    try writer.finish()
  }

  /// Begins a blob under a name that no blob has.
  ///
  /// - Throws: `.io`, `.outOfSpace`.
  package func writer(_ name: String) throws(ChromaError) -> BlobWriter {
    try Self.check(name)
    try syncs.checkWritable()
    try createFolder()
    return try BlobWriter(name, in: self)
  }

  private func createFolder() throws(ChromaError) {
    if folder.isDurable.load(ordering: .acquiring) { return }
    try fileSystem.createDirectory(directory)
    // Also if it was there: whoever made it may have died before it was durable.
    try syncs.syncing { () throws(ChromaError) in
      try fileSystem.syncDirectory(Place.parent(of: directory))
    }
    folder.isDurable.store(true, ordering: .releasing)
  }

  /// Makes the names in the folder durable.
  func syncDirectory() throws(ChromaError) {
    try syncs.syncing { () throws(ChromaError) in try fileSystem.syncDirectory(directory) }
  }

  // MARK: Reading

  /// A blob, to be read in parts; nil if there is none of that name.
  ///
  /// - Throws: `.corruption` naming file and offset if what stands around the payload is damaged;
  ///   `.unsupportedFormat` if a newer release wrote it; `.io`, `.resourceExhausted`.
  package func open(_ name: String) throws(ChromaError) -> Blob? {
    try Self.check(name)
    guard let file = try fileSystem.openIfPresent(path(of: name), .readOnly) else { return nil }
    return try Blob(file, name: name, mapsFiles: mapsFiles, held: held)
  }

  /// Whether there is a blob of that name.
  package func exists(_ name: String) throws(ChromaError) -> Bool {
    try Self.check(name)
    return try fileSystem.attributes(path(of: name))?.kind == .file
  }

  /// The whole payload of a blob of at most `Limits.batchByteCountMax` bytes.
  ///
  /// - Returns: Nil if there is none of that name.
  /// - Throws: As `open`.
  package func read(_ name: String) throws(ChromaError) -> [UInt8]? {
    try Self.check(name)
    let path = path(of: name)
    guard let file = try fileSystem.openIfPresent(path, .readOnly) else { return nil }
    // Not mapped: all of it is wanted, once.
    let blob = try Blob(file, name: name, mapsFiles: false, held: held)
    guard blob.byteCount <= Limits.batchByteCountMax else {
      throw .corruption("The blob \(path) is damaged: \(blob.byteCount) bytes are too many.")
    }
    return try withExtendedLifetime(blob) { () throws(ChromaError) in
      Array(try blob.bytes(0..<blob.byteCount))
    }
  }

  /// The names of all files in the folder, temporary ones included; none if there is no folder yet.
  package func list() throws(ChromaError) -> [String] {
    guard try fileSystem.attributes(directory) != nil else { return [] }
    return try fileSystem.list(directory)
  }

  /// Removes a file of the folder, if it is there. Whether that is durable is of no importance:
  /// nothing refers to it.
  package func delete(_ name: String) throws(ChromaError) {
    try fileSystem.remove(path(of: name))
  }

  // MARK: Names

  /// The blob that a file of the folder is, or will be when it is finished.
  package static func blobName(of fileName: String) -> String {
    fileName.hasSuffix(temporarySuffix)
      ? String(fileName.dropLast(temporarySuffix.count)) : fileName
  }

  /// Where a blob stands.
  package func path(of name: String) -> String {
    "\(directory)/\(name)"
  }

  /// Names come from catalogs that may be hostile: none may lead out of the folder.
  private static func check(_ name: String) throws(ChromaError) {
    let isFine = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isFine, (1...nameByteCountMax).contains(name.utf8.count), !name.hasPrefix(".") else {
      throw .corruption(
        "The catalog names a blob \"\(name)\": blobs are called by 1 to \(nameByteCountMax) of "
          + "a–z, 0–9, '-' and '.'.")
    }
  }
}
