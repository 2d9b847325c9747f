import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// The automaton finds exactly what the definition of matching says, for patterns and texts made
/// at random from a small alphabet, which makes both matches and misses frequent.
@Suite struct RandomPatternTests {
  @Test("the automaton agrees with the definition of matching", arguments: 1...20)
  func agreesWithReference(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var matchCount = 0
    var count = 0
    for _ in 0..<100 {
      let pattern = Text(PatternGenerator.pattern(depth: 4, &random))
      guard let meaning = try? RegularExpression.meaning(pattern) else { continue }
      let expression = try RegularExpression(pattern)
      for _ in 0..<10 {
        let text = PatternGenerator.text(&random)
        let expected = ReferenceMatcher.matches(meaning, Array(text.unicodeScalars))
        let actual = expression.matches(Text(text))
        #expect(actual == expected, "seed \(seed): \(pattern) on \(text.debugDescription)")
        matchCount += expected ? 1 : 0
        count += 1
      }
    }
    // Neither answer may be so rare that agreeing on it says little.
    #expect(count > 400 && matchCount > count / 20 && matchCount < count * 19 / 20)
  }

  @Test("a search that makes more states than are kept still finds what is there")
  func forgetsStates() throws {
    // To know whether the 18th scalar before each `c` was an `a`, the automaton needs a state for
    // each of 2^17 pasts.
    let expression = try RegularExpression("a[ab]{17}c")
    var random = SeededRandom(1)
    for hasMatch in [false, true] {
      var text: [UInt8] = []
      for _ in 0..<60_000 { text.append(random.oneIn(2) ? 0x61 : 0x62) }
      text += Array((hasMatch ? "abbbbbbbbbbbbbbbbbc" : "bbbbbbbbbbbbbbbbbbc").utf8)
      let actual = text.withUnsafeBufferPointer { expression.matches($0) }
      #expect(actual == hasMatch)
    }
  }

  @Test("threads that share an expression get the same answers as one alone")
  func threads() async throws {
    var random = SeededRandom(7)
    let expression = try RegularExpression(#"(?i)\b(a|bc)+\b[^c]*é$"#)
    let texts = (0..<2_000).map { _ in Text(PatternGenerator.text(&random)) }
    let expected = texts.map { expression.matches($0) }
    await withTaskGroup(of: [Bool].self) { group in
      for _ in 0..<8 {
        group.addTask { texts.map { expression.matches($0) } }
      }
      for await actual in group { #expect(actual == expected) }
    }
  }
}

/// Patterns and texts at random, of few scalars.
enum PatternGenerator {
  static func text(_ random: inout SeededRandom) -> String {
    var text = ""
    for _ in 0..<random.int(in: 0...8) {
      text += random.element(of: ["a", "a", "b", "c", "A", "é", "日", " ", "_", "\r", "\n", "1"])
    }
    return text
  }

  static func pattern(depth: Int, _ random: inout SeededRandom) -> String {
    if depth == 0 { return atom(&random) }
    let inner = { (random: inout SeededRandom) in pattern(depth: depth - 1, &random) }
    switch random.int(in: 0...9) {
    case 0, 1: return atom(&random)
    case 2, 3, 4: return inner(&random) + inner(&random)
    case 5: return inner(&random) + "|" + inner(&random)
    case 6: return "(" + inner(&random) + ")" + quantifier(&random)
    case 7:
      return random.element(of: ["(?i:", "(?m:", "(?s:", "(?mR:", "(?:"]) + inner(&random) + ")"
    case 8: return set(depth: 2, &random) + quantifier(&random)
    default: return atom(&random) + quantifier(&random)
    }
  }

  private static func atom(_ random: inout SeededRandom) -> String {
    random.element(of: [
      "a", "b", "c", "ab", "é", "日", ".", #"\w"#, #"\d"#, #"\s"#, #"\W"#, "^", "$", #"\b"#, #"\B"#,
      #"\b{start}"#, #"\b{end-half}"#, #"\A"#, #"\z"#, #"\n"#, #"\r"#, #"\pL"#, "(?i)", "(?-u:\\b)",
    ])
  }

  private static func quantifier(_ random: inout SeededRandom) -> String {
    random.element(of: ["", "*", "+", "?", "*?", "{2}", "{0,2}", "{1,}", "{2,3}", "{0}"])
  }

  private static func set(depth: Int, _ random: inout SeededRandom) -> String {
    var set = random.oneIn(3) ? "[^" : "["
    for _ in 0..<random.int(in: 1...3) {
      if depth > 0 && random.oneIn(4) {
        set += random.element(of: ["", "&&", "--", "~~"]) + self.set(depth: depth - 1, &random)
      } else {
        set += random.element(of: [
          "a", "b-c", "é", #"\w"#, #"\S"#, "[:upper:]", #"\n"#, "1", "A-Z",
        ])
      }
    }
    return set + "]"
  }
}
