import ChromaBase
import ChromaSegment
import ChromaTestSupport
import ChromaText
import Testing

/// The index of documents against looking at them all: any Unicode, literals of any length, any
/// candidates, chunks of one long document and of very many short ones.
@Suite struct TextIndexTests {
  private let cache = DocumentBlockCache(byteCountMax: 1 << 24)

  private func encoded(_ documents: [Text?], rowCountMin: Int = 1) throws -> [UInt8] {
    let rows = documents.enumerated().map { row, document in
      ModelRows.Row(
        id: Text("\(row)"), order: Int64(row) + 1, slot: UInt32(row), vector: [0],
        document: document)
    }
    let bytes = try SegmentWriter.encode(
      ModelRows(rows: rows, dimension: 1, space: .l2), ModelRows.description,
      byteCountMax: 1 << 30, indexes: SegmentIndexes(rowCountMin: rowCountMin))
    return try #require(bytes)
  }

  private func open(_ bytes: [UInt8]) throws(ChromaError) -> Segment {
    try Segment(inline: bytes, source: "segment under test", cache: cache)
  }

  private func naiveRows(_ documents: [Text?], holding literal: [UInt8]) -> Bitset {
    Bitset(
      documents.indices.filter { row in
        guard let document = documents[row] else { return false }
        return document.bytes.withUnsafeBufferPointer { haystack in
          literal.withUnsafeBufferPointer { contains($0, in: haystack) }
        }
      }.map { UInt32($0) })
  }

  /// Whether the index keeps what it promises of one literal.
  private func expectRight(
    _ index: TextIndex, _ documents: [Text?], _ literal: [UInt8], within candidates: Bitset?,
    _ comment: Comment
  ) throws {
    let all = naiveRows(documents, holding: literal)
    let expected = candidates.map { all.intersection($0) } ?? all
    let found = try index.rows(holding: literal, within: candidates)
    if literal.count <= 3 { #expect(found.isExact, comment) }
    if found.isExact {
      #expect(found.rows == expected, comment)
    } else {
      #expect(expected.subtracting(found.rows).isEmpty, comment)
      #expect(found.rows.subtracting(naiveRows(documents, holding: [])).isEmpty, comment)
      if let candidates { #expect(found.rows.subtracting(candidates).isEmpty, comment) }
    }
    #expect(try index.estimate(literal) >= all.count, comment)
  }

  private func documents(_ count: Int, using random: inout SeededRandom) -> [Text?] {
    let scalars: [Unicode.Scalar] = [
      "a", "b", "e", " ", "\u{0}", "é", "\u{301}", "水", "語", "😀", "\u{10FFFF}", "\u{7F}",
    ]
    let alphabet = Array(scalars.shuffled(using: &random).prefix(random.int(in: 1...12)))
    return (0..<count).map { _ in
      if random.oneIn(6) { return nil }
      let length = random.oneIn(30) ? random.int(in: 0...400) : random.int(in: 0...12)
      var text = String.UnicodeScalarView()
      for _ in 0..<length { text.append(random.element(of: alphabet)) }
      return Text(String(text))
    }
  }

  /// A part of a document, one that is slightly changed, or bytes of no document.
  private func literal(_ documents: [Text?], using random: inout SeededRandom) -> [UInt8] {
    let bytes = random.element(of: documents)?.bytes ?? []
    let length = random.oneIn(3) ? random.int(in: 1...100) : random.int(in: 1...6)
    let start = random.int(in: 0...max(0, bytes.count - length))
    var literal = Array(bytes[start...].prefix(length))
    if random.oneIn(4) { literal.append(UInt8(random.int(in: 0...255))) }
    return literal.isEmpty ? Array("ab\u{0}".utf8) : literal
  }

  @Test("rows are those that hold the literal, or more where they are not said to be exact")
  func anyText() throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededRandom(seed)
      let documents = documents(random.element(of: [1, 5, 64, 300]), using: &random)
      guard documents.contains(where: { $0 != nil }) else { continue }
      let segment = try open(encoded(documents))
      let index = try #require(segment.textIndex)
      for _ in 0..<25 {
        let literal = literal(documents, using: &random)
        var candidates: Bitset?
        if random.oneIn(2) {
          let every = random.element(of: [1, 2, 50])
          candidates = Bitset(
            (0..<UInt32(documents.count + 70)).filter { _ in random.oneIn(every) })
        }
        try expectRight(index, documents, literal, within: candidates, "seed \(seed), \(literal)")
      }
      try expectRight(index, documents, [], within: nil, "seed \(seed), empty")
      #expect(try index.rows(holding: []).isExact)
      try segment.verifyAll()
    }
  }

