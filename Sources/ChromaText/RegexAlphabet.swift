// The alphabet of one regular expression: scalars that none of its sets tells apart are one letter.
//
// Invariants:
//   * Two scalars have the same letter exactly if the same sets hold them, so a set holds either
//     all scalars of a letter or none.
//   * Letters count from 0 without gaps.

struct RegexAlphabet {
  typealias Letter = UInt16

  /// Letters, at most: as many as `Letter` can number.
  static let letterCountMax = Int(Letter.max)
  /// Steps of dividing the scalars by one set after another. Met only by thousands of distinct,
  /// broad classes.
  private static let stepCountMax = 20_000_000

  /// Where stretches of scalars with one letter begin: ascending, the first at 0.
  private let starts: [UInt32]
  /// The letter of each stretch.
  private let letters: [Letter]
  /// The letters of ASCII.
  let asciiLetters: [Letter]
  /// A code point of each letter, to ask sets about. Only the letter that no set holds may have a
  /// surrogate.
  let representatives: [UInt32]

  var letterCount: Int { representatives.count }

  /// Nil if there would be too many letters.
  init?(dividedBy sets: [ScalarSet]) {
    var starts = Set<UInt32>([0])
    for set in sets {
      for range in set.ranges {
        starts.insert(range.lower)
        if range.upper < 0x10FFFF { starts.insert(range.upper + 1) }
      }
    }
    self.starts = starts.sorted()

    // Each set moves the stretches that it holds to new letters, one for each letter that they had.
    var letters = [Int](repeating: 0, count: self.starts.count)
    var letterCount = 1
    var stepCount = 0
    for set in sets {
      var moved: [Int: Int] = [:]
      for range in set.ranges {
        var index = Self.index(of: range.lower, in: self.starts)
        while index < letters.count, self.starts[index] <= range.upper {
          let target = moved[letters[index]] ?? letterCount
          if target == letterCount {
            moved[letters[index]] = letterCount
            letterCount += 1
          }
          letters[index] = target
          index += 1
          stepCount += 1
        }
      }
      if stepCount > Self.stepCountMax { return nil }
    }

    // Letters whose stretches all moved on left gaps.
    var numbers: [Int: Letter] = [:]
    var representatives: [UInt32] = []
    for (start, letter) in zip(self.starts, letters) where numbers[letter] == nil {
      guard representatives.count < Self.letterCountMax else { return nil }
      numbers[letter] = Letter(representatives.count)
      representatives.append(start)
    }
    let numbered = letters.map { numbers[$0] ?? 0 }
    let sorted = self.starts
    self.letters = numbered
    self.representatives = representatives
    asciiLetters = (0..<128).map { numbered[Self.index(of: $0, in: sorted)] }
  }

  /// Takes time logarithmic in the number of stretches.
  func letter(of scalar: UInt32) -> Letter {
    letters[Self.index(of: scalar, in: starts)]
  }

  /// The last index whose start is not above the scalar.
  private static func index(of scalar: UInt32, in starts: [UInt32]) -> Int {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= scalar { low = middle } else { high = middle }
    }
    return low
  }
}
