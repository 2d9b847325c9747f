// Metadata as columns: one for each key and kind of value.
//
// Index:
//
//     | columns: UInt32 | columns, one after another
//     | shapes: UInt32 | ends of the shapes: integers | columns of the shapes: integers
//     | shape of each row: integers |
//
//     column  | key: byte count UInt32, text | kind: UInt8 | rows: UInt32
//             | head of the rows, if not every row has one
//             | arrays: elements UInt64, head of their ends
//             | int: head; string: bytes UInt64, head of their ends |
//
// A shape is a list of columns; a row's shape says what entries it has. Columns stand in the order of
// key and kind, so the columns of a shape ascend. Values, column after column:
//
//     | values of the heads, in their order | bool: bit set; float: Float64 × values; string: texts |
//
// Invariants:
//   * The index is read when the segment is opened, values as they are asked for.
//   * Elements of arrays, or the ends of those that are strings, take at least a byte each, so that a
//     count is vouched for by bytes.

internal import ChromaBase

struct MetadataColumns {
  let columns: [MetadataColumn]
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
    let (total, overflow) = shapeCount.multipliedReportingOverflow(by: columns.count)
    guard !overflow else { throw cursor.damage("\(shapeCount) shapes") }
    shapeColumns = try IntegerColumn(count: try shapeEnds.total(limit: total), from: &cursor)
    shapeByRow = try IntegerColumn(count: rowCount, from: &cursor)
    try cursor.expectEnd()
  }

  private static func readColumns(
    rowCount: Int, values: SegmentBytes, from index: inout SegmentCursor
  ) throws(ChromaError) -> [MetadataColumn] {
    var valueCursor = SegmentCursor(values)
    var columns: [MetadataColumn] = []
    // No capacity by a count that nothing vouches for.
    for _ in 0..<(try index.readUInt32()) {
      let column = try MetadataColumn(rowCount: rowCount, from: &index, values: &valueCursor)
      if let last = columns.last, (column.key, column.kind) <= (last.key, last.kind) {
        throw index.damage("the metadata columns are out of order")
      }
      columns.append(column)
    }
    try valueCursor.expectEnd()
    return columns
  }

  /// The numbers of the columns of a key, at most one for each kind.
  func numbers(of key: Text) -> Range<Int> {
    var lower = 0
    var upper = columns.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if columns[middle].key < key { lower = middle + 1 } else { upper = middle }
    }
    upper = lower
    while upper < columns.count, columns[upper].key == key { upper += 1 }
    return lower..<upper
  }

  /// The metadata of a row, or what of it stands under some keys; nil if it has none at all.
  func metadata(_ row: Int, keys: [Text]?) throws(ChromaError) -> Metadata? {
    let shape = try shapeByRow.number(row, below: shapeEnds.count)
    let list = try shapeEnds.bounds(shape, limit: shapeColumns.count)
    if list.start == list.end { return nil }
    guard list.end - list.start <= columns.count else {
      throw shapeEnds.values.damage("a row has \(list.end - list.start) metadata entries")
    }
    var entries: [Metadata.Entry] = []
    entries.reserveCapacity(list.end - list.start)
    // Through a pointer: a column taken out of the array is copied, with all that it refers to.
    try columns.withUnsafeBufferPointer { (columns) throws(ChromaError) in
      var previous = -1
      for place in list.start..<list.end {
        let number = try shapeColumns.number(place, below: columns.count)
        // Keys ascend with the numbers; one may stand there twice, with two kinds.
        guard number > previous, previous < 0 || columns[previous].key != columns[number].key
        else { throw shapeByRow.values.damage("a metadata entry of row \(row) is out of place") }
        previous = number
        if let keys, !keys.contains(columns[number].key) { continue }
        guard let index = try columns[number].index(of: row)
        else { throw shapeByRow.values.damage("a metadata entry of row \(row) is out of place") }
        entries.append(.init(columns[number].key, try columns[number].value(index)))
      }
    }
    return Metadata(sorted: entries)
  }
}

/// The values of one key and kind.
struct MetadataColumn {
  let key: Text
  let kind: MetadataKind
  /// Rows that have a value.
  let rowCount: Int
  /// Nil where every row has a value.
  let rows: IntegerColumn?
  /// For arrays.
  let arrayEnds: IntegerColumn?
  /// Values, or elements of arrays.
  let scalarCount: Int
  /// Integers, or the ends of strings.
  let integers: IntegerColumn?
  /// Truth values, floats or texts.
  let rest: SegmentBytes

  init(
    rowCount segmentRowCount: Int, from index: inout SegmentCursor, values: inout SegmentCursor
  ) throws(ChromaError) {
    key = try index.readText()
    guard let kind = MetadataKind(rawValue: try index.readUInt8()) else {
      throw index.damage("the kind of a metadata column is unknown")
    }
    self.kind = kind
    let count = Int(try index.readUInt32())
    guard (1...segmentRowCount).contains(count) else {
      throw index.damage("a metadata column has \(count) of \(segmentRowCount) rows")
    }
    rowCount = count
    rows =
      count == segmentRowCount
      ? nil : try IntegerColumn(count: count, try IntegerHead(from: &index), values: &values)
    if kind.element == nil {
      scalarCount = count
      arrayEnds = nil
    } else {
      scalarCount = Int(clamping: try index.readUInt64())
      arrayEnds = try IntegerColumn(count: count, try IntegerHead(from: &index), values: &values)
    }
    var textByteCount = 0
    switch kind.element ?? kind {
    case .int: break
    case .string: textByteCount = Int(clamping: try index.readUInt64())
    case .bool:
      integers = nil
      rest = try values.take(scalarCount / 8 + (scalarCount % 8 == 0 ? 0 : 1))
      return
    default:
      integers = nil
      rest = try values.take(scalarCount, of: 8)
      return
    }
    let head = try IntegerHead(from: &index)
    guard head.width > 0 || kind.element == nil else {
      throw index.damage("nothing vouches for \(scalarCount) elements")
    }
    integers = try IntegerColumn(count: scalarCount, head, values: &values)
    rest = try values.take(textByteCount)
  }

  /// The number of a row's value; nil if it has none.
  func index(of row: Int) throws(ChromaError) -> Int? {
    guard let rows else { return row }
    let index = try rows.firstIndex(atLeast: Int64(row))
    guard index < rows.count, try rows.value(index) == Int64(row) else { return nil }
    return index
  }

  func value(_ index: Int) throws(ChromaError) -> MetadataValue {
    switch kind {
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

  /// A value that is no array, or an element of one, by its number among all.
  func scalar(_ index: Int) throws(ChromaError) -> MetadataValue {
    switch kind {
    case .bool, .bools: .bool(try bool(index))
    case .int, .ints: .int(try int(index))
    case .float, .floats: .float(try float(index))
    case .string, .strings: .string(try string(index))
    }
  }

  private func elements<T>(
    _ index: Int, _ element: (Int) throws(ChromaError) -> T
  ) throws(ChromaError) -> [T] {
    guard let arrayEnds else { return [] }
    let bounds = try arrayEnds.bounds(index, limit: scalarCount)
    guard bounds.start < bounds.end else { throw rest.damage("a metadata array is empty") }
    var elements: [T] = []
    elements.reserveCapacity(bounds.end - bounds.start)
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
