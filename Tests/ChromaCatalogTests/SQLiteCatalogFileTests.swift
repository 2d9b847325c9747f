// The file of the stored catalog: what is created, what is refused, what is damage, how it grows
// and shrinks.

import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

@Suite("chroma.db")
struct SQLiteCatalogFileTests {
  private let directory = TemporaryDirectory()
  private var path: String { "\(directory.path)/chroma.db" }

  private func open() throws(ChromaError) -> SQLiteCatalog {
    try SQLiteCatalog(
      fileSystem: directory.fileSystem, directory: directory.path, clock: SystemClock(),
      random: SystemRandomSource())
  }

  /// The file without the catalog around it, as a tool or an attacker has it.
  private func openRaw() throws(ChromaError) -> SQLiteConnection {
    try SQLiteDatabase(
      path: path, fileSystem: directory.fileSystem, clock: SystemClock(),
      random: SystemRandomSource()
    ).connect()
  }

  /// Every file of the directory with its bytes, except the index of the WAL, which is no data.
  private func contents() throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try directory.fileSystem.list(directory.path) where name != "chroma.db-shm" {
      let file = try directory.fileSystem.open("\(directory.path)/\(name)", .readOnly)
      defer { file.close() }
      contents[name] = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
    }
    return contents
  }

  private func byteCount(_ name: String) throws -> Int {
    Int(try directory.fileSystem.attributes("\(directory.path)/\(name)")?.byteCount ?? 0)
  }

  /// The directory as it now is, nobody having anything open in it.
  private func copy() throws -> SQLiteCatalogFileTests {
    let copy = SQLiteCatalogFileTests()
    for (name, bytes) in try contents() {
      let file = try copy.directory.fileSystem.open("\(copy.directory.path)/\(name)", .createNew)
      try file.write(bytes, at: 0)
      file.close()
    }
    return copy
  }

  private func error(_ body: () throws -> Void) -> ChromaError? {
    do {
      try body()
      return nil
    } catch {
      return error as? ChromaError
    }
  }

  // MARK: Opening

  @Test
  func aClosedCatalogIsOneFile() throws {
    let catalog = try open()
    try catalog.createTenant("acme")
    catalog.close()
    #expect(try directory.fileSystem.list(directory.path) == ["chroma.db"])
    let header = try #require(try contents()["chroma.db"])
    #expect(Array(header[60..<64]) == [0, 0, 0, 3])
    #expect(Array(header[68..<72]) == Array("Chrm".utf8))
  }

  @Test
  func manyOpenersCreateItOnce() throws {
    let failures = Mutex<[String]>([])
    onThreads(6) { _ in
      do throws(ChromaError) {
        // The last to close removes the WAL, while others may just be opening.
        for _ in 0..<3 {
          let catalog = try open()
          try catalog.requireTenant(CatalogDefaults.tenant)
          catalog.close()
        }
      } catch {
        failures.withLock { $0.append(error.message) }
      }
    }
    #expect(failures.withLock { $0 } == [])
    let databases = try open().databases(tenant: CatalogDefaults.tenant, limit: nil, offset: 0)
    #expect(databases == [CatalogDefaults.databaseRow])
  }

  @Test(arguments: [
    [UInt8]("not a database".utf8), Array(repeating: 0, count: 8192),
    Array("SQLite format 3\0".utf8),
    Array("SQLite format 3\0".utf8) + Array(repeating: 0xFF, count: 8192),
  ])
  func whatIsNoDatabaseOfOursIsRefusedUnchanged(_ bytes: [UInt8]) throws {
    let file = try directory.fileSystem.open(path, .create)
    try file.write(bytes, at: 0)
    file.close()
    let failure = error { _ = try open() }
    #expect(failure?.kind == .corruption)
    #expect(failure?.message.contains(path) == true)
    #expect(try contents() == ["chroma.db": bytes])
  }

  @Test(arguments: ["DELETE", "WAL"])
  func anotherProgramsDatabaseIsRefusedUnchanged(_ journalMode: String) throws {
    let raw = try openRaw()
    try raw.execute("PRAGMA journal_mode = \(journalMode)")
    try raw.execute("CREATE TABLE notes (text)")
    let before = try contents()
    let failure = error { _ = try open() }
    #expect(failure?.kind == .corruption)
    #expect(failure?.message.contains(path) == true)
    #expect(try contents() == before)
    raw.close()
  }

  @Test(arguments: [false, true])
  func aNewerFormatIsRefusedUnchanged(isFoldedBack: Bool) throws {
    try open().close()
    let raw = try openRaw()
    try raw.execute("PRAGMA user_version = 4")
    if isFoldedBack { raw.close() }
    // As after a kill, by which the new version may stand in the WAL alone.
    let killed = try copy()
    let before = try killed.contents()
    let failure = error { _ = try killed.open() }
    #expect(failure?.kind == .unsupportedFormat)
    #expect(failure?.message.contains("\(killed.path) has format version 4") == true)
    #expect(try killed.contents() == before)
  }

  // MARK: Damage

  /// Rows that nobody but an attacker or a mistake of ours can have written.
  private static let damages: [String] = [
    "UPDATE collections SET id = zeroblob(15)",
    "UPDATE collections SET next_position = 0",
    "UPDATE collections SET next_position = next_position + 1",
    "UPDATE collections SET next_position = 3",
    "UPDATE collections SET dimension = 0",
    "UPDATE collections SET dimension = -9223372036854775808",
    "UPDATE collections SET name = CAST(x'FF' AS TEXT)",
    "UPDATE collections SET configuration = CAST(x'C080' AS TEXT)",
    "UPDATE databases SET tenant = CAST(x'EDA080' AS TEXT)",
    "DELETE FROM log WHERE first_position = 1",
    "DELETE FROM log WHERE first_position = 2",
    "DELETE FROM log WHERE first_position = 4",
    "DELETE FROM log",
    "UPDATE log SET first_position = -1 WHERE first_position = 1",
    "UPDATE log SET record_count = 0 WHERE first_position = 2",
    "UPDATE log SET record_count = 9223372036854775807 WHERE first_position = 2",
    "UPDATE log SET record_count = -9223372036854775808 WHERE first_position = 2",
    "UPDATE log SET payload = NULL WHERE first_position = 2",
    "UPDATE log SET blob_name = NULL WHERE first_position = 4",
    "UPDATE log SET blob_byte_count = -1 WHERE first_position = 4",
    "UPDATE log SET blob_byte_count = NULL WHERE first_position = 4",
    "DROP TABLE log",
    "ALTER TABLE log DROP COLUMN blob_byte_count",
  ]

  @Test(arguments: damages)
  func rowsThatCannotBeAreCorruption(_ damage: String) throws {
    var catalog = try open()
    try catalog.createCollection("one", id: 1)
    _ = try catalog.append([
      .batch(1, to: 1, dimension: 3), .batch(2, to: 1, recordCount: 2), .blob("blob", to: 1),
    ])
    catalog.close()
    let raw = try openRaw()
    try raw.execute(damage)
    raw.close()

    catalog = try open()
    let failures = [
      error { _ = try catalog.allChanges(1) },
      error {
        _ = try catalog.collections(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, limit: nil,
          offset: 0)
      },
    ]
    let failure = try #require(failures.compactMap { $0 }.first)
    #expect(failure.kind == .corruption)
    #expect(failure.message.contains(path))
  }

  /// Rows of versions that no call can have left behind, and that some call finds.
  private static let versionDamages: [String] = [
    "UPDATE collections SET version = -1",
    "UPDATE collections SET version = 0",
    "UPDATE collections SET compacted_position = -1",
    "UPDATE collections SET compacted_position = 2",
    "UPDATE collections SET compacted_position = 4",
    "UPDATE collections SET compacted_position = 9223372036854775807",
    "UPDATE collections SET compacted_byte_count = -1",
    "UPDATE collections SET log_row_count = -1",
    "UPDATE collections SET log_row_count = 0",
    "UPDATE collections SET log_byte_count = -9223372036854775808",
    "UPDATE collections SET log_byte_count = 0",
    "UPDATE log SET blob_byte_count = -1 WHERE blob_name IS NOT NULL",
    "UPDATE segments SET first_version = 0",
    "UPDATE segments SET first_version = 99",
    "UPDATE segments SET row_count = 0",
    "UPDATE segments SET row_count = -9223372036854775808",
    "UPDATE segments SET id = zeroblob(3) WHERE blob_name IS NULL",
    "UPDATE segments SET payload = NULL",
    "UPDATE segments SET blob_byte_count = -1",
    "UPDATE deletions SET row_count = 0",
    "UPDATE deletions SET row_count = 11",
    "UPDATE deletions SET first_version = 99",
    "UPDATE leases SET id = x'00'",
    "UPDATE versions SET last = -1",
    "UPDATE versions SET last = 0",
    "UPDATE versions SET last = 9223372036854775807",
    "DELETE FROM versions",
    "DROP TABLE segments",
    "DROP TABLE deletions",
    "DROP TABLE requests",
    "DROP TABLE garbage",
    "UPDATE collections SET generation = -1",
    "UPDATE collections SET generation = 0",
    "UPDATE collections SET indexed_position = -1",
    "UPDATE collections SET indexed_position = 4",
    "UPDATE index_blobs SET first_generation = 0",
    "UPDATE index_blobs SET first_generation = 99",
    "UPDATE index_blobs SET blob_byte_count = -1",
    "DROP TABLE index_blobs",
  ]

  /// A collection with everything that a version can have.
  private func makeVersions() throws {
    let catalog = try open()
    try catalog.createCollection("one", id: 1)
    _ = try catalog.append([
      .batch(1, to: 1, recordCount: 2, requestKey: 1), .batch(2, to: 1),
      .batch(3, to: 1, recordCount: 2),
      .blob("log", to: 1),
    ])
    _ = try catalog.publish(
      1, upTo: 3, added: [.inline(1, id: 1), .blob("segment", id: 2)],
      deleted: [1: DeletedRows(bitmap: [1], count: 2)])
    _ = try catalog.acquireLease(
      Lease(
        id: .numbered(1), collection: .numbered(1), kind: .compaction, blobName: nil,
        holder: "a test", deadline: .max))
    _ = try catalog.publishIndex(1, upTo: 1, added: ["base"], replacesAll: true)
    try catalog.pin(id: .numbered(1), deadline: .max)
    _ = try catalog.publishIndex(1, upTo: 2, added: ["delta"], replacesAll: true)
    #expect(try catalog.inconsistencies() == [])
    catalog.close()
  }

  @Test(arguments: versionDamages)
  func versionsThatCannotBeAreCorruption(_ damage: String) throws {
    try makeVersions()
    let raw = try openRaw()
    try raw.execute(damage)
    raw.close()

    let catalog = try open()
    let failures = [
      error { _ = try catalog.allChanges(1) },
      error { _ = try catalog.publish(1, added: [.blob("new", id: 3)], removed: [2]) },
      error {
        _ = try catalog.acquireLease(
          Lease(
            id: .numbered(2), collection: .numbered(1), kind: .compaction, blobName: nil,
            holder: "a test", deadline: .max))
      },
    ].compactMap { $0 }
    let failure = try #require(failures.first { $0.kind == .corruption })
    #expect(failure.message.contains(path))
    #expect(failures.allSatisfy { $0.kind == .corruption || $0.kind == .invalidArgument })
  }

  /// Rows that contradict others, which nobody meets who looks at one collection.
  private static let contradictions: [String] = [
    "UPDATE collections SET log_row_count = log_row_count + 1",
    "UPDATE collections SET log_byte_count = log_byte_count - 1",
    "UPDATE collections SET compacted_byte_count = 1",
    "UPDATE segments SET end_version = 1",
    "UPDATE segments SET end_version = 99",
    "UPDATE deletions SET first_version = 0",
    "UPDATE requests SET first_position = 4",
    "INSERT INTO garbage VALUES ('x', 1)",
    "INSERT INTO garbage VALUES ('x', 99)",
    "INSERT INTO versions VALUES (5)",
    "UPDATE pins SET version = 99",
    "UPDATE collections SET generation = 99",
    "UPDATE collections SET generation = 0, indexed_position = 0",
    "UPDATE index_blobs SET first_generation = 0 WHERE blob_name = 'base'",
    "UPDATE index_blobs SET end_generation = 1 WHERE blob_name = 'base'",
    "UPDATE index_blobs SET end_generation = 99 WHERE blob_name = 'base'",
    "UPDATE index_blobs SET end_generation = 3 WHERE blob_name = 'delta'",
    "UPDATE index_blobs SET blob_byte_count = 0",
    "DELETE FROM index_blobs WHERE end_generation IS NULL",
    "DELETE FROM log WHERE first_position = 4",
    "UPDATE log SET record_count = 3 WHERE first_position = 4",
    "PRAGMA foreign_keys = OFF; DELETE FROM databases",
  ]

  @Test(arguments: contradictions)
  func rowsThatContradictOthersAreFound(_ contradiction: String) throws {
    try makeVersions()
    let raw = try openRaw()
    for statement in contradiction.split(separator: ";") { try raw.execute(String(statement)) }
    raw.close()
    let found = try open().inconsistencies()
    #expect(!found.isEmpty)
    #expect(found.allSatisfy { $0.contains(path) })
  }

  @Test
  func aPositionIsNotGivenTwiceEvenByADamagedFile() throws {
    var catalog = try open()
    try catalog.createCollection("one", id: 1)
    _ = try catalog.append([.batch(1, to: 1), .batch(2, to: 1)])
    catalog.close()
    let raw = try openRaw()
    try raw.execute("UPDATE collections SET next_position = 2")
    raw.close()

    catalog = try open()
    let failure = error { _ = try catalog.append(.batch(3, to: 1)) }
    #expect(failure?.kind == .corruption)
    #expect(failure?.message.contains(path) == true)
  }

  @Test
  func aHugeBlobLengthIsNoOverflow() throws {
    var catalog = try open()
    try catalog.createCollection("one", id: 1)
    _ = try catalog.append([.blob("a", to: 1), .blob("b", to: 1)])
    catalog.close()
    let raw = try openRaw()
    try raw.execute("UPDATE log SET blob_byte_count = \(Int64.max)")
    try raw.execute("UPDATE collections SET log_byte_count = \(Int64.max)")
    raw.close()

    catalog = try open()
    let changes = try #require(
      try catalog.changes(in: .numbered(1), after: .nothing, byteCountMax: .max - 1))
    #expect(changes.rows.count == 1)
    #expect(!changes.isComplete)
  }

  @Test
  func aDamagedPageIsNamedAndTheOthersServe() throws {
    let catalog = try open()
    for id in 1...2 as ClosedRange<UInt64> {
      try catalog.createCollection(Text("c\(id)"), id: id)
      for mark in 0..<40 as Range<UInt8> {
        _ = try catalog.append(
          LogAppend(
            collection: .numbered(id), recordCount: 1,
            payload: .inline([mark] + Array(repeating: UInt8(id), count: 9000))))
      }
    }
    catalog.close()
    // One bit in the middle of what the first collection's rows hold.
    let bytes = try #require(try contents()["chroma.db"])
    let run = Array(repeating: 1 as UInt8, count: 4000)
    let offset = try #require(bytes.firstRange(of: run)?.lowerBound)
    let file = try directory.fileSystem.open(path, .readWrite)
    try file.write([0], at: UInt64(offset + 2000))
    file.close()

    let damaged = try open()
    let failure = error { _ = try damaged.allChanges(1) }
    #expect(failure?.kind == .corruption)
    #expect(failure?.message.contains(path) == true)
    #expect(try damaged.allChanges(2)?.rows.count == 40)
    #expect(try damaged.append(.batch(1, to: 2)) == .appended(firstPosition: 41))
  }

  // MARK: Space

  @Test
  func theLogOfWritersStaysSmall() throws {
    let catalog = try open()
    try catalog.createCollection("one", id: 1)
    var largest = 0
    for _ in 0..<200 {
      _ = try catalog.append(
        LogAppend(
          collection: .numbered(1), recordCount: 1,
          payload: .inline(Array(repeating: 1, count: 30_000))))
      largest = max(largest, try byteCount("chroma.db-wal"))
    }
    // One commit may pass the mark before the next folds back.
    #expect((500_000...700_000).contains(largest))
    // The payloads, and a tenth more for pages.
    #expect(try byteCount("chroma.db") < 6_600_000)
  }

  @Test
  func publishingGivesSpaceBack() throws {
    let catalog = try open()
    try catalog.createCollection("kept", id: 1)
    try catalog.createCollection("compacted", id: 2)
    for id in [1, 2, 2, 2] as [UInt64] {
      for _ in 0..<50 {
        _ = try catalog.append(
          LogAppend(
            collection: .numbered(id), recordCount: 1,
            payload: .inline(Array(repeating: UInt8(id), count: 20_000))))
      }
    }
    _ = try catalog.publish(2, added: [.inline(1, id: 1)])
    let live = 50 * 20_000
    let stored = try byteCount("chroma.db") + byteCount("chroma.db-wal")
    #expect(stored < live * 5 / 4)
    // What was left for the next writes goes too, and nothing of the log can be found.
    try catalog.shrink()
    #expect(try catalog.foldBackAll())
    #expect(try byteCount("chroma.db-wal") == 0)
    #expect(try byteCount("chroma.db") < live * 6 / 5)
    let bytes = try #require(try contents()["chroma.db"])
    #expect(bytes.split { $0 != 2 }.allSatisfy { $0.count < 100 })
    #expect(try catalog.allChanges(1)?.rows.count == 50)
  }

  @Test
  func deletingGivesSpaceBack() throws {
    let catalog = try open()
    try catalog.createCollection("kept", id: 1)
    try catalog.createCollection("deleted", id: 2)
    for id in [1, 2, 2, 2] as [UInt64] {
      for _ in 0..<50 {
        _ = try catalog.append(
          LogAppend(
            collection: .numbered(id), recordCount: 1,
            payload: .inline(Array(repeating: UInt8(id), count: 20_000))))
      }
    }
    _ = try catalog.deleteCollection(
      tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "deleted")
    let live = 50 * 20_000
    let stored = try byteCount("chroma.db") + byteCount("chroma.db-wal")
    #expect(stored < live * 5 / 4)
    catalog.close()
    // Nothing of what was deleted can be found in the file.
    let bytes = try #require(try contents()["chroma.db"])
    let runs = bytes.split { $0 != 2 }
    #expect(runs.allSatisfy { $0.count < 100 })
  }
}
