// A few strings of bytes, any of which may be the one: what an analysis of expressions counts with.

/// At least one string, ascending, none twice.
struct ByteStrings: Equatable, Sequence {
  /// Strings that a set may have.
  private static let countMax = 64
  /// Strings that sets may have by multiplying, where their strings are long enough to be of use.
  private static let productCountMax = 8
  /// The bytes that an index looks at together.
  private static let usefulByteCount = 3
  /// The bytes of a set's strings together.
  private static let byteCountMax = 4_096
  /// The bytes of a string that is put to a set at once.
  static let literalByteCountMax = 1_024

  private(set) var strings: [[UInt8]]

  var count: Int { strings.count }

  init(_ strings: some Sequence<[UInt8]>) {
    self.strings = Set(strings).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// What begins all of any number of strings, as long as makes a set of allowed size.
  init(beginningAnyOf strings: some Sequence<[UInt8]>) {
    self.init(shortening: strings) { $0.prefix($1) }
  }

  /// What ends all of any number of strings.
  init(endingAnyOf strings: some Sequence<[UInt8]>) {
    self.init(shortening: strings) { $0.suffix($1) }
  }

  private init(
    shortening strings: some Sequence<[UInt8]>, _ shortened: ([UInt8], Int) -> ArraySlice<UInt8>
  ) {
    var distinct = Set<[UInt8]>()
    var byteCount = 16
    for string in strings {
      distinct.insert(Array(shortened(string, byteCount)))
      while distinct.count > Self.countMax {
        byteCount -= byteCount > 4 ? 4 : 1
        distinct = Set(distinct.map { Array(shortened($0, byteCount)) })
      }
    }
    self.init(distinct)
  }

  func makeIterator() -> IndexingIterator<[[UInt8]]> { strings.makeIterator() }

  /// Nil if there are too many.
  func union(_ other: ByteStrings) -> ByteStrings? {
    guard count + other.count <= Self.countMax else { return nil }
    return ByteStrings(strings + other.strings)
  }

  /// The last bytes of all strings.
  func ends(of byteCount: Int) -> ByteStrings {
    ByteStrings(strings.map { Array($0.suffix(byteCount)) })
  }

  /// Puts each string of another set behind each of this one. Changes nothing and says false if
  /// that makes too many.
  mutating func append(_ other: ByteStrings) -> Bool {
    let product = count * other.count
    let isShort = strings.contains { $0.count < Self.usefulByteCount }
    let isAllowed =
      product <= Self.productCountMax || product <= Swift.max(count, other.count)
      || isShort && product <= Self.countMax
    guard isAllowed else { return false }
    if other.count == 1, let suffix = other.strings.first {
      guard byteCount + count * suffix.count <= Self.byteCountMax else { return false }
      // The order stays, but for strings that begin others.
      for index in strings.indices { strings[index] += suffix }
      if count > 1 { strings.sort { $0.lexicographicallyPrecedes($1) } }
      return true
    }
    guard byteCount * other.count + other.byteCount * count <= Self.byteCountMax else {
      return false
    }
    self = ByteStrings(strings.flatMap { string in other.strings.map { string + $0 } })
    return true
  }

  private var byteCount: Int { strings.reduce(0) { $0 + $1.count } }

  /// One of the strings; nil if that says nothing or too little for so many look-ups.
  var requirement: RequiredText? {
    let shortest = strings.reduce(Int.max) { Swift.min($0, $1.count) }
    switch shortest {
    case 0: return nil
    case 1 where count > 4, 2 where count > 32: return nil
    default: return RequiredText.any(of: strings.map { .literal($0) })
    }
  }
}
