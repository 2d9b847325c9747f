// Finds all damage of a directory, and never stops at the first.
//
// In this order: the pages of chroma.db and the frames of its WAL; what SQLite says of the tables;
// what the rows say of each other; for each collection the batches of its log, the segments of its
// version and its index, with the blobs that they stand in; the blobs that nothing refers to.
//
// Not one byte is written, not even into LOCK. Others may write meanwhile: chroma.db is looked at as
// of one moment, and a blob that is missing then is looked for in the catalog once more.

import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaSegment
import ChromaStorage

final class Verifier {
  /// How often chroma.db is looked at anew because somebody opened it meanwhile.
  private static let attemptCountMax = 5
  /// Where findings about rows of indexes are that cannot be read: nobody need read them, to drop them.
  static let indexRowPlace = "a row of index_blobs"
  /// Bytes of a blob that are checked at once.
  private static let blockByteCount = 32 * 1024

  let directory: String
  let environment: RecoveryEnvironment
  let meter: Meter
  let blobs: BlobStore
  var findings = Findings()
  /// Collections whose index is damaged. Each has a finding.
  var damagedIndexes: Set<UUID> = []
  let cache = DocumentBlockCache(byteCountMax: 1 << 20)

  init(_ directory: String, _ environment: RecoveryEnvironment, _ meter: Meter) {
    self.directory = directory
    self.environment = environment
    self.meter = meter
    blobs = BlobStore(fileSystem: environment.fileSystem, directory: "\(directory)/blobs")
  }

  func run() throws(ChromaError) -> [Finding] {
    try DatabaseFiles.requireDatabase(directory, in: environment.fileSystem)
    let content = try examineCatalog()
    for collection in content.collections {
      try verify(collection)
    }
    // What a damaged catalog does not name may be what it is rebuilt from.
    if content.isWhole { try lookForWaste(named: content.blobNames) }
    return findings.all
  }

  // MARK: The catalog

  /// What the catalog holds, as far as it can be read.
  struct Content {
    var collections: [Collection] = []
    /// Every blob that a row names, whatever the row is.
    var blobNames: Set<String> = []
    /// Whether every page of the catalog could be read.
    var isWhole = true

    static let lost = Content(isWhole: false)
  }

  struct Collection {
    let record: CollectionRecord
    var log: [LogRecord] = []
    var segments: [SegmentRecord] = []
    /// In the order in which they apply.
    var index: [IndexBlobRecord] = []
    /// Whether all rows could be read, so that what they add up to means something.
    var isWhole = true
  }

  private func examineCatalog() throws(ChromaError) -> Content {
    let before = (findings, damagedIndexes)
    for _ in 0..<Self.attemptCountMax {
      (findings, damagedIndexes) = before
      let held = try CatalogGuard(directory, environment)
      let content = try examineFrozenCatalog()
      if try held.holds() { return content }
    }
    throw ChromaError(
      .locked, "The database \(directory) is opened and closed all the time. Try again later.")
  }

  private func examineFrozenCatalog() throws(ChromaError) -> Content {
    let files = environment.fileSystem
    if try DatabaseFiles.isRepairUnfinished(directory, in: files) {
      findings.add(
        DatabaseFiles.repaired, "", "A repair was cut off before its end. Run it again.")
    }
    guard let image = try CatalogImage(directory, in: files) else {
      findings.add(DatabaseFiles.catalog, "", "The file is missing.")
      return .lost
    }
    // Whoever created it was cut off: there is nothing in it yet, and the next one undoes that.
    if try DatabaseFiles.isCreationUnfinished(directory, in: files) { return Content() }
    if image.pageCount == 0 {
      if try DatabaseFiles.wasWritten(directory, in: files) {
        findings.add(DatabaseFiles.catalog, "", "The file is empty, and the database was not.")
        return .lost
      }
      return Content()
    }
    let lostCount = try examinePages(of: image)
    let frozen = try FrozenFileSystem(image, directory: directory)
    return try examineTables(frozen, hasLostPages: lostCount > 0)
  }

