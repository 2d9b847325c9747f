// Metadata as columns, while a segment is written. `MetadataColumns.swift` has the bytes.

package import ChromaBase

/// The kinds of values. Numbers are for good; those of `MetadataCodec` are the same.
package enum MetadataKind: UInt8, Comparable, Sendable {
  case bool = 1
  case int, float, string, bools, ints, floats, strings

  package static func < (left: Self, right: Self) -> Bool {
    left.rawValue < right.rawValue
  }

  package init(of value: MetadataValue) {
    self =
      switch value {
      case .bool: .bool
      case .int: .int
      case .float: .float
      case .string: .string
      case .bools: .bools
      case .ints: .ints
      case .floats: .floats
      case .strings: .strings
      }
  }

  /// The kind of an array's elements; nil for what is no array.
  package var element: MetadataKind? {
    MetadataKind(rawValue: rawValue &- 4)
  }
}

/// Gathers all metadata of a segment.
///
/// In one pass over the rows as long as the values are few bytes; otherwise the first pass only finds
/// the columns, and further ones gather some of them each.
struct MetadataBuilder {
  private struct ColumnName: Hashable {
    let key: Text
    let kind: MetadataKind
  }

  private var columns: [MetadataColumnBuilder] = []
  private var columnByName: [ColumnName: Int] = [:]
  /// Lists of columns that rows have; each list once.
  private var shapes: [[Int]] = []
  private var shapeByColumns: [[Int]: Int] = [:]
  private var shapeByRow: [Int64] = []
  /// Of all values, held or not.
  private var byteCount = 0
  private var holdsAll = true
  private let indexes: SegmentIndexes
  private let byteCountMax: Int
  /// Those of the first columns, as many as may be held.
  private var indexParts: [[UInt8]] = []
  private var indexByteCount = 0

  /// - Parameter byteCountMax: of the values that are held at once, and of the indexes.
  init(_ indexes: SegmentIndexes, byteCountMax: Int) {
    self.indexes = indexes
    self.byteCountMax = byteCountMax
  }

  var hasEntries: Bool { !columns.isEmpty }

  mutating func append(_ metadata: Metadata?, row: Int) {
    let entries = metadata?.entries ?? []
    // Rows mostly have the columns of the row before: no look-up then.
    let previous = shapeByRow.last.map { shapes[Int($0)] } ?? []
    var isSame = previous.count == entries.count
    var list: [Int] = []
    for (place, entry) in entries.enumerated() {
      let kind = MetadataKind(of: entry.value)
      if isSame, columns[previous[place]].kind == kind, columns[previous[place]].key == entry.key {
        append(entry.value, row: row, to: previous[place])
        continue
      }
      if isSame {
        isSame = false
        list = Array(previous[..<place])
      }
      let column = column(ColumnName(key: entry.key, kind: kind))
      append(entry.value, row: row, to: column)
      list.append(column)
    }
    if isSame, let shape = shapeByRow.last {
      shapeByRow.append(shape)
    } else {
      shapeByRow.append(Int64(shape(of: list)))
    }
  }

  private mutating func append(_ value: MetadataValue, row: Int, to column: Int) {
    let valueByteCount = MetadataColumnBuilder.byteCount(of: value)
    byteCount += valueByteCount
    columns[column].byteCount += valueByteCount
    columns[column].rowCount += 1
    if holdsAll {
      columns[column].append(value, row: row)
      if byteCount > byteCountMax {
        holdsAll = false
        for column in columns.indices { columns[column].removeValues() }
      }
    }
  }

  private mutating func column(_ name: ColumnName) -> Int {
    if let column = columnByName[name] { return column }
    columns.append(MetadataColumnBuilder(key: name.key, kind: name.kind))
    columnByName[name] = columns.count - 1
    return columns.count - 1
  }

  private mutating func shape(of columns: [Int]) -> Int {
    if let shape = shapeByColumns[columns] { return shape }
    shapes.append(columns)
    shapeByColumns[columns] = shapes.count - 1
    return shapes.count - 1
  }

  /// Puts the columns in the order of their keys and kinds, once all rows are there.
  mutating func sortColumns() {
    let order = columns.indices.sorted {
      let (left, right) = (columns[$0], columns[$1])
      return (left.key, left.kind) < (right.key, right.kind)
    }
    var places = [Int](repeating: 0, count: order.count)
    for (place, column) in order.enumerated() { places[column] = place }
    columns = order.map { columns[$0] }
    // Entries of a row are sorted by key already, and so its columns stay sorted.
    shapes = shapes.map { $0.map { places[$0] } }
  }

