// Copies a database into another directory: what backups and restoring have in common.
//
// The order makes it whole at one moment:
//
//     1. BACKUP says that a copy is being made.
//     2. The catalog is copied beside the target's, and what belongs to running processes taken out.
//     3. The blobs that it names are copied, unless they are there. An index of which one is damaged
//        goes from the new catalog: it can be built again, and is no reason to have no backup.
//     4. The new catalog takes the place of the old one: a rename.
//     5. BACKUP says that the copy is whole, or goes.
//     6. Blobs that only the old catalog named are removed.
//
// Up to step 4 the target is what it was, with some blobs more; from there on it is the copy. Whoever
// is killed is followed by one who finds the blobs that are there already.

import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaStorage

final class DatabaseCopy {
  private static let pieceByteCount = 1 << 20
  /// The catalog's lock bytes that its users hold (sqlite.org/lockingv3.html).
  private static let sharedBytes: Range<UInt64> = 0x4000_0002..<0x4000_0002 + 510

  struct NamedBlob {
    let name: String
    let byteCount: Int
    /// The key of the collection whose index it is a part of; nil of every other blob.
    let indexedCollection: Int64?
  }

  let source: String
  let target: String
  private let environment: RecoveryEnvironment
  private let files: any FileSystem
  private let meter: Meter
  private let sourceBlobs: BlobStore
  private let targetBlobs: BlobStore
  private let catalogPath: String
  private let newPath: String
  /// Called now and then while blobs are copied.
  private let keepAlive: () throws(ChromaError) -> Void
  private(set) var copiedBlobCount = 0
  private(set) var copiedByteCount: Int64 = 0

  init(
    from source: String, to target: String, _ environment: RecoveryEnvironment, _ meter: Meter,
    keepAlive: @escaping () throws(ChromaError) -> Void = {}
  ) {
    self.source = source
    self.target = target
    self.environment = environment
    self.meter = meter
    self.keepAlive = keepAlive
    files = environment.fileSystem
    let syncs = SyncLatch(target)
    // Not mapped: every byte is read once, and a file system may fail meanwhile.
    sourceBlobs = BlobStore(fileSystem: files, directory: "\(source)/blobs", mapsFiles: false)
    targetBlobs = BlobStore(
      fileSystem: files, directory: "\(target)/blobs", syncs: syncs, mapsFiles: false)
    catalogPath = "\(target)/\(DatabaseFiles.catalog)"
    newPath = "\(catalogPath).new"
  }

  // MARK: The catalog

  /// Copies the catalog beside the target's.
  ///
  /// - Returns: The blobs that it names.
  func copyCatalog(from database: SQLiteDatabase) throws(ChromaError) -> [NamedBlob] {
    try removeNewCatalog()
    let copy = SQLiteDatabase(
      path: newPath, fileSystem: files, clock: environment.clock, random: environment.random)
    let reading = try database.connect()
    defer { reading.closeKeepingWAL() }
    let writing = try copy.connect()
    defer { writing.close() }
    try reading.withTransaction(.deferred) { () throws(ChromaError) in
      let pageCount = Int(clamping: try reading.integer("PRAGMA page_count"))
      _ = try reading.integer("SELECT count(*) FROM tenants")
      meter.expect(pageCount * PageSeal.pageByteCount)
      var left = pageCount
      try reading.copy(to: writing) { (leftCount, count) throws(ChromaError) in
        try meter.finish(max(0, left - leftCount) * PageSeal.pageByteCount)
        left = leftCount
        copiedByteCount = Int64(count * PageSeal.pageByteCount)
      }
    }
    try writing.withTransaction(.immediate) { () throws(ChromaError) in
      for statement in Self.settling { try writing.execute(statement) }
    }
    let blobs = try Self.blobs(writing)
    guard try writing.checkpoint(truncating: true) else {
      throw ChromaError(.locked, "Somebody else uses \(newPath).")
    }
    return blobs
  }

  /// Takes out what only processes at work on the source need: pins, leases, and what is kept for
  /// those who still read an earlier version.
  private static let settling = [
    "DELETE FROM pins", "DELETE FROM leases", "DELETE FROM garbage",
    "DELETE FROM segments WHERE end_version IS NOT NULL",
    "DELETE FROM index_blobs WHERE end_generation IS NOT NULL",
  ]

  private static func blobs(
    _ connection: SQLiteConnection
  ) throws(ChromaError) -> [NamedBlob] {
    var blobs: [NamedBlob] = []
    try connection.forEachRow(
      """
      SELECT blob_name, blob_byte_count, NULL FROM log WHERE blob_name IS NOT NULL
      UNION SELECT blob_name, blob_byte_count, NULL FROM segments WHERE blob_name IS NOT NULL
      UNION SELECT blob_name, blob_byte_count, collection_key FROM index_blobs
      """
    ) { (row) throws(ChromaError) in
      blobs.append(
        NamedBlob(
          name: try row.text(0).string, byteCount: Int(clamping: try row.integer(1)),
          indexedCollection: try row.optionalInteger(2)))
      return true
    }
    return blobs
  }

