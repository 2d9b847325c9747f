import ChromaBase
import Testing

@Suite struct FlippedBitTests {
  @Test("the bit that was flipped is found in a message and in its checksum")
  func flippedBit() {
    var message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let stored = CRC32C.checksum(of: message)
    for bit in stride(from: 0, to: 8 * message.count, by: 7) {
      message[bit / 8] ^= 1 << UInt8(bit % 8)
      let difference = CRC32C.checksum(of: message) ^ stored
      #expect(CRC32C.flippedBit(byteCount: message.count, difference: difference) == bit)
      message[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    #expect(CRC32C.flippedBit(byteCount: 300, difference: 1 << 9) == 8 * 300 + 9)
    message[5] ^= 0x11
    let difference = CRC32C.checksum(of: message) ^ stored
    #expect(CRC32C.flippedBit(byteCount: 300, difference: difference) == nil)
  }
}
