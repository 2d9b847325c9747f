// The values of a metadata column in ascending order, while a segment is written or verified.
//
// Numbers are sorted by keys that order as they do. Strings are looked up in a hash table first, so
// that only the distinct ones are sorted: by eight bytes after what they begin with in common, and
// again by the next eight where these are equal. All of it is linear in the values, but for factors
// of their bytes.

internal import Glibc

/// Which distinct values a column has, ascending, and at which places each stands.
struct ValueOrder: Equatable {
  /// Where the places of each distinct value end in `places`.
  var ends: [Int64]
  /// Numbers of values among those of the column, ascending for each distinct value and each once.
  var places: [UInt32]
  /// Where each distinct value stands first: the number of the value, or of the element of an array.
  var firsts: [UInt32]

  init(bools: [Bool], arrayEnds: [Int64]?) {
    self.init(sorting: bools.map { $0 ? 1 : 0 }, arrayEnds: arrayEnds)
  }

  init(ints: [Int64], arrayEnds: [Int64]?) {
    self.init(sorting: ints.map { UInt64(bitPattern: $0) ^ 1 << 63 }, arrayEnds: arrayEnds)
  }

  /// - Parameter floats: as they are written, little-endian.
  init(floats: [UInt8], arrayEnds: [Int64]?) {
    let keys = floats.withUnsafeBytes { raw in
      (0..<raw.count / 8).map { index in
        let bits = UInt64(
          littleEndian: raw.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self))
        // The two zeros are equal.
        if bits << 1 == 0 { return 1 << 63 as UInt64 }
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
      }
    }
    self.init(sorting: keys, arrayEnds: arrayEnds)
  }

  init(strings: [UInt8], ends stringEnds: [Int64], arrayEnds: [Int64]?) {
    let distinct = DistinctStrings(strings, ends: stringEnds)
    let ranks = distinct.ranks()
    self.init(
      counting: distinct.numbers.map { ranks[Int($0)] }, below: ranks.count, arrayEnds: arrayEnds)
  }

  /// - Parameter keys: of the scalars, ordered as these.
  private init(sorting keys: [UInt64], arrayEnds: [Int64]?) {
    let lowest = keys.min() ?? 0
    let span = (keys.max() ?? 0) - lowest
    if span < UInt64(2 * keys.count) {
      self.init(
        counting: keys.map { UInt32(truncatingIfNeeded: $0 &- lowest) }, below: Int(span) + 1,
        arrayEnds: arrayEnds)
      return
    }
    var items = keys.indices.map {
      SortItem(key: keys[$0] &- lowest, number: UInt32(truncatingIfNeeded: $0))
    }
    items.withUnsafeMutableBufferPointer { SortItem.sort($0) }
    var ends: [Int64] = []
    for index in 1..<items.count where items[index].key != items[index &- 1].key {
      ends.append(Int64(index))
    }
    ends.append(Int64(items.count))
    self.init(scalars: items.map { $0.number }, ends: ends, arrayEnds: arrayEnds)
  }

  /// - Parameters:
  ///   - ranks: of the scalars, ordered as these.
  ///   - count: One more than the largest of the ranks.
  private init(counting ranks: [UInt32], below count: Int, arrayEnds: [Int64]?) {
    var starts = [UInt32](repeating: 0, count: count)
    for rank in ranks { starts[Int(rank)] &+= 1 }
    var ends: [Int64] = []
    var end: UInt32 = 0
    for rank in starts.indices where starts[rank] > 0 {
      (starts[rank], end) = (end, end &+ starts[rank])
      ends.append(Int64(end))
    }
    let scalars = [UInt32](unsafeUninitializedCapacity: ranks.count) { target, initializedCount in
      for scalar in ranks.indices {
        let rank = Int(ranks[scalar])
        target.initializeElement(
          at: Int(starts[rank]), to: UInt32(truncatingIfNeeded: scalar))
        starts[rank] &+= 1
      }
      initializedCount = ranks.count
    }
    self.init(scalars: scalars, ends: ends, arrayEnds: arrayEnds)
  }

  /// - Parameters:
  ///   - scalars: by value, and by number where that is equal.
  ///   - ends: of the distinct values among them.
  private init(scalars: [UInt32], ends: [Int64], arrayEnds: [Int64]?) {
    firsts = ends.indices.map { scalars[$0 == 0 ? 0 : Int(ends[$0 - 1])] }
    guard let arrayEnds else {
      (self.ends, places) = (ends, scalars)
      return
    }
    var placeByScalar = [UInt32](repeating: 0, count: scalars.count)
    var start = 0
    for (place, end) in arrayEnds.enumerated() {
      for scalar in start..<Int(end) { placeByScalar[scalar] = UInt32(truncatingIfNeeded: place) }
      start = Int(end)
    }
    self.ends = []
    self.ends.reserveCapacity(ends.count)
    places = []
    places.reserveCapacity(scalars.count)
    start = 0
    for end in ends {
      // An array that has the value several times is there once.
      var previous: UInt32?
      for index in start..<Int(end) {
        let place = placeByScalar[Int(scalars[index])]
        if place != previous { places.append(place) }
        previous = place
      }
      self.ends.append(Int64(places.count))
      start = Int(end)
    }
  }
}