  /// Puts the new catalog in the old one's place.
  ///
  /// - Throws: `.locked` if somebody has the target open.
  func replaceCatalog() throws(ChromaError) {
    if let file = try files.openIfPresent(catalogPath, .readOnly) {
      defer { file.close() }
      guard try !file.isLockedElsewhere(Self.sharedBytes, against: .exclusive) else {
        throw ChromaError(
          .locked, "The backup \(target) is open. Close it, and make the backup again.")
      }
    }
    // Of the old one; empty, or they would belong to a database that is used.
    for name in [DatabaseFiles.wal, DatabaseFiles.index] {
      try files.remove("\(target)/\(name)")
    }
    try files.syncDirectory(target)
    try files.rename(newPath, to: catalogPath)
    try files.syncDirectory(target)
  }

  private func removeNewCatalog() throws(ChromaError) {
    for suffix in ["", "-wal", "-shm", "-journal"] { try files.remove(newPath + suffix) }
  }

  /// The length of a directory's catalog, and the CRC-32C of the checksums of its pages: that of the
  /// pages themselves is the same whatever they hold, since each ends with its own.
  static func fingerprint(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) -> (byteCount: UInt64, checksum: UInt32) {
    let path = "\(directory)/\(DatabaseFiles.catalog)"
    guard let file = try files.openIfPresent(path, .readOnly) else { return (0, 0) }
    defer { file.close() }
    let byteCount = try file.byteCount()
    var checksum: UInt32 = 0
    var offset: UInt64 = 0
    while offset < byteCount {
      let piece = try file.read(at: offset, byteCountMax: pieceByteCount)
      if piece.isEmpty { break }
      for end in stride(
        from: PageSeal.pageByteCount, through: piece.count, by: PageSeal.pageByteCount)
      {
        checksum = CRC32C.checksum(of: Array(piece[end - 4..<end]), continuing: checksum)
      }
      offset += UInt64(piece.count)
    }
    return (byteCount, checksum)
  }

  // MARK: Blobs

  /// Copies the blobs that are not there, checking every byte.
  ///
  /// - Returns: Those that the new catalog still names: an index that cannot be copied is dropped.
  func copy(_ blobs: [NamedBlob]) throws(ChromaError) -> [NamedBlob] {
    meter.expect(blobs.reduce(0) { $0 + $1.byteCount })
    var damaged: Set<Int64> = []
    for blob in blobs {
      do throws(ChromaError) {
        if try isThere(blob) {
          try meter.finish(blob.byteCount)
        } else {
          try copy(blob)
        }
      } catch {
        guard let key = blob.indexedCollection, error.kind == .corruption else { throw error }
        damaged.insert(key)
      }
      try keepAlive()
    }
    if damaged.isEmpty { return blobs }
    try dropIndexes(of: damaged)
    return blobs.filter { blob in !(blob.indexedCollection.map(damaged.contains) ?? false) }
  }

  private func dropIndexes(of keys: Set<Int64>) throws(ChromaError) {
    let database = SQLiteDatabase(
      path: newPath, fileSystem: files, clock: environment.clock, random: environment.random)
    let connection = try database.connect()
    defer { connection.close() }
    try connection.withTransaction(.immediate) { () throws(ChromaError) in
      for key in keys {
        try connection.dropIndex(ofCollection: key)
      }
    }
    guard try connection.checkpoint(truncating: true) else {
      throw ChromaError(.locked, "Somebody else uses \(newPath).")
    }
  }

  /// Whether the target has the blob, by its header and its table of checksums.
  private func isThere(_ blob: NamedBlob) throws(ChromaError) -> Bool {
    do throws(ChromaError) {
      guard let copy = try targetBlobs.open(blob.name), copy.byteCount == blob.byteCount else {
        return false
      }
      guard let original = try sourceBlobs.open(blob.name) else { return false }
      return copy.hasChecksums(of: original)
    } catch {
      guard error.kind == .corruption else { throw error }
      return false
    }
  }

  private func copy(_ named: NamedBlob) throws(ChromaError) {
    guard let blob = try sourceBlobs.open(named.name) else {
      throw .corruption(
        "The blob \(sourceBlobs.path(of: named.name)) is missing. Repair the database first.")
    }
    // Left by one who was killed.
    try targetBlobs.delete(named.name + ".tmp")
    let writer = try targetBlobs.writer(named.name)
    do throws(ChromaError) {
      for start in stride(from: 0, to: blob.byteCount, by: Self.pieceByteCount) {
        let range = start..<min(start + Self.pieceByteCount, blob.byteCount)
        try withExtendedLifetime(blob) { () throws(ChromaError) in
          try writer.append(try blob.bytes(range))
        }
        try meter.finish(range.count)
        try keepAlive()
      }
    } catch {
      writer.abandon()
      throw error
    }
    try writer.finish()
    copiedBlobCount += 1
    copiedByteCount += Int64(blob.byteCount)
  }

  /// Removes the target's blobs that are not among these.
  ///
  /// - Returns: How many.
  func removeBlobs(but blobs: [NamedBlob]) throws(ChromaError) -> Int {
    let wanted = Set(blobs.map(\.name))
    var count = 0
    for name in try targetBlobs.list() where !wanted.contains(name) {
      try targetBlobs.delete(name)
      count += 1
    }
    return count
  }
}
