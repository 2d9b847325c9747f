// A set of slots, one bit each: which records live, which ones a filter lets through.
//
// Word w holds slots 64·w ... 64·w + 63, lowest bit first. Slots past the last word are not in the
// set, so sets of different lengths combine without an agreed universe. There is no complement for
// the same reason: "not" is `subtracting` from the set of all that live.

/// A set of dense 32-bit slots. Memory: an eighth of a byte for each slot up to the largest.
package struct Bitset: Equatable, Sendable, Sequence {
  package private(set) var words: [UInt64]

  package init() {
    words = []
  }

  /// The slots whose bits are set: slot 64·w + b in bit b of word w.
  package init(words: [UInt64]) {
    self.words = words
  }

  /// The slots 0 ..< `count`.
  package init(firstSlots count: Int) {
    words = Array(repeating: ~0, count: count / 64)
    if count % 64 > 0 { words.append((1 << UInt64(count % 64)) - 1) }
  }

  package init(_ slots: some Sequence<UInt32>) {
    words = []
    for slot in slots { insert(slot) }
  }

  /// How many slots are in the set. Looks at every word.
  package var count: Int {
    words.reduce(0) { $0 &+ $1.nonzeroBitCount }
  }

  package var isEmpty: Bool {
    words.allSatisfy { $0 == 0 }
  }

  @inlinable
  package func contains(_ slot: UInt32) -> Bool {
    let word = Int(slot / 64)
    return word < words.count && words[word] & (1 << UInt64(slot % 64)) != 0
  }

  /// Returns whether the slot was new.
  @discardableResult
  package mutating func insert(_ slot: UInt32) -> Bool {
    let word = Int(slot / 64)
    if word >= words.count {
      words.append(contentsOf: repeatElement(0, count: word &+ 1 &- words.count))
    }
    let bit: UInt64 = 1 << UInt64(slot % 64)
    let isNew = words[word] & bit == 0
    words[word] |= bit
    return isNew
  }

  /// Returns whether the slot was there.
  @discardableResult
  package mutating func remove(_ slot: UInt32) -> Bool {
    guard contains(slot) else { return false }
    words[Int(slot / 64)] &= ~(1 << UInt64(slot % 64))
    return true
  }

  /// Lets the body set many slots at the cost of a bit each.
  ///
  /// - Parameter slotCount: the words are as many as hold the slots below it, or more.
  package mutating func withWords<Result, Failure: Error>(
    forSlots slotCount: Int,
    _ body: (UnsafeMutableBufferPointer<UInt64>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let missing = (slotCount &+ 63) / 64 &- words.count
    if missing > 0 { words.append(contentsOf: repeatElement(0, count: missing)) }
    return try words.withUnsafeMutableBufferPointer { (words) throws(Failure) in try body(words) }
  }

  /// And: keeps what is in both.
  package mutating func formIntersection(_ other: Bitset) {
    if words.count > other.words.count { words.removeLast(words.count &- other.words.count) }
    combine(other, &)
  }

  /// Or: adds what is in `other`.
  package mutating func formUnion(_ other: Bitset) {
    if words.count < other.words.count {
      words.append(contentsOf: repeatElement(0, count: other.words.count &- words.count))
    }
    combine(other, |)
  }

  /// And not: drops what is in `other`.
  package mutating func subtract(_ other: Bitset) {
    combine(other) { $0 & ~$1 }
  }

  /// Changes the words that both have.
  @inline(__always)
  private mutating func combine(_ other: Bitset, _ operation: (UInt64, UInt64) -> UInt64) {
    words.withUnsafeMutableBufferPointer { words in
      other.words.withUnsafeBufferPointer { others in
        for word in 0..<Swift.min(words.count, others.count) {
          words[word] = operation(words[word], others[word])
        }
      }
    }
  }

  /// Adds slot s + `distance` for each slot s of `other`.
  ///
  /// - Parameter distance: not negative; sums stay below 2^32.
  package mutating func formUnion(_ other: Bitset, movedBy distance: Int) {
    let (wordDistance, bitDistance) = (distance / 64, UInt64(distance % 64))
    // One word more: a bit may move into it.
    let wordCount = wordDistance &+ other.words.count &+ (bitDistance == 0 ? 0 : 1)
    if words.count < wordCount {
      words.append(contentsOf: repeatElement(0, count: wordCount &- words.count))
    }
    words.withUnsafeMutableBufferPointer { words in
      other.words.withUnsafeBufferPointer { others in
        for word in others.indices {
          words[word &+ wordDistance] |= others[word] << bitDistance
          if bitDistance > 0 {
            words[word &+ wordDistance &+ 1] |= others[word] >> (64 &- bitDistance)
          }
        }
      }
    }
  }

  /// Drops the slots below a bound.
  package mutating func removeSlots(below bound: Int) {
    let word = Swift.min(bound / 64, words.count)
    for index in 0..<word { words[index] = 0 }
    if word < words.count { words[word] &= ~0 << UInt64(bound % 64) }
  }

  /// How many of some slots are in the set.
  package func count(in slots: Range<Int>) -> Int {
    let end = Swift.min(slots.upperBound, words.count &* 64)
    guard slots.lowerBound < end else { return 0 }
    let (first, last) = (slots.lowerBound / 64, (end &- 1) / 64)
    let firstMask: UInt64 = ~0 << UInt64(slots.lowerBound % 64)
    let lastMask: UInt64 = ~0 >> UInt64(63 &- (end &- 1) % 64)
    if first == last { return (words[first] & firstMask & lastMask).nonzeroBitCount }
    return words[(first &+ 1)..<last].reduce(
      (words[first] & firstMask).nonzeroBitCount &+ (words[last] & lastMask).nonzeroBitCount
    ) { $0 &+ $1.nonzeroBitCount }
  }

  /// The first slot of the set from one on; nil if there is none.
  package func first(from slot: Int) -> Int? {
    var word = slot / 64
    guard word < words.count else { return nil }
    var rest = words[word] & (~0 << UInt64(slot % 64))
    while rest == 0 {
      word &+= 1
      guard word < words.count else { return nil }
      rest = words[word]
    }
    return word &* 64 &+ rest.trailingZeroBitCount
  }

  package func intersection(_ other: Bitset) -> Bitset {
    var result = self
    result.formIntersection(other)
    return result
  }

  package func union(_ other: Bitset) -> Bitset {
    var result = self
    result.formUnion(other)
    return result
  }

  package func subtracting(_ other: Bitset) -> Bitset {
    var result = self
    result.subtract(other)
    return result
  }

  /// Whether the same slots are in both, however many empty words follow.
  package static func == (left: Bitset, right: Bitset) -> Bool {
    let shared = Swift.min(left.words.count, right.words.count)
    return left.words[..<shared] == right.words[..<shared]
      && left.words[shared...].allSatisfy { $0 == 0 }
      && right.words[shared...].allSatisfy { $0 == 0 }
  }

  /// The slots in ascending order. A step costs a few cycles, an empty word one.
  @inlinable
  package func makeIterator() -> Iterator {
    Iterator(words)
  }

  package struct Iterator: IteratorProtocol {
    @usableFromInline let words: [UInt64]
    @usableFromInline var word = 0
    /// The bits of `words[word]` that are still to come.
    @usableFromInline var rest: UInt64

    @inlinable
    init(_ words: [UInt64]) {
      self.words = words
      rest = words.first ?? 0
    }

    @inlinable
    package mutating func next() -> UInt32? {
      while rest == 0 {
        guard word &+ 1 < words.count else { return nil }
        word &+= 1
        rest = words[word]
      }
      let bit = rest.trailingZeroBitCount
      rest &= rest &- 1
      return UInt32(truncatingIfNeeded: word &* 64 &+ bit)
    }
  }
}
