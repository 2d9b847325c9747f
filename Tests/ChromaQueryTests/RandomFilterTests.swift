import ChromaBase
import ChromaQuery
import ChromaTestSupport
import Testing

/// Random filters find in random records what a second, naive reading of the grammar finds.
///
/// `NaiveFilter` walks the JSON itself for every record, and compares numbers as 128-bit integers.
@Suite struct RandomFilterTests {
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func filtersFindWhatTheNaiveReadingFinds(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let records = (0..<40).map { _ in randomRecord(&random) }
    var matchCount = 0
    for _ in 0..<250 {
      let json = randomFilter(&random, depth: 0)
      let filter = try Filter(json: json.text)
      for record in records {
        let expected = NaiveFilter.matches(json, record)
        matchCount += expected ? 1 : 0
        #expect(
          filter.matches(record) == expected, "seed \(seed): \(json.text) on \(record)")
        // Other keys need not be there.
        let entries = (record.metadata?.entries ?? []).filter {
          filter.metadataKeys.contains($0.key)
        }
        let part = FilteredRecord(
          metadata: Metadata(entries), document: record.document, uri: record.uri)
        #expect(filter.matches(part) == expected, "seed \(seed): \(json.text) on \(part)")
      }
    }
    // A generator whose filters match nothing, or everything, would prove nothing.
    #expect((2_000...8_000).contains(matchCount), "seed \(seed): \(matchCount) matches")
  }

  private static let keys: [Text] = ["a", "b", "c", "chroma:uri"]
  private static let texts: [Text] = ["", "x", "xy", "\u{E9}", "y"]
  private static let ints: [Int64] = [.min, -1, 0, 1, 2, 0x20_0000_0000_0001, .max]
  private static let floats: [Double] = [
    -0x1p63, -0.5, -0.0, 1, 1.5, 2, 0x20_0000_0000_0000, 1e300,
  ]

  private func randomRecord(_ random: inout SeededRandom) -> FilteredRecord {
    var entries: [Metadata.Entry] = []
    for key in Self.keys.dropLast() where !random.oneIn(5) {
      let value: MetadataValue =
        switch random.int(in: 0...7) {
        case 0: .bool(random.oneIn(2))
        case 1: .int(random.element(of: Self.ints))
        case 2: .float(random.element(of: Self.floats))
        case 3: .string(random.element(of: Self.texts))
        case 4: .bools([random.oneIn(2)])
        case 5: .ints([random.element(of: Self.ints), 1])
        case 6: .floats([random.element(of: Self.floats), 1])
        default: .strings([random.element(of: Self.texts), "x"])
        }
      entries.append(Metadata.Entry(key, value))
    }
    return FilteredRecord(
      metadata: random.oneIn(10) ? nil : Metadata(entries),
      document: random.oneIn(4) ? nil : random.element(of: Self.texts),
      uri: random.oneIn(2) ? nil : random.element(of: Self.texts))
  }

  private func randomFilter(_ random: inout SeededRandom, depth: Int) -> JSON {
    if depth < 6, random.oneIn(2) {
      let operands = (0..<random.int(in: 0...3)).map { _ in randomFilter(&random, depth: depth + 1)
      }
      return .object([JSON.Member(random.oneIn(2) ? "$and" : "$or", .array(operands))])
    }
    if random.oneIn(6) {
      let name: Text = random.oneIn(2) ? "$contains" : "$not_contains"
      let operand = JSON.string(random.element(of: Self.texts))
      return ["#document": .object([JSON.Member(name, operand)])]
    }
    let key = random.element(of: Self.keys)
    let literal = randomLiteral(&random)
    switch random.int(in: 0...9) {
    case 0: return .object([JSON.Member(key, literal)])
    case 1...5:
      let name = random.element(of: ["$eq", "$ne", "$contains", "$not_contains"] as [Text])
      return .object([JSON.Member(key, .object([JSON.Member(name, literal)]))])
    case 6, 7:
      let name = random.element(of: ["$in", "$nin"] as [Text])
      let others = (0..<random.int(in: 0...3)).map { _ in randomLiteral(&random) }
        .filter { isSameType(literal, $0) }
      return .object([JSON.Member(key, .object([JSON.Member(name, .array([literal] + others))]))])
    default:
      let name = random.element(of: ["$lt", "$lte", "$gt", "$gte"] as [Text])
      let bound: JSON =
        random.oneIn(2)
        ? .int(random.element(of: Self.ints)) : .float(random.element(of: Self.floats))
      return .object([JSON.Member(key, .object([JSON.Member(name, bound)]))])
    }
  }

  private func randomLiteral(_ random: inout SeededRandom) -> JSON {
    switch random.int(in: 0...4) {
    case 0: .bool(random.oneIn(2))
    case 1: .int(random.element(of: Self.ints))
    case 2: .float(random.element(of: Self.floats))
    default: .string(random.element(of: Self.texts))
    }
  }

  private func isSameType(_ left: JSON, _ right: JSON) -> Bool {
    switch (left, right) {
    case (.bool, .bool), (.int, .int), (.float, .float), (.string, .string): true
    default: false
    }
  }
}

