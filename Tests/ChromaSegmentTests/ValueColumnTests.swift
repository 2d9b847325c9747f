import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Testing

/// What a column says is what the rows say, through its index and without one. Method: random rows,
/// and columns of extreme values, against plain arrays.
@Suite struct ValueColumnTests {
  private static let cache = DocumentBlockCache(byteCountMax: 1 << 20)

  static func segment(_ rows: ModelRows, rowCountMin: Int) throws -> Segment {
    let bytes = try SegmentWriter.encode(
      rows, ModelRows.description, byteCountMax: 1 << 30,
      indexes: SegmentIndexes(rowCountMin: rowCountMin))
    return try Segment(inline: try #require(bytes), source: "segment under test", cache: cache)
  }

  /// Rows of one column, under the key `k`.
  static func rows(of values: [MetadataValue?]) -> ModelRows {
    ModelRows(
      rows: values.enumerated().map { row, value in
        ModelRows.Row(
          id: Text("\(row)"), order: Int64(row + 1), slot: UInt32(row), vector: [0],
          metadata: value.map { Metadata([.init("k", $0)]) })
      }, dimension: 1, space: .l2)
  }

  @Test("columns say what the rows say", arguments: [1, 100, Int.max])
  func random(rowCountMin: Int) throws {
    for seed in 0..<20 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rowCount = random.element(of: [1, 2, 63, 64, 65, 130, 400])
      let rows = ModelRows.random(rowCount: rowCount, using: &random)
      let segment = try Self.segment(rows, rowCountMin: rowCountMin)
      try segment.verifyAll()
      let keys = Set(rows.rows.flatMap { ($0.metadata?.entries ?? []).map(\.key) })
      #expect(segment.columnKeys == keys.sorted(), "seed \(seed)")
      #expect(segment.columns(of: "no such key").isEmpty)
      for key in keys {
        let columns = segment.columns(of: key)
        #expect(columns.map(\.kind) == columns.map(\.kind).sorted(), "seed \(seed)")
        #expect(columns.reduce(0) { $0 + $1.rowCount } == ModelColumn.rowCount(of: key, in: rows))
        for column in columns {
          let model = ModelColumn(key, column.kind, in: rows)
          let difference = try model.firstDifference(of: column, isIndexed: rowCountMin)
          #expect(difference == nil, "seed \(seed), \(key), \(column.kind)")
        }
      }
    }
  }

  @Test("extreme values stand in order, each once", arguments: [true, false])
  func extremes(isSparse: Bool) throws {
    let ints: [Int64] = [
      .min, .min + 1, -(1 << 53) - 1, -(1 << 53), -1, 0, 1, 1 << 53, 1 << 53 + 1, .max - 1, .max,
    ]
    let floats: [Double] = [
      -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, -0.0, 0.0, .leastNonzeroMagnitude,
      0.1,
      0x1p53, 0x1p53 + 2, 1e300, .greatestFiniteMagnitude,
    ]
    let long = String(repeating: "x", count: 1 << 16)
    let strings: [Text] = [
      "", "\u{0}", "\u{0}\u{0}", "a", "a\u{0}", "aaaaaaaa", "aaaaaaaa\u{0}", "aaaaaaaab", "ab", "b",
      "é", "e\u{301}", "水", "\u{10FFFF}", "12345678", "1234567\u{0}", Text(long), Text(long + "y"),
    ]
    var random = SeededRandom(7)
    for kind in 0..<8 {
      let values = (0..<130).map { row -> MetadataValue? in
        if isSparse && random.oneIn(3) { return nil }
        let count = random.int(in: 1...4)
        return switch kind {
        case 0: .bool(random.oneIn(2))
        case 1: .int(random.element(of: ints))
        case 2: .float(random.element(of: floats))
        case 3: .string(random.element(of: strings))
        case 4: .bools((0..<count).map { _ in random.oneIn(2) })
        case 5: .ints((0..<count).map { _ in random.element(of: ints) })
        case 6: .floats((0..<count).map { _ in random.element(of: floats) })
        default: .strings((0..<count).map { _ in random.element(of: strings) })
        }
      }
      let rows = Self.rows(of: values)
      let segment = try Self.segment(rows, rowCountMin: 1)
      try segment.verifyAll()
      let column = try #require(segment.columns(of: "k").first)
      let model = ModelColumn("k", column.kind, in: rows)
      #expect(try model.firstDifference(of: column, isIndexed: 1) == nil, "\(column.kind)")
    }
  }

  @Test("strings that begin alike, or end one in the other, stand in the order of their bytes")
  func prefixes() throws {
    var random = SeededRandom(9)
    var strings = (0..<150).map { Text(String(repeating: "a", count: $0)) }
    strings += (0..<450).map { _ in
      let parts = (0..<random.int(in: 0...20)).map { _ in
        random.element(of: ["a", "b", "\u{0}", "é"])
      }
      return Text("https://example.org/" + parts.joined())
    }
    strings.shuffle(using: &random)
    let rows = Self.rows(of: strings.map { .string($0) })
    let column = try #require(try Self.segment(rows, rowCountMin: 1).columns(of: "k").first)
    let model = ModelColumn("k", .string, in: rows)
    #expect(try model.firstDifference(of: column, isIndexed: 1) == nil)
  }
}

