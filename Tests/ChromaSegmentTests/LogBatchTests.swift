import ChromaBase
import ChromaSegment
import ChromaTestSupport
import Testing

/// A batch comes out of the log as it went in, or not at all. Method: random batches there and back;
/// every flipped bit and every length of an encoded batch; damage behind a repaired checksum.
@Suite struct LogBatchTests {
  @Test("a batch decodes to itself", arguments: 0..<200 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let batch = RecordBatch.random(dimension: 3, idCount: 20, rowCountMax: 40, using: &random)
    let decoded = try LogBatch.decode(try LogBatch.encode(batch), source: "seed \(seed)")
    // Compared by bytes: the encoding is what counts, and NaN has no place in it.
    #expect(decoded == batch, "seed \(seed)")
  }

  @Test("every flipped bit and every shorter length is found")
  func damage() throws {
    var random = SeededRandom(7)
    let bytes = try LogBatch.encode(
      RecordBatch.random(dimension: 2, idCount: 5, rowCountMax: 6, using: &random))
    for offset in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[offset] ^= UInt8(1 << bit)
        #expect(throws: ChromaError.self, "byte \(offset), bit \(bit)") {
          try LogBatch.decode(damaged, source: "test")
        }
      }
      #expect(throws: ChromaError.self, "\(offset) bytes") {
        try LogBatch.decode(Array(bytes[..<offset]), source: "test")
      }
    }
  }

  @Test("damage that carries a right checksum gives an error or a batch, never a trap")
  func hostile() throws {
    for seed in 0..<2_000 as Range<UInt64> { try readDamaged(seed: seed) }
  }

  private func readDamaged(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var bytes = try LogBatch.encode(
      RecordBatch.random(dimension: 2, idCount: 5, rowCountMax: 6, using: &random))
    bytes.removeLast(4)
    for _ in 0..<random.int(in: 1...4) {
      let offset = random.int(in: 4...bytes.count - 1)
      bytes[offset] =
        [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)][
          random.int(in: 0...5)]
    }
    var writer = ByteWriter()
    writer.write(CRC32C.checksum(of: bytes))
    guard let batch = try? LogBatch.decode(bytes + writer.bytes, source: "test") else { return }
    #expect(!batch.ids.contains(""), "seed \(seed)")
    let isFinite = batch.embeddings?.values.allSatisfy(\.isFinite) ?? true
    #expect(isFinite, "seed \(seed)")
  }
}
