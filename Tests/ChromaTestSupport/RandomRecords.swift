// Records that are hard to filter: every type under every kind of key, numbers at the edges, texts of
// every script whose parts stand in other texts too.

package import ChromaBase

package enum RandomRecords {
  package static let dimension = 3

  package static let ints: [Int64] = [
    .min, .min + 1, -0x20_0000_0000_0001, -0x20_0000_0000_0000, -256, -3, -1, 0, 1, 2, 3, 7,
    0x7FFF_FFFF, 0x8000_0000, 0x1_0000_0001, 0x1F_FFFF_FFFF_FFFF, 0x20_0000_0000_0000,
    0x20_0000_0000_0001, 0x7FFF_FFFF_FFFF_FC00, .max - 1, .max,
  ]
  package static let floats: [Double] = [
    -.greatestFiniteMagnitude, -0x1p63, -0x20_0000_0000_0000, -3, -1.5, -1, -.leastNonzeroMagnitude,
    -0.0, 0, .leastNonzeroMagnitude, .leastNormalMagnitude, 0.1, 0.5, 1, Double(1).nextUp, 1.5, 2,
    3,
    7, 0x20_0000_0000_0000, 0x1.FFFFFFFFFFFFFp62, 0x1p63, 1e308,
  ]
  package static let strings: [Text] = [
    "", "a", "A", "aa", "ab", "abc", "abcdefgh", "abcdefghi", "abcdefghj", "b", "1", "true",
    "\u{E9}",
    "e\u{301}", "a\0", "a\0b", "\u{1F986}", "\u{6C34}", "\u{FFFF}", "\u{10FFFF}",
    Text(String(repeating: "x", count: 300)), Text(String(repeating: "x", count: 301)),
  ]
  /// Parts of documents. Grams of some occur in others, in another order.
  package static let words: [String] = [
    "abcd", "abc bcd", "bcda", "aaaa", "aaa", "aba", "ab", "a", "ABCD", "Abcd", "kelvin",
    "\u{212A}elvin",
    "mass", "ma\u{17F}s", "stra\u{DF}e", "STRA\u{1E9E}E",
    "\u{3A3}\u{3AF}\u{3C3}\u{3C5}\u{3C6}\u{3BF}\u{3C2}",
    "\u{E9}t\u{E9}", "e\u{301}t", "\u{212B}\u{E5}", "\u{41C}\u{43E}\u{441}\u{43A}\u{432}\u{430}",
    "\u{6771}\u{4EAC}\u{90FD}", "\u{4EAC}\u{90FD}\u{6771}", "\u{D55C}\u{AE00}",
    "\u{5E9}\u{5DC}\u{5D5}\u{5DD}",
    "\u{645}\u{631}\u{62D}\u{628}\u{627}", "\u{928}\u{92E}\u{938}\u{94D}\u{924}\u{947}",
    "\u{E44}\u{E17}\u{E22}",
    "\u{1F986}", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F1E9}\u{1F1EA}", "a\0b", "\0",
    "\n", "\r\n",
    "100%", "a_b", "a\\b", "[x]", "(y)*", "42", "\u{10FFFF}", "\u{FEFF}",
  ]

  /// A record with a number of its own.
  package static func record(_ number: Int, using random: inout SeededRandom) -> ModelRecord {
    ModelRecord(
      id: Text("id-\(number)"),
      vector: (0..<dimension).map { _ in Float(random.int(in: -3...3)) },
      document: document(number, using: &random),
      uri: random.oneIn(4) ? random.element(of: strings) : nil,
      metadata: metadata(number, using: &random))
  }

  /// The key `number` tells records apart, `parity` hardly; `any` has all types, `rare` is rare.
  package static func metadata(
    _ number: Int, using random: inout SeededRandom
  ) -> [Text: MetadataValue] {
    if random.oneIn(12) { return [:] }
    var metadata: [Text: MetadataValue] = [:]
    func set(_ key: Text, oneIn n: Int = 1, _ value: @autoclosure () -> MetadataValue) {
      if n == 1 || random.oneIn(n) { metadata[key] = value() }
    }
    if !random.oneIn(10) { metadata["number"] = .int(Int64(number)) }
    if !random.oneIn(10) { metadata["parity"] = .bool(number.isMultiple(of: 2)) }
    if !random.oneIn(10) { metadata["half"] = .float(Double(number) / 2) }
    if !random.oneIn(10) { metadata["name"] = .string(Text("name-\(number % 97)")) }
    if random.oneIn(2) { metadata["i"] = .int(random.element(of: ints)) }
    if random.oneIn(2) { metadata["f"] = .float(random.element(of: floats)) }
    if random.oneIn(2) { metadata["s"] = .string(random.element(of: strings)) }
    if random.oneIn(2) { metadata["any"] = value(using: &random) }
    if random.oneIn(2) { metadata["list"] = array(using: &random) }
    if random.oneIn(40) { metadata["rare"] = value(using: &random) }
    if random.oneIn(4) { metadata["\u{E9}"] = .int(1) }
    if random.oneIn(4) { metadata["e\u{301}"] = .int(2) }
    if random.oneIn(8) { metadata["k\0y"] = .string("z") }
    return metadata
  }

  package static func value(using random: inout SeededRandom) -> MetadataValue {
    switch random.int(in: 0...4) {
    case 0: .bool(random.oneIn(2))
    case 1: .int(random.element(of: ints))
    case 2: .float(random.element(of: floats))
    case 3: .string(random.element(of: strings))
    default: array(using: &random)
    }
  }

  private static func array(using random: inout SeededRandom) -> MetadataValue {
    let count = random.oneIn(20) ? 40 : random.int(in: 1...4)
    switch random.int(in: 0...3) {
    case 0: return .bools((0..<count).map { _ in random.oneIn(2) })
    case 1: return .ints((0..<count).map { _ in random.element(of: ints) })
    case 2: return .floats((0..<count).map { _ in random.element(of: floats) })
    default: return .strings((0..<count).map { _ in random.element(of: strings) })
    }
  }

  private static func document(_ number: Int, using random: inout SeededRandom) -> Text? {
    switch random.int(in: 0...19) {
    case 0...2: return nil
    case 3: return ""
    case 4: return Text("document \(number)")
    case 5:
      let word = random.element(of: words)
      return Text(String(repeating: word + " ", count: 40) + "\(number % 5)")
    default:
      let separator = random.element(of: [" ", "", "\n"])
      return Text(
        (0..<random.int(in: 1...4)).map { _ in random.element(of: words) }
          .joined(separator: separator))
    }
  }
}

extension RecordBatch {
  /// Records as a batch writes them; their vectors must all be there.
  package init(_ operation: Operation, _ records: [ModelRecord]) {
    self.init(
      operation: operation, ids: records.map(\.id),
      embeddings: VectorColumn(
        dimension: RandomRecords.dimension, values: records.flatMap(\.vector)),
      documents: records.map(\.document), uris: records.map(\.uri),
      metadatas: records.map { record in
        MetadataChange(record.metadata.map { .init($0.key, $0.value) })
      })
  }
}
