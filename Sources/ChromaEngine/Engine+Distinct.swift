// Which values stand under a key, and in how many records.
//
// An indexed column says it itself, value after value; where some of its rows do not count, their
// postings are counted. What stands in no index, or in too few rows to look for them in one, is
// counted value by value. All of these are merged in the order of the values, as far as the limit.

package import ChromaBase
import ChromaQuery
import ChromaSegment

/// A value of metadata, a scalar, and how many records have it.
package struct DistinctValue: Equatable, Sendable {
  package let value: MetadataValue
  package let count: Int
}

extension Engine {
  /// The values under a key in the selected records, ascending as `Literal` does: scalars and the
  /// elements of arrays. Numbers that are equal are one value, an integer if one of them is. A record
  /// counts once for each value that it has.
  ///
  /// - Parameter limit: At most so many, the first; bounds the memory that the call takes.
  package func distinct(
    _ key: Text, _ selection: Selection, in id: UUID, limit: Int?, cancel: CancelToken? = nil
  ) throws(ChromaError) -> [DistinctValue] {
    try read(id) { (view) throws(ChromaError) in
      try view.schema.check(selection)
      try BatchRules.checkIsOfMetadata(key)
      let table = view.table
      let selected = try SelectedRows(selection, in: table, cancel: cancel)
      var counts = ValueCounts(limit: limit)
      var runs: [ValueRun] = []
      for (part, rows) in zip(table.version.parts, selected.rows) where !rows.isEmpty {
        for column in part.segment.columns(of: key) {
          if column.isWorthWalking(for: rows) {
            runs.append(try ValueRun(column, in: rows, of: part.segment, cancel))
          } else {
            try column.forEachValue(in: rows, cancel) { counts.add(recordWith: $1) }
          }
        }
      }
      for slot in selected.tail {
        if let value = try table.metadata(slot, keys: [key])?[key] {
          counts.add(recordWith: value)
        }
      }
      runs.append(ValueRun(counts.ascending()))
      return try ValueRun.merge(&runs, limit: limit)
    }
  }
}

/// A value, and how many records have it.
struct ValueCount {
  let value: Literal
  var count: Int
  /// Whether a number stands for an integer, too.
  var hasInt: Bool

  fileprivate var distinct: DistinctValue {
    let stored: MetadataValue =
      switch value {
      case .bool(let value): .bool(value)
      case .string(let value): .string(value)
      case .number(.int(let value)): .int(value)
      case .number(.float(let value)):
        if hasInt, let int = Int64(exactly: value) { .int(int) } else { .float(value + 0) }
      }
    return DistinctValue(value: stored, count: count)
  }
}

/// Values in ascending order, of which the next is counted when it is wanted.
private struct ValueRun {
  /// Nil at the end.
  private(set) var head: ValueCount?
  private var listed: ArraySlice<ValueCount>
  private let column: ValueColumn?
  private var counter: RowCounter
  private var number = 0
  private let cancel: CancelToken?

  init(_ listed: [ValueCount]) {
    self.listed = listed[...]
    column = nil
    counter = RowCounter(Bitset(), rowCount: 0)
    cancel = nil
    head = self.listed.popFirst()
  }

  init(
    _ column: ValueColumn, in rows: Bitset, of segment: Segment, _ cancel: CancelToken?
  ) throws(ChromaError) {
    listed = []
    self.column = column
    counter = RowCounter(rows, rowCount: segment.rowCount)
    self.cancel = cancel
    try removeHead()
  }

  mutating func removeHead() throws(ChromaError) {
    head = listed.popFirst()
    guard let column else { return }
    while head == nil, number < column.distinctCount {
      if number % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      let count = try counter.count(number, of: column)
      if count > 0, let value = Literal(try column.distinctValue(number)) {
        let hasInt = column.kind == .int || column.kind == .ints
        head = ValueCount(value: value, count: count, hasInt: hasInt)
      }
      number += 1
    }
  }

  static func merge(
    _ runs: inout [ValueRun], limit: Int?
  ) throws(ChromaError) -> [DistinctValue] {
    var found: [DistinctValue] = []
    while found.count < limit ?? .max {
      guard let first = runs.lazy.compactMap({ $0.head?.value }).min() else { break }
      var sum = ValueCount(value: first, count: 0, hasInt: false)
      for index in runs.indices {
        guard let head = runs[index].head, head.value == first else { continue }
        sum.count += head.count
        sum.hasInt = sum.hasInt || head.hasInt
        try runs[index].removeHead()
      }
      found.append(sum.distinct)
    }
    return found
  }
}

/// Counts the rows of a distinct value that are among some rows of its segment.
private struct RowCounter {
  private let rows: Bitset
  private let rowCount: Int
  private let hasAll: Bool
  private var found: [UInt32] = []

  init(_ rows: Bitset, rowCount: Int) {
    self.rows = rows
    self.rowCount = rowCount
    hasAll = rows.count == rowCount
  }

  mutating func count(_ number: Int, of column: ValueColumn) throws(ChromaError) -> Int {
    let postingCount = try column.postingCount(number..<number + 1)
    if hasAll { return postingCount }
    // A word is looked at as fast as some rows.
    if postingCount > rowCount / 128 {
      var having = Bitset()
      try column.insertRows(of: number..<number + 1, into: &having)
      having.formIntersection(rows)
      return having.count
    }
    found.removeAll(keepingCapacity: true)
    try column.appendRows(of: number, from: 0, limit: postingCount, to: &found)
    return found.count { rows.contains($0) }
  }
}

/// How many records have which value, of the first `limit` values.
///
/// Invariant: a value that is greater than `bound` has at least `limit` before it, and is not counted.
struct ValueCounts {
  private let limit: Int?
  private var counts: [Literal: ValueCount] = [:]
  private var bound: Literal?

  init(limit: Int?) {
    self.limit = limit
  }

  mutating func add(recordWith value: MetadataValue) {
    switch value {
    case .bools(let elements): for element in Set(elements) { add(.bool(element)) }
    case .ints(let elements): for element in Set(elements) { add(.number(.int(element))) }
    case .floats(let elements): for element in Set(elements) { add(.number(.float(element))) }
    case .strings(let elements): for element in Set(elements) { add(.string(element)) }
    case .bool, .int, .float, .string: if let scalar = Literal(value) { add(scalar) }
    }
  }

  private mutating func add(_ value: Literal) {
    if let bound, value > bound { return }
    let isInt = if case .number(.int) = value { true } else { false }
    counts[value, default: ValueCount(value: value, count: 0, hasInt: false)].count += 1
    if isInt { counts[value]?.hasInt = true }
    // 1024: small limits would sort all too often.
    if let limit, counts.count > 2 * min(limit, Int.max / 4) + 1024 { forgetLast(limit) }
  }

  private mutating func forgetLast(_ limit: Int) {
    let ascending = counts.keys.sorted()
    bound = ascending[max(limit, 1) - 1]
    for value in ascending[limit...] { counts[value] = nil }
  }

  /// The first of them, ascending.
  func ascending() -> [ValueCount] {
    counts.values.sorted { $0.value < $1.value }
  }
}
