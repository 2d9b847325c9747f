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
    in collection: UUID, after position: Int64, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    let next = position < 0 ? 1 : position == .max ? position : position + 1
    return try read { (connection) throws(ChromaError) in
      try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(collection)]) {
        (found) throws(ChromaError) in
        let (key, row) = try found.collection()
        guard next < row.nextPosition else {
          return CollectionChanges(row: row, rows: [], isComplete: true)
        }
        // The statement around this is still open, so both read one state.
        let rows = try logRows(
          connection, key, from: next, to: row.nextPosition, byteCountMax: byteCountMax)
        let isComplete = rows.last?.endPosition == row.nextPosition
        return CollectionChanges(row: row, rows: rows, isComplete: isComplete)
      }
    }
  }

  /// The rows that hold the positions from `next` up to `end`, which are not the same; fewer if
  /// their payloads would exceed the bytes, but at least one.
  private func logRows(
    _ connection: SQLiteConnection, _ key: Int64, from next: Int64, to end: Int64,
    byteCountMax: Int
  ) throws(ChromaError) -> [LogRow] {
    var rows: [LogRow] = []
    var reached = next
    var byteCount = 0
    try connection.forEachRow(CatalogSQL.selectLog, [.integer(key), .integer(next)]) {
      (found) throws(ChromaError) in
      let row = try found.logRow()
      byteCount = byteCount.addingUpToMax(row.payload.byteCount)
      if !rows.isEmpty && byteCount > byteCountMax { return false }
      // Only the first row may begin before what was asked for.
      let beginsRight =
        rows.isEmpty ? row.firstPosition <= reached : row.firstPosition == reached
      guard beginsRight, row.endPosition > reached, row.endPosition <= end else {
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
    let state = try connection.firstRow(CatalogSQL.selectLogState, [.uuid(append.collection)]) {
      (row) throws(ChromaError) in
      (key: try row.integer(0), dimension: try row.dimension(1), next: try row.positive(2))
    }
    guard let state else { return .rejected(.collectionOfRecordsNotFound(append.collection)) }
    if let first = try position(connection, of: append.requestKey, in: state.key) {
      return .repeated(firstPosition: first)
    }
    if let expected = append.expectedNextPosition, expected != state.next {
      return .rejected(.positionMismatch(expected: expected, actual: state.next))
    }
    if let expected = state.dimension, let actual = append.dimension, expected != actual {
      return .rejected(.dimensionMismatch(expected: expected, actual: actual))
    }
    let (next, overflow) = state.next.addingReportingOverflow(Int64(append.recordCount))
    guard !overflow else { return .rejected(.positionsExhausted(append.collection)) }

    try insert(connection, append, into: state.key, at: state.next)
    let dimension = (state.dimension ?? append.dimension).map { SQLiteValue.integer(Int64($0)) }
    try connection.execute(
      CatalogSQL.updateLogState, [.integer(state.key), dimension ?? .null, .integer(next)])
    return .appended(firstPosition: state.next)
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
    let payload: [SQLiteValue] =
      switch append.payload {
      case .inline(let bytes): [.blob(bytes), .null, .null]
      case .blob(let name, let byteCount): [.null, .text(name), .integer(Int64(byteCount))]
      }
    try connection.execute(
      CatalogSQL.insertLog,
      [.integer(collection), .integer(position), .integer(Int64(append.recordCount))] + payload
        + [append.requestKey.map { .request($0) } ?? .null])
  }
}
