// Randomness that a seed replays.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014):
/// equal seeds give equal sequences, on every platform and in every release.
package struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(_ seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number of the range, each equally likely.
  package mutating func int(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }

  /// True once in `n` times on average.
  package mutating func oneIn(_ n: Int) -> Bool {
    int(in: 1...n) == 1
  }

  /// One of the elements, which must not be empty.
  package mutating func element<T>(of elements: [T]) -> T {
    elements[int(in: 0...elements.count - 1)]
  }
}