private enum NaiveFilter {
  static func matches(_ filter: JSON, _ record: FilteredRecord) -> Bool {
    guard case .object(let members) = filter else { return false }
    let (key, value) = (members[0].key, members[0].value)
    if case .array(let operands) = value {
      return key == "$and"
        ? !operands.contains { !matches($0, record) } : operands.contains { matches($0, record) }
    }
    guard case .object(let condition) = value else {
      return holds("$eq", value, stored(key, record))
    }
    let (name, operand) = (condition[0].key.string, condition[0].value)
    if key == "#document" {
      guard case .string(let text) = operand else { return false }
      return isSubsequence(text, of: record.document) != (name == "$not_contains")
    }
    let opposites = ["$ne": "$eq", "$nin": "$in", "$not_contains": "$contains"]
    if let opposite = opposites[name] { return !holds(opposite, operand, stored(key, record)) }
    return holds(name, operand, stored(key, record))
  }

  private static func stored(_ key: Text, _ record: FilteredRecord) -> MetadataValue? {
    key == "chroma:uri" ? record.uri.map { .string($0) } : record.metadata?[key]
  }

  private static func isSubsequence(_ text: Text, of document: Text?) -> Bool {
    guard let document else { return false }
    return (0...document.byteCount).contains { document.bytes[$0...].starts(with: text.bytes) }
  }

  private static func holds(_ name: String, _ operand: JSON, _ stored: MetadataValue?) -> Bool {
    switch (name, operand, stored) {
    case ("$in", .array(let operands), _): operands.contains { holds("$eq", $0, stored) }
    case ("$eq", .bool(let wanted), .bool(let value)): wanted == value
    case ("$eq", .string(let wanted), .string(let value)): wanted.bytes == value.bytes
    case ("$eq", _, _): compare(operand, stored) { $0 == $1 }
    case ("$lt", _, _): compare(operand, stored) { $0 < $1 }
    case ("$lte", _, _): compare(operand, stored) { $0 <= $1 }
    case ("$gt", _, _): compare(operand, stored) { $0 > $1 }
    case ("$gte", _, _): compare(operand, stored) { $0 >= $1 }
    case ("$contains", .bool(let wanted), .bools(let values)): values.contains(wanted)
    case ("$contains", .int(let wanted), .ints(let values)): values.contains(wanted)
    case ("$contains", .float(let wanted), .floats(let values)): values.contains(wanted)
    case ("$contains", .string(let wanted), .strings(let values)): values.contains(wanted)
    default: false
    }
  }

  private static func compare(
    _ operand: JSON, _ stored: MetadataValue?, _ isRight: (Int128, Int128) -> Bool
  ) -> Bool {
    let bound: Int128? =
      switch operand {
      case .int(let value): Int128(value) << 8
      case .float(let value): fixedPoint(value)
      default: nil
      }
    let value: Int128? =
      switch stored {
      case .int(let value): Int128(value) << 8
      case .float(let value): fixedPoint(value)
      default: nil
      }
    guard let bound, let value else { return false }
    return isRight(value, bound)
  }

  /// 256 times the number: exact for the floats of this test but 1e300, which stays the largest.
  private static func fixedPoint(_ value: Double) -> Int128 {
    Int128(exactly: value * 256) ?? .max
  }
}
