// Rebuilds what can be rebuilt, and loses nothing that can be read.
//
// There is one way, whatever is damaged: a new catalog is made beside the old one, every row of it is
// brought in line with what the blobs hold, and it takes the old one's place (`RepairStage`). It starts
// as a copy of the old one where that is whole, or was but for single bits; else from the rows that can
// be read (`CatalogSalvage`). Segments that no row names any more say themselves where they belong.

package import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaSQLite
import ChromaSegment
import ChromaStorage

final class Repairer {
  let directory: String
  let environment: RecoveryEnvironment
  let meter: Meter
  let notes = RepairNotes()
  let blobs: BlobStore
  /// Collections whose index is not to be used.
  private(set) var damagedIndexes: Set<UUID> = []
  private var files: any FileSystem { environment.fileSystem }

  init(_ directory: String, _ environment: RecoveryEnvironment, _ meter: Meter) {
    self.directory = directory
    self.environment = environment
    self.meter = meter
    blobs = BlobStore(
      fileSystem: environment.fileSystem, directory: "\(directory)/\(DatabaseFiles.blobs)")
  }

  /// To be called while nobody else has the directory open.
  func run() throws(ChromaError) -> RepairReport {
    if try DatabaseFiles.isRepairUnfinished(directory, in: files) {
      let stage = try RepairStage(directory, environment)
      try stage.finish()
      notes.act("A repair that had been cut off was brought to its end.")
      notes.report.savedDirectory = stage.name
    }
    let verifier = Verifier(directory, environment, meter)
    let findings = try verifier.run()
    damagedIndexes = verifier.damagedIndexes
    guard findings.contains(where: { $0.severity == .damage }) else { return notes.report }
    let stage = try RepairStage(directory, environment)
    let staging = try stage.begin()
    try makeCatalog(in: staging, findings)
    if notes.report.actions.isEmpty { notes.act("What rows say of each other was put right.") }
    try stage.commit()
    try stage.finish()
    notes.report.savedDirectory = stage.name
    return notes.report
  }

  // MARK: The new catalog

  private func makeCatalog(
    in staging: String, _ findings: [Finding]
  ) throws(ChromaError) {
    let image = try CatalogImage(directory, in: files)
    let lostPages = try image.map { (image) throws(ChromaError) in try countLostPages(image) } ?? 1
    // Damage to tables that no page explains is in the pages all the same.
    let isWhole =
      lostPages == 0 && image?.pageCount ?? 0 > 0
      && !findings.contains {
        $0.file == DatabaseFiles.catalog && $0.severity == .damage && !$0.place.hasPrefix("page ")
          && !$0.place.hasPrefix("row") && $0.place != Verifier.indexRowPlace
      }
    let path = "\(staging)/\(DatabaseFiles.catalog)"
    if isWhole, let image {
      try copy(image, to: path)
      if findings.contains(where: {
        [DatabaseFiles.catalog, DatabaseFiles.wal].contains($0.file) && $0.severity == .damage
      }) {
        notes.act("The catalog was copied as it was before it was damaged.")
      }
      if image.hasLostFrames {
        notes.lose(
          "Writes that stood only in the damaged part of \(DatabaseFiles.wal) are lost: the newest "
            + "ones, of any collection.", of: nil)
      }
    } else {
      let catalog = try SQLiteCatalog(
        fileSystem: files, directory: staging, clock: environment.clock,
        random: environment.random)
      catalog.close()
    }
    let database = SQLiteDatabase(
      path: path, fileSystem: files, clock: environment.clock, random: environment.random)
    let connection = try database.connect()
    defer { connection.close() }
    try connection.withTransaction(.immediate) { () throws(ChromaError) in
      if !isWhole {
        notes.act("The catalog was made anew from what could be read of it and of the segments.")
        try salvage(image, into: connection)
        try adoptSegments(into: connection)
      }
      try settle(connection)
    }
    guard try connection.checkpoint(truncating: true) else {
      throw ChromaError(.locked, "Somebody else uses \(path).")
    }
  }