/// Something to sort, with a key that orders as it does.
private struct SortItem {
  var key: UInt64
  var number: UInt32

  /// Below it, clearing the counts costs more than comparing.
  private static let countedCountMin = 512

  /// Sorts by key. Equal keys stay in order where numbers ascend.
  static func sort(_ items: UnsafeMutableBufferPointer<SortItem>) {
    var sorted = 1
    while sorted < items.count, items[sorted &- 1].key <= items[sorted].key { sorted &+= 1 }
    if sorted >= items.count { return }
    if items.count < countedCountMin {
      var items = items
      items.sort { ($0.key, $0.number) < ($1.key, $1.number) }
      return
    }
    let spare = UnsafeMutableBufferPointer<SortItem>.allocate(capacity: items.count)
    defer { spare.deallocate() }
    let counts = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 8 * 256)
    defer { counts.deallocate() }
    counts.initialize(repeating: 0)
    for item in items {
      for digit in 0..<8 { counts[digit &* 256 &+ Self.digit(digit, of: item.key)] &+= 1 }
    }
    var (source, target) = (items, spare)
    for digit in 0..<8 {
      let counts = UnsafeMutableBufferPointer(rebasing: counts[(256 * digit)...].prefix(256))
      if counts[Self.digit(digit, of: source[0].key)] == items.count { continue }
      var start: UInt32 = 0
      for value in 0..<256 { (counts[value], start) = (start, start &+ counts[value]) }
      for item in source {
        let value = Self.digit(digit, of: item.key)
        target.initializeElement(at: Int(counts[value]), to: item)
        counts[value] &+= 1
      }
      swap(&source, &target)
    }
    if source.baseAddress != items.baseAddress { _ = items.update(fromContentsOf: source) }
  }

  @inline(__always)
  private static func digit(_ digit: Int, of key: UInt64) -> Int {
    Int(truncatingIfNeeded: key &>> UInt64(8 &* digit)) & 0xFF
  }
}

/// The distinct strings among those of a column.
private struct DistinctStrings {
  private let bytes: [UInt8]
  private let ends: [Int64]
  /// The first string of each.
  private var firsts: [UInt32] = []
  /// Of each string, which of the distinct ones it is.
  private(set) var numbers: [UInt32] = []

  /// Drawn for each process: who chooses strings must not choose where they fall.
  private static let seed = UInt64(truncatingIfNeeded: Hasher().finalize())

  init(_ bytes: [UInt8], ends: [Int64]) {
    self.bytes = bytes
    self.ends = ends
    numbers.reserveCapacity(ends.count)
    // Hash above, number plus one below; 0 where nothing is.
    var table = [UInt64](repeating: 0, count: 1024)
    bytes.withUnsafeBytes { raw in
      var start = 0
      for (index, end) in ends.enumerated() {
        let string = UnsafeRawBufferPointer(rebasing: raw[start..<Int(end)])
        start = Int(end)
        let hash = Self.hash(of: string)
        var slot = Int(hash) & (table.count - 1)
        while table[slot] != 0 {
          let number = Int(truncatingIfNeeded: table[slot] & 0xFFFF_FFFF) - 1
          if table[slot] >> 32 == UInt64(hash),
            Self.areEqual(string, self.string(number, of: raw))
          {
            break
          }
          slot = (slot + 1) & (table.count - 1)
        }
        if table[slot] == 0 {
          firsts.append(UInt32(index))
          table[slot] = UInt64(hash) << 32 | UInt64(firsts.count)
          numbers.append(UInt32(firsts.count - 1))
          if 2 * firsts.count > table.count { Self.grow(&table) }
        } else {
          numbers.append(UInt32(truncatingIfNeeded: table[slot] & 0xFFFF_FFFF) - 1)
        }
      }
    }
  }

