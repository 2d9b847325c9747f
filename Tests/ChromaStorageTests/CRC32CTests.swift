import CChromaPlatform
import ChromaBase
import ChromaTestSupport
import Testing

/// The processor's instruction and the tables give the checksum of the definition.
@Suite struct CRC32CTests {
  @Test("the vectors of RFC 3720 come out")
  func knownVectors() {
    #expect(CRC32C.checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum(of: [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(of: Array(0..<32)) == 0x46DD_794E)
    #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum(of: []) == 0)
  }

  @Test("every length and alignment agrees with the definition, bit by bit")
  func agreesWithDefinition() {
    var random = SeededRandom(1)
    let bytes = (0..<300).map { _ in UInt8(random.int(in: 0...255)) }
    bytes.withUnsafeBytes { all in
      for start in 0..<9 {
        for count in 0...(300 - start) {
          let part = UnsafeRawBufferPointer(rebasing: all[start..<start + count])
          let expected = Self.definition(part)
          let head = CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: part[..<(count / 3)]))
          let tail = UnsafeRawBufferPointer(rebasing: part[(count / 3)...])
          let all = [
            CRC32C.checksum(of: part), CRC32C.checksum(of: tail, continuing: head),
            chroma_crc32c_portable(0, part.baseAddress, count),
          ]
          if all != [expected, expected, expected] {
            Issue.record("start \(start), count \(count): \(all), not \(expected)")
          }
        }
      }
    }
  }

  private static func definition(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }
}
