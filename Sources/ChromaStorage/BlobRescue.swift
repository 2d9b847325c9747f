// A damaged blob, read as far as it can be.
//
// What stands around the payload is stored once more in other words: the length of the file says that
// of the payload, the name is known, and the checksums of the blocks can be made anew and compared
// with that of their table. A block in which one bit was flipped is mended, since its checksum says
// which.

package import ChromaBase

package struct BlobRescue {
  /// With whatever stands in the blocks that are damaged, and zeros where the file ends too soon.
  package private(set) var payload: [UInt8]
  /// Blocks, of `blockByteCount` bytes, whose bytes are not what was written, as far as is known.
  package private(set) var damagedBlocks = Bitset()

  package static var blockByteCount: Int { BlobHeader.blockByteCount }

  /// - Returns: Nil if not even the length of the payload can be found out.
  /// - Throws: `.io`; `.unsupportedFormat` if a newer release wrote it.
  package init?(_ file: any File, name: String) throws(ChromaError) {
    let fileByteCount = Int(clamping: try file.byteCount())
    let stored = try file.read(at: 0, byteCountMax: BlobHeader.byteCount)
    let header = try Self.header(stored, name: name, path: file.path)
    guard
      let byteCount = header?.payloadByteCount
        ?? Self.payloadByteCount(fileByteCount: fileByteCount)
    else { return nil }
    // A length that the file contradicts allocates nothing.
    guard byteCount <= 2 * fileByteCount + BlobHeader.blockByteCount else { return nil }
    payload = try file.read(at: UInt64(BlobHeader.byteCount), byteCountMax: byteCount)
    let presentCount = payload.count
    payload += [UInt8](repeating: 0, count: byteCount - presentCount)
    let blockCount = (byteCount + Self.blockByteCount - 1) / Self.blockByteCount
    let table = try file.read(
      at: UInt64(BlobHeader.byteCount + byteCount), byteCountMax: 4 * blockCount)
    let found = (0..<blockCount).map { checksum(of: $0, name) }
    if let header, Self.checksum(ofTable: found) == header.tableChecksum { return }
    for block in 0..<blockCount {
      guard 4 * block + 4 <= table.count else {
        damagedBlocks.insert(UInt32(block))
        continue
      }
      let entry = table[4 * block..<4 * block + 4].reversed().reduce(0 as UInt32) {
        $0 << 8 | UInt32($1)
      }
      if entry != found[block], !mend(block, difference: entry ^ found[block]) {
        damagedBlocks.insert(UInt32(block))
      }
    }
  }

  /// Says that another checksum vouches for all bytes.
  package mutating func trustAll() {
    damagedBlocks = Bitset()
  }

  private func range(of block: Int) -> Range<Int> {
    let start = block * Self.blockByteCount
    return start..<min(start + Self.blockByteCount, payload.count)
  }

  private func checksum(of block: Int, _ name: String) -> UInt32 {
    payload.withUnsafeBytes { bytes in
      CRC32C.checksum(
        of: UnsafeRawBufferPointer(rebasing: bytes[range(of: block)]),
        continuing: BlobChecksum.seed(identity: BlobChecksum.identity(of: name), block: block))
    }
  }

  /// - Returns: Whether one flipped bit, of the block or of its checksum, was all.
  private mutating func mend(_ block: Int, difference: UInt32) -> Bool {
    let range = range(of: block)
    guard let bit = CRC32C.flippedBit(byteCount: range.count, difference: difference) else {
      return false
    }
    if bit < 8 * range.count { payload[range.lowerBound + bit / 8] ^= 1 << UInt8(bit % 8) }
    return true
  }

  private static func checksum(ofTable entries: [UInt32]) -> UInt32 {
    var writer = ByteWriter(byteCountExpected: 4 * entries.count)
    for entry in entries { writer.write(entry) }
    return CRC32C.checksum(of: writer.bytes)
  }

  /// The header, if it is intact but for one bit.
  private static func header(
    _ bytes: [UInt8], name: String, path: String
  ) throws(ChromaError) -> BlobHeader? {
    guard bytes.count == BlobHeader.byteCount else { return nil }
    do throws(ChromaError) {
      return try BlobHeader(bytes, name: name, path: path)
    } catch {
      guard error.kind == .corruption else { throw error }
    }
    let covered = bytes.count - 4
    let stored = bytes[covered...].reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    let difference = CRC32C.checksum(of: Array(bytes[..<covered])) ^ stored
    guard difference != 0,
      let bit = CRC32C.flippedBit(byteCount: covered, difference: difference)
    else { return nil }
    var mended = bytes
    mended[bit / 8] ^= 1 << UInt8(bit % 8)
    return try? BlobHeader(mended, name: name, path: path)
  }

  /// The length of the payload in a file of so many bytes; nil if no length makes such a file.
  private static func payloadByteCount(fileByteCount: Int) -> Int? {
    let rest = fileByteCount - BlobHeader.byteCount
    guard rest >= 0 else { return nil }
    let blockCount = (rest + blockByteCount + 3) / (blockByteCount + 4)
    let byteCount = rest - 4 * blockCount
    guard byteCount >= 0, (byteCount + blockByteCount - 1) / blockByteCount == blockCount else {
      return nil
    }
    return byteCount
  }
}

extension BlobHeader {
  init(_ bytes: [UInt8], name: String, path: String) throws(ChromaError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      try Self.parse(UnsafeRawBufferPointer(buffer), name: name, path: path)
    }
  }
}
