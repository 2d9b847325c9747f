// The index of a metadata column: in which order its values stand, and which rows have each.
//
//     section     | part of each column | ends of the parts: integers | bytes of those: UInt32 |
//
//     part        | encoding: UInt8, 1 lists, 2 bitmaps | distinct values: UInt32
//                 | ends of the postings: integers
//                 | where each value stands first: integers, unless it is lists of what is no array
//                 | lists: places: integers | bitmaps: 8 × ⌈values / 64⌉ bytes × distinct values |
//
// A place is the number of a value among those of its column, so that where every row has one it is
// the row. The postings of a distinct value are the places that have it, ascending; the distinct
// values ascend, strings by their bytes. -0.0 and 0.0 are one. Where a value stands first is its
// place, or for arrays the number of the element.
//
// Invariants:
//   * The index holds no values: they are read from the column. It cannot say what the column does
//     not, only where it stands.
//   * No segment needs it. Whatever is wrong with its bytes makes it absent to queries, and what is
//     found later, behind checksums that hold, an error.

internal import ChromaBase

/// The section of a segment.
struct ValueIndexSection {
  private let bytes: SegmentBytes
  private let ends: IntegerColumn

  init(_ bytes: SegmentBytes, columnCount: Int) throws(ChromaError) {
    self.bytes = bytes
    let byteCount = Int(try bytes.load(UInt32.self, at: bytes.count - 4))
    let offset = bytes.count - 4 - byteCount
    guard offset >= 0 else { throw bytes.damage("an index of \(byteCount) bytes does not fit") }
    var cursor = SegmentCursor(
      SegmentBytes(bytes.payload, offset: bytes.offset + offset, count: byteCount))
    ends = try IntegerColumn(count: columnCount, from: &cursor)
    try cursor.expectEnd()
    guard try ends.total(limit: offset) == offset else {
      throw bytes.damage("the indexes of the columns do not fill it")
    }
  }

  func damage(_ what: String) -> ChromaError { bytes.damage(what) }

  /// The index of a column; nil if it has none.
  func index(
    _ number: Int, of columns: MetadataColumns
  ) throws(ChromaError) -> ValueIndex? {
    let bounds = try ends.bounds(number, limit: bytes.count)
    if bounds.start == bounds.end { return nil }
    return try ValueIndex(
      columns.columns[number], segmentRowCount: columns.rowCount,
      SegmentBytes(
        bytes.payload, offset: bytes.offset + bounds.start, count: bounds.end - bounds.start))
  }
}

/// The index of one column. All of its bytes were found right.
struct ValueIndex {
  enum Postings {
    case lists(VerifiedIntegers)
    /// Bits of the places, in words.
    case bitmaps(UnsafeRawPointer, wordCount: Int)
  }

  let distinctCount: Int
  let postings: Postings
  let column: MetadataColumn
  let segmentRowCount: Int
  let ends: VerifiedIntegers
  private let postingCountMax: Int
  private let firsts: VerifiedIntegers?
  let rows: VerifiedIntegers?
  private let part: SegmentBytes

  init(
    _ column: MetadataColumn, segmentRowCount: Int, _ part: SegmentBytes
  ) throws(ChromaError) {
    _ = try part.bytes()
    self.part = part
    self.column = column
    self.segmentRowCount = segmentRowCount
    rows = try column.rows.map { (rows) throws(ChromaError) in try VerifiedIntegers(rows) }
    var cursor = SegmentCursor(part)
    let encoding = try cursor.readUInt8()
    distinctCount = Int(try cursor.readUInt32())
    guard (1...max(column.scalarCount, 1)).contains(distinctCount) else {
      throw cursor.damage("\(distinctCount) distinct values of \(column.scalarCount)")
    }
    let ends = try IntegerColumn(count: distinctCount, from: &cursor)
    self.ends = try VerifiedIntegers(ends)
    postingCountMax = try ends.total(limit: column.scalarCount)
    firsts =
      encoding == 1 && column.kind.element == nil
      ? nil : try VerifiedIntegers(IntegerColumn(count: distinctCount, from: &cursor))
    switch encoding {
    case 1:
      postings = .lists(
        try VerifiedIntegers(IntegerColumn(count: postingCountMax, from: &cursor)))
    case 2:
      let wordCount = (column.rowCount + 63) / 64
      postings = .bitmaps(
        try cursor.take(distinctCount, of: 8 * wordCount).base, wordCount: wordCount)
    default:
      throw cursor.damage("postings of the encoding \(encoding)")
    }
    try cursor.expectEnd()
  }

  func damage(_ what: String) -> ChromaError { part.damage(what) }

  /// Where the postings of some distinct values begin and end among all.
  @inline(__always)
  func postingRange(_ numbers: Range<Int>) throws(ChromaError) -> Range<Int> {
    guard numbers.lowerBound >= 0, numbers.upperBound <= distinctCount else {
      throw damage("the distinct values \(numbers) are wanted, there are \(distinctCount)")
    }
    if numbers.isEmpty { return 0..<0 }
    let start = numbers.lowerBound == 0 ? 0 : ends[numbers.lowerBound - 1]
    let end = ends[numbers.upperBound - 1]
    guard 0 <= start, start <= end, end <= postingCountMax else {
      throw damage("postings end at \(end), before their start \(start)")
    }
    return Int(start)..<Int(end)
  }