  private static func grow(_ table: inout [UInt64]) {
    var grown = [UInt64](repeating: 0, count: 2 * table.count)
    for entry in table where entry != 0 {
      var slot = Int(truncatingIfNeeded: entry >> 32) & (grown.count - 1)
      while grown[slot] != 0 { slot = (slot + 1) & (grown.count - 1) }
      grown[slot] = entry
    }
    table = grown
  }

  /// Multiplies eight bytes at a time, and folds the product.
  private static func hash(of string: UnsafeRawBufferPointer) -> UInt32 {
    var hash = seed ^ UInt64(string.count)
    var offset = 0
    while offset < string.count {
      let (high, low) = (hash ^ eightBytes(of: string, from: offset))
        .multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
      hash = high ^ low &+ seed
      offset += 8
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }

  private static func areEqual(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    guard left.count == right.count, let start = left.baseAddress, let other = right.baseAddress
    else { return left.count == right.count }
    return memcmp(start, other, left.count) == 0
  }

  /// Eight bytes as a number that orders as they do, zeros after the end.
  @inline(__always)
  private static func eightBytes(of string: UnsafeRawBufferPointer, from offset: Int) -> UInt64 {
    if string.count - offset >= 8 {
      return UInt64(bigEndian: string.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    var bytes: UInt64 = 0
    var shift: UInt64 = 56
    for index in offset..<max(offset, string.count) {
      bytes |= UInt64(string[index]) << shift
      shift &-= 8
    }
    return bytes
  }

  private func string(_ number: Int, of raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let index = Int(firsts[number])
    let start = index == 0 ? 0 : Int(ends[index - 1])
    return UnsafeRawBufferPointer(rebasing: raw[start..<Int(ends[index])])
  }

  // MARK: Order

  /// The place of each distinct string when they are sorted by their bytes.
  func ranks() -> [UInt32] {
    var items = firsts.indices.map { SortItem(key: 0, number: UInt32($0)) }
    bytes.withUnsafeBytes { raw in
      // What is still to be sorted, and how many bytes are known to be equal there. No recursion:
      // strings may be equal over a long way.
      var rest = [(range: items.indices, offset: 0)]
      while let (range, offset) = rest.popLast() {
        let next = sort(&items, range, from: offset, of: raw)
        var start = range.lowerBound
        while start < range.upperBound {
          var end = start + 1
          while end < range.upperBound, items[end].key == items[start].key { end += 1 }
          let tied = tieBreak(&items, start..<end, from: next, of: raw)
          if tied.count > 1 { rest.append((tied, next + 8)) }
          start = end
        }
      }
    }
    var ranks = [UInt32](repeating: 0, count: items.count)
    for (rank, item) in items.enumerated() { ranks[Int(item.number)] = UInt32(rank) }
    return ranks
  }

  /// Sorts strings by the eight bytes that follow what they have in common. Returns where these begin.
  private func sort(
    _ items: inout [SortItem], _ range: Range<Int>, from offset: Int,
    of raw: UnsafeRawBufferPointer
  ) -> Int {
    guard range.count > 1 else { return offset }
    let first = string(Int(items[range.lowerBound].number), of: raw)
    var common = first.count
    for index in range.dropFirst() {
      let other = string(Int(items[index].number), of: raw)
      var equal = offset
      while equal < min(common, other.count), other[equal] == first[equal] { equal += 1 }
      common = equal
      if common == offset { break }
    }
    for index in range {
      let string = string(Int(items[index].number), of: raw)
      items[index].key = Self.eightBytes(of: string, from: common)
    }
    items.withUnsafeMutableBufferPointer { SortItem.sort(.init(rebasing: $0[range])) }
    return common
  }

  /// Puts those strings of a run with one key first that end in it: they differ by zeros alone, and so
  /// are at most nine. Returns the others.
  private func tieBreak(
    _ items: inout [SortItem], _ run: Range<Int>, from offset: Int,
    of raw: UnsafeRawBufferPointer
  ) -> Range<Int> {
    guard run.count > 1 else { return run }
    var start = run.lowerBound
    for index in run where string(Int(items[index].number), of: raw).count <= offset + 8 {
      items.swapAt(start, index)
      start += 1
    }
    items[run.lowerBound..<start].sort {
      string(Int($0.number), of: raw).count < string(Int($1.number), of: raw).count
    }
    return start..<run.upperBound
  }
}
