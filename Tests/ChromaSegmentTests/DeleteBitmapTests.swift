import ChromaBase
import ChromaSegment
import ChromaTestSupport
import Testing

/// Dead rows are stored in the shorter of two forms, and read back the same or refused.
@Suite struct DeleteBitmapTests {
  @Test("a set of rows is read back the same, in no more bytes than either form takes")
  func roundTrip() throws {
    for seed in 0..<300 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rowCount = random.element(of: [1, 7, 8, 9, 63, 64, 65, 1000])
      let deadCount = random.int(in: 0...rowCount)
      let rows = Bitset((0..<UInt32(rowCount)).shuffled(using: &random).prefix(deadCount))
      let bytes = DeleteBitmap.encode(rows, rowCount: rowCount)
      #expect(bytes.count == 1 + min((rowCount + 7) / 8, 4 * deadCount), "seed \(seed)")
      #expect(
        try DeleteBitmap.decode(bytes, rowCount: rowCount, source: "test") == rows, "seed \(seed)")
    }
  }

  @Test("bytes that are no set of rows are refused, and name their source")
  func damage() throws {
    let wrong: [[UInt8]] = [
      [], [0], [3, 0], [1], [1, 0, 0], [1, 0b100], [2, 0], [2, 2, 0, 0, 0],
      [2, 1, 0, 0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 1, 0, 0, 0], [2, 255, 255, 255, 255],
    ]
    for bytes in wrong {
      let error = #expect(throws: ChromaError.self, "\(bytes)") {
        try DeleteBitmap.decode(bytes, rowCount: 2, source: "bitmap under test")
      }
      #expect(error?.kind == .corruption)
      #expect(error?.message.contains("bitmap under test") == true)
    }
  }
}
