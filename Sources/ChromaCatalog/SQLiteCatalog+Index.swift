// Indexes of collections in chroma.db.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  /// The current index, from the state in which the row was read.
  static func index(
    _ connection: SQLiteConnection, _ key: Int64, _ row: CollectionRow
  ) throws(ChromaError) -> IndexManifest {
    let blobs = try connection.allRows(CatalogSQL.listIndexBlobs, [.integer(key)]) {
      (found) throws(ChromaError) in try found.indexBlob(generation: row.generation)
    }
    return IndexManifest(
      generation: row.generation, position: row.indexedPosition, blobs: blobs)
  }

  package func publishIndex(
    _ publication: IndexPublication
  ) throws(ChromaError) -> PublishResult {
    let id = publication.collection
    return try change { (connection) throws(ChromaError) in
      let found = try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(id)]) {
        (found) throws(ChromaError) in try found.collection()
      }
      guard let (key, row) = found else { throw .collectionOfRecordsNotFound(id) }
      guard row.generation == publication.expectedGeneration else {
        return .superseded(version: row.generation)
      }
      try publication.check(
        row: row,
        isKnown: { (name) throws(ChromaError) in
          try connection.hasRow(CatalogSQL.selectIndexBlob, [.integer(key), .text(name)])
        })

      let number = try newVersion(connection, after: max(row.version, row.generation))
      try Self.replaceIndexBlobs(connection, key, with: publication, number)
      let generation = publication.isDropping ? 0 : number
      try connection.execute(
        CatalogSQL.updateGeneration,
        [.integer(key), .integer(generation), .integer(publication.position)])
      try releaseOrRenewLease(connection, of: publication)
      let retired = try retire(connection, [])
      return .published(version: generation, retiredBlobs: retired)
    }
  }

  private static func replaceIndexBlobs(
    _ connection: SQLiteConnection, _ key: Int64, with publication: IndexPublication,
    _ generation: Int64
  ) throws(ChromaError) {
    if publication.replacesAll {
      try connection.execute(
        CatalogSQL.endIndexBlobs, [.integer(key), .integer(generation)])
    }
    for blob in publication.added {
      try connection.execute(
        CatalogSQL.insertIndexBlob,
        [
          .integer(key), .integer(generation), .text(blob.name), .integer(Int64(blob.byteCount)),
        ])
    }
  }

  private func releaseOrRenewLease(
    _ connection: SQLiteConnection, of publication: IndexPublication
  ) throws(ChromaError) {
    if let lease = publication.lease {
      if let deadline = publication.leaseDeadline {
        try connection.execute(
          CatalogSQL.renewLeaseOfBlob,
          [.uuid(lease), .integer(deadline), .optional(publication.leasedBlobName)])
      } else {
        try connection.execute(CatalogSQL.deleteLease, [.uuid(lease)])
      }
    }
    try connection.execute(CatalogSQL.deleteExpiredLeases, [.integer(now)])
  }
}