  /// Writes the values to the sink, and returns the index.
  ///
  /// - Parameter metadata: that of a row, as before.
  mutating func writeValues(
    to sink: SegmentSink, _ metadata: (Int) throws(ChromaError) -> Metadata?
  ) throws(ChromaError) -> [UInt8] {
    var index = ByteWriter()
    index.write(UInt32(columns.count))
    try forEachColumn(columns.indices, metadata) { (builder, column) throws(ChromaError) in
      var values = ByteWriter()
      builder.columns[column].write(
        rowCount: builder.shapeByRow.count, index: &index, values: &values)
      try sink.append(values.bytes)
      builder.holdIndex(of: column)
    }
    // They were let go, each after it was written.
    holdsAll = false
    index.write(UInt32(shapes.count))
    index.writeIntegers(Self.ends(of: shapes.map(\.count)))
    index.writeIntegers(shapes.flatMap { $0.map(Int64.init) })
    index.writeIntegers(shapeByRow)
    return index.bytes
  }

  /// Calls the body for each column while its values are held.
  private mutating func forEachColumn(
    _ range: Range<Int>, _ metadata: (Int) throws(ChromaError) -> Metadata?,
    _ body: (inout MetadataBuilder, Int) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    var rest = range
    while !rest.isEmpty {
      let group = holdsAll ? rest : nextGroup(of: rest)
      if !holdsAll {
        for row in shapeByRow.indices { gather(group, row: row, try metadata(row)) }
      }
      for column in group {
        try body(&self, column)
        columns[column].removeValues()
      }
      rest = group.upperBound..<rest.upperBound
    }
  }

  /// As many columns as may be held at once, at least one.
  private func nextGroup(of rest: Range<Int>) -> Range<Int> {
    var end = rest.lowerBound + 1
    var total = columns[rest.lowerBound].byteCount
    while end < rest.upperBound {
      total += columns[end].byteCount
      if total > byteCountMax { break }
      end += 1
    }
    return rest.lowerBound..<end
  }

  /// Makes the index of a column whose values are held, if those before it left room.
  private mutating func holdIndex(of column: Int) {
    guard indexParts.count == column, indexByteCount <= byteCountMax else { return }
    let part = columns[column].index(indexes)
    indexByteCount += part.count
    indexParts.append(part)
  }

  /// Writes the indexes of the columns, after their values; nothing if no column has one.
  mutating func writeIndexes(
    to sink: SegmentSink, _ metadata: (Int) throws(ChromaError) -> Metadata?
  ) throws(ChromaError) {
    guard columns.contains(where: { $0.hasIndex(indexes) }) else { return }
    try sink.begin(.valueIndex)
    var ends: [Int64] = []
    for part in indexParts {
      try sink.append(part)
      ends.append((ends.last ?? 0) + Int64(part.count))
    }
    let rest = indexParts.count..<columns.count
    indexParts = []
    try forEachColumn(rest, metadata) { (builder, column) throws(ChromaError) in
      let part = builder.columns[column].index(builder.indexes)
      try sink.append(part)
      ends.append((ends.last ?? 0) + Int64(part.count))
    }
    var writer = ByteWriter()
    writer.writeIntegers(ends)
    writer.write(UInt32(writer.bytes.count))
    try sink.append(writer.bytes)
  }

  private mutating func gather(_ group: Range<Int>, row: Int, _ metadata: Metadata?) {
    for (column, entry) in zip(shapes[Int(shapeByRow[row])], metadata?.entries ?? [])
    where group.contains(column) {
      columns[column].append(entry.value, row: row)
    }
  }

  private static func ends(of counts: [Int]) -> [Int64] {
    var end: Int64 = 0
    return counts.map {
      end += Int64($0)
      return end
    }
  }
}

/// Gathers the values of one key and kind.
struct MetadataColumnBuilder {
  let key: Text
  let kind: MetadataKind
  /// Of all its values, held or not.
  var byteCount = 0
  /// Rows with a value, held or not.
  var rowCount = 0
  private var rows: [Int64] = []
  /// Ends of the arrays, counted in elements; for arrays only.
  private var arrayEnds: [Int64] = []
  private var scalars: ScalarBuilder

  init(key: Text, kind: MetadataKind) {
    self.key = key
    self.kind = kind
    scalars = ScalarBuilder(kind: kind.element ?? kind)
  }

