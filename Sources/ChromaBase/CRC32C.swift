// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected), as iSCSI uses it (RFC 3720, appendix B.4).
//
// Slicing by eight (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance
// CRC Generation", 2008): eight tables, eight bytes a step.

package enum CRC32C {
  /// The checksum of the bytes; with `continuing`, of what that checksum covers followed by them.
  package static func checksum(
    of bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0
  ) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var crc = ~previous
      var index = 0
      while bytes.count - index >= 8 {
        let word =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
          ^ UInt64(crc)
        crc =
          tables[7 * 256 + Int(word & 0xFF)]
          ^ tables[6 * 256 + Int(word >> 8 & 0xFF)]
          ^ tables[5 * 256 + Int(word >> 16 & 0xFF)]
          ^ tables[4 * 256 + Int(word >> 24 & 0xFF)]
          ^ tables[3 * 256 + Int(word >> 32 & 0xFF)]
          ^ tables[2 * 256 + Int(word >> 40 & 0xFF)]
          ^ tables[1 * 256 + Int(word >> 48 & 0xFF)]
          ^ tables[Int(word >> 56)]
        index += 8
      }
      while index < bytes.count {
        crc = tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ (crc >> 8)
        index += 1
      }
      return ~crc
    }
  }

  package static func checksum(of bytes: [UInt8], continuing previous: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { checksum(of: $0, continuing: previous) }
  }

  /// Table k, entry b: the effect of byte b followed by k zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
      tables[byte] = crc
    }
    for index in 256..<8 * 256 {
      let shorter = tables[index - 256]
      tables[index] = tables[Int(shorter & 0xFF)] ^ shorter >> 8
    }
    return tables
  }()
}
