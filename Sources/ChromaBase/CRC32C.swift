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
