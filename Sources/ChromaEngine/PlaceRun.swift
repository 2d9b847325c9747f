// Records in the order of a key, of one column or of those that stand in no index: what is merged.

import ChromaBase
import ChromaQuery
import ChromaSegment

/// Where the places of a run come from.
protocol PlaceSource {
  /// Appends the next places; none at the end.
  mutating func appendNext(to places: inout [RecordOrder.Place]) throws(ChromaError)
}

/// Places in their order, of which the next are read when they are wanted.
struct PlaceRun {
  private var places: [RecordOrder.Place]
  private var position = 0
  private var source: (any PlaceSource)?

  init(_ places: [RecordOrder.Place]) {
    self.places = places
  }

  init(_ source: some PlaceSource) throws(ChromaError) {
    places = []
    self.source = source
    try fill()
  }

  /// Nil at the end.
  var head: RecordOrder.Place? { position < places.count ? places[position] : nil }

  mutating func removeHead() throws(ChromaError) {
    position += 1
    if position == places.count { try fill() }
  }

  private mutating func fill() throws(ChromaError) {
    position = 0
    places.removeAll(keepingCapacity: true)
    try source?.appendNext(to: &places)
  }
}

/// The selected rows of an indexed column, in the order of its values.
struct IndexedPlaces: PlaceSource {
  private let column: ValueColumn
  private let segment: Segment
  private let rows: Bitset
  private let isDescending: Bool
  private let cancel: CancelToken?
  /// The distinct value that comes next, and from which of its rows on.
  private var number: Int
  private var firstRow = 0
  /// Places to read at once: few at first, for who wants no more.
  private var count = 8

  /// - Parameter start: The place before the first, with a value; nil to begin at the beginning.
  init(
    _ column: ValueColumn, of segment: Segment, rows: Bitset, _ order: RecordOrder,
    after start: RecordOrder.Place?, _ cancel: CancelToken?
  ) throws(ChromaError) {
    self.cancel = cancel
    self.column = column
    self.segment = segment
    self.rows = rows
    isDescending = order.isDescending
    guard let start, let value = start.value else {
      number = isDescending ? column.distinctCount - 1 : 0
      return
    }
    let next = try column.firstNumber { (found) throws(ChromaError) in
      order.isDescending ? Self.literal(found) > value : Self.literal(found) >= value
    }
    number = isDescending ? next - 1 : next
    if (0..<column.distinctCount).contains(number),
      Self.literal(try column.distinctValue(number)) == value
    {
      firstRow = segment.firstRow(ofOrder: start.order + 1)
    }
  }

  /// Distinct values are no arrays.
  private static func literal(_ value: MetadataValue) -> Literal {
    Literal(value) ?? .bool(false)
  }

  mutating func appendNext(to places: inout [RecordOrder.Place]) throws(ChromaError) {
    // 256: enough that what a call costs is not felt.
    count = min(2 * count, 256)
    var found: [UInt32] = []
    var visitedCount = 0
    while places.count < count, number >= 0, number < column.distinctCount {
      if visitedCount % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      visitedCount += 1
      found.removeAll(keepingCapacity: true)
      try column.appendRows(of: number, from: firstRow, limit: count, to: &found)
      var value: Literal?
      for row in found where rows.contains(row) {
        let known =
          if let value { value } else { Self.literal(try column.distinctValue(number)) }
        value = known
        let row = Int(row)
        places.append(.init(value: known, order: segment.order(row), slot: segment.slot(row)))
      }
      if found.count == count, let last = found.last {
        firstRow = Int(last) + 1
      } else {
        firstRow = 0
        number += isDescending ? -1 : 1
      }
    }
  }
}

/// Rows of a segment without a value, in the order of insertion.
struct RowPlaces: PlaceSource {
  private let segment: Segment
  private var rows: Bitset.Iterator

  init(_ segment: Segment, _ rows: Bitset) {
    self.segment = segment
    self.rows = rows.makeIterator()
  }

  mutating func appendNext(to places: inout [RecordOrder.Place]) throws(ChromaError) {
    while places.count < 64, let row = rows.next() {
      let row = Int(row)
      places.append(.init(value: nil, order: segment.order(row), slot: segment.slot(row)))
    }
  }
}