  /// - Returns: How many pages are lost.
  private func examinePages(of image: CatalogImage) throws(ChromaError) -> Int {
    meter.expect(image.byteCount)
    for damage in image.walDamages {
      findings.add(DatabaseFiles.wal, "byte \(damage.offset)", "\(damage.what.capitalizedFirst).")
    }
    if image.excessByteCount > 0 {
      findings.add(
        DatabaseFiles.catalog, "byte \(image.byteCount)",
        "\(image.excessByteCount) bytes follow the last page.", severity: .waste)
    }
    var lost = PageRuns()
    for number in 1...image.pageCount {
      switch try image.page(number).state {
      case .intact: break
      case .mended:
        let place = image.place(of: number)
        findings.add(
          place.file, "page \(number)",
          "One bit of the page at byte \(place.offset) is flipped.")
      case .lost: lost.add(number)
      }
      try meter.finish(PageSeal.pageByteCount)
    }
    for run in lost.runs {
      let place = image.place(of: run.lowerBound)
      let pages =
        run.count == 1
        ? "page \(run.lowerBound)" : "pages \(run.lowerBound) to \(run.upperBound)"
      findings.add(
        place.file, pages,
        "What stands from byte \(place.offset) on fails its checksum, or is missing.")
    }
    return lost.count
  }

  private func examineTables(
    _ frozen: FrozenFileSystem, hasLostPages: Bool
  ) throws(ChromaError) -> Content {
    do throws(ChromaError) {
      // Brings an older format up to date, in memory: the rest knows but one.
      let catalog = try SQLiteCatalog(
        fileSystem: frozen, directory: directory, clock: environment.clock,
        random: environment.random)
      catalog.close()
      let database = SQLiteDatabase(
        path: "\(directory)/\(DatabaseFiles.catalog)", fileSystem: frozen,
        clock: environment.clock, random: environment.random)
      let connection = try database.connect()
      defer { connection.close() }
      if !hasLostPages { try examineStructure(connection) }
      var content = try readContent(connection)
      content.isWhole = !hasLostPages
      return content
    } catch {
      // The version of a first page that is lost says nothing.
      let isVersionLost = hasLostPages && error.kind == .unsupportedFormat
      guard error.kind == .corruption || isVersionLost else { throw error }
      // Lost pages are told of already.
      if !hasLostPages { findings.add(DatabaseFiles.catalog, "", error.message) }
      return .lost
    }
  }

  /// What SQLite itself finds.
  private func examineStructure(_ connection: SQLiteConnection) throws(ChromaError) {
    try connection.forEachRow("PRAGMA integrity_check") { (row) throws(ChromaError) in
      let what = try row.text(0)
      if what != "ok" { findings.add(DatabaseFiles.catalog, "", "SQLite finds: \(what).") }
      return true
    }
    try connection.forEachRow("PRAGMA foreign_key_check") { (row) throws(ChromaError) in
      let table = try row.text(0)
      let key = row.isNull(1) ? "" : " \(try row.integer(1))"
      findings.add(
        DatabaseFiles.catalog, "table \(table)",
        "The row\(key) refers to one of \(try row.text(2)) that is not there.")
      return true
    }
    for (pragma, wanted) in [("auto_vacuum", 2), ("page_size", 4096)] as [(String, Int64)] {
      let found = try connection.integer("PRAGMA \(pragma)")
      if found != wanted {
        findings.add(DatabaseFiles.catalog, "page 1", "The \(pragma) is \(found), not \(wanted).")
      }
    }
  }

  private func readContent(_ connection: SQLiteConnection) throws(ChromaError) -> Content {
    var content = Content()
    let lastVersion = try connection.integer("SELECT last FROM versions")
    try scan(connection, CollectionRecord.select, of: nil, "collections") {
      (row) throws(ChromaError) in
      let record = try CollectionRecord(row)
      if let contradiction = record.contradiction(lastVersion: lastVersion) {
        findings.add(
          DatabaseFiles.catalog, "row \(record.key) of collections", of: record.title,
          "The row makes no sense: \(contradiction).")
      }
      if let contradiction = record.indexContradiction(lastVersion: lastVersion) {
        noteIndexDamage(
          DatabaseFiles.catalog, "row \(record.key) of collections", of: record,
          "The row makes no sense: \(contradiction).")
      }
      content.collections.append(Collection(record: record))
    }
    for index in content.collections.indices {
      let title = content.collections[index].record.title
      let key = content.collections[index].record.key
      let isLogWhole = try scan(connection, LogRecord.select, key, of: title, "log") {
        (row) throws(ChromaError) in content.collections[index].log.append(try LogRecord(row))
      }
      let areSegmentsWhole = try scan(connection, SegmentRecord.select, key, of: title, "segments")
      {
        (row) throws(ChromaError) in
        content.collections[index].segments.append(try SegmentRecord(row))
      }
      content.collections[index].isWhole = isLogWhole && areSegmentsWhole
      let isIndexWhole = try scan(
        connection, IndexBlobRecord.select, key, of: title, "index_blobs"
      ) { (row) throws(ChromaError) in
        content.collections[index].index.append(try IndexBlobRecord(row))
      }
      if !isIndexWhole { damagedIndexes.insert(title.id) }
    }
    content.blobNames = try blobNames(connection)
    return content
  }

