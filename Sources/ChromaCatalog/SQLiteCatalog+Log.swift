// Collections' logs in chroma.db.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  package func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try change { (connection) throws(ChromaError) in
      var results: [AppendResult] = []
      results.reserveCapacity(appends.count)
      for append in appends { results.append(try Self.append(connection, append)) }
      return results
    }
  }

  package func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    try read { (connection) throws(ChromaError) in
      try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(collection)]) {
        (found) throws(ChromaError) in
        // The statement around this is still open, so all that follows reads one state.
        let (key, row) = try found.collection()
        let isSameVersion = row.version == known.version
        let manifest = isSameVersion ? nil : try Self.manifest(connection, key, row)
        let index = row.generation == known.generation ? nil : try Self.index(connection, key, row)
        let position =
          isSameVersion ? max(known.position, row.compactedPosition) : row.compactedPosition
        guard position < row.nextPosition - 1 else {
          return CollectionChanges(
            row: row, manifest: manifest, index: index, rows: [], isComplete: true)
        }
        let rows = try logRows(
          connection, key, row, from: position + 1, byteCountMax: byteCountMax)
        let isComplete = rows.last?.endPosition == row.nextPosition
        return CollectionChanges(
          row: row, manifest: manifest, index: index, rows: rows, isComplete: isComplete)
      }
    }
  }

  /// The rows that hold the positions from `next` on, of which there is one at least; fewer if their
  /// payloads would exceed the bytes, but at least one.
  private func logRows(
    _ connection: SQLiteConnection, _ key: Int64, _ collection: CollectionRow, from next: Int64,
    byteCountMax: Int
  ) throws(ChromaError) -> [LogRow] {
    let end = collection.nextPosition
    var rows: [LogRow] = []
    var reached = next
    var byteCount = 0
    try connection.forEachRow(CatalogSQL.selectLog, [.integer(key), .integer(next)]) {
      (found) throws(ChromaError) in
      let row = try found.logRow()
      byteCount = byteCount.addingUpToMax(row.payload.byteCount)
      if !rows.isEmpty && byteCount > byteCountMax { return false }
      // Only the first row may begin before what was asked for, and none before the version's end.
      let beginsRight =
        rows.isEmpty ? row.firstPosition <= reached : row.firstPosition == reached
      guard beginsRight, row.firstPosition > collection.compactedPosition,
        row.endPosition > reached, row.endPosition <= end
      else {
        throw logBroken(at: reached)
      }
      rows.append(row)
      reached = row.endPosition
      return reached < end
    }
    guard !rows.isEmpty, reached == end || byteCount > byteCountMax else {
      throw logBroken(at: reached)
    }
    return rows
  }

  private func logBroken(at position: Int64) -> ChromaError {
    .corruption(
      "The file \(database.path) is damaged: the log of a collection does not go on at position "
        + "\(position), though it should.")
  }

  private static func append(
    _ connection: SQLiteConnection, _ append: LogAppend
  ) throws(ChromaError) -> AppendResult {
    guard append.isPossible else { return .rejected(.impossibleBatch()) }
    let found = try connection.firstRow(CatalogSQL.selectLogState, [.uuid(append.collection)]) {
      (row) throws(ChromaError) in try row.logState()
    }
    guard var state = found else {
      return .rejected(.collectionOfRecordsNotFound(append.collection))
    }
    if let first = try position(connection, of: append.requestKey, in: state.key) {
      return .repeated(firstPosition: first)
    }
    let position = state.next
    if let expected = append.expectedNextPosition, expected != position {
      return .rejected(.positionMismatch(expected: expected, actual: position))
    }
    if let expected = state.dimension, let actual = append.dimension, expected != actual {
      return .rejected(.dimensionMismatch(expected: expected, actual: actual))
    }
    let (next, overflow) = position.addingReportingOverflow(Int64(append.recordCount))
    guard !overflow else { return .rejected(.positionsExhausted(append.collection)) }

    try insert(connection, append, into: state.key, at: position)
    state.next = next
    state.dimension = state.dimension ?? append.dimension
    state.rowCount = state.rowCount.addingUpToMax(1)
    state.byteCount = state.byteCount.addingUpToMax(append.payload.byteCount)
    try connection.execute(
      CatalogSQL.updateLogState,
      [
        .integer(state.key), state.dimension.map { .integer(Int64($0)) } ?? .null,
        .integer(next), .integer(Int64(state.rowCount)), .integer(Int64(state.byteCount)),
      ])
    return .appended(firstPosition: position, debt: state.debt)
  }

  /// Where the collection has the request; nil if it hasn't, or there is no key.
  private static func position(
    _ connection: SQLiteConnection, of request: RequestKey?, in collection: Int64
  ) throws(ChromaError) -> Int64? {
    guard let request else { return nil }
    return try connection.firstRow(
      CatalogSQL.selectRequest, [.integer(collection), .request(request)]
    ) {
      (row) throws(ChromaError) in try row.positive(0)
    }
  }

  private static func insert(
    _ connection: SQLiteConnection, _ append: LogAppend, into collection: Int64,
    at position: Int64
  ) throws(ChromaError) {
    try connection.execute(
      CatalogSQL.insertLog,
      [.integer(collection), .integer(position), .integer(Int64(append.recordCount))]
        + SQLiteValue.payload(append.payload)
        + [append.requestKey.map { .request($0) } ?? .null])
  }
}

/// What of a collection an append looks at, and changes.
private struct LogState {
  let key: Int64
  var dimension: Int?
  var next: Int64
  let compacted: Int64
  var rowCount: Int
  var byteCount: Int

  var debt: LogDebt {
    LogDebt(rowCount: rowCount, recordCount: Int(next - 1 - compacted), byteCount: byteCount)
  }
}

extension SQLiteRow {
  /// The columns of `CatalogSQL.selectLogState`.
  fileprivate func logState() throws(ChromaError) -> LogState {
    let next = try positive(2)
    let compacted = try notNegative(3)
    guard compacted < next else { throw impossible(3, "\(compacted)") }
    return LogState(
      key: try integer(0), dimension: try dimension(1), next: next, compacted: compacted,
      rowCount: Int(try notNegative(4)), byteCount: Int(try notNegative(5)))
  }
}
