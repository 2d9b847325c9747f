// Versions of collections in chroma.db.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  package func manifest(
    of collection: UUID
  ) throws(ChromaError)
    -> (row: CollectionRow, manifest: VersionManifest, index: IndexManifest)?
  {
    try read { (connection) throws(ChromaError) in
      try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(collection)]) {
        (found) throws(ChromaError) in
        let (key, row) = try found.collection()
        return (
          row, try Self.manifest(connection, key, row), try Self.index(connection, key, row)
        )
      }
    }
  }

  /// The current version, from the state in which the row was read.
  static func manifest(
    _ connection: SQLiteConnection, _ key: Int64, _ row: CollectionRow
  ) throws(ChromaError) -> VersionManifest {
    let segments = try connection.allRows(CatalogSQL.listSegments, [.integer(key)]) {
      (found) throws(ChromaError) in try found.segment(version: row.version)
    }
    return VersionManifest(
      version: row.version, position: row.compactedPosition, segments: segments)
  }

  package func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
    let id = publication.collection
    return try change { (connection) throws(ChromaError) in
      let found = try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(id)]) {
        (found) throws(ChromaError) in try found.collection()
      }
      guard let (key, row) = found else { throw .collectionOfRecordsNotFound(id) }
      guard row.version == publication.expectedVersion else {
        return .superseded(version: row.version)
      }
      try publication.check(
        row: row, current: try Self.manifest(connection, key, row).segments,
        endsBatch: try Self.endsBatch(connection, key, row, publication.position),
        isKnown: { (segment) throws(ChromaError) in
          try connection.hasRow(CatalogSQL.selectSegment, [.integer(key), .uuid(segment)])
        })

      let version = try newVersion(connection, after: row.version)
      let pruned = try prune(connection, key, upTo: publication.position)
      try Self.replaceSegments(connection, key, with: publication, version)
      try update(connection, key, row, publication, version, pruned)
      if let lease = publication.lease {
        try connection.execute(CatalogSQL.deleteLease, [.uuid(lease)])
      }
      try connection.execute(CatalogSQL.deleteExpiredLeases, [.integer(now)])
      let retired = try retire(connection, pruned.blobs, at: version)
      try giveBackPages(connection)
      return .published(version: version, retiredBlobs: retired)
    }
  }

  // MARK: Steps

  /// What went with the log rows that a version holds.
  private struct Pruned {
    var rowCount: Int64 = 0
    var byteCount: Int64 = 0
    var blobs: [Text] = []
  }

  /// Whether the segments may end at the position, as far as the log says.
  private static func endsBatch(
    _ connection: SQLiteConnection, _ key: Int64, _ row: CollectionRow, _ position: Int64
  ) throws(ChromaError) -> Bool {
    if position == row.compactedPosition { return true }
    let end = try connection.firstRow(
      CatalogSQL.selectLogRowAt, [.integer(key), .integer(position)]
    ) { (found) throws(ChromaError) in
      try found.positive(0).addingReportingOverflow(try found.positive(1))
    }
    guard let end, !end.overflow else { return false }
    return end.partialValue - 1 == position
  }

  private func prune(
    _ connection: SQLiteConnection, _ key: Int64, upTo position: Int64
  ) throws(ChromaError) -> Pruned {
    let range: [SQLiteValue] = [.integer(key), .integer(position)]
    var pruned = Pruned()
    var requests: [(position: Int64, key: [UInt8])] = []
    try connection.forEachRow(CatalogSQL.listPrunedLog, range) { (found) throws(ChromaError) in
      pruned.rowCount += 1
      let (sum, overflow) = pruned.byteCount.addingReportingOverflow(try found.notNegative(1))
      guard !overflow else { throw countsBroken() }
      pruned.byteCount = sum
      if let name = try found.optionalText(2) { pruned.blobs.append(name) }
      if let request = try found.optionalBlob(3) {
        requests.append((try found.positive(0), request))
      }
      return true
    }
    for request in requests.suffix(Limits.keptRequestKeyCountMax) {
      try connection.execute(
        CatalogSQL.insertRequest, [.integer(key), .integer(request.position), .blob(request.key)])
    }
    try connection.execute(CatalogSQL.deleteOldRequests, [.integer(key)])
    try connection.execute(CatalogSQL.deleteLog, range)
    return pruned
  }

  private static func replaceSegments(
    _ connection: SQLiteConnection, _ key: Int64, with publication: Publication,
    _ version: Int64
  ) throws(ChromaError) {
    for id in publication.removed {
      try connection.execute(
        CatalogSQL.endSegment, [.integer(key), .uuid(id), .integer(version)])
    }
    for segment in publication.added {
      try connection.execute(
        CatalogSQL.insertSegment,
        [
          .integer(key), .uuid(segment.id), .integer(version), .integer(Int64(segment.rowCount)),
        ] + SQLiteValue.payload(segment.payload))
    }
    for (id, rows) in publication.sortedDeleted {
      try connection.execute(
        CatalogSQL.replaceDeletions,
        [
          .integer(key), .uuid(id), .integer(version), .integer(Int64(rows.count)),
          .blob(rows.bitmap),
        ])
    }
  }

  private func update(
    _ connection: SQLiteConnection, _ key: Int64, _ row: CollectionRow,
    _ publication: Publication, _ version: Int64, _ pruned: Pruned
  ) throws(ChromaError) {
    // The rows were measured, the collection only counted what came.
    let rowCount = Int64(row.logRowCount) - pruned.rowCount
    let byteCount = Int64(row.logByteCount) - pruned.byteCount
    guard rowCount >= 0, byteCount >= 0 else { throw countsBroken() }
    try connection.execute(
      CatalogSQL.updateVersion,
      [
        .integer(key), .integer(version), .integer(publication.position),
        .integer(publication.compactedByteCount(after: row)), .integer(rowCount),
        .integer(byteCount),
      ])
  }

  private func countsBroken() -> ChromaError {
    .corruption(
      "The file \(database.path) is damaged: the log of a collection holds more than the collection "
        + "counts. Restore the directory from a backup.")
  }
}