  /// What a value takes here, about.
  static func byteCount(of value: MetadataValue) -> Int {
    let rowByteCount = 8
    return switch value {
    case .bool: rowByteCount + 1
    case .int, .float: rowByteCount + 8
    case .string(let text): rowByteCount + 8 + text.byteCount
    case .bools(let values): rowByteCount + 8 + values.count
    case .ints(let values): rowByteCount + 8 + 8 * values.count
    case .floats(let values): rowByteCount + 8 + 8 * values.count
    case .strings(let values): values.reduce(rowByteCount + 8) { $0 + 8 + $1.byteCount }
    }
  }

  mutating func removeValues() {
    rows = []
    arrayEnds = []
    scalars = ScalarBuilder(kind: scalars.kind)
  }

  mutating func append(_ value: MetadataValue, row: Int) {
    rows.append(Int64(row))
    switch value {
    case .bool(let value): scalars.append(value)
    case .int(let value): scalars.append(value)
    case .float(let value): scalars.append(value)
    case .string(let value): scalars.append(value)
    case .bools(let values): for value in values { scalars.append(value) }
    case .ints(let values): for value in values { scalars.append(value) }
    case .floats(let values): for value in values { scalars.append(value) }
    case .strings(let values): for value in values { scalars.append(value) }
    }
    if kind.element != nil { arrayEnds.append(Int64(scalars.count)) }
  }

  func write(rowCount: Int, index: inout ByteWriter, values: inout ByteWriter) {
    index.write(key)
    index.write(kind.rawValue)
    index.write(UInt32(rows.count))
    if rows.count < rowCount { Self.write(rows, index: &index, values: &values) }
    if kind.element != nil {
      index.write(UInt64(scalars.count))
      Self.write(arrayEnds, index: &index, values: &values)
    }
    scalars.write(isArray: kind.element != nil, index: &index, values: &values)
  }

  /// Whether it gets an index. Not without rows enough, and never where the numbers of its scalars
  /// may need more than 32 bits.
  func hasIndex(_ indexes: SegmentIndexes) -> Bool {
    rowCount >= indexes.rowCountMin && byteCount <= Int(UInt32.max)
      && indexes.hasValueIndex(key, kind)
  }

  /// The index of the values that are held; no bytes if there is to be none.
  func index(_ indexes: SegmentIndexes) -> [UInt8] {
    guard hasIndex(indexes) else { return [] }
    return order().encoded(placeCount: rows.count, isArray: kind.element != nil)
  }

  /// The order of the values that are held.
  func order() -> ValueOrder {
    scalars.order(arrayEnds: kind.element == nil ? nil : arrayEnds)
  }

  /// - Parameter widthMin: 1 where the bytes have to vouch for the count.
  fileprivate static func write(
    _ integers: [Int64], widthMin: Int = 0, index: inout ByteWriter, values: inout ByteWriter
  ) {
    let head = IntegerHead(fitting: integers, widthMin: widthMin)
    index.write(head)
    values.write(integers, as: head)
  }
}

/// Values of one kind, one after another.
private struct ScalarBuilder {
  let kind: MetadataKind
  private(set) var count = 0
  private var bools: [Bool] = []
  /// Integers, or the ends of strings.
  private var integers: [Int64] = []
  /// Floats, or strings.
  private var bytes = ByteWriter()

  init(kind: MetadataKind) {
    self.kind = kind
  }

  mutating func append(_ value: Bool) {
    bools.append(value)
    count += 1
  }

  mutating func append(_ value: Int64) {
    integers.append(value)
    count += 1
  }

  mutating func append(_ value: Double) {
    bytes.write(value.bitPattern)
    count += 1
  }

  mutating func append(_ value: Text) {
    value.bytes.withUnsafeBytes { bytes.write($0) }
    integers.append(Int64(bytes.bytes.count))
    count += 1
  }

  func order(arrayEnds: [Int64]?) -> ValueOrder {
    switch kind {
    case .bool: ValueOrder(bools: bools, arrayEnds: arrayEnds)
    case .int: ValueOrder(ints: integers, arrayEnds: arrayEnds)
    case .string: ValueOrder(strings: bytes.bytes, ends: integers, arrayEnds: arrayEnds)
    default: ValueOrder(floats: bytes.bytes, arrayEnds: arrayEnds)
    }
  }

  func write(isArray: Bool, index: inout ByteWriter, values: inout ByteWriter) {
    switch kind {
    case .bool: values.writeBits(bools)
    case .int, .string:
      if kind == .string { index.write(UInt64(bytes.bytes.count)) }
      MetadataColumnBuilder.write(
        integers, widthMin: isArray ? 1 : 0, index: &index, values: &values)
    default: break
    }
    bytes.bytes.withUnsafeBytes { values.write($0) }
  }
}
