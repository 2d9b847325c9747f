// One collection as this process knows it: its records up to a log position, and how to catch up.
//
// Invariants:
//   * `table` is what the log comes to up to and with `position`; nobody reads it half-way.
//   * Every read first catches up with what is committed when it begins, by whichever process.

import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage

final class CollectionState: @unchecked Sendable {  // `table` and `position` are guarded by `lock`.
  let id: UUID
  private let catalog: any Catalog
  private let blobs: BlobStore
  private let lock = ReadWriteLock()
  private var table: RecordTable
  /// The last log position that `table` holds.
  private var position: Int64 = 0

  init(id: UUID, space: Space, catalog: any Catalog, blobs: BlobStore) {
    self.id = id
    self.catalog = catalog
    self.blobs = blobs
    table = RecordTable(space: space)
  }

  /// Reads the records as they are when the call begins, or later.
  ///
  /// - Throws: `.notFound` if the collection is gone; `.corruption`, `.io` if its log can't be read.
  func read<R>(
    _ body: (CollectionRow, RecordTable) throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    let row = try catchUp()
    return try lock.withReading { () throws(ChromaError) in try body(row, table) }
  }

  /// Takes over a batch that this process has just committed, if nothing is missing before it;
  /// otherwise the next read finds it in the log.
  func adopt(_ batch: RecordBatch, firstPosition: Int64) {
    try? lock.withWriting { () throws(ChromaError) in
      guard position == firstPosition - 1 else { return }
      try Materialization.apply(batch, firstPosition: firstPosition, to: &table)
      position += Int64(batch.count)
    }
  }

  /// Applies what the log holds beyond `position`.
  private func catchUp() throws(ChromaError) -> CollectionRow {
    while true {
      let known = try lock.withReading { () throws(ChromaError) in position }
      let changes = try catalog.changes(
        in: id, after: KnownState(version: 0, position: known),
        byteCountMax: Limits.catchUpByteCountMax)
      guard let changes else { throw Self.gone(id) }
      if !changes.rows.isEmpty {
        try lock.withWriting { () throws(ChromaError) in
          for row in changes.rows { try apply(row) }
        }
      }
      if changes.isComplete { return changes.row }
    }
  }

  private func apply(_ row: LogRow) throws(ChromaError) {
    // Another thread may have applied it meanwhile.
    guard row.firstPosition > position else { return }
    guard row.firstPosition == position + 1 else {
      throw .corruption(
        "The log of collection \(id) goes on at position \(row.firstPosition), but position "
          + "\(position + 1) is missing.")
    }
    let batch = try decode(row)
    guard batch.count == row.recordCount else {
      throw .corruption(
        "The log of collection \(id) promises \(row.recordCount) records at position "
          + "\(row.firstPosition) and holds \(batch.count).")
    }
    try Materialization.apply(batch, firstPosition: row.firstPosition, to: &table)
    position = row.endPosition - 1
  }

  private func decode(_ row: LogRow) throws(ChromaError) -> RecordBatch {
    let source = "log of collection \(id) at position \(row.firstPosition)"
    switch row.payload {
    case .inline(let bytes):
      return try LogBatch.decode(bytes, source: source)
    case .blob(let name, _):
      do throws(ChromaError) {
        return try LogBatch.decode(try blobs.read(name.string), source: "\(source), blob \(name)")
      } catch {
        // A missing blob may mean that the collection was deleted since the catalog was read.
        if try catalog.changes(in: id, after: .nothing, byteCountMax: 0) == nil {
          throw Self.gone(id)
        }
        throw error
      }
    }
  }

  static func gone(_ id: UUID) -> ChromaError {
    .notFound("Collection [\(id)] does not exist.")
  }
}
