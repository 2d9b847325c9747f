import ChromaBase
import ChromaQuery
import ChromaTestSupport
import Testing

/// What the recorded answers leave open: exact numbers, bytes, long lists and deep nesting.
@Suite struct FilterTests {
  /// Numbers in ascending order; those of one row are equal. Neighbours are as close as 64 bits
  /// allow, on both sides of where integers or floats run out.
  private static let ladder: [[JSON]] = [
    [.float(-.greatestFiniteMagnitude)],
    [.float(-0x1.0000000000001p63)],
    [.int(.min), .float(-0x1p63)],
    [.int(.min + 1)],
    [.int(-0x20_0000_0000_0002), .float(-0x20_0000_0000_0002)],
    [.int(-0x20_0000_0000_0001)],
    [.int(-0x20_0000_0000_0000), .float(-0x20_0000_0000_0000)],
    [.float(-1.5)],
    [.int(-1), .float(-1)],
    [.float(-.leastNonzeroMagnitude)],
    [.int(0), .float(0), .float(-0.0)],
    [.float(.leastNonzeroMagnitude)],
    [.float(Double(1).nextDown)],
    [.int(1), .float(1)],
    [.float(Double(1).nextUp)],
    [.float(2.5)],
    [.int(0x20_0000_0000_0000), .float(0x20_0000_0000_0000)],
    [.int(0x20_0000_0000_0001)],
    [.int(0x20_0000_0000_0002), .float(0x20_0000_0000_0002)],
    [.int(0x7FFF_FFFF_FFFF_FC00), .float(0x1.FFFFFFFFFFFFFp62)],
    [.int(0x7FFF_FFFF_FFFF_FC01)],
    [.int(.max)],
    [.float(0x1p63)],
    [.float(0x1.0000000000001p63)],
    [.float(.greatestFiniteMagnitude)],
  ]

  @Test func numbersCompareByTheirValuesExactly() throws {
    for (row, equals) in Self.ladder.enumerated() {
      for operand in equals {
        for (position, stored) in Self.ladder.enumerated().flatMap({ row in
          row.element.map { (row.offset, $0) }
        }) {
          let record = record(stored)
          func holds(_ name: Text, _ operand: JSON) throws -> Bool {
            try filter(["n": .object([JSON.Member(name, operand)])]).matches(record)
          }
          let note: Comment = "\(stored.text) against \(operand.text)"
          #expect(try holds("$eq", operand) == (position == row), note)
          #expect(try holds("$ne", operand) == (position != row), note)
          #expect(try holds("$lt", operand) == (position < row), note)
          #expect(try holds("$lte", operand) == (position <= row), note)
          #expect(try holds("$gt", operand) == (position > row), note)
          #expect(try holds("$gte", operand) == (position >= row), note)
          #expect(try holds("$in", [operand]) == (position == row), note)
          #expect(try holds("$nin", [operand]) == (position != row), note)
        }
      }
    }
  }

  @Test func integersInAListOfFloatsStayExact() throws {
    let both = try filter(["n": ["$in": [0.5, .int(0x20_0000_0000_0001)]]])
    #expect(both.matches(record(.int(0x20_0000_0000_0001))))
    #expect(!both.matches(record(.float(0x20_0000_0000_0000))))
    #expect(both.matches(record(.float(0.5))))
  }

  @Test func longListsFindEveryElementAndNoOther() throws {
    var random = SeededRandom(1)
    let numbers =
      (0..<5_000).map { JSON.int(Int64($0) * 2) } + (0..<5_000).map { JSON.float(Double($0) + 0.5) }
    // The first is a float: lists that begin with an integer hold integers only.
    let isAmong = try filter(
      ["n": ["$in": .array([.float(-0.25)] + numbers.shuffled(using: &random))]])
    let strings = try filter(
      ["s": ["$nin": .array((0..<5_000).map { JSON.string(Text("s\($0)")) })]])
    for number in 0..<5_000 {
      #expect(isAmong.matches(record(.int(Int64(number)))) == (number % 2 == 0))
      #expect(isAmong.matches(record(.float(Double(number)))) == (number % 2 == 0))
      #expect(isAmong.matches(record(.float(Double(number) + 0.5))))
      #expect(!isAmong.matches(record(.float(Double(number) + 0.75))))
      #expect(!strings.matches(record(.string(Text("s\(number)")), key: "s")))
    }
    #expect(strings.matches(record("s5000", key: "s")))
  }

  @Test func keysAndStringsCompareByBytes() throws {
    let composed = FilteredRecord(
      metadata: Metadata([Metadata.Entry("\u{E9}", .string("\u{E9}"))]),
      document: "\u{E9}", uri: nil)
    #expect(try Filter(json: #"{"\#u{E9}":"\#u{E9}"}"#).matches(composed))
    #expect(try !Filter(json: #"{"e\#u{301}":"\#u{E9}"}"#).matches(composed))
    #expect(try !Filter(json: #"{"\#u{E9}":"e\#u{301}"}"#).matches(composed))
    #expect(try DocumentFilter(json: #"{"$contains":"\#u{E9}"}"#).matches(composed))
    #expect(try !DocumentFilter(json: #"{"$contains":"e\#u{301}"}"#).matches(composed))
  }

  @Test func aZeroByteIsAByteLikeAnyOther() throws {
    let record = FilteredRecord(metadata: nil, document: "a\0b", uri: nil)
    #expect(try DocumentFilter(json: #"{"$contains":"\u0000b"}"#).matches(record))
    #expect(try !DocumentFilter(json: #"{"$contains":"\u0000a"}"#).matches(record))
    let without = FilteredRecord(metadata: nil, document: "ab", uri: nil)
    #expect(try !DocumentFilter(json: #"{"$contains":"\u0000"}"#).matches(without))
  }

  @Test func filtersNestUpToTheLimit() throws {
    let record = FilteredRecord(metadata: nil, document: "a", uri: nil)
    // A filter of the form {"$and":[…]} takes two levels of JSON, the innermost one.
    func nested(_ depth: Int, _ innermost: String) -> Text {
      Text(
        String(repeating: #"{"$and":["#, count: depth) + innermost
          + String(repeating: "]}", count: depth))
    }
    let depthMax = (Limits.nestingDepthMax - 1) / 2
    #expect(try Filter(json: nested(depthMax, #"{"a":1}"#)).matches(record) == false)
    #expect(try DocumentFilter(json: nested(depthMax, #"{"$contains":"a"}"#)).matches(record))
    for depth in [depthMax + 1, 100_000] {
      #expect(throws: ChromaError.invalidArgument("Invalid where clause")) {
        try Filter(json: nested(depth, #"{"a":1}"#))
      }
      #expect(throws: ChromaError.invalidArgument("Invalid where document clause")) {
        try DocumentFilter(json: nested(depth, #"{"$contains":"a"}"#))
      }
    }
  }

  private func filter(_ value: JSON) throws(ChromaError) -> Filter {
    try Filter(json: value.text)
  }

  private func record(_ value: JSON, key: Text = "n") -> FilteredRecord {
    let stored: MetadataValue? =
      switch value {
      case .int(let value): .int(value)
      case .float(let value): .float(value)
      case .string(let value): .string(value)
      default: nil
      }
    let metadata = stored.map { Metadata([Metadata.Entry(key, $0)]) }
    return FilteredRecord(metadata: metadata, document: nil, uri: nil)
  }
}