/// One column in plain arrays.
struct ModelColumn {
  let entries: [(row: Int, value: MetadataValue)]
  let segmentRowCount: Int
  /// Distinct values, ascending, with the rows that have each.
  let postings: [(value: MetadataValue, rows: [Int])]

  init(_ key: Text, _ kind: MetadataKind, in rows: ModelRows) {
    segmentRowCount = rows.rowCount
    entries = rows.rows.enumerated().compactMap { row, model in
      guard let value = model.metadata?[key], MetadataKind(of: value) == kind else { return nil }
      return (row, value)
    }
    let pairs = entries.flatMap { entry in
      Self.scalars(of: entry.value).map { (value: $0, row: entry.row) }
    }
    let sorted = pairs.sorted {
      Self.precedes($0.value, $1.value)
        || (!Self.precedes($1.value, $0.value) && $0.row < $1.row)
    }
    var postings: [(value: MetadataValue, rows: [Int])] = []
    for (value, row) in sorted {
      if let last = postings.last, last.value == value {
        if last.rows.last != row { postings[postings.count - 1].rows.append(row) }
      } else {
        postings.append((value, [row]))
      }
    }
    self.postings = postings
  }

  static func rowCount(of key: Text, in rows: ModelRows) -> Int {
    rows.rows.count { $0.metadata?[key] != nil }
  }

  static func scalars(of value: MetadataValue) -> [MetadataValue] {
    switch value {
    case .bools(let values): values.map { .bool($0) }
    case .ints(let values): values.map { .int($0) }
    case .floats(let values): values.map { .float($0) }
    case .strings(let values): values.map { .string($0) }
    default: [value]
    }
  }

  /// Order of scalars of one kind.
  static func precedes(_ left: MetadataValue, _ right: MetadataValue) -> Bool {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): !left && right
    case (.int(let left), .int(let right)): left < right
    case (.float(let left), .float(let right)): left < right
    case (.string(let left), .string(let right)): left < right
    default: false
    }
  }

  /// - Parameter rowCountMin: rows from which it has to have an index.
  func firstDifference(of column: ValueColumn, isIndexed rowCountMin: Int) throws -> String? {
    if column.rowCount != entries.count { return "\(column.rowCount) rows" }
    var rows = Bitset([UInt32(segmentRowCount)])
    try column.insertRows(into: &rows)
    if rows != Bitset(entries.map { UInt32($0.row) } + [UInt32(segmentRowCount)]) {
      return "rows \(rows)"
    }
    var next = 0
    var wrong: String?
    try column.forEachValue { (row, value) in
      if next >= entries.count || entries[next] != (row, value) { wrong = "row \(row): \(value)" }
      next += 1
    }
    if let wrong { return wrong }
    if next != entries.count { return "\(next) values" }
    var scalars: [(row: Int, value: MetadataValue)] = []
    try column.forEachScalar { (row, scalar) in scalars.append((row, scalar.value)) }
    let expected = entries.flatMap { entry in
      Self.scalars(of: entry.value).map { (row: entry.row, value: $0) }
    }
    if !scalars.elementsEqual(expected, by: ==) { return "scalars" }
    var entriesLeft = entries[...]
    for row in 0..<segmentRowCount {
      let value = entriesLeft.first?.row == row ? entriesLeft.removeFirst().value : nil
      if try column.value(ofRow: row) != value { return "row \(row)" }
    }
    if column.isIndexed != (entries.count >= rowCountMin) { return "an index" }
    return column.isIndexed ? try firstIndexDifference(of: column) : nil
  }

  private func firstIndexDifference(of column: ValueColumn) throws -> String? {
    if column.distinctCount != postings.count { return "\(column.distinctCount) distinct values" }
    for (number, (value, rows)) in postings.enumerated() {
      let found = try column.distinctValue(number)
      if found != value { return "value \(number): \(found), not \(value)" }
      if try column.postingCount(number..<number + 1) != rows.count { return "count of \(value)" }
      var page: [UInt32] = [77]
      let middle = rows[rows.count / 2]
      try column.appendRows(of: number, from: middle, limit: 2, to: &page)
      if page != [77] + rows.filter({ $0 >= middle }).prefix(2).map({ UInt32($0) }) {
        return "page \(page) of \(value), not of \(rows)"
      }
      let first = try column.firstNumber { (other) in !Self.precedes(other, value) }
      if first != number { return "\(value) is found at \(first)" }
    }
    for start in Set([0, 1, 2, postings.count / 2, postings.count]) where start <= postings.count {
      for end in Set([start, start + 1, postings.count - 1, postings.count])
      where start <= end && end <= postings.count {
        var rows = Bitset()
        try column.insertRows(of: start..<end, into: &rows)
        let expected = postings[start..<end].flatMap { $0.rows.map { UInt32($0) } }
        if rows != Bitset(expected) { return "rows of \(start)..<\(end): \(Array(rows))" }
        let count = try column.postingCount(start..<end)
        if count != expected.count { return "\(count) rows of \(start)..<\(end)" }
      }
    }
    return nil
  }
}