  private func countLostPages(_ image: CatalogImage) throws(ChromaError) -> Int {
    var count = 0
    for number in stride(from: 1, through: image.pageCount, by: 1)
    where try image.page(number).state == .lost {
      count += 1
    }
    return count
  }

  private func copy(_ image: CatalogImage, to path: String) throws(ChromaError) {
    let frozen = try FrozenFileSystem(image, directory: directory)
    // An older format is brought up to date in memory.
    try SQLiteCatalog(
      fileSystem: frozen, directory: directory, clock: environment.clock,
      random: environment.random
    ).close()
    let reading = try SQLiteDatabase(
      path: "\(directory)/\(DatabaseFiles.catalog)", fileSystem: frozen,
      clock: environment.clock, random: environment.random
    ).connect()
    defer { reading.close() }
    let writing = try SQLiteDatabase(
      path: path, fileSystem: files, clock: environment.clock, random: environment.random
    ).connect()
    defer { writing.close() }
    try reading.withTransaction(.deferred) { () throws(ChromaError) in
      _ = try reading.integer("SELECT count(*) FROM tenants")
      try reading.copy(to: writing) { (_, _) throws(ChromaError) in try meter.finish(0) }
    }
  }

  private func salvage(
    _ image: CatalogImage?, into connection: SQLiteConnection
  ) throws(ChromaError) {
    let salvage = try image.map { (image) throws(ChromaError) in
      try CatalogSalvage(image, meter)
    }
    for remark in try (salvage ?? CatalogSalvage()).insert(into: connection) {
      notes.lose(remark, of: nil)
    }
    notes.lose(
      "What stood only in the lost parts of the catalog is gone: small segments, batches and "
        + "collections, and which records of the other segments were deleted. Such records are back.",
      of: nil)
  }

  /// Takes in segments that no row names.
  private func adoptSegments(into connection: SQLiteConnection) throws(ChromaError) {
    var named: Set<String> = []
    try connection.forEachRow(
      "SELECT blob_name FROM segments WHERE blob_name IS NOT NULL"
    ) { (row) throws(ChromaError) in
      named.insert(try row.text(0).string)
      return true
    }
    for name in try blobs.list() where name.hasSuffix(".segment") && !named.contains(name) {
      guard let rescued = try rescueBlob(name),
        let segment = try? SegmentRescue(rescued, source: "segment \(name)")
      else { continue }
      try adopt(segment, name, byteCount: rescued.payload.count, into: connection)
    }
  }

  private func adopt(
    _ segment: SegmentRescue, _ name: String, byteCount: Int, into connection: SQLiteConnection
  ) throws(ChromaError) {
    let description = segment.description
    guard let key = try collectionKey(of: segment, in: connection),
      description.lastPosition >= 1, description.lastPosition < .max
    else { return }
    let id = UUID(String(name.dropLast(".segment".count))) ?? UUID(random: environment.random)
    try connection.execute(
      """
      INSERT OR IGNORE INTO segments
        (collection_key, id, first_version, row_count, blob_name, blob_byte_count)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      """,
      [
        .integer(key), .blob(id.bytes), .integer(max(1, description.version)),
        .integer(Int64(segment.rowCount)), .text(Text(name)), .integer(Int64(byteCount)),
      ])
    // What the segment holds, the log need not.
    try connection.execute(
      """
      UPDATE collections SET version = max(version, ?2), dimension = ifnull(dimension, ?3),
        next_position = max(next_position, ?4 + 1),
        compacted_position = max(compacted_position, ?4)
      WHERE key = ?1
      """,
      [
        .integer(key), .integer(max(1, description.version)), .integer(Int64(segment.dimension)),
        .integer(description.lastPosition),
      ])
    notes.act("The segment \(name) was taken in again.")
  }

