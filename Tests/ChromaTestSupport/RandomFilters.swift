// Random filters over given records. Their operands are what the records hold, and what nearly is: a
// neighbour, a prefix, another type.

import ChromaBase

package struct RandomFilters {
  private static let depthMax = 6

  private let keys: [Text]
  private let values: [Text: [JSON]]
  private let documents: [Text]
  private let hasPatterns: Bool

  /// - Parameters:
  ///   - records: Not empty.
  ///   - hasPatterns: Whether there are regular expressions: their reference is slow on long texts.
  package init(over records: [ModelRecord], hasPatterns: Bool = true) {
    self.hasPatterns = hasPatterns
    var values: [Text: [JSON]] = [:]
    for record in records {
      for (key, value) in record.metadata { values[key, default: []] += Self.scalars(value) }
      if let uri = record.uri { values["chroma:uri", default: []].append(.string(uri)) }
      if let document = record.document, document.byteCount < 100 {
        values["chroma:document", default: []].append(.string(document))
      }
    }
    self.values = values
    keys = values.keys.sorted() + ["absent", "#id"]
    documents = records.compactMap(\.document).filter { !$0.isEmpty && $0.byteCount < 4096 }
  }

  private static func scalars(_ value: MetadataValue) -> [JSON] {
    switch value {
    case .bool(let value): [.bool(value)]
    case .int(let value): [.int(value)]
    case .float(let value): [.float(value)]
    case .string(let value): [.string(value)]
    case .bools(let values): values.map { .bool($0) }
    case .ints(let values): values.map { .int($0) }
    case .floats(let values): values.map { .float($0) }
    case .strings(let values): values.map { .string($0) }
    }
  }

  /// As `where`.
  package func filter(using random: inout SeededRandom, depth: Int = 0) -> ModelFilter {
    if depth < Self.depthMax, random.oneIn(depth == 0 ? 2 : 3) {
      // Mostly two or three; none and one are allowed, too.
      let count = random.oneIn(12) ? random.int(in: 0...1) : random.int(in: 2...3)
      let parts = (0..<count).map { _ in filter(using: &random, depth: depth + 1) }
      return random.oneIn(2) ? .and(parts) : .or(parts)
    }
    return random.oneIn(4) ? text(using: &random) : field(using: &random)
  }

  /// As `where_document`.
  package func documentFilter(using random: inout SeededRandom, depth: Int = 0) -> ModelFilter {
    if depth < Self.depthMax, random.oneIn(3) {
      let count = random.oneIn(12) ? random.int(in: 0...1) : random.int(in: 2...3)
      let parts = (0..<count).map { _ in documentFilter(using: &random, depth: depth + 1) }
      return random.oneIn(2) ? .and(parts) : .or(parts)
    }
    return text(using: &random)
  }

  // MARK: Metadata

  /// A single condition.
  package func field(using random: inout SeededRandom) -> ModelFilter {
    let key = random.element(of: keys)
    if random.oneIn(12) { return .exists(random.oneIn(6) ? "#document" : key, random.oneIn(2)) }
    let operand = operand(under: key, using: &random)
    if hasPatterns, case .string(let text) = operand, random.oneIn(4) {
      let scalars = Array(text.string.unicodeScalars)
      return .matches(key, textPattern(scalars, using: &random), isNegated: random.oneIn(3))
    }
    var choices: [ModelFilter.Comparison] = [
      .bare, .eq, .ne, .isIn, .notIn, .contains, .notContains,
    ]
    switch operand {
    case .int, .float: choices += [.gt, .gte, .lt, .lte, .gt, .gte, .lt, .lte]
    default: break
    }
    let comparison = random.element(of: choices)
    guard comparison == .isIn || comparison == .notIn else {
      return .field(key, comparison, [operand])
    }
    let count = random.oneIn(10) ? 200 : random.int(in: 0...4)
    let others = (0..<count).map { _ in self.operand(under: key, using: &random) }
    return .field(key, comparison, [operand] + others.filter { Self.isAlike(operand, $0) })
  }

  /// Whether a list that begins with the one may go on with the other.
  private static func isAlike(_ first: JSON, _ other: JSON) -> Bool {
    switch (first, other) {
    case (.bool, .bool), (.int, .int), (.float, .float), (.float, .int), (.string, .string): true
    default: false
    }
  }

  private func operand(under key: Text, using random: inout SeededRandom) -> JSON {
    if random.oneIn(12) {
      // Of any type, wherever it comes from.
      let other = random.element(of: keys)
      return values[other].map { random.element(of: $0) } ?? .bool(random.oneIn(2))
    }
    guard let values = values[key] else { return random.oneIn(2) ? .int(1) : .string("a") }
    let value = random.element(of: values)
    return random.oneIn(3) ? Self.neighbor(of: value, using: &random) : value
  }

  private static func neighbor(of value: JSON, using random: inout SeededRandom) -> JSON {
    switch value {
    case .int(let value):
      switch random.int(in: 0...2) {
      case 0: .int(value &+ 1)
      case 1: .int(value &- 1)
      default: .float(Double(value))
      }
    case .float(let value):
      switch random.int(in: 0...2) {
      case 0: .float(value.nextUp.isFinite ? value.nextUp : value)
      case 1: .float(value.nextDown.isFinite ? value.nextDown : value)
      default: Int64(exactly: value.rounded()).map { .int($0) } ?? .float(-value)
      }
    case .string(let text):
      switch random.int(in: 0...2) {
      case 0: .string(Text(text.string + "a"))
      case 1: .string(Text(String(text.string.unicodeScalars.dropLast())))
      default: .string(Text(text.string.uppercased()))
      }
    default: .int(1)
    }
  }

  // MARK: Text

  private func text(using random: inout SeededRandom) -> ModelFilter {
    if hasPatterns, random.oneIn(4) {
      return .matches(
        nil, textPattern(needle(using: &random), using: &random), isNegated: random.oneIn(3))
    }
    if hasPatterns, random.oneIn(3) {
      return .documentMatches(pattern(depth: 3, using: &random), isNegated: random.oneIn(3))
    }
    return .documentContains(
      Text(String(String.UnicodeScalarView(needle(using: &random)))), isNegated: random.oneIn(3))
  }

  /// A part of a document, or nearly.
  private func needle(using random: inout SeededRandom) -> [Unicode.Scalar] {
    guard !documents.isEmpty, !random.oneIn(30) else { return random.oneIn(4) ? [] : ["\u{7A}"] }
    let scalars = Array(random.element(of: documents).string.unicodeScalars)
    let start = random.int(in: 0...scalars.count - 1)
    // Short ones are answered in another way than long ones.
    let count = random.oneIn(20) ? scalars.count : random.int(in: 1...7)
    var part = Array(scalars[start...].prefix(count))
    switch random.int(in: 0...11) {
    case 0: part.append("x")
    case 1: part.insert("\u{6771}", at: 0)
    case 2: part[random.int(in: 0...part.count - 1)] = random.element(of: scalars)
    case 3: part += part
    case 4: part.reverse()
    default: break
    }
    return part
  }

  private func textPattern(
    _ scalars: [Unicode.Scalar], using random: inout SeededRandom
  ) -> ModelTextPattern {
    if random.oneIn(2) { return .icontains(scalars.filter(Self.isFoldedHere)) }
    var parts = scalars.map { scalar -> ModelPattern in
      random.oneIn(8)
        ? random.oneIn(2) ? .anything : .oneOf(["\0"..."\u{10FFFF}"], isNegated: false)
        : .scalars([scalar])
    }
    if !random.oneIn(4) { parts.insert(.anything, at: 0) }
    if !random.oneIn(4) { parts.append(.anything) }
    return .like(parts)
  }

  private func pattern(depth: Int, using random: inout SeededRandom) -> ModelPattern {
    if depth == 0 || random.oneIn(4) {
      switch random.int(in: 0...6) {
      case 0: return .any
      case 1: return .oneOf(["a"..."d", "\u{4E00}"..."\u{9FFF}"], isNegated: random.oneIn(3))
      case 2: return .anyCase(needle(using: &random).filter(Self.isFoldedHere))
      case 3: return random.oneIn(2) ? .start : .end
      default: return .scalars(needle(using: &random))
      }
    }
    switch random.int(in: 0...3) {
    case 0, 1:
      return .sequence(
        (0..<random.int(in: 2...3)).map { _ in pattern(depth: depth - 1, using: &random) })
    case 2:
      return .choice(
        (0..<random.int(in: 2...3)).map { _ in pattern(depth: depth - 1, using: &random) })
    default:
      let bounds: [(Int, Int?)] = [(0, nil), (1, nil), (0, 1), (2, 2), (2, nil), (0, 2), (0, 0)]
      let (atLeast, atMost) = random.element(of: bounds)
      return .repeated(
        pattern(depth: depth - 1, using: &random), atLeast: atLeast, atMost: atMost)
    }
  }

  /// Whether `ModelPattern` knows all its cases.
  private static func isFoldedHere(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII || !scalar.properties.isCased
      || ModelPattern.caseGroups.contains { $0.contains(scalar) }
  }
}
