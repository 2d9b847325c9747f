// What chroma.db keeps of what was replaced: leases, pins, and the blobs that rows name.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  /// By which leases and pins expire.
  var now: Int64 { clock.wallNanoseconds() }

  // MARK: Leases

  package func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool {
    try change { (connection) throws(ChromaError) in
      let key = try connection.firstRow(CatalogSQL.selectLogState, [.uuid(lease.collection)]) {
        (found) throws(ChromaError) in try found.integer(0)
      }
      guard let key else { throw .collectionOfRecordsNotFound(lease.collection) }
      let place: [SQLiteValue] = [.integer(key), .integer(lease.kind.rawValue)]
      let holder = try connection.firstRow(CatalogSQL.selectLease, place) {
        (found) throws(ChromaError) in (id: try found.uuid(0), deadline: try found.integer(1))
      }
      if let holder, holder.id != lease.id, holder.deadline > now { return false }
      try connection.execute(CatalogSQL.deleteLease, [.uuid(lease.id)])
      try connection.execute(
        CatalogSQL.replaceLease,
        place + [
          .uuid(lease.id), .optional(lease.blobName), .text(lease.holder),
          .integer(lease.deadline),
        ])
      return true
    }
  }

  package func renewLease(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try change { (connection) throws(ChromaError) in
      try connection.execute(CatalogSQL.renewLease, [.uuid(id), .integer(deadline)])
      return connection.changedRowCount > 0
    }
  }

  package func releaseLease(id: UUID) throws(ChromaError) {
    try change { (connection) throws(ChromaError) in
      try connection.execute(CatalogSQL.deleteLease, [.uuid(id)])
    }
  }

  // MARK: Pins

  package func pin(id: UUID, deadline: Int64) throws(ChromaError) {
    try change { (connection) throws(ChromaError) in
      guard try !connection.hasRow(CatalogSQL.selectPin, [.uuid(id)]) else { throw .pinExists(id) }
      try connection.execute(
        CatalogSQL.insertPin,
        [.uuid(id), .integer(try lastVersion(connection)), .integer(deadline)])
    }
  }

  package func renewPin(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try change { (connection) throws(ChromaError) in
      try connection.execute(CatalogSQL.renewPin, [.uuid(id), .integer(deadline)])
      return connection.changedRowCount > 0
    }
  }

  package func unpin(id: UUID) throws(ChromaError) -> [Text] {
    try change { (connection) throws(ChromaError) in
      try connection.execute(CatalogSQL.deletePin, [.uuid(id)])
      return try retire(connection, [])
    }
  }

  // MARK: Versions' numbers

  private func lastVersion(_ connection: SQLiteConnection) throws(ChromaError) -> Int64 {
    let last = try connection.firstRow(CatalogSQL.selectLastVersion) {
      (found) throws(ChromaError) in try found.notNegative(0)
    }
    guard let last else { throw versionsBroken() }
    return last
  }

  /// Takes the next number, which must be above that of a version or generation.
  func newVersion(
    _ connection: SQLiteConnection, after version: Int64 = 0
  ) throws(ChromaError) -> Int64 {
    let last = try lastVersion(connection)
    guard last >= version, last < .max else { throw versionsBroken() }
    try connection.execute(CatalogSQL.updateLastVersion, [.integer(last + 1)])
    return last + 1
  }

  private func versionsBroken() -> ChromaError {
    .corruption(
      "The file \(database.path) is damaged: it does not know the number of its last version. "
        + "Restore the directory from a backup.")
  }

  // MARK: Blobs

  package func referencedBlobs() throws(ChromaError) -> [Text] {
    try read { (connection) throws(ChromaError) in
      try Self.blobs(connection, CatalogSQL.listBlobs, [.integer(now)])
    }
  }

  package func isAnyBlobLeased() throws(ChromaError) -> Bool {
    try read { (connection) throws(ChromaError) in
      try connection.hasRow(CatalogSQL.selectLeasedBlob, [.integer(now)])
    }
  }

  static func blobs(
    _ connection: SQLiteConnection, _ statement: String, _ values: [SQLiteValue] = []
  ) throws(ChromaError) -> [Text] {
    try connection.allRows(statement, values) { (row) throws(ChromaError) in try row.text(0) }
  }

  /// Drops expired pins, then whatever of former versions no pin keeps.
  ///
  /// - Parameters:
  ///   - candidates: Blobs whose rows this transaction has deleted.
  ///   - version: The transaction's number, if it has one.
  /// - Returns: The blobs that nothing needs any more, in order of their bytes.
  func retire(
    _ connection: SQLiteConnection, _ candidates: [Text], at version: Int64? = nil
  ) throws(ChromaError) -> [Text] {
    try connection.execute(CatalogSQL.deleteExpiredPins, [.integer(now)])
    var names = try Self.blobs(connection, CatalogSQL.listBlobsOfUnpinnedSegments)
    try connection.execute(CatalogSQL.deleteUnpinnedSegments)
    names += try Self.blobs(connection, CatalogSQL.listUnpinnedIndexBlobs)
    try connection.execute(CatalogSQL.deleteUnpinnedIndexBlobs)
    names += try Self.blobs(connection, CatalogSQL.listUnpinnedGarbage)
    try connection.execute(CatalogSQL.deleteUnpinnedGarbage)
    if try connection.hasRow(CatalogSQL.selectAnyPin, []) {
      if !candidates.isEmpty {
        let end = if let version { version } else { try newVersion(connection) }
        for name in candidates {
          try connection.execute(CatalogSQL.replaceGarbage, [.text(name), .integer(end)])
        }
      }
    } else {
      names += candidates
    }
    var retired: [Text] = []
    for name in Set(names).sorted() {
      // Two collections may refer to one blob.
      guard try !connection.hasRow(CatalogSQL.selectBlob, [.text(name)]) else { continue }
      retired.append(name)
    }
    return retired
  }

  // MARK: Space

  /// Gives pages that a deletion freed back to the file system, if there are many. To be called in
  /// its transaction, which then need not write what they held.
  func giveBackPages(_ connection: SQLiteConnection) throws(ChromaError) {
    let freePageCount = try connection.integer(CatalogSQL.countFreePages)
    guard freePageCount > Limits.catalogFreePageCountMax else { return }
    try connection.execute(CatalogSQL.giveBackPages)
    hasGivenBackPages.store(true, ordering: .relaxed)
  }

  package func shrink() throws(ChromaError) {
    var isShrinking = true
    while isShrinking {
      isShrinking = try change { (connection) throws(ChromaError) in
        let before = try connection.integer(CatalogSQL.countFreePages)
        if before == 0 { return false }
        hasGivenBackPages.store(true, ordering: .relaxed)
        try connection.execute(CatalogSQL.giveBackPages)
        let after = try connection.integer(CatalogSQL.countFreePages)
        return 0 < after && after < before
      }
    }
  }

  package func foldBackAll() throws(ChromaError) -> Bool {
    try withWriter { (connection) throws(ChromaError) in
      try connection.checkpoint(truncating: true)
    }
  }
}
