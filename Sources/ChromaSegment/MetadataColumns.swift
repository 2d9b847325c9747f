// Metadata as columns: one for each key and kind of value.
//
// Index:
//
//     | columns: UInt32 | kinds: UInt8 × columns | rows of each: integers
//     | ends of their bytes: integers | ends of the keys: integers | keys
//     | shapes: UInt32 | ends of the shapes: integers | columns of the shapes: integers
//     | shape of each row: integers |
//
// A shape is a list of columns; a row's shape says what entries it has. Columns stand in the order of
// key and kind, so the columns of a shape ascend. Values of a column:
//
//     | rows: integers, if not every row has one
//     | ends of the arrays, in elements: integers, if they are arrays
//     | bool: bit set; int: integers; float: Float64 × values; string: ends: integers, then texts |
//
// Invariants:
//   * Keys are read when the segment is opened, values as they are asked for.
//   * Elements of arrays, or the ends of those that are strings, take at least a byte each, so that a
//     count is vouched for by bytes.

internal import ChromaBase

struct MetadataColumns {
  struct Column {
    let key: Text
    let kind: MetadataKind
    let rowCount: Int
    let bytes: SegmentBytes
  }

  let columns: [Column]
  let rowCount: Int
  private let shapeEnds: IntegerColumn
  private let shapeColumns: IntegerColumn
  private let shapeByRow: IntegerColumn

  init(rowCount: Int, index: SegmentBytes, values: SegmentBytes) throws(ChromaError) {
    self.rowCount = rowCount
    var cursor = SegmentCursor(index)
    columns = try Self.readColumns(rowCount: rowCount, values: values, from: &cursor)
    let shapeCount = Int(try cursor.readUInt32())
    guard (1...rowCount).contains(shapeCount) else { throw cursor.damage("\(shapeCount) shapes") }
    shapeEnds = try IntegerColumn(count: shapeCount, from: &cursor)
    let (total, overflow) = shapeCount.multipliedReportingOverflow(by: max(columns.count, 1))
    guard !overflow else { throw cursor.damage("\(shapeCount) shapes") }
    shapeColumns = try IntegerColumn(count: try shapeEnds.total(limit: total), from: &cursor)
    shapeByRow = try IntegerColumn(count: rowCount, from: &cursor)
    try cursor.expectEnd()
  }

  private static func readColumns(
    rowCount: Int, values: SegmentBytes, from cursor: inout SegmentCursor
  ) throws(ChromaError) -> [Column] {
    let count = Int(try cursor.readUInt32())
    let kinds = try cursor.take(count)
    let rowCounts = try IntegerColumn(count: count, from: &cursor)
    let ends = try IntegerColumn(count: count, from: &cursor)
    let keyEnds = try IntegerColumn(count: count, from: &cursor)
    let keys = try cursor.take(try keyEnds.total(limit: values.payload.byteCount))
    var columns: [Column] = []
    columns.reserveCapacity(count)
    for index in 0..<count {
      guard let kind = MetadataKind(rawValue: try kinds.load(UInt8.self, at: index)) else {
        throw kinds.damage("the kind of a metadata column is unknown")
      }
      let key = try keyEnds.bounds(index, limit: keys.count)
      let place = try ends.bounds(index, limit: values.count)
      columns.append(
        Column(
          key: try keys.text(from: key.start, to: key.end), kind: kind,
          rowCount: try rowCounts.number(index, below: rowCount + 1),
          bytes: SegmentBytes(
            values.payload, offset: values.offset + place.start, count: place.end - place.start)))
    }
    return columns
  }

  /// The metadata of a row; nil if it has none.
  func metadata(_ row: Int) throws(ChromaError) -> Metadata? {
    let shape = try shapeByRow.number(row, below: shapeEnds.count)
    let list = try shapeEnds.bounds(shape, limit: shapeColumns.count)
    if list.start == list.end { return nil }
    guard list.end - list.start <= columns.count else {
      throw shapeEnds.values.damage("a row has \(list.end - list.start) metadata entries")
    }
    var entries: [Metadata.Entry] = []
    entries.reserveCapacity(list.end - list.start)
    for place in list.start..<list.end {
      let column = columns[try shapeColumns.number(place, below: columns.count)]
      let values = try MetadataValues(column, rowCount: rowCount)
      guard entries.last.map({ $0.key < column.key }) ?? true, let index = try values.index(of: row)
      else { throw column.bytes.damage("row \(row) has a metadata entry out of place") }
      entries.append(.init(column.key, try values.value(index)))
    }
    return Metadata(sorted: entries)
  }
}

