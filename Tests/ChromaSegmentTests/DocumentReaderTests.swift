import ChromaBase
import ChromaSegment
import ChromaTestSupport
import Testing

/// Documents read in place are those read one by one, whichever rows are asked for.
@Suite struct DocumentReaderTests {
  private func open(_ documents: [Text?], _ cache: DocumentBlockCache) throws -> Segment {
    let rows = documents.enumerated().map { row, document in
      ModelRows.Row(
        id: Text("\(row)"), order: Int64(row) + 1, slot: UInt32(row), vector: [0],
        document: document)
    }
    let bytes = try SegmentWriter.encode(
      ModelRows(rows: rows, dimension: 1, space: .l2), ModelRows.description,
      byteCountMax: 1 << 30)
    return try Segment(inline: try #require(bytes), source: "segment under test", cache: cache)
  }

  private func documents(_ count: Int, using random: inout SeededRandom) -> [Text?] {
    let words = ["apple ", "水", "e\u{301}", "\u{0}", "😀", "lorem ipsum dolor sit amet "]
    return (0..<count).map { _ in
      if random.oneIn(5) { return nil }
      let wordCount = random.oneIn(40) ? 5_000 : random.int(in: 0...20)
      return Text((0..<wordCount).map { _ in random.element(of: words) }.joined())
    }
  }

  @Test("the documents of any rows, from any row on, are those that were written")
  func anyRows() throws {
    for seed in 0..<40 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rowCount = random.element(of: [1, 63, 64, 65, 300])
      let documents = documents(rowCount, using: &random)
      let cache = DocumentBlockCache(byteCountMax: random.element(of: [0, 100_000, 1 << 20]))
      let segment = try open(documents, cache)
      let present = Bitset((0..<rowCount).filter { documents[$0] != nil }.map { UInt32($0) })
      #expect(try segment.rowsWithDocument() == present, "seed \(seed)")
      for _ in 0..<5 {
        // Also some that there are not.
        let rows = Bitset((0..<UInt32(rowCount + 100)).filter { _ in random.oneIn(2) })
        let firstRow = random.int(in: -1...rowCount + 200)
        let limit = random.int(in: 1...rowCount)
        var found: [(row: Int, document: Text?)] = []
        try segment.forEachDocument(in: rows, from: firstRow) { (row, utf8) in
          found.append((row, Text(validating: utf8)))
          return found.count < limit
        }
        let expected = rows.intersection(present).map { Int($0) }.filter { $0 >= firstRow }
        #expect(found.map(\.row) == Array(expected.prefix(limit)), "seed \(seed)")
        #expect(found.allSatisfy { $0.document == documents[$0.row] }, "seed \(seed)")
      }
    }
  }

  @Test("each block is decompressed once, and not at all if it is in the cache")
  func unpacked() throws {
    let documents = (0..<3000).map { Text("document \($0) " + String(repeating: "x", count: 90)) }
    let byteCount = documents.reduce(0) { $0 + $1.byteCount }
    var blockCount = 0
    var rest = 0
    for document in documents {
      if rest == 0 { blockCount += 1 }
      rest += document.byteCount
      if rest >= Limits.documentBlockByteCount { rest = 0 }
    }
    let uncached = try open(documents, DocumentBlockCache(byteCountMax: 0))
    let all = Bitset(firstSlots: 3000)
    for _ in 0..<2 {
      var reader = DocumentReader(uncached)
      try reader.forEachDocument(in: all) { _, _ in true }
      #expect(reader.unpackedByteCount == byteCount)
      #expect(reader.unpackedBlockCount == blockCount)
    }
    let cached = try open(documents, DocumentBlockCache(byteCountMax: 1 << 20))
    #expect(try cached.forEachDocument(in: all) { _, _ in true } == byteCount)
    #expect(try cached.forEachDocument(in: all) { _, _ in true } == 0)
  }

  @Test("a document that ends inside a character is found, though its block is UTF-8")
  func cutCharacter() throws {
    // Texts of one length take no bytes for their ends: base and step are the lengths.
    let whole = try SegmentWriter.encode(
      ModelRows(
        rows: ["éa", "bé"].enumerated().map {
          ModelRows.Row(
            id: Text("\($0)"), order: Int64($0) + 1, slot: UInt32($0), vector: [0],
            document: Text($1))
        }, dimension: 1, space: .l2), ModelRows.description)
    var bytes = try #require(whole)
    // Presence 1; no width, a byte of base and of step; the first end.
    let head = [1, 0, 1, 1, 3, 3] as [UInt8]
    let place = try #require(
      bytes.indices.dropLast(6).first { Array(bytes[$0..<$0 + 6]) == head })
    bytes[place + 4] = 1
    bytes[place + 5] = 5
    SegmentForgery.sign(&bytes)
    let segment = try Segment(
      inline: bytes, source: "segment under test", cache: DocumentBlockCache(byteCountMax: 0))
    let error = #expect(throws: ChromaError.self) {
      try segment.forEachDocument(in: Bitset(firstSlots: 2)) { _, _ in true }
    }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains("the document of row 0 is not UTF-8") == true)
  }
}
