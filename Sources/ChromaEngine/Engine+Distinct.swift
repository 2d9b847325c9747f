// Which values stand under a key, and in how many records.

package import ChromaBase
import ChromaQuery

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
      let matches = try Selector(selection, in: view.table, cancel: cancel).slots()
      var counts = ValueCounts(limit: limit)
      var visitedCount = 0
      for slot in matches {
        if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
        visitedCount += 1
        guard let value = try view.table.metadata(slot, keys: [key])?[key] else { continue }
        counts.add(recordWith: value)
      }
      return counts.first()
    }
  }
}

/// How many records have which value, of the first `limit` values.
///
/// Invariant: a value that is greater than `bound` has at least `limit` before it, and is not counted.
struct ValueCounts {
  private struct Tally {
    var count = 0
    var hasInt = false
  }

  private let limit: Int?
  private var tallies: [Literal: Tally] = [:]
  private var bound: Literal?

  init(limit: Int?) {
    self.limit = limit
  }

  mutating func add(recordWith value: MetadataValue) {
    switch value {
    case .bools(let elements): for element in Set(elements) { add(.bool(element), 1) }
    case .ints(let elements): for element in Set(elements) { add(.number(.int(element)), 1) }
    case .floats(let elements): for element in Set(elements) { add(.number(.float(element)), 1) }
    case .strings(let elements): for element in Set(elements) { add(.string(element), 1) }
    case .bool, .int, .float, .string: if let scalar = Literal(value) { add(scalar, 1) }
    }
  }

  mutating func add(_ value: Literal, _ count: Int) {
    if let bound, value > bound { return }
    tallies[value, default: Tally()].count += count
    if case .number(.int) = value { tallies[value]?.hasInt = true }
    // 1024: small limits would sort all too often.
    if let limit, tallies.count > 2 * min(limit, Int.max / 4) + 1024 { forgetLast(limit) }
  }

  private mutating func forgetLast(_ limit: Int) {
    let ascending = tallies.keys.sorted()
    bound = limit > 0 ? ascending[limit - 1] : ascending.first
    for value in ascending[limit...] { tallies[value] = nil }
  }

  /// The first of them, ascending.
  func first() -> [DistinctValue] {
    tallies.sorted { $0.key < $1.key }.prefix(limit ?? .max).map { value, tally in
      DistinctValue(value: value.stored(asInt: tally.hasInt), count: tally.count)
    }
  }
}

extension Literal {
  /// A number as an integer, if one of its equals is.
  fileprivate func stored(asInt: Bool) -> MetadataValue {
    switch self {
    case .bool(let value): return .bool(value)
    case .string(let value): return .string(value)
    case .number(.int(let value)): return .int(value)
    case .number(.float(let value)):
      if asInt, let int = Int64(exactly: value) { return .int(int) }
      return .float(value == 0 ? 0 : value)
    }
  }
}