/// The values of one column.
struct MetadataValues {
  private let column: MetadataColumns.Column
  /// Nil where every row has a value.
  let rows: IntegerColumn?
  /// For arrays.
  private let arrayEnds: IntegerColumn?
  /// Integers, or the ends of strings.
  private let integers: IntegerColumn?
  private let rest: SegmentBytes
  private let scalarCount: Int

  init(_ column: MetadataColumns.Column, rowCount: Int) throws(ChromaError) {
    self.column = column
    var cursor = SegmentCursor(column.bytes)
    rows =
      column.rowCount < rowCount ? try IntegerColumn(count: column.rowCount, from: &cursor) : nil
    if column.kind.element == nil {
      arrayEnds = nil
      scalarCount = column.rowCount
    } else {
      let ends = try IntegerColumn(count: column.rowCount, from: &cursor)
      arrayEnds = ends
      scalarCount = try ends.total(limit: 8 * column.bytes.count)
    }
    switch column.kind.element ?? column.kind {
    case .int, .string:
      let integers = try IntegerColumn(count: scalarCount, from: &cursor)
      guard integers.width > 0 || arrayEnds == nil else {
        throw cursor.damage("nothing vouches for \(scalarCount) elements")
      }
      self.integers = integers
    default: integers = nil
    }
    rest = cursor.takeRest()
  }

  /// The number of a row's value; nil if it has none.
  func index(of row: Int) throws(ChromaError) -> Int? {
    guard let rows else { return row }
    let index = try rows.firstIndex(atLeast: Int64(row))
    guard index < rows.count, try rows.value(index) == Int64(row) else { return nil }
    return index
  }

  func value(_ index: Int) throws(ChromaError) -> MetadataValue {
    switch column.kind {
    case .bool: return .bool(try bool(index))
    case .int: return .int(try int(index))
    case .float: return .float(try float(index))
    case .string: return .string(try string(index))
    case .bools: return .bools(try elements(index, bool))
    case .ints: return .ints(try elements(index, int))
    case .floats: return .floats(try elements(index, float))
    case .strings: return .strings(try elements(index, string))
    }
  }

  private func elements<T>(
    _ index: Int, _ element: (Int) throws(ChromaError) -> T
  ) throws(ChromaError) -> [T] {
    guard let arrayEnds else { return [] }
    let bounds = try arrayEnds.bounds(index, limit: scalarCount)
    guard bounds.start < bounds.end else { throw rest.damage("a metadata array is empty") }
    // Where there are fewer bytes than elements, the first one that is missing would be an error;
    // by then they would all have been allocated.
    var elements: [T] = []
    for place in bounds.start..<bounds.end { elements.append(try element(place)) }
    return elements
  }

  private func bool(_ index: Int) throws(ChromaError) -> Bool {
    try rest.load(UInt8.self, at: index / 8) >> UInt8(index % 8) & 1 == 1
  }

  private func int(_ index: Int) throws(ChromaError) -> Int64 {
    guard let integers else { return 0 }
    return try integers.value(index)
  }

  private func float(_ index: Int) throws(ChromaError) -> Double {
    let value = Double(bitPattern: try rest.load(UInt64.self, at: 8 * index))
    guard value.isFinite else { throw rest.damage("a metadata float is not finite") }
    return value
  }

  private func string(_ index: Int) throws(ChromaError) -> Text {
    guard let integers else { return "" }
    let bounds = try integers.bounds(index, limit: rest.count)
    return try rest.text(from: bounds.start, to: bounds.end)
  }
}

extension SegmentBytes {
  func text(from start: Int, to end: Int) throws(ChromaError) -> Text {
    let raw = try bytes(from: start, count: end - start)
    guard let text = Text(validating: raw.bindMemory(to: UInt8.self)) else {
      throw payload.damage("text is not UTF-8", at: offset + start)
    }
    return text
  }
}