  private func blobNames(_ connection: SQLiteConnection) throws(ChromaError) -> Set<String> {
    var names: Set<String> = []
    for (table, column) in [
      ("log", "blob_name"), ("segments", "blob_name"), ("leases", "blob_name"),
      ("index_blobs", "blob_name"), ("garbage", "blob_name"),
    ] {
      try scan(
        connection, "SELECT \(column) FROM \(table) WHERE \(column) IS NOT NULL", of: nil, table
      ) { (row) throws(ChromaError) in names.insert(try row.text(0).string) }
    }
    return names
  }

  /// Reads all rows that can be read.
  ///
  /// - Returns: Whether those are all.
  @discardableResult
  private func scan(
    _ connection: SQLiteConnection, _ sql: String, _ key: Int64? = nil,
    of collection: CollectionName?, _ table: String,
    _ body: (SQLiteRow) throws(ChromaError) -> Void
  ) throws(ChromaError) -> Bool {
    var isWhole = true
    do throws(ChromaError) {
      try connection.forEachRow(sql, key.map { [.integer($0)] } ?? []) {
        (row) throws(ChromaError) in
        do throws(ChromaError) {
          try body(row)
        } catch {
          guard error.kind == .corruption else { throw error }
          isWhole = false
          findings.add(
            DatabaseFiles.catalog, "a row of \(table)", of: collection, error.message)
        }
        return true
      }
    } catch {
      guard error.kind == .corruption else { throw error }
      isWhole = false
      findings.add(DatabaseFiles.catalog, "table \(table)", of: collection, error.message)
    }
    return isWhole
  }

  // MARK: Blobs

  /// Opens a blob, and checks each of its blocks.
  ///
  /// - Returns: Nil if the blob is missing or not whole, of which the findings tell.
  func intactBlob(
    _ name: String, byteCount: Int, of collection: CollectionName
  ) throws(ChromaError) -> Blob? {
    meter.expect(byteCount)
    let file = "\(DatabaseFiles.blobs)/\(name)"
    do throws(ChromaError) {
      guard let blob = try blobs.open(name) else {
        try noteMissing(name, of: collection)
        try meter.finish(byteCount)
        return nil
      }
      guard blob.byteCount == byteCount else {
        findings.add(
          file, "", of: collection,
          "It has \(blob.byteCount) bytes of payload; the catalog says \(byteCount).")
        return nil
      }
      var isIntact = true
      for start in stride(from: 0, to: byteCount, by: Self.blockByteCount) {
        let range = start..<min(start + Self.blockByteCount, byteCount)
        do throws(ChromaError) {
          try blob.verify(range)
        } catch {
          guard error.kind == .corruption else { throw error }
          isIntact = false
          findings.add(
            file, "byte \(64 + start)", of: collection, error.message)
        }
        try meter.finish(range.count)
      }
      return isIntact ? blob : nil
    } catch {
      guard error.kind == .corruption else { throw error }
      findings.add(file, "", of: collection, error.message)
      return nil
    }
  }

  /// A blob may have been retired since the catalog was looked at.
  private func noteMissing(_ name: String, of collection: CollectionName) throws(ChromaError) {
    let known = (findings, damagedIndexes)
    let isNamed = try examineCatalog().blobNames.contains(name)
    (findings, damagedIndexes) = known
    if isNamed {
      findings.add("\(DatabaseFiles.blobs)/\(name)", "", of: collection, "The blob is missing.")
    }
  }

  private func lookForWaste(named names: Set<String>) throws(ChromaError) {
    for name in try blobs.list() where !names.contains(name) {
      let path = blobs.path(of: name)
      guard let found = try environment.fileSystem.attributes(path) else { continue }
      findings.add(
        "\(DatabaseFiles.blobs)/\(name)", "",
        "Nothing refers to its \(found.byteCount) bytes; the next writer removes it.",
        severity: .waste)
    }
  }
}

/// Numbers that follow each other, as ranges.
private struct PageRuns {
  private(set) var runs: [ClosedRange<Int>] = []
  private(set) var count = 0

  mutating func add(_ number: Int) {
    count += 1
    if let last = runs.last, last.upperBound + 1 == number {
      runs[runs.count - 1] = last.lowerBound...number
    } else {
      runs.append(number...number)
    }
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