  @Test("documents of more than a chunk, and of more than is sorted at once, are found too")
  func longDocuments() throws {
    var random = SeededRandom(7)
    var documents: [Text?] = [nil, "", "needle"]
    for number in 0..<4 {
      let words = ["alpha ", "bravo ", "水 ", "\(number) "]
      let part = (0..<2000).map { _ in random.element(of: words) }.joined()
      let byteCount = number == 2 ? 5 << 19 : 1 << 20
      let text = String(repeating: part, count: byteCount / part.utf8.count)
      documents.append(Text(text + (number == 1 ? "needle" : "need") + " le"))
      documents.append(number == 3 ? nil : Text("haystack \(number)"))
    }
    let segment = try open(encoded(documents))
    let index = try #require(segment.textIndex)
    for literal in ["needle", "need", "dle", "le", "水", "水 alpha", "1 bravo", "stack 2", "\u{0}"] {
      for candidates in [nil, Bitset([2, 5, 7])] {
        try expectRight(
          index, documents, Array(literal.utf8), within: candidates, "\(literal)")
      }
    }
    #expect(try index.rows(holding: Array("needle".utf8)).rows == Bitset([2, 5]))
    try segment.verifyAll()
  }

  @Test("rows beyond those of one chunk are counted on")
  func manyRows() throws {
    let documents = (0..<70_000).map { $0 % 500 == 7 ? Text("x\($0)") : nil }
    let segment = try open(encoded(documents))
    let index = try #require(segment.textIndex)
    for literal in ["x", "x6", "x69", "x69507", "507", "07", "y"] {
      try expectRight(index, documents, Array(literal.utf8), within: nil, "\(literal)")
    }
    #expect(try index.rows(holding: Array("x69507".utf8)).rows.contains(69_507))
  }

  @Test("an index is written where rows are many, documents there, and the collection wants one")
  func whereWritten() throws {
    let documents = [Text?](repeating: "text", count: 10)
    #expect(try open(encoded(documents)).textIndex != nil)
    #expect(try open(encoded(documents, rowCountMin: 11)).textIndex == nil)
    #expect(try open(encoded([nil, nil])).textIndex == nil)
    let rows = ModelRows(
      rows: [.init(id: "a", order: 1, slot: 0, vector: [0], document: "text")], dimension: 1,
      space: .l2)
    let bytes = try SegmentWriter.encode(
      rows, ModelRows.description, indexes: SegmentIndexes(rowCountMin: 1, hasTextIndex: false))
    #expect(try open(try #require(bytes)).textIndex == nil)
  }

  @Test("the bytes of an index are those that its format tells")
  func bytes() throws {
    let bytes = try encoded(["abcab", nil, "ab"])
    let section = try #require(SegmentForgery.section(16, of: bytes))
    var expected = ByteWriter()
    // Grams of three, two or one bytes; how many; the width; where the list ends.
    let entries: [(gram: UInt64, count: UInt64, width: UInt64, end: UInt64)] = [
      (0x616200, 2, 0, 1), (0x616263, 3, 0, 2), (0x620000, 1, 0, 3), (0x626361, 3, 0, 4),
      (0x636162, 3, 0, 5),
    ]
    for entry in entries {
      expected.write(entry.gram << 40 | entry.count << 38 | entry.width << 32 | entry.end)
    }
    // Bit sets of the rows.
    for rows in [0b101, 0b001, 0b101, 0b001, 0b001] as [UInt8] { expected.write(rows) }
    // Rows, grams, bytes of the lists; chunks.
    for number in [3, 5, 5, 1] as [UInt32] { expected.write(number) }
    #expect(Array(bytes[section]) == expected.bytes)
  }

  @Test("a changed index under valid checksums never traps, names no row that is not, and is found")
  func hostile() throws {
    for seed in 0..<400 as Range<UInt64> {
      var random = SeededRandom(seed)
      let documents = documents(random.element(of: [1, 9, 70]), using: &random)
      guard documents.contains(where: { $0 != nil }) else { continue }
      var bytes = try encoded(documents)
      let whole = bytes
      let section = try #require(SegmentForgery.section(16, of: bytes))
      for _ in 0..<random.int(in: 1...3) {
        // The table is at the end, and small.
        let first = random.oneIn(4) ? max(section.lowerBound, section.upperBound - 16) : nil
        bytes[random.int(in: (first ?? section.lowerBound)...section.upperBound - 1)] =
          random.element(of: [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.int(in: 0...255))])
      }
      if bytes == whole { continue }
      SegmentForgery.sign(&bytes)
      let segment = try open(bytes)
      // Some changes are none: a single row 0 is the same in any width.
      var isFound = false
      do { try segment.verifyAll() } catch {
        #expect(error.kind == .corruption, "seed \(seed)")
        isFound = true
      }
      guard let index = segment.textIndex else {
        #expect(isFound, "seed \(seed)")
        continue
      }
      for _ in 0..<10 {
        let literal = literal(documents, using: &random)
        let candidates = random.oneIn(2) ? nil : Bitset([0, 5, 60])
        let rows = try index.rows(holding: literal, within: candidates).rows
        #expect(rows.allSatisfy { $0 < documents.count }, "seed \(seed)")
        _ = try index.estimate(literal)
        if !isFound {
          try expectRight(index, documents, literal, within: candidates, "seed \(seed)")
        }
      }
    }
  }
}
