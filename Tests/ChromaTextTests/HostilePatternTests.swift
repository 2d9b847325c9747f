import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// No pattern ends the process, takes time beyond its length times the text's, or memory beyond a
/// limit: it matches, or it is refused with a sentence.
@Suite struct HostilePatternTests {
  @Test(
    "patterns that make backtracking explode are searched for in one pass",
    arguments: [
      "(a+)+$", "(a*)*b", "(a|a)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)[^a!]$", "(?:a?){50}a{50}b",
      "((a{1,9}){1,9}){1,9}b", "(x+x+)+y", #"^(\w+\s?)*$"#, #"(?s)(.*a){20}b"#,
    ])
  func catastrophicPatterns(pattern: String) throws {
    let text = Text(String(repeating: "a", count: 20_000) + "!")
    #expect(try !RegularExpression(Text(pattern)).matches(text))
  }

  @Test(
    "a search of one long text asks again and again whether to go on, and ends when told to",
    arguments: ["(a+)+$", "[^a]{3}", "(?i)ab", "(?:a?){50}a{50}b"])
  func cancelled(pattern: String) throws {
    struct Stop: Error {}
    let text = Array(repeating: UInt8(ascii: "a"), count: 1 << 20) + Array("!".utf8)
    let search = RegexSearch(
      try RegexCompiler.compile(try RegularExpression.meaning(Text(pattern))))
    text.withUnsafeBufferPointer { text in
      var checkCount = 0
      #expect(!search.matches(text) { checkCount += 1 })
      #expect(checkCount >= 4)
      var countLeft = 3
      #expect(throws: Stop.self) {
        try search.matches(text) { () throws(Stop) in
          countLeft -= 1
          if countLeft < 0 { throw Stop() }
        }
      }
      // It can be used again.
      #expect(!search.matches(text) {})
    }

    let cancel = CancelToken()
    let expression = try RegularExpression(Text(pattern))
    #expect(try !expression.matches("é" as Text, cancel: cancel))
    cancel.request()
    let error = #expect(throws: ChromaError.self) {
      try expression.matches("ab" as Text, cancel: cancel)
    }
    #expect(error?.kind == .cancelled)
  }

  @Test(
    "deep nesting is refused, not followed",
    arguments: [
      ("(", ")"), ("(?:", ")"), ("[", "]"), ("[^", "]"), ("(?i:", ")?"), ("(a|", ")"),
      ("[[a]&&", "]"),
    ])
  func deepNesting(open: String, close: String) throws {
    for depth in [251, 10_000] {
      let opened = String(repeating: open, count: depth) + "a"
      let closed = opened + String(repeating: close, count: depth)
      Self.expectRefusal(closed, "error: exceed the maximum number of nested")
      Self.expectRefusal(opened, "error: unclosed")
    }
    let deepest = 120
    let nested =
      String(repeating: open, count: deepest) + "a" + String(repeating: close, count: deepest)
    #expect(throws: Never.self) { try RegularExpression(Text(nested)) }
  }

  @Test(
    "patterns that are too large written out are refused",
    arguments: [
      "a{4294967295}", "(a{1000}){1000}", "((a{100}){100}){100}", "(?:a{0,1000}){0,1000}",
      #"(\b){4294967295}"#, #"(?:\b|\B){999999999}"#, "((((a+){99}){99}){99}){99}",
    ])
  func tooLarge(pattern: String) {
    Self.expectRefusal(pattern, "The regular expression is too large")
  }

  @Test("a pattern longer than the limit is refused before it is read")
  func tooLong() {
    let count = Limits.regexByteCountMax + 1
    Self.expectRefusal(
      String(repeating: "a", count: count), "The regular expression has \(count) bytes")
  }

  @Test(
    "long patterns of one part over and over compile or are refused",
    arguments: [
      "a", "ab|", "[^a]", #"\w"#, #"[\W--a]"#, #"(?i)\pL"#, "(a)", "a?", "(?x) #\n", "日", "|", "^",
      "[a-b-]",
      "a{2}", "(?i)", #"\b"#, "(?:a|b)*",
    ])
  func longPatterns(part: String) {
    let count = 16_384 / part.utf8.count
    do throws(ChromaError) {
      let expression = try RegularExpression(Text(String(repeating: part, count: count)))
      _ = expression.matches("ab")
    } catch {
      #expect(error.kind == .invalidArgument)
    }
  }

  @Test("nothing repeated without end is nothing")
  func repeatedNothing() throws {
    for pattern in ["(?:){4294967295}", "(?:(?:){4294967295}){4294967295}", "()*", "(?:a{0})+"] {
      #expect(try RegularExpression(Text(pattern)).matches(""))
    }
  }

  @Test("fifty thousand words are one alternation")
  func manyWords() throws {
    let words = (0..<50_000).map { "word\($0)x" }
    let expression = try RegularExpression(Text(words.joined(separator: "|")))
    #expect(expression.matches("a word49999x b"))
    #expect(!expression.matches("a word50000x b"))
  }

  @Test("garbage is matched or refused", arguments: 1...20)
  func garbage(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let pieces = [
      "(", ")", "[", "]", "{", "}", "?", "*", "+", "|", "^", "$", "\\", "-", "&&", "--", "~~", ":",
      "(?", "(?P<n>", "[[:alpha:]", "\\p{", "\\x{", "\\b{", "{1,", "(?i", "(?x)", "#", "\n", "0",
      "9",
      "a", "é", "日", "🎉", "\u{0}",
    ]
    for _ in 0..<1_000 {
      var pattern = ""
      for _ in 0..<random.int(in: 1...20) {
        switch random.int(in: 0...3) {
        case 0: pattern += String(decoding: [UInt8(random.int(in: 0...255))], as: UTF8.self)
        case 1: pattern += String(UnicodeScalar(UInt8(random.int(in: 0...127))))
        default: pattern += random.element(of: pieces)
        }
      }
      do throws(ChromaError) {
        let expression = try RegularExpression(Text(pattern))
        let text = PatternGenerator.text(&random)
        let expected = ReferenceMatcher.matches(
          try RegularExpression.meaning(Text(pattern)), Array(text.unicodeScalars))
        #expect(expression.matches(Text(text)) == expected, "seed \(seed): \(pattern)")
      } catch {
        #expect(
          error.kind == .invalidArgument && !error.message.isEmpty, "seed \(seed): \(pattern)")
      }
    }
  }

  private static func expectRefusal(_ pattern: String, _ message: String) {
    let error = #expect(throws: ChromaError.self) { try RegularExpression(Text(pattern)) }
    #expect(error?.kind == .invalidArgument)
    #expect(error?.message.contains(message) == true, "\(error?.message.suffix(200) ?? "")")
  }
}
