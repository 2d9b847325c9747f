import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaText

/// Every Unicode class holds the scalars that it holds in official Chroma, and letters are equal
/// but for case exactly where they are there: recorded by `Fixtures/record_unicode.py`, for every
/// scalar that is assigned.
@Suite struct UnicodeClassTests {
  /// Classes that a later Unicode than official Chroma's changed for scalars that both have, and
  /// for how many at most: U+0295 is no lowercase letter any more, U+A7D3 and U+A7D5 have gained
  /// capitals, U+2B96 was assigned, and 39 scalars are diacritics now.
  private static let changedLater: [Text: Int] = [
    #"\p{Ll}"#: 1, #"\p{LC}"#: 1, #"\p{Lo}"#: 1, #"\p{Cased}"#: 1, #"\p{Lowercase}"#: 1,
    #"\p{Pattern_Syntax}"#: 1, #"\p{Changes_When_Casemapped}"#: 2,
    #"\p{Changes_When_Uppercased}"#: 2, #"\p{Changes_When_Titlecased}"#: 2, #"\p{Diacritic}"#: 39,
  ]

  /// What the recorder looked at.
  private static let recorded = ScalarSet(
    [
      (0, 0x323FF), (0x3FFF0, 0x4000F), (0xE0000, 0xE01FF), (0xFFFF0, 0x10000F),
      (0x10FFF0, 0x10FFFF),
    ].map { ScalarSet.Range(lower: $0.0, upper: $0.1) })

  @Test("classes hold the scalars that they hold in official Chroma")
  func classes() throws {
    var count = 0
    for line in try Self.lines() {
      guard case .string(let name) = line["class"] else { continue }
      count += 1
      let actual = try Self.set(name).intersection(Self.recorded)
      let actualCount = actual.ranges.reduce(0) { $0 + Int($1.upper - $1.lower) + 1 }
      if let difference = Self.changedLater[name], case .int(let recordedCount) = line["count"] {
        #expect(abs(actualCount - Int(recordedCount)) <= difference, "\(name)")
      } else {
        #expect(line["count"] == .int(Int64(actualCount)), "\(name)")
        #expect(line["digest"] == .string(Self.digest(actual)), "\(name)")
      }
    }
    #expect(count > 400)
  }

  @Test("letters are equal but for case where they are in official Chroma")
  func folding() throws {
    var folded: [ScalarSet.Range] = []
    var count = 0
    for line in try Self.lines() {
      guard case .string(let fold) = line["fold"] else { continue }
      let equals = ScalarSet(
        fold.string.split(separator: " ").compactMap { UInt32($0, radix: 16) }
          .map { ScalarSet.Range(lower: $0, upper: $0) })
      for range in equals.ranges {
        for value in range.lower...range.upper {
          let closure = CaseFolding.closure(
            of: ScalarSet([ScalarSet.Range(lower: value, upper: value)]))
          #expect(closure == equals, "\(fold)")
        }
      }
      folded += equals.ranges
      count += 1
    }
    #expect(count > 1_000)
    // And nothing else is equal to anything. No letter has two cases beyond plane 1.
    var others: [UInt32] = []
    for range in ScalarSet(folded).inverted().ranges {
      for value in range.lower...max(range.lower, min(range.upper, 0x1FFFF)) {
        let set = ScalarSet([ScalarSet.Range(lower: value, upper: value)])
        if CaseFolding.closure(of: set) != set { others.append(value) }
      }
    }
    #expect(others.isEmpty)
  }

  private static func lines() throws -> [JSON] {
    try Fixture.lines("unicode.jsonl").map { try JSON(parsing: Array($0.utf8)) }
  }

  private static func set(_ name: Text) throws -> ScalarSet {
    let meaning = try RegularExpression.meaning(name)
    switch meaning.expression {
    case .set(let index, _): return meaning.sets[index]
    case .literal(let scalar): return ScalarSet(scalar)
    default: throw ChromaError.corruption("\(name) is no class.")
    }
  }

  /// FNV-1a over the ranges as text.
  private static func digest(_ set: ScalarSet) -> Text {
    let ranges = set.ranges.map {
      String($0.lower, radix: 16, uppercase: true) + "-"
        + String($0.upper, radix: 16, uppercase: true)
    }
    let digest = ranges.joined(separator: ",").utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    let digits = String(digest, radix: 16, uppercase: true)
    return Text(String(repeating: "0", count: 16 - digits.utf8.count) + digits)
  }
}
