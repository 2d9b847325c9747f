// The values that an open segment has under one key, of one kind: what filters look at.
//
// A column is read in one of two ways: its values one after another, at some nanoseconds each, or
// through its index, where the segment has one that is not damaged (`ValueIndex.swift`). Both say the
// same.

package import ChromaBase

/// A value that is no array, or an element of one, where it stands.
package enum ScalarView {
  case bool(Bool)
  case int(Int64)
  case float(Double)
  /// UTF-8, for as long as the call that it was handed to.
  case string(UnsafeBufferPointer<UInt8>)

  package var value: MetadataValue {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    // Views are made of what was found to be UTF-8.
    case .string(let bytes): .string(Text(validating: bytes) ?? "")
    }
  }
}

extension Segment {
  /// The columns of a key: one for each kind of value that rows have under it, kinds ascending.
  package func columns(of key: Text) -> [ValueColumn] {
    guard let metadatas else { return [] }
    return metadatas.numbers(of: key).map { ValueColumn(self, metadatas, number: $0) }
  }

  /// Every key that a row has a value under, once, ascending.
  package var columnKeys: [Text] {
    var keys: [Text] = []
    for column in metadatas?.columns ?? [] where column.key != keys.last { keys.append(column.key) }
    return keys
  }
}

/// The values of one key and kind in a segment, which it keeps open. Any thread.
package struct ValueColumn {
  private let segment: Segment
  private let column: MetadataColumn
  private let segmentRowCount: Int
  private let index: ValueIndex?

  init(_ segment: Segment, _ columns: MetadataColumns, number: Int) {
    self.segment = segment
    column = columns.columns[number]
    segmentRowCount = columns.rowCount
    index = segment.valueIndex(number, of: columns)
  }

  package var key: Text { column.key }
  package var kind: MetadataKind { column.kind }
  /// Rows that have a value.
  package var rowCount: Int { column.rowCount }

  /// Adds the rows that have a value.
  ///
  /// - Throws: `.corruption`, `.io`, as everything here.
  package func insertRows(into rows: inout Bitset) throws(ChromaError) {
    let reader = try ColumnReader(column, segmentRowCount: segmentRowCount, readsValues: false)
    if reader.rows == nil {
      rows.formUnion(Bitset(firstSlots: segmentRowCount))
      return
    }
    try rows.withWords(forSlots: segmentRowCount) { (words) throws(ChromaError) in
      for place in 0..<reader.count { words.insert(try reader.row(place)) }
    }
  }

  /// A row's value; nil if it has none. Costs a binary search where not every row has one.
  package func value(ofRow row: Int) throws(ChromaError) -> MetadataValue? {
    guard let place = try column.index(of: row) else { return nil }
    return try column.value(place)
  }

  /// Calls the body for each row that has a value, in ascending order.
  package func forEachValue(
    _ body: (_ row: Int, _ value: MetadataValue) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    guard kind.element != nil else {
      return try forEachScalar { (row, scalar) throws(ChromaError) in try body(row, scalar.value) }
    }
    let reader = try ColumnReader(column, segmentRowCount: segmentRowCount)
    for place in 0..<reader.count { try body(try reader.row(place), try column.value(place)) }
  }

  /// Calls the body for each value, or each element of an array, with its row; rows ascend. Allocates
  /// nothing.
  package func forEachScalar(
    _ body: (_ row: Int, _ scalar: ScalarView) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    let reader = try ColumnReader(column, segmentRowCount: segmentRowCount)
    for place in 0..<reader.count {
      let row = try reader.row(place)
      for scalar in try reader.scalars(of: place) { try body(row, try reader.scalar(scalar)) }
    }
  }

  // MARK: The index

  /// Whether the column has an index that can be read. Without one there are no distinct values.
  package var isIndexed: Bool { index != nil }

  /// How many values the column has that differ. Arrays count for their elements, and -0.0 as 0.0.
  package var distinctCount: Int { index?.distinctCount ?? 0 }

  /// A distinct value by its number; they ascend, strings by their bytes. No array: of arrays it is an
  /// element.
  package func distinctValue(_ number: Int) throws(ChromaError) -> MetadataValue {
    try required().value(number)
  }

  /// The number of the first distinct value of which the condition is true, as it must be of all
  /// after it; `distinctCount` if there is none.
  package func firstNumber(
    where isAtOrBeyond: (MetadataValue) throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Int {
    let index = try required()
    var lower = 0
    var upper = index.distinctCount
    while lower < upper {
      let middle = (lower + upper) / 2
      if try isAtOrBeyond(try index.value(middle)) { upper = middle } else { lower = middle + 1 }
    }
    return lower
  }

  /// How many rows have one of some distinct values. Of arrays, a row counts for each that it has.
  package func postingCount(_ numbers: Range<Int>) throws(ChromaError) -> Int {
    try required().postingRange(numbers).count
  }

  /// Adds the rows that have one of some distinct values.
  package func insertRows(
    of numbers: Range<Int>, into rows: inout Bitset
  ) throws(ChromaError) {
    try required().insertRows(of: numbers, into: &rows)
  }

  /// Appends rows that have a distinct value: those from `firstRow` on, ascending, at most `limit`.
  package func appendRows(
    of number: Int, from firstRow: Int, limit: Int, to rows: inout [UInt32]
  ) throws(ChromaError) {
    try required().appendRows(of: number, from: firstRow, limit: limit, to: &rows)
  }

  private func required() throws(ChromaError) -> ValueIndex {
    guard let index else { throw column.rest.damage("a metadata column has no index") }
    return index
  }
}

extension UnsafeMutableBufferPointer<UInt64> {
  /// Sets the bit of a row. The words must hold it.
  @inline(__always)
  func insert(_ row: Int) {
    self[row &>> 6] |= 1 << UInt64(truncatingIfNeeded: row & 63)
  }
}

/// A metadata column whose bytes were found right at once, so that reading a value looks at nothing
/// but the value.
struct ColumnReader {
  let count: Int
  let rows: VerifiedIntegers?
  private let column: MetadataColumn
  private let segmentRowCount: Int
  private let arrayEnds: VerifiedIntegers?
  private let integers: VerifiedIntegers?
  private let rest: UnsafeRawBufferPointer

  /// - Parameter readsValues: otherwise only rows may be asked for.
  init(
    _ column: MetadataColumn, segmentRowCount: Int, readsValues: Bool = true
  ) throws(ChromaError) {
    self.column = column
    self.segmentRowCount = segmentRowCount
    count = column.rowCount
    rows = try column.rows.map { (rows) throws(ChromaError) in try VerifiedIntegers(rows) }
    arrayEnds =
      readsValues
      ? try column.arrayEnds.map { (ends) throws(ChromaError) in try VerifiedIntegers(ends) } : nil
    integers =
      readsValues
      ? try column.integers.map { (values) throws(ChromaError) in try VerifiedIntegers(values) }
      : nil
    rest = readsValues ? try column.rest.bytes() : UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The row of a value.
  @inline(__always)
  func row(_ place: Int) throws(ChromaError) -> Int {
    guard let rows else { return place }
    let row = rows[place]
    guard row >= 0, row < segmentRowCount else {
      throw column.rest.damage("a metadata column has a value for row \(row)")
    }
    return Int(row)
  }

  /// The numbers of an array's elements; that of a value is its own.
  @inline(__always)
  func scalars(of place: Int) throws(ChromaError) -> Range<Int> {
    guard let arrayEnds else { return place..<place + 1 }
    return try bounds(place, of: arrayEnds, limit: column.scalarCount)
  }

  @inline(__always)
  func scalar(_ index: Int) throws(ChromaError) -> ScalarView {
    switch column.kind {
    case .bool, .bools:
      return .bool(rest[index &>> 3] >> UInt8(truncatingIfNeeded: index & 7) & 1 == 1)
    case .int, .ints:
      guard let integers else { return .int(0) }
      return .int(integers[index])
    case .float, .floats:
      let bits = rest.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self)
      let value = Double(bitPattern: UInt64(littleEndian: bits))
      guard value.isFinite else { throw column.rest.damage("a metadata float is not finite") }
      return .float(value)
    case .string, .strings:
      let bytes = try utf8(index)
      guard UTF8Validation.isValid(bytes) else { throw column.rest.damage("text is not UTF-8") }
      return .string(bytes)
    }
  }

  /// The bytes of a string, whether they are UTF-8 or not.
  @inline(__always)
  func utf8(_ index: Int) throws(ChromaError) -> UnsafeBufferPointer<UInt8> {
    guard let integers else { return UnsafeBufferPointer(start: nil, count: 0) }
    let range = try bounds(index, of: integers, limit: rest.count)
    return UnsafeRawBufferPointer(rebasing: rest[range]).assumingMemoryBound(to: UInt8.self)
  }

  @inline(__always)
  private func bounds(
    _ index: Int, of ends: VerifiedIntegers, limit: Int
  ) throws(ChromaError) -> Range<Int> {
    let start = index == 0 ? 0 : ends[index &- 1]
    let end = ends[index]
    guard 0 <= start, start <= end, end <= limit else {
      throw column.rest.damage("a part ends at \(end), begins at \(start), of \(limit)")
    }
    return Int(start)..<Int(end)
  }
}
