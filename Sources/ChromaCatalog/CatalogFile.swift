// Recognising chroma.db, creating it, and bringing it up to date.

import ChromaBase
import ChromaSQLite
import ChromaStorage

enum CatalogFile {
  /// Bytes of the header of a SQLite database (its file format, section 1.3).
  private static let headerByteCount = 100
  private static let magic = Array("SQLite format 3\0".utf8)
  private static let reservedByteCountOffset = 20
  private static let pageCountOffset = 28
  private static let userVersionOffset = 60
  private static let applicationIDOffset = 68
  /// What our file layer makes SQLite leave free in each page, for its checksum.
  private static let reservedByteCount: UInt8 = 8

  /// Refuses what isn't ours, or is too new, by the header alone: SQLite itself would already alter
  /// a database in WAL mode by opening and closing it.
  static func refuseForeign(
    _ path: String, in fileSystem: any FileSystem
  ) throws(ChromaError) {
    guard try fileSystem.attributes("\(path).repaired") == nil else {
      throw .corruption(
        "A repair of the database was cut off before the file \(path) was replaced. Run the repair "
          + "again: it goes on where it was.")
    }
    guard let file = try fileSystem.openIfPresent(path, .readOnly) else { return }
    defer { file.close() }
    let header = try file.read(at: 0, byteCountMax: headerByteCount)
    if header.isEmpty { return }
    // A creation that was cut off: SQLite undoes it, whatever it left in the file.
    if let journal = try fileSystem.attributes("\(path)-journal"), journal.byteCount > 0 { return }
    guard header.count == headerByteCount, header.starts(with: magic) else {
      throw .corruption(
        "The file \(path) is not a SQLite database, so it is not Chroma's, or it is damaged. "
          + "It was left as it is.")
    }
    let applicationID = integer(header, at: applicationIDOffset)
    let version = integer(header, at: userVersionOffset)
    if header[reservedByteCountOffset] == reservedByteCount {
      // The first page as SQLite makes it: all else is still in the WAL, or was never written.
      if integer(header, at: pageCountOffset) <= 1, applicationID == 0, version == 0 { return }
      // Folding back may have failed half-way through the header. Then the WAL still holds the page:
      // what SQLite reads there is looked at next.
      let wal = try fileSystem.attributes("\(path)-wal")
      if applicationID != CatalogSchema.applicationID, wal?.byteCount ?? 0 > 0 { return }
    }
    try refuse(path, applicationID: applicationID, version: version)
  }

  /// Whether nothing was ever written to the file: it is missing, empty, or the page that SQLite begins
  /// with, without a WAL.
  static func isUnwritten(_ path: String, in fileSystem: any FileSystem) throws(ChromaError) -> Bool
  {
    // Before the file: whoever folds the WAL back removes it afterwards.
    let walByteCount = try fileSystem.attributes("\(path)-wal")?.byteCount ?? 0
    guard let file = try fileSystem.openIfPresent(path, .readOnly) else { return true }
    defer { file.close() }
    let header = try file.read(at: 0, byteCountMax: headerByteCount)
    if header.isEmpty { return true }
    return walByteCount == 0 && header.count == headerByteCount && header.starts(with: magic)
      && integer(header, at: pageCountOffset) <= 1
      && integer(header, at: applicationIDOffset) == 0
      && integer(header, at: userVersionOffset) == 0
  }

  /// Refuses where there is nothing to read, for those who must not create it.
  static func refuseMissing(_ path: String, in fileSystem: any FileSystem) throws(ChromaError) {
    guard try fileSystem.attributes(path)?.byteCount ?? 0 > 0 else { throw missing(path) }
  }

  /// Accepts only the version that this release writes, for those who cannot bring a file up to date.
  static func requireCurrent(_ connection: SQLiteConnection) throws(ChromaError) {
    let version = try connection.withTransaction(.deferred) { () throws(ChromaError) -> Int64? in
      if try isCurrent(connection) { return nil }
      return try connection.integer(CatalogSQL.userVersion)
    }
    guard let version else { return }
    if version == 0 { throw missing(connection.path) }
    throw ChromaError(
      .unsupportedFormat,
      "The file \(connection.path) has format version \(version), which this release has to bring to "
        + "version \(CatalogSchema.version) before it can read it. Open the directory once for "
        + "writing, or read it with the release that wrote it.")
  }

  private static func missing(_ path: String) -> ChromaError {
    .notFound(
      "There is no database in \(Place.parent(of: path)): the file \(path) is missing, or was never "
        + "finished. Opened read-only, none is created: check the path, or open it for writing.")
  }

  /// Creates the tables of a new file, or changes an older release's step by step.
  static func bringUpToDate(_ connection: SQLiteConnection) throws(ChromaError) {
    // One state for all that is looked at: another process may be creating the tables.
    while try !connection.withTransaction(
      .deferred, { () throws(ChromaError) in try isCurrent(connection) })
    {
      try connection.withTransaction(.immediate) { () throws(ChromaError) in
        // Looked at again: another process may have come first.
        guard try !isCurrent(connection) else { return }
        let version = try connection.integer(CatalogSQL.userVersion)
        for statement in CatalogSchema.migrations[Int(version)] {
          try connection.execute(statement)
        }
        try connection.execute("PRAGMA application_id = \(CatalogSchema.applicationID)")
        try connection.execute("PRAGMA user_version = \(version + 1)")
      }
    }
  }

  /// Whether the file has the version that this release writes.
  ///
  /// - Throws: If it is another program's, or a newer release's.
  private static func isCurrent(_ connection: SQLiteConnection) throws(ChromaError) -> Bool {
    let version = try connection.integer(CatalogSQL.userVersion)
    let applicationID = try connection.integer(CatalogSQL.applicationID)
    let tableCount = try connection.integer(CatalogSQL.countTables)
    if version == 0 && applicationID == 0 && tableCount == 0 { return false }
    try refuse(connection.path, applicationID: applicationID, version: version)
    return version == CatalogSchema.version
  }

  private static func refuse(
    _ path: String, applicationID: Int64, version: Int64
  ) throws(ChromaError) {
    guard applicationID == CatalogSchema.applicationID, version >= 1 else {
      throw .corruption(
        "The file \(path) is a SQLite database, but not Chroma's: its application id is "
          + "\(applicationID) and not \(CatalogSchema.applicationID), or its version \(version) "
          + "is below 1. It was left as it is.")
    }
    guard version <= CatalogSchema.version else {
      throw ChromaError(
        .unsupportedFormat,
        "The file \(path) has format version \(version); this release reads up to version "
          + "\(CatalogSchema.version). It was left as it is: open it with a newer release.")
    }
  }

  /// Four bytes, most significant first, signed.
  private static func integer(_ header: [UInt8], at offset: Int) -> Int64 {
    let bits = header.dropFirst(offset).prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    return Int64(Int32(bitPattern: bits))
  }
}
