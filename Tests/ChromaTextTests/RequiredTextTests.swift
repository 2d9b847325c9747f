import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// What a pattern is said to require is in every text that it matches, and is enough to be of use.
@Suite struct RequiredTextTests {
  @Test("a text with a match holds what is required", arguments: 1...20)
  func sound(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var (matchCount, knownCount, ruledOutCount) = (0, 0, 0)
    for _ in 0..<300 {
      let pattern = Text(Self.pattern(&random))
      guard let meaning = try? RegularExpression.meaning(pattern) else { continue }
      let required = RequiredText(of: meaning)
      if required != .anything { knownCount += 1 }
      // Not the expression: that asks for what is required before it searches.
      let search = RegexSearch(try RegexCompiler.compile(meaning))
      for _ in 0..<10 {
        let text = Text(Self.text(&random))
        let holds = required.holds(in: text)
        guard text.bytes.withUnsafeBufferPointer({ search.matches($0) {} }) else {
          ruledOutCount += holds ? 0 : 1
          continue
        }
        matchCount += 1
        #expect(holds, "seed \(seed): \(pattern) in \(text.string.debugDescription)")
      }
    }
    // Requirements that are never known or never missed would pass just as well.
    #expect(matchCount > 300 && knownCount > 100 && ruledOutCount > 300, "seed \(seed)")
  }

  @Test("operands of $like and $icontains require what is in every match", arguments: 1...5)
  func soundForAdditions(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let pieces = ["%", "_", "a", "K", "k", "ſ", "é", "日", "ab", "\\_"]
    var matchCount = 0
    for _ in 0..<300 {
      let operand = Text(
        (0..<random.int(in: 1...5)).map { _ in random.element(of: pieces) }.joined())
      for meaning in [
        try RegularExpression.meaning(like: operand),
        try RegularExpression.meaning(icontains: operand),
      ] {
        let required = RequiredText(of: meaning)
        let search = RegexSearch(try RegexCompiler.compile(meaning))
        for _ in 0..<10 {
          let text = Text(Self.text(&random))
          guard text.bytes.withUnsafeBufferPointer({ search.matches($0) {} }) else { continue }
          matchCount += 1
          #expect(required.holds(in: text), "seed \(seed): \(operand) in \(text)")
        }
      }
    }
    #expect(matchCount > 200)
  }

