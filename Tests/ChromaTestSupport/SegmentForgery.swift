import ChromaBase

/// Segments made by hand: with bytes that the writer would not write, and checksums that hold.
package enum SegmentForgery {
  private static let trailerByteCount = 80

  private static func directoryOffset(of bytes: [UInt8]) -> Int {
    let stored = bytes[(bytes.count - trailerByteCount)...].prefix(8)
    let offset = stored.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    return Int(min(offset, UInt64(bytes.count - trailerByteCount)))
  }

  /// Makes both checksums hold.
  package static func sign(_ bytes: inout [UInt8]) {
    let directory = directoryOffset(of: bytes)
    store(CRC32C.checksum(of: Array(bytes[..<directory])), at: bytes.count - 12, of: &bytes)
    store(
      CRC32C.checksum(of: Array(bytes[directory..<bytes.count - 8])), at: bytes.count - 8,
      of: &bytes)
  }

  private static func store(_ number: UInt32, at offset: Int, of bytes: inout [UInt8]) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
  }

  /// Where a section stands in a segment; nil if it has none of the kind.
  package static func section(_ kind: UInt16, of bytes: [UInt8]) -> Range<Int>? {
    let directory = directoryOffset(of: bytes)
    let mask = 1 << Int(bytes[bytes.count - trailerByteCount + 23]) - 1
    var offset = 0
    for entry in stride(from: directory, to: bytes.count - trailerByteCount, by: 12) {
      let byteCount = bytes[entry + 4..<entry + 12].reversed().reduce(0) { $0 << 8 | Int($1) }
      offset = (offset + mask) & ~mask
      if UInt16(bytes[entry]) | UInt16(bytes[entry + 1]) << 8 == kind {
        return offset..<offset + byteCount
      }
      offset += byteCount
    }
    return nil
  }

  /// With one byte of a section wrong, and checksums that hold; nil if it has none of the kind.
  package static func spoiling(
    section kind: UInt16, of bytes: [UInt8], _ random: inout SeededRandom
  ) -> [UInt8]? {
    guard let section = section(kind, of: bytes), !section.isEmpty else { return nil }
    var forged = bytes
    forged[random.int(in: section.lowerBound...section.upperBound - 1)] ^=
      1 << UInt8(random.int(in: 0...7))
    sign(&forged)
    return forged
  }

  package static func adding(
    section: [UInt8], kind: UInt16, isRequired: Bool, to bytes: [UInt8]
  ) -> [UInt8] {
    let directory = directoryOffset(of: bytes)
    var trailer = Array(bytes[(bytes.count - trailerByteCount)...])
    var offset = ByteWriter()
    offset.write(UInt64(directory + section.count))
    trailer.replaceSubrange(0..<8, with: offset.bytes)
    trailer[20] += 1
    var entry = ByteWriter()
    entry.write(kind)
    entry.write(isRequired ? 1 : 0 as UInt16)
    entry.write(UInt64(section.count))
    let entries = bytes[directory..<bytes.count - trailerByteCount]
    var forged = bytes[..<directory] + section + entries + entry.bytes + trailer
    var result = Array(forged)
    forged = []
    sign(&result)
    return result
  }
}
