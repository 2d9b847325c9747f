// The bytes of a blob's file.
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

internal import ChromaBase

/// What stands in a blob's header.
struct BlobHeader {
  static let byteCount = 64
  static let blockShift = 15
  static let blockByteCount = 1 << blockShift
  private static let magic: [UInt8] = Array("ChromaBL".utf8)
  private static let major: UInt16 = 1
  private static let minor: UInt16 = 0
  private static let checksumOffset = 60

  /// At most `Limits.blobByteCountMax`, so that sums of what follows do not overflow.
  let payloadByteCount: Int
  let tableChecksum: UInt32

  var blockCount: Int { (payloadByteCount + Self.blockByteCount - 1) >> Self.blockShift }
  var tableByteCount: Int { 4 * blockCount }
  var tableOffset: Int { Self.byteCount + payloadByteCount }
  var fileByteCount: Int { tableOffset + tableByteCount }

  func encoded(name: String) -> [UInt8] {
    var writer = ByteWriter(byteCountExpected: Self.byteCount)
    for byte in Self.magic { writer.write(byte) }
    writer.write(Self.major)
    writer.write(Self.minor)
    writer.write(UInt32(Self.blockByteCount))
    writer.write(UInt64(payloadByteCount))
    writer.write(BlobChecksum.identity(of: name))
    writer.write(tableChecksum)
    for _ in 0..<7 { writer.write(0 as UInt32) }
    writer.write(CRC32C.checksum(of: writer.bytes))
    return writer.bytes
  }

  init(payloadByteCount: Int, tableChecksum: UInt32) {
    self.payloadByteCount = payloadByteCount
    self.tableChecksum = tableChecksum
  }

  /// Reads the header of an open file, and checks it and the file's length.
  ///
  /// - Throws: `.corruption`, `.unsupportedFormat`, `.io`.
  init(of file: any File, name: String) throws(ChromaError) {
    let bytes = try file.read(at: 0, byteCountMax: Self.byteCount)
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      try Self.parse(UnsafeRawBufferPointer(buffer), name: name, path: file.path)
    }
    let fileByteCount = try file.byteCount()
    guard fileByteCount == UInt64(self.fileByteCount) else {
      throw .corruption(
        "The blob \(file.path) is damaged: it has \(fileByteCount) bytes, its header says "
          + "\(self.fileByteCount).")
    }
  }

  static func parse(
    _ bytes: UnsafeRawBufferPointer, name: String, path: String
  ) throws(ChromaError) -> BlobHeader {
    var reader = ByteReader(bytes, source: "blob \(path)")
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
    let covered = UnsafeRawBufferPointer(rebasing: bytes[..<checksumOffset])
    guard CRC32C.checksum(of: covered) == checksum else {
      throw reader.damage("the checksum of its header does not hold")
    }
    guard UInt16(truncatingIfNeeded: format) == major else {
      throw ChromaError(
        .unsupportedFormat,
        "The blob \(path) has format \(format & 0xFFFF); this release reads \(major). "
          + "Use a newer release.")
    }
    guard identity == BlobChecksum.identity(of: name), blockByteCount == Self.blockByteCount,
      payloadByteCount <= UInt64(Limits.blobByteCountMax)
    else { throw reader.damage("its header belongs to something else") }
    return BlobHeader(payloadByteCount: Int(payloadByteCount), tableChecksum: tableChecksum)
  }

  /// Reads the table of checksums into memory of `tableByteCount` bytes, and checks it.
  func readTable(
    of file: any File, into table: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) {
    let byteCount = try file.read(at: UInt64(tableOffset), into: table)
    guard byteCount == tableByteCount else { throw Self.cutShort(file.path) }
    guard CRC32C.checksum(of: UnsafeRawBufferPointer(table)) == tableChecksum else {
      throw .corruption(
        "The blob \(file.path) is damaged: the checksum of its checksums does not hold, from byte "
          + "\(tableOffset).")
    }
  }

  static func cutShort(_ path: String) -> ChromaError {
    .corruption("The blob \(path) is damaged: it became shorter while it was read.")
  }
}

/// The checksums of a blob's blocks.
enum BlobChecksum {
  static func identity(of name: String) -> UInt32 {
    CRC32C.checksum(of: Array(name.utf8))
  }

  /// What a block's checksum continues: that of the name's checksum and the block's number.
  static func seed(identity: UInt32, block: Int) -> UInt32 {
    let number = UInt64(truncatingIfNeeded: block)
    let head = (
      identity.littleEndian, UInt32(truncatingIfNeeded: number).littleEndian,
      UInt32(truncatingIfNeeded: number >> 32).littleEndian
    )
    return withUnsafeBytes(of: head) { CRC32C.checksum(of: $0) }
  }

  static func damagedBlock(_ block: Int, path: String) -> ChromaError {
    .corruption(
      "The blob \(path) is damaged: the checksum of the block at byte "
        + "\(BlobHeader.byteCount + block << BlobHeader.blockShift) does not hold.")
  }
}
