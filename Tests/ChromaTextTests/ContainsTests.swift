import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// Substring search compares bytes, and agrees with trying every place.
@Suite struct ContainsTests {
  @Test("case, composition, NUL and wildcard characters count as they are")
  func exactBytes() {
    let document: Text = "Größe 100%\u{0} a_b\\c \u{E9}"
    for present in ["", "G", "öß", "0%", "%\u{0} a", "a_b", "\\c", " \u{E9}", document] as [Text] {
      #expect(document.contains(present), "\(present)")
    }
    for absent in ["g", "größe", "e\u{301}", "a.b", "a b", "\u{0}\u{0}", "%%"] as [Text] {
      #expect(!document.contains(absent), "\(absent)")
    }
    #expect(!("" as Text).contains("a"))
    #expect(("" as Text).contains(""))
  }

  @Test("agrees with trying every place", arguments: 1...20)
  func agreesWithNaiveSearch(seed: UInt64) {
    var random = SeededRandom(seed)
    for _ in 0..<500 {
      let haystack = Self.bytes(random.int(in: 0...40), &random)
      let needle = Self.bytes(random.int(in: 0...5), &random)
      let expected =
        needle.isEmpty || haystack.indices.contains { haystack[$0...].starts(with: needle) }
      let actual = haystack.withUnsafeBufferPointer { haystack in
        needle.withUnsafeBufferPointer { contains($0, in: haystack) }
      }
      #expect(actual == expected, "seed \(seed): \(needle) in \(haystack)")
    }
  }

  private static func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in random.element(of: [0, 1, 0x61]) }
  }
}