  /// Where a distinct value stands first: a number of a scalar of the column.
  func first(_ number: Int) throws(ChromaError) -> Int {
    let range = try postingRange(number..<number + 1)
    let first: Int64
    if let firsts {
      first = firsts[number]
    } else if case .lists(let places) = postings, !range.isEmpty {
      first = places[range.lowerBound]
    } else {
      throw damage("the distinct value \(number) is nowhere")
    }
    guard first >= 0, first < column.scalarCount else {
      throw damage("the distinct value \(number) stands at \(first)")
    }
    return Int(first)
  }

  func value(_ number: Int) throws(ChromaError) -> MetadataValue {
    let value = try column.scalar(try first(number))
    // The two zeros are one value, and this one.
    return value == .float(0) ? .float(0) : value
  }

  // MARK: Rows

  /// The row of a place that the index names.
  @inline(__always)
  func row(of place: Int64) throws(ChromaError) -> Int {
    guard UInt64(bitPattern: place) < UInt64(column.rowCount) else {
      throw damage("a value stands at \(place)")
    }
    guard let rows else { return Int(place) }
    let row = rows[Int(place)]
    guard row >= 0, row < segmentRowCount else {
      throw column.rest.damage("a metadata column has a value for row \(row)")
    }
    return Int(row)
  }

  func insertRows(of numbers: Range<Int>, into result: inout Bitset) throws(ChromaError) {
    let range = try postingRange(numbers)
    if range.isEmpty { return }
    switch postings {
    case .lists(let places):
      // Where most values are wanted, those that are not are fewer. The array that has one of these
      // may have one of those too.
      guard column.kind.element == nil, range.count > places.count / 2 else {
        try insertRows(of: places, range, into: &result)
        return
      }
      var wanted = Bitset()
      try insertAllRows(into: &wanted)
      var others = Bitset()
      try insertRows(of: places, 0..<range.lowerBound, into: &others)
      try insertRows(of: places, range.upperBound..<places.count, into: &others)
      wanted.subtract(others)
      result.formUnion(wanted)
    case .bitmaps(let words, let wordCount):
      try result.withWords(forSlots: segmentRowCount) { (result) throws(ChromaError) in
        for number in numbers {
          try insertRows(ofBitmap: words + 8 * number * wordCount, wordCount, into: result)
        }
      }
    }
  }

  /// Adds the rows that have a value.
  func insertAllRows(into result: inout Bitset) throws(ChromaError) {
    guard let rows else {
      result.formUnion(Bitset(firstSlots: segmentRowCount))
      return
    }
    try result.withWords(forSlots: segmentRowCount) { (result) throws(ChromaError) in
      for place in 0..<rows.count { result.insert(try row(of: Int64(place))) }
    }
  }

  private func insertRows(
    of places: VerifiedIntegers, _ range: Range<Int>, into result: inout Bitset
  ) throws(ChromaError) {
    try result.withWords(forSlots: segmentRowCount) { (result) throws(ChromaError) in
      try places.forEachInteger(range) { (place) throws(ChromaError) in
        result.insert(try row(of: place))
      }
    }
  }

  private func insertRows(
    ofBitmap words: UnsafeRawPointer, _ wordCount: Int,
    into result: UnsafeMutableBufferPointer<UInt64>
  ) throws(ChromaError) {
    for index in 0..<wordCount {
      var word = self.word(index, of: words, wordCount)
      guard rows != nil else {
        result[index] |= word
        continue
      }
      while word != 0 {
        result.insert(try row(of: Int64(64 &* index &+ word.trailingZeroBitCount)))
        word &= word &- 1
      }
    }
  }

  /// A word of a bitmap, without bits beyond the last place.
  @inline(__always)
  private func word(_ index: Int, of words: UnsafeRawPointer, _ wordCount: Int) -> UInt64 {
    let word = UInt64(
      littleEndian: words.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self))
    let placeCount = column.rowCount &- 64 &* index
    return placeCount >= 64 ? word : word & (1 << UInt64(placeCount) &- 1)
  }

  /// Appends rows of a distinct value, ascending, from a row on.
  func appendRows(
    of number: Int, from firstRow: Int, limit: Int, to result: inout [UInt32]
  ) throws(ChromaError) {
    let range = try postingRange(number..<number + 1)
    let end = result.count + min(limit, column.rowCount)
    switch postings {
    case .lists(let places):
      var lower = range.lowerBound
      var upper = range.upperBound
      while lower < upper {
        let middle = (lower + upper) / 2
        if try row(of: places[middle]) < firstRow { lower = middle + 1 } else { upper = middle }
      }
      for index in lower..<range.upperBound {
        if result.count >= end { break }
        result.append(UInt32(truncatingIfNeeded: try row(of: places[index])))
      }
    case .bitmaps(let words, let wordCount):
      let words = words + 8 * number * wordCount
      let first = try column.rows?.firstIndex(atLeast: Int64(firstRow)) ?? max(firstRow, 0)
      for index in min(first / 64, wordCount)..<wordCount {
        var word = self.word(index, of: words, wordCount)
        if index == first / 64 { word &= ~0 << UInt64(first % 64) }
        while word != 0, result.count < end {
          let place = Int64(64 &* index &+ word.trailingZeroBitCount)
          result.append(UInt32(truncatingIfNeeded: try row(of: place)))
          word &= word &- 1
        }
      }
    }
  }
}
