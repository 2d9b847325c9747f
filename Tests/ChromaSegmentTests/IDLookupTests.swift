import ChromaBase
import ChromaSegment
import ChromaTestSupport
import Testing

/// Every id finds its row, however the ids were chosen. Method: many ids, and ids made to have one
/// hash by solving for it.
@Suite struct IDLookupTests {
  private func segment(_ ids: [Text]) throws -> Segment {
    let rows = ids.enumerated().map { row, id in
      ModelRows.Row(id: id, order: Int64(row) + 1, slot: UInt32(row), vector: [1])
    }
    let bytes = try SegmentWriter.encode(
      ModelRows(rows: rows, dimension: 1, space: .l2), ModelRows.description,
      byteCountMax: 1 << 30)
    return try Segment(
      inline: try #require(bytes), source: "test", cache: DocumentBlockCache(byteCountMax: 0))
  }

  @Test("many ids are found, and their neighbours are not")
  func many() throws {
    let ids = (0..<20_000).map { Text("document-\($0)") }
    let segment = try segment(ids)
    for (row, id) in ids.enumerated() {
      #expect(try segment.row(of: id) == row)
      #expect(try segment.row(of: Text("\(id)x")) == nil)
      #expect(try segment.row(of: id, hash: IDHash.of(id)) == row)
    }
    try segment.verifyAll()
  }

  /// Ids of two words whose second word brings the state after the first to one target.
  private func colliding(_ count: Int) -> [Text] {
    var random = SeededRandom(1)
    var ids: [Text] = []
    while ids.count < count {
      let first = UInt64(random.int(in: 0...Int.max)) & 0x7F7F_7F7F_7F7F_7F7F
      var state = (16 &* 0x9E37_79B9_7F4A_7C15 ^ first) &* 0xBF58_476D_1CE4_E5B9
      state ^= state >> 32
      let second = state ^ 0x0123_4567_89AB_CDEF
      let bytes = [first, second].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
      }
      if let id = Text(validating: bytes) { ids.append(id) }
    }
    return ids
  }

  @Test("ids that were made to have one hash are found too")
  func hostile() throws {
    let made = colliding(200)
    #expect(Set(made.map(IDHash.of)).count == 1)
    let ids = (0..<50).map { Text("a\($0)") } + made.dropLast(50)
    let segment = try segment(ids)
    for (row, id) in ids.enumerated() { #expect(try segment.row(of: id) == row) }
    for id in made.suffix(50) { #expect(try segment.row(of: id) == nil) }
    try segment.verifyAll()
  }

  @Test("hashes are those that the format defines")
  func knownHashes() {
    #expect(IDHash.of("") == 0)
    #expect(IDHash.of("a") == 0x6E7D_1344_7EF8_2A96)
    #expect(IDHash.of("12345678") == 0x9855_5F20_A6FB_59DC)
    #expect(IDHash.of("document-é") == 0x33FD_EFDA_13A5_BBE6)
  }
}
