// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected), as iSCSI uses it (RFC 3720, appendix B.4):
// the checksum of every block on disk. It finds every burst of up to 32 bits, and up to three
// flipped bits in blocks of our sizes; most processors have an instruction for it.

internal import CChromaPlatform

package enum CRC32C {
  /// The checksum of the bytes; with `continuing`, of what that checksum covers followed by them.
  package static func checksum(
    of bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0
  ) -> UInt32 {
    guard let base = bytes.baseAddress else { return previous }
    return chroma_crc32c(previous, base, bytes.count)
  }

  package static func checksum(of bytes: [UInt8], continuing previous: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { checksum(of: $0, continuing: previous) }
  }
}

extension CRC32C {
  /// The one bit that makes a message's checksum differ so from the stored one when it is flipped.
  ///
  /// Two bits of a message of less than 2^31 bits never make the same difference, so this finds any
  /// single flipped bit. Greater damage looks like one in a message of n bits with a chance of
  /// n / 2^32: whoever mends needs another check.
  ///
  /// - Parameters:
  ///   - byteCount: Of the message, without its checksum.
  ///   - difference: The message's checksum as it is, xor the stored one; not 0.
  /// - Returns: The bit, counted from the first byte's lowest; one of the 32 after the message if it
  ///   is the stored checksum, little-endian, that was flipped. Nil if no single bit explains it.
  package static func flippedBit(byteCount: Int, difference: UInt32) -> Int? {
    if difference.nonzeroBitCount == 1 { return 8 * byteCount + difference.trailingZeroBitCount }
    // What each bit of a byte does to the checksum, first of the last byte, then of those before.
    var effects = (0..<8).map { zeros[1 << $0] }
    let table = zeros
    for byte in stride(from: byteCount - 1, through: 0, by: -1) {
      for bit in 0..<8 {
        if effects[bit] == difference { return 8 * byte + bit }
        effects[bit] = effects[bit] >> 8 ^ table[Int(effects[bit] & 0xFF)]
      }
    }
    return nil
  }

  /// What a byte becomes that a byte of zeros follows.
  private static let zeros: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(byte) { state, _ in state >> 1 ^ (state & 1 == 1 ? 0x82F6_3B78 : 0) }
  }
}
