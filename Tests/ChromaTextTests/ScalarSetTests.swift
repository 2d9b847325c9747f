import ChromaTestSupport
import Testing

@testable import ChromaText

/// Sets of scalars behave as sets, at the edges of Unicode and around the surrogates too.
@Suite struct ScalarSetTests {
  /// The places where ranges are likely to go wrong.
  private static let universe: [UInt32] =
    Array(0x0...0x8) + Array(0xD7FC...0xD7FF) + Array(0xE000...0xE003) + Array(0x10FFFB...0x10FFFF)

  @Test("operations agree with those on sets of numbers", arguments: 1...20)
  func operations(seed: UInt64) {
    var random = SeededRandom(seed)
    for _ in 0..<200 {
      let (left, leftModel) = Self.randomSet(&random)
      let (right, rightModel) = Self.randomSet(&random)
      Self.expect(left.union(right), leftModel.union(rightModel), seed)
      Self.expect(left.intersection(right), leftModel.intersection(rightModel), seed)
      Self.expect(left.subtracting(right), leftModel.subtracting(rightModel), seed)
      Self.expect(
        left.symmetricDifference(right), leftModel.symmetricDifference(rightModel), seed)
      Self.expect(left.inverted(), Set(Self.universe).subtracting(leftModel), seed)
      #expect(left.inverted().inverted() == left, "seed \(seed)")
      #expect(left.isEmpty == leftModel.isEmpty, "seed \(seed)")
    }
  }

  @Test("all scalars but one another are none")
  func edges() {
    #expect(ScalarSet.all.inverted() == .empty)
    #expect(!ScalarSet.all.contains(0xD800))
    #expect(ScalarSet("\u{D7FF}"..."\u{E000}").ranges.count == 2)
    #expect(ScalarSet("x").single == "x")
    #expect(ScalarSet("x"..."y").single == nil)
  }

  private static func randomSet(_ random: inout SeededRandom) -> (ScalarSet, Set<UInt32>) {
    var ranges: [ScalarSet.Range] = []
    for _ in 0..<random.int(in: 0...4) {
      let ends = [random.element(of: universe), random.element(of: universe)].sorted()
      ranges.append(ScalarSet.Range(lower: ends[0], upper: random.oneIn(2) ? ends[0] : ends[1]))
    }
    let model = universe.filter { value in
      ranges.contains { $0.lower <= value && value <= $0.upper }
    }
    return (ScalarSet(ranges), Set(model))
  }

  private static func expect(_ set: ScalarSet, _ model: Set<UInt32>, _ seed: UInt64) {
    #expect(Set(universe.filter(set.contains)) == model, "seed \(seed)")
    for (range, next) in zip(set.ranges, set.ranges.dropFirst()) {
      #expect(range.lower <= range.upper && range.upper + 1 < next.lower, "seed \(seed)")
    }
  }
}
