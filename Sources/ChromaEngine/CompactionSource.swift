// The rows of a new segment, read from wherever they stand.

import ChromaBase
import ChromaIndex
import ChromaSegment

/// Records of a table, tail included: what the tail becomes. Used under the collection's lock.
struct TableSource: SegmentSource {
  private let table: RecordTable
  private let vectors: VectorTable
  /// In the order of insertion.
  private let slots: [UInt32]

  /// - Returns: Nil if there are no records.
  init?(_ table: RecordTable, slots: [UInt32]) throws(ChromaError) {
    guard !slots.isEmpty, let vectors = table.vectors else { return nil }
    // What is damaged must not get a checksum that holds.
    try table.verifyVectors(of: slots)
    self.table = table
    self.vectors = vectors
    self.slots = slots.map { (order: table.order($0), slot: $0) }.sorted { $0 < $1 }.map(\.slot)
  }

  var rowCount: Int { slots.count }
  var dimension: Int { vectors.dimension }
  var space: Space { table.space }
  var vectorType: VectorType { table.vectorType }
  func id(_ row: Int) throws(ChromaError) -> Text { try table.id(slots[row]) }
  func order(_ row: Int) -> Int64 { table.order(slots[row]) }
  func vectorPosition(_ row: Int) -> Int64 { table.vectorPosition(slots[row]) }
  func slot(_ row: Int) -> UInt32 { slots[row] }
  func inverseNorm(_ row: Int) -> Float { vectors.inverseNorm(slots[row]) }
  func document(_ row: Int) throws(ChromaError) -> Text? { try table.document(slots[row]) }
  func uri(_ row: Int) throws(ChromaError) -> Text? { try table.uri(slots[row]) }
  func metadata(_ row: Int) throws(ChromaError) -> Metadata? { try table.metadata(slots[row]) }

  func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    try vectors.withRow(slots[row], body)
  }
}

/// Live rows of some segments of a version: what a merge writes. Needs no lock.
struct MergeSource: SegmentSource {
  private let version: CollectionVersion
  /// In the order of insertion.
  private let rows: [RecordLocation]
  let dimension: Int
  let space: Space
  let vectorType: VectorType

  /// - Returns: Nil if no row lives.
  init?(_ version: CollectionVersion, segments: [Int]) throws(ChromaError) {
    guard let first = segments.first(where: { version.parts[$0].liveCount > 0 }) else { return nil }
    self.version = version
    dimension = version.parts[first].segment.dimension
    space = version.parts[first].segment.space
    vectorType = version.parts[first].segment.vectorType
    var rows: [(order: Int64, location: RecordLocation)] = []
    for index in segments {
      let part = version.parts[index]
      guard part.liveCount > 0 else { continue }
      for row in 0..<part.segment.rowCount where !part.dead.contains(UInt32(row)) {
        rows.append((part.segment.order(row), RecordLocation(segment: index, row: row)))
      }
    }
    rows.sort { $0.order < $1.order }
    self.rows = rows.map(\.location)
  }

  /// The row that came from a row of an input; nil if it was left out.
  func row(of location: RecordLocation) -> Int? {
    let wanted = version.order(at: location)
    var lower = 0
    var upper = rows.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if version.order(at: rows[middle]) < wanted { lower = middle + 1 } else { upper = middle }
    }
    return lower < rows.count && rows[lower] == location ? lower : nil
  }

  private func segment(_ row: Int) -> (Segment, Int) {
    (version.parts[rows[row].segment].segment, rows[row].row)
  }

  var rowCount: Int { rows.count }
  func order(_ row: Int) -> Int64 { version.order(at: rows[row]) }
  func vectorPosition(_ row: Int) -> Int64 { version.vectorPosition(at: rows[row]) }
  func slot(_ row: Int) -> UInt32 { version.slot(at: rows[row]) }

  func id(_ row: Int) throws(ChromaError) -> Text {
    let (segment, row) = segment(row)
    return try segment.id(row)
  }

  func inverseNorm(_ row: Int) -> Float {
    let (segment, row) = segment(row)
    return segment.inverseNorm(row)
  }

  func document(_ row: Int) throws(ChromaError) -> Text? {
    let (segment, row) = segment(row)
    return try segment.document(row)
  }

  func uri(_ row: Int) throws(ChromaError) -> Text? {
    let (segment, row) = segment(row)
    return try segment.uri(row)
  }

  func metadata(_ row: Int) throws(ChromaError) -> Metadata? {
    let (segment, row) = segment(row)
    return try segment.metadata(row)
  }

  func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    let (segment, row) = segment(row)
    try segment.withVector(row, body)
  }
}
