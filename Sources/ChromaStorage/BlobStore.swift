// Blobs: immutable files in one folder, whole and checksummed or not there.
//
// Little-endian:
//
//     | header: 64 bytes | payload | checksums: UInt32 × blocks |
//
//     header    0  "ChromaBL"
//               8  format: UInt16 major, UInt16 minor
//              12  bytes of a block: UInt32, 32,768
//              16  bytes of the payload: UInt64
//              24  CRC-32C of the blob's name: UInt32
//              28  CRC-32C of the checksums: UInt32
//              32  zeros
//              60  CRC-32C of bytes 0 to 59: UInt32
//
// A block's checksum covers the checksum of the name, the block's number and its bytes, so that a
// block of another blob or of another place does not pass for it. The payload starts at 64, for
// mapped vectors.
//
// Invariants:
//   * Under its name a blob is complete: it is written under a temporary one, synced, renamed, and
//     the directory synced. Whoever is killed leaves at most a file that nobody refers to.
//   * A blob never changes. It is removed once nothing refers to it.

package import ChromaBase
internal import Synchronization

/// The blobs of one folder. Thread-safe.
package struct BlobStore: Sendable {
  private static let magic: [UInt8] = Array("ChromaBL".utf8)
  private static let major: UInt16 = 1
  private static let minor: UInt16 = 0
  private static let headerByteCount = 64
  private static let blockByteCount = 32 * 1024
  private static let temporarySuffix = ".tmp"
  private static let nameByteCountMax = 128

  /// What is known of the folder.
  private final class Folder: Sendable {
    let isDurable = Atomic(false)
  }

  private let fileSystem: any FileSystem
  private let directory: String
  private let folder = Folder()
  private let syncs: SyncLatch

  /// - Parameters:
  ///   - directory: Created with the first blob, in one that exists.
  ///   - syncs: Shared with whatever else may not be written after a failed sync.
  package init(fileSystem: any FileSystem, directory: String, syncs: SyncLatch? = nil) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.syncs = syncs ?? SyncLatch(directory)
  }

  /// Stores a blob durably under a name that no blob has.
  ///
  /// - Throws: `.io`, `.outOfSpace`. Then the blob is not there.
  package func put(_ payload: [UInt8], name: String) throws(ChromaError) {
    try Self.check(name)
    try syncs.checkWritable()
    try createFolder()
    let path = "\(directory)/\(name)"
    let temporaryPath = path + Self.temporarySuffix
    do throws(ChromaError) {
      let file = try fileSystem.open(temporaryPath, .createNew)
      defer { file.close() }
      let checksums = Self.checksums(of: payload, name: name)
      let payloadEnd = UInt64(Self.headerByteCount + payload.count)
      try file.write(
        Self.header(payloadByteCount: payload.count, name: name, checksums: checksums), at: 0)
      try file.write(payload, at: UInt64(Self.headerByteCount))
      try file.write(checksums, at: payloadEnd)
      try syncs.syncing { () throws(ChromaError) in try file.sync() }
      try fileSystem.rename(temporaryPath, to: path)
    } catch {
      _ = try? fileSystem.remove(temporaryPath)
      throw error
    }
    try syncs.syncing { () throws(ChromaError) in try fileSystem.syncDirectory(directory) }
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

  /// The payload of a blob.
  ///
  /// - Throws: `.corruption` naming file and offset if a checksum fails or the blob is missing;
  ///   `.unsupportedFormat` if a newer release wrote it; `.io`.
  package func read(_ name: String) throws(ChromaError) -> [UInt8] {
    try Self.check(name)
    let path = "\(directory)/\(name)"
    guard let file = try fileSystem.openIfPresent(path, .readOnly) else {
      throw .corruption("The blob \(path) is missing.")
    }
    defer { file.close() }
    let header = try file.read(at: 0, byteCountMax: Self.headerByteCount)
    let (payloadByteCount, tableChecksum) = try Self.parse(header, name: name, path: path)
    let fileByteCount = try file.byteCount()
    let blockCount = Self.blockCount(of: payloadByteCount)
    let expected = Self.headerByteCount + payloadByteCount + 4 * blockCount
    guard fileByteCount == UInt64(expected) else {
      throw .corruption(
        "The blob \(path) is damaged: it has \(fileByteCount) bytes, its header says \(expected).")
    }
    let payload = try file.read(
      at: UInt64(Self.headerByteCount), byteCountMax: payloadByteCount)
    let table = try file.read(
      at: UInt64(Self.headerByteCount + payloadByteCount), byteCountMax: 4 * blockCount)
    guard payload.count == payloadByteCount, table.count == 4 * blockCount else {
      throw .corruption("The blob \(path) is damaged: it became shorter while it was read.")
    }
    guard CRC32C.checksum(of: table) == tableChecksum else {
      throw .corruption(
        "The blob \(path) is damaged: the checksum of its checksums does not hold, from byte "
          + "\(Self.headerByteCount + payloadByteCount).")
    }
    try Self.verify(payload, table, name: name, path: path)
    return payload
  }

  /// The names of all files in the folder, temporary ones included; none if there is no folder yet.
  package func list() throws(ChromaError) -> [String] {
    guard try fileSystem.attributes(directory) != nil else { return [] }
    return try fileSystem.list(directory)
  }

  /// Removes a file of the folder, if it is there. Whether that is durable is of no importance:
  /// nothing refers to it.
  package func delete(_ name: String) throws(ChromaError) {
    try fileSystem.remove("\(directory)/\(name)")
  }

  // MARK: Bytes

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

  private static func blockCount(of payloadByteCount: Int) -> Int {
    (payloadByteCount + blockByteCount - 1) / blockByteCount
  }

  private static func identity(of name: String) -> UInt32 {
    CRC32C.checksum(of: Array(name.utf8))
  }

  private static func header(
    payloadByteCount: Int, name: String, checksums: [UInt8]
  ) -> [UInt8] {
    var writer = ByteWriter(byteCountExpected: headerByteCount)
    for byte in magic { writer.write(byte) }
    writer.write(major)
    writer.write(minor)
    writer.write(UInt32(blockByteCount))
    writer.write(UInt64(payloadByteCount))
    writer.write(identity(of: name))
    writer.write(CRC32C.checksum(of: checksums))
    for _ in 0..<7 { writer.write(0 as UInt32) }
    writer.write(CRC32C.checksum(of: writer.bytes))
    return writer.bytes
  }

  private static func parse(
    _ header: [UInt8], name: String, path: String
  ) throws(ChromaError) -> (payloadByteCount: Int, tableChecksum: UInt32) {
    try header.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      var reader = ByteReader(UnsafeRawBufferPointer(buffer), source: "blob \(path)")
      guard try reader.read(byteCount: magic.count).elementsEqual(magic) else {
        throw reader.damage("it does not begin as a blob")
      }
      let format = try reader.readUInt32()
      let blockByteCount = try reader.readUInt32()
      let payloadByteCount = try reader.readUInt64()
      let identity = try reader.readUInt32()
      let tableChecksum = try reader.readUInt32()
      _ = try reader.read(byteCount: 28)
      let checksum = try reader.readUInt32()
      guard CRC32C.checksum(of: Array(header[..<60])) == checksum else {
        throw reader.damage("the checksum of its header does not hold")
      }
      guard UInt16(truncatingIfNeeded: format) == major else {
        throw ChromaError(
          .unsupportedFormat,
          "The blob \(path) has format \(format & 0xFFFF); this release reads \(major). "
            + "Use a newer release.")
      }
      guard identity == Self.identity(of: name), blockByteCount == Self.blockByteCount,
        payloadByteCount <= UInt64(Limits.batchByteCountMax)
      else { throw reader.damage("its header belongs to something else") }
      return (Int(payloadByteCount), tableChecksum)
    }
  }

  private static func checksums(of payload: [UInt8], name: String) -> [UInt8] {
    var writer = ByteWriter(byteCountExpected: 4 * blockCount(of: payload.count))
    forEachBlock(of: payload, name: name) { _, checksum in writer.write(checksum) }
    return writer.bytes
  }

  private static func verify(
    _ payload: [UInt8], _ table: [UInt8], name: String, path: String
  ) throws(ChromaError) {
    var damagedBlock: Int?
    table.withUnsafeBytes { table in
      forEachBlock(of: payload, name: name) { block, checksum in
        let stored = UInt32(
          littleEndian: table.loadUnaligned(fromByteOffset: 4 * block, as: UInt32.self))
        if stored != checksum { damagedBlock = damagedBlock ?? block }
      }
    }
    if let damagedBlock {
      throw .corruption(
        "The blob \(path) is damaged: the checksum of the block at byte "
          + "\(headerByteCount + damagedBlock * blockByteCount) does not hold.")
    }
  }

  private static func forEachBlock(
    of payload: [UInt8], name: String, _ body: (_ block: Int, _ checksum: UInt32) -> Void
  ) {
    let identity = identity(of: name)
    payload.withUnsafeBytes { payload in
      for block in 0..<blockCount(of: payload.count) {
        let start = block * blockByteCount
        let bytes = payload[start..<min(start + blockByteCount, payload.count)]
        var seed = ByteWriter(byteCountExpected: 12)
        seed.write(identity)
        seed.write(UInt64(block))
        body(
          block,
          CRC32C.checksum(
            of: UnsafeRawBufferPointer(rebasing: bytes),
            continuing: CRC32C.checksum(of: seed.bytes)))
      }
    }
  }
}
