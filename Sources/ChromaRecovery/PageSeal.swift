// The seal at the end of each page of chroma.db: "CHP1", and the CRC-32C of the page's number and of
// its bytes up to there (docs/FORMAT.md).

import ChromaBase

enum PageSeal {
  static let pageByteCount = 4096
  private static let magic: [UInt8] = Array("CHP1".utf8)
  private static let checksumOffset = pageByteCount - 4

  static func isIntact(_ page: [UInt8], number: Int) -> Bool {
    page.count == pageByteCount && page[(checksumOffset - 4)..<checksumOffset].elementsEqual(magic)
      && checksum(of: page, number) == storedChecksum(of: page)
  }

  /// The page as it was written, if it is intact but for one bit: which one, its checksum says.
  static func mended(_ page: [UInt8], number: Int) -> [UInt8]? {
    guard page.count == pageByteCount else { return nil }
    let difference = checksum(of: page, number) ^ storedChecksum(of: page)
    guard let bit = CRC32C.flippedBit(byteCount: checksumOffset, difference: difference) else {
      return nil
    }
    var page = page
    page[bit / 8] ^= 1 << UInt8(bit % 8)
    return isIntact(page, number: number) ? page : nil
  }

  /// The page of a frame of the log, if it is intact, or but for one bit.
  static func page(_ number: Int, ofFrame frame: [UInt8]) -> [UInt8]? {
    let page = Array(frame[WALFrames.frameHeaderByteCount...])
    return isIntact(page, number: number) ? page : mended(page, number: number)
  }

  private static func storedChecksum(of page: [UInt8]) -> UInt32 {
    page[checksumOffset...].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func checksum(of page: [UInt8], _ number: Int) -> UInt32 {
    let prefix = withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) {
      CRC32C.checksum(of: $0)
    }
    return page.withUnsafeBytes {
      CRC32C.checksum(
        of: UnsafeRawBufferPointer(rebasing: $0[..<checksumOffset]), continuing: prefix)
    }
  }
}
