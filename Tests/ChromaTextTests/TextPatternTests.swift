import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// `$like` and `$icontains` find what a naive reading of their definitions finds.
@Suite struct TextPatternTests {
  @Test("a pattern is about the whole text, with a run for % and a scalar for _")
  func likeExamples() throws {
    let examples: [(pattern: Text, like: [Text], unlike: [Text])] = [
      ("", [""], ["a", "\n"]),
      ("%", ["", "a", "\n\u{0}"], []),
      ("%%", ["", "日"], []),
      ("_", ["a", "\n", "日", "🎉", "\u{0}"], ["", "ab", "e\u{301}"]),
      ("a%", ["a", "ab", "a\nb"], ["", "ba", "A"]),
      ("%a", ["a", "ba", "\na"], ["ab", "a\n"]),
      ("%a%", ["a", "bab", "\na\n"], ["", "b", "A"]),
      ("a_c%e", ["abce", "a\u{E9}cde"], ["ace", "abc", "xabce", "abcex"]),
      ("%_%_%", ["ab", "日本", "abc"], ["", "a"]),
      (#"100\%"#, ["100%"], ["1000", #"100\%"#]),
      (#"a\_b"#, ["a_b"], ["axb"]),
      (#"a\\b"#, [#"a\b"#], ["ab"]),
      (#"\a"#, ["a"], [#"\a"#]),
      (#"\\%"#, [#"\"#, #"\x"#], ["x", "%"]),
      ("a.*[b]", ["a.*[b]"], ["axxb"]),
      ("\u{E9}", ["\u{E9}"], ["e\u{301}"]),
    ]
    for (pattern, like, unlike) in examples {
      let expression = try RegularExpression(.like(pattern))
      for text in like { #expect(expression.matches(text), "\(pattern) and \(text)") }
      for text in unlike { #expect(!expression.matches(text), "\(pattern) and \(text)") }
    }
  }

  @Test("patterns are like what they are by the definition", arguments: 1...10)
  func likeAgreesWithDefinition(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var matchCount = 0
    for _ in 0..<400 {
      let pattern = Self.scalars(
        random.int(in: 0...6), of: ["%", "%", "_", "a", "b", "é"], &random)
      let expression = try RegularExpression(.like(Text(pattern)))
      for _ in 0..<10 {
        let text = Self.scalars(random.int(in: 0...6), of: ["a", "a", "b", "é", "\n"], &random)
        let expected = Self.isLike(
          Array(pattern.unicodeScalars)[...], Array(text.unicodeScalars)[...])
        matchCount += expected ? 1 : 0
        #expect(
          expression.matches(Text(text)) == expected,
          "seed \(seed): \(pattern) and \(text.debugDescription)")
      }
    }
    #expect((400...3_600).contains(matchCount), "seed \(seed): \(matchCount) matches")
  }

  @Test("a pattern that ends within an escape is refused")
  func loneBackslash() {
    for pattern in ["\\", "a\\", "%\\\\\\"] as [Text] {
      let error = #expect(throws: ChromaError.self) { try RegularExpression(.like(pattern)) }
      #expect(error?.kind == .invalidArgument)
      #expect(error?.message.contains("lone backslash") == true)
    }
  }

  @Test("an operand longer than the limit is refused, one just as long is not")
  func longOperands() throws {
    let longest = Text(String(repeating: "日", count: Limits.regexByteCountMax / 3))
    for source in [RegularExpression.Source.like(longest), .icontains(longest)] {
      #expect(try !RegularExpression(source).matches("日"))
    }
    let tooLong = Text(String(repeating: "a", count: Limits.regexByteCountMax + 1))
    for source in [RegularExpression.Source.like(tooLong), .icontains(tooLong)] {
      let error = #expect(throws: ChromaError.self) { try RegularExpression(source) }
      #expect(error?.message.contains("1048577 bytes; 1048576 are the most.") == true)
    }
  }

  @Test("letters are found in every case that folds alike, and nothing else is")
  func icontainsExamples() throws {
    let examples: [(needle: Text, inside: [Text], absent: [Text])] = [
      ("", ["", "a"], []),
      ("Kelvin", ["kelvin", "0 KELVIN", "\u{212A}elvin"], ["kelvi", "ke lvin"]),
      ("straße", ["STRA\u{1E9E}E", "Straße"], ["STRASSE"]),
      ("masse", ["MA\u{17F}\u{17F}E"], ["maße"]),
      ("ΌΣΟΣ", ["όσος"], ["οσος"]),
      ("i", ["I", "xIx"], ["\u{130}", "\u{131}"]),
      ("a%_.*\\", ["A%_.*\\"], ["abc"]),
      ("\u{0}a", ["x\u{0}A"], ["a"]),
      ("日本", ["東日本"], ["日 本"]),
      ("\u{10428}", ["\u{10400}"], ["\u{10401}"]),
    ]
    for (needle, inside, absent) in examples {
      let expression = try RegularExpression(.icontains(needle))
      for text in inside { #expect(expression.matches(text), "\(needle) in \(text)") }
      for text in absent { #expect(!expression.matches(text), "\(needle) in \(text)") }
    }
  }

  @Test("icontains is the same as a regular expression that ignores case", arguments: 1...5)
  func icontainsAgreesWithRegex(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let letters = ["k", "K", "\u{212A}", "s", "ſ", "σ", "ς", "Σ", "é", "É", "日", "1"]
    for _ in 0..<400 {
      let needle = Self.scalars(random.int(in: 1...3), of: letters, &random)
      let expression = try RegularExpression(.icontains(Text(needle)))
      let regex = try RegularExpression(Text("(?i)" + needle))
      for _ in 0..<5 {
        let text = Text(Self.scalars(random.int(in: 0...5), of: letters, &random))
        #expect(expression.matches(text) == regex.matches(text), "seed \(seed): \(needle) \(text)")
      }
    }
  }

  private static func scalars(
    _ count: Int, of pieces: [String], _ random: inout SeededRandom
  ) -> String {
    (0..<count).map { _ in random.element(of: pieces) }.joined()
  }

  private static func isLike(
    _ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>
  ) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    if first == "%" {
      return (text.startIndex...text.endIndex).contains { isLike(rest, text[$0...]) }
    }
    guard let scalar = text.first, first == "_" || first == scalar else { return false }
    return isLike(rest, text.dropFirst())
  }
}