  /// The collection that a segment belongs to, made anew if need be.
  private func collectionKey(
    of segment: SegmentRescue, in connection: SQLiteConnection
  ) throws(ChromaError) -> Int64? {
    let id = segment.description.collection
    func find() throws(ChromaError) -> Int64? {
      try connection.firstRow("SELECT key FROM collections WHERE id = ?1", [.blob(id.bytes)]) {
        (row) throws(ChromaError) in try row.integer(0)
      }
    }
    if let key = try find() { return key }
    guard let definition = segment.description.definition else { return nil }
    try connection.execute("INSERT OR IGNORE INTO tenants VALUES (?1)", [.text(definition.tenant)])
    try connection.execute(
      "INSERT OR IGNORE INTO databases (id, tenant, name) VALUES (?1, ?2, ?3)",
      [.blob(definition.databaseID.bytes), .text(definition.tenant), .text(definition.database)])
    let insert = """
      INSERT OR IGNORE INTO collections
        (id, database_key, name, configuration, schema, metadata, next_position)
      VALUES (?1, (SELECT key FROM databases WHERE tenant = ?2 AND name = ?3), ?4, ?5, ?6, ?7, 1)
      """
    for name in [definition.name, Text("recovered-\(id)")] {
      try connection.execute(
        insert,
        [
          .blob(id.bytes), .text(definition.tenant), .text(definition.database), .text(name),
          .text(definition.configuration), definition.schema.map { .text($0) } ?? .null,
          definition.metadata.map { .blob($0) } ?? .null,
        ])
      if let key = try find() {
        notes.act("The collection \"\(name)\" was made anew as its segments say.")
        return key
      }
    }
    return nil
  }

  // MARK: Rows and blobs

  private func settle(_ connection: SQLiteConnection) throws(ChromaError) {
    for statement in [
      "DELETE FROM pins", "DELETE FROM leases", "DELETE FROM garbage",
      "DELETE FROM segments WHERE end_version IS NOT NULL",
      "DELETE FROM index_blobs WHERE end_generation IS NOT NULL",
    ] {
      try connection.execute(statement)
    }
    let last = max(
      try connection.integer("SELECT last FROM versions"),
      try connection.integer("SELECT ifnull(max(max(version, generation)), 0) FROM collections"))
    guard last < .max else { throw .corruption("The catalog's last version is \(last).") }
    try connection.execute("UPDATE versions SET last = ?1", [.integer(last + 1)])
    var records: [CollectionRecord] = []
    try connection.forEachRow(CollectionRecord.select) { (row) throws(ChromaError) in
      records.append(try CollectionRecord(row))
      return true
    }
    for record in records {
      try CollectionRepair(record, version: last + 1, in: connection, of: self).run()
    }
  }

  /// A blob, as far as it can be read: where it belongs, or where an earlier repair put it.
  func rescueBlob(_ name: String) throws(ChromaError) -> BlobRescue? {
    var folders = [directory]
    folders += try RepairStage.savedDirectories(of: directory, files)
    for folder in folders {
      let path = "\(folder)/\(DatabaseFiles.blobs)/\(name)"
      guard let file = try files.openIfPresent(path, .readOnly) else { continue }
      defer { file.close() }
      return try BlobRescue(file, name: name)
    }
    return nil
  }
}

extension Recovery {
  /// Rebuilds what can be rebuilt of a damaged directory, and brings every collection back to work.
  ///
  /// Nothing is lost that can be read, and what is replaced is kept in `damaged-<n>`, in the directory.
  /// What was lost is in the report. A call that was cut off is gone on with by calling again; for a
  /// sound directory nothing is done.
  ///
  /// - Parameter directory: An absolute path.
  /// - Throws: `.locked` if any process, this one included, has the database open: it would go on with
  ///   files that are replaced; `.notFound`, `.unsupportedFormat`, `.cancelled`, `.io`, `.outOfSpace`.
  package static func repair(
    _ directory: String, _ environment: RecoveryEnvironment = .system, cancel: CancelToken? = nil,
    progress: ProgressReport? = nil
  ) throws(ChromaError) -> RepairReport {
    let files = environment.fileSystem
    try DatabaseFiles.requireDatabase(directory, in: files)
    let turn = try WriteTurn(
      fileSystem: files, directory: directory, clock: environment.clock, isSole: true)
    try turn.acquire(timeoutMilliseconds: Limits.writeTurnTimeoutMilliseconds)
    defer { turn.release() }
    return try Repairer(directory, environment, Meter(cancel, progress)).run()
  }
}
