// Sets of Unicode scalars, as sorted ranges.
//
// Invariants:
//   * Ranges ascend and neither overlap nor touch, so equal sets have equal ranges.
//   * No range holds a surrogate: those are code points, not scalars, and no text contains them.

struct ScalarSet: Hashable, Sendable {
  struct Range: Hashable, Sendable {
    var lower: UInt32
    /// Belongs to the range.
    var upper: UInt32
  }

  private(set) var ranges: [Range]

  static let empty = ScalarSet(canonical: [])
  static let all = ScalarSet([Range(lower: 0, upper: 0x10FFFF)])

  private init(canonical ranges: [Range]) {
    self.ranges = ranges
  }

  /// The union of ranges in any order.
  init(_ ranges: some Sequence<Range>) {
    self.ranges = []
    var merged: [Range] = []
    for range in ranges.sorted(by: { $0.lower < $1.lower }) {
      // No scalar is large enough for `+ 1` to overflow.
      if let last = merged.last, range.lower <= last.upper + 1 {
        merged[merged.count - 1].upper = max(last.upper, range.upper)
      } else {
        merged.append(range)
      }
    }
    self.ranges.reserveCapacity(merged.count)
    for range in merged { appendWithoutSurrogates(range) }
  }

  init(_ scalars: ClosedRange<Unicode.Scalar>) {
    self.init([Range(lower: scalars.lowerBound.value, upper: scalars.upperBound.value)])
  }

  init(_ scalar: Unicode.Scalar) {
    self.init(canonical: [Range(lower: scalar.value, upper: scalar.value)])
  }

  private mutating func appendWithoutSurrogates(_ range: Range) {
    if range.upper < 0xD800 || range.lower > 0xDFFF {
      ranges.append(range)
      return
    }
    if range.lower < 0xD800 { ranges.append(Range(lower: range.lower, upper: 0xD7FF)) }
    if range.upper > 0xDFFF { ranges.append(Range(lower: 0xE000, upper: range.upper)) }
  }

  var isEmpty: Bool { ranges.isEmpty }

  var isASCII: Bool { (ranges.last?.upper ?? 0) < 0x80 }

  /// The only member of a set of one.
  var single: Unicode.Scalar? {
    guard ranges.count == 1, ranges[0].lower == ranges[0].upper else { return nil }
    return Unicode.Scalar(ranges[0].lower)
  }

  /// Takes time logarithmic in the number of ranges.
  func contains(_ value: UInt32) -> Bool {
    let index = indexOfFirstRange(endingAtOrAbove: value)
    return index < ranges.count && ranges[index].lower <= value
  }

  func indexOfFirstRange(endingAtOrAbove value: UInt32) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upper < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func union(_ other: ScalarSet) -> ScalarSet {
    ScalarSet(ranges + other.ranges)
  }

  func intersection(_ other: ScalarSet) -> ScalarSet {
    var common: [Range] = []
    var (left, right) = (0, 0)
    while left < ranges.count && right < other.ranges.count {
      let lower = max(ranges[left].lower, other.ranges[right].lower)
      let upper = min(ranges[left].upper, other.ranges[right].upper)
      if lower <= upper { common.append(Range(lower: lower, upper: upper)) }
      if ranges[left].upper < other.ranges[right].upper { left += 1 } else { right += 1 }
    }
    return ScalarSet(canonical: common)
  }

  func inverted() -> ScalarSet {
    var gaps: [Range] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lower > next { gaps.append(Range(lower: next, upper: range.lower - 1)) }
      next = range.upper + 1
    }
    if next <= 0x10FFFF { gaps.append(Range(lower: next, upper: 0x10FFFF)) }
    return ScalarSet(gaps)
  }

  func subtracting(_ other: ScalarSet) -> ScalarSet {
    intersection(other.inverted())
  }

  func symmetricDifference(_ other: ScalarSet) -> ScalarSet {
    subtracting(other).union(other.subtracting(self))
  }
}