  @Test("patterns require what a reader would say they do")
  func useful() throws {
    let table: [(pattern: Text, required: RequiredText)] = [
      ("", .anything), (".*", .anything), ("a*", .anything), (#"\w+\d"#, .anything),
      ("a|b*", .anything), ("[^a]", .anything), ("(foo)?", .anything), ("(foo|)", .anything),
      ("abc", "abc"), ("日本", "日本"), ("^abc$", "abc"), (#"\bfoo\b"#, "foo"), ("(a)(?:b)c", "abc"),
      ("a{3}", "aaa"), ("(ab){2,}c", "ababc"), ("a+b", "ab"), ("abc+de", .all(["abc", "cde"])),
      ("foo.*bar", .all(["bar", "foo"])), ("foo.*fo", "foo"), ("x?yz", "yz"),
      ("colou?r", .any(["color", "colour"])), ("foo|bar", .any(["bar", "foo"])),
      ("foo|foobar", "foo"), ("ab[cd]e", .any(["abce", "abde"])),
      ("(foo|bar)baz", .any(["barbaz", "foobaz"])),
      (#"(foo|bar)\s+baz"#, .all(["baz", .any(["bar", "foo"])])),
      ("(foo.*bar|baz)", .any(["baz", .all(["bar", "foo"])])),
      ("(?i)ab", .any(["AB", "Ab", "aB", "ab"])),
      ("(?i)k", .any(["K", "k", "\u{212A}"])), ("(?i)1k2", .any(["1K2", "1k2", "1\u{212A}2"])),
      ("(?i)é", .any(["É", "é"])), ("(?i)日本", "日本"),
      (
        "(?i)abcd",
        .all([
          .any(["ABC", "ABc", "AbC", "Abc", "aBC", "aBc", "abC", "abc"]),
          .any(["BCD", "BCd", "BcD", "Bcd", "bCD", "bCd", "bcD", "bcd"]),
        ])
      ),
      ((0..<9_000).map { "word\($0)" }.joined(separator: "|").text, "word"),
    ]
    for (pattern, required) in table {
      let actual = try RegularExpression(pattern).required
      #expect(actual == required, "\(pattern.string.prefix(100)): \(actual)")
    }
    #expect(try RegularExpression(.like("%foo_bar%")).required == .all(["bar", "foo"]))
    #expect(try RegularExpression(.like("a\\%b%")).required == "a%b")
    #expect(try RegularExpression(.like("%_%")).required == .anything)
    #expect(try RegularExpression(.icontains("Ab")).required == .any(["AB", "Ab", "aB", "ab"]))
  }

  @Test(
    "hostile patterns require few and short things, found in no long time",
    arguments: [
      String(repeating: "a", count: 20_000),
      "(?i)" + String(repeating: "ksab", count: 5_000),
      String(repeating: "ab|", count: 20_000),
      (0..<20_000).map { "\($0)x" }.joined(separator: "|"),
      "(" + (0..<100).map { "a\($0)" }.joined(separator: "|") + "){1000}",
      "(ab|cd){1000}", "((a|b){1,9}){9}",
      String(repeating: "(ab|", count: 120) + "x"
        + String(repeating: ")", count: 120),
      String(repeating: "ab?", count: 10_000), String(repeating: "[ab]", count: 10_000),
      String(repeating: "(ab|cd)", count: 10_000),
      (0..<10_000).map { "\($0)." }.joined(),
      (0..<1_000).map { "(a\($0)|b\($0)|(c.d|e.f))." }.joined(),
    ])
  func bounded(pattern: String) throws {
    let meaning = try RegularExpression.meaning(Text(pattern))
    let required = RequiredText(of: meaning)
    #expect(required.literalCount <= RequiredText.literalCountMax)
    #expect(required.byteCount <= RequiredText.literalCountMax * 4_096)
  }

  private static func pattern(_ random: inout SeededRandom) -> String {
    var pattern = random.oneIn(3) ? "(?i)" : ""
    for _ in 0..<random.int(in: 1...4) {
      switch random.int(in: 0...5) {
      case 0: pattern += PatternGenerator.pattern(depth: 2, &random)
      case 1: pattern += "(" + PatternGenerator.pattern(depth: 2, &random) + ")"
      case 2: pattern += random.element(of: ["[ab]", "[ké]", "(a|bc)", "(?:ab|a|日b)", "(ſ|s+)"])
      default: pattern += random.element(of: ["a", "ab", "k", "s", "é", "日", "bc", "K"])
      }
      if random.oneIn(4) {
        pattern += random.element(of: ["?", "+", "*", "{2}", "{1,3}", "{0,2}"])
      }
    }
    return pattern
  }

  private static func text(_ random: inout SeededRandom) -> String {
    let pieces = [
      "a", "a", "ab", "b", "c", "A", "B", "k", "K", "\u{212A}", "s", "S", "ſ", "é", "É", "日", "_",
      " ",
    ]
    return (0..<random.int(in: 0...9)).map { _ in random.element(of: pieces) }.joined()
  }
}

extension RequiredText: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) {
    self = .literal(Array(value.utf8))
  }

  /// By the definition, trying every place.
  fileprivate func holds(in text: Text) -> Bool {
    switch self {
    case .anything: true
    case .literal(let bytes):
      text.bytes.indices.contains { text.bytes[$0...].starts(with: bytes) }
    case .all(let parts): parts.allSatisfy { $0.holds(in: text) }
    case .any(let parts): parts.contains { $0.holds(in: text) }
    }
  }

  fileprivate var byteCount: Int {
    switch self {
    case .anything: 0
    case .literal(let bytes): bytes.count
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.byteCount }
    }
  }
}

extension String {
  fileprivate var text: Text { Text(self) }
}
