import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

/// A catalog that is only read answers as one that may write, refuses every change, and opens only
/// what is there and needs no change to be read.
@Suite("a read-only chroma.db")
struct ReadOnlyCatalogTests {
  private let directory = TemporaryDirectory()
  private var path: String { "\(directory.path)/chroma.db" }

  private func open(isReadOnly: Bool = false) throws(ChromaError) -> SQLiteCatalog {
    let files: any FileSystem =
      isReadOnly ? ReadOnlyFileSystem(directory.fileSystem) : directory.fileSystem
    return try SQLiteCatalog(
      fileSystem: files, directory: directory.path, clock: SystemClock(),
      random: SystemRandomSource(), isReadOnly: isReadOnly)
  }

  private func raw() throws(ChromaError) -> SQLiteConnection {
    try SQLiteDatabase(
      path: path, fileSystem: directory.fileSystem, clock: SystemClock(),
      random: SystemRandomSource()
    ).connect()
  }

  private func refusal(_ kind: ChromaError.Kind, _ place: String = "") throws {
    let before = try DirectoryDigest(directory.path)
    let error = #expect(throws: ChromaError.self, "\(place)") { try open(isReadOnly: true) }
    #expect(error?.kind == kind, "\(place): \(error?.message ?? "")")
    #expect(error?.message.contains(path) == true, "\(place): \(error?.message ?? "")")
    #expect(try DirectoryDigest(directory.path) == before, "\(place)")
  }

  @Test("where there is no database none is created")
  func missing() throws {
    try refusal(.notFound, "no file")
    let file = try directory.fileSystem.open(path, .createNew)
    try refusal(.notFound, "an empty file")
    try file.write(Array("no database, but some text".utf8), at: 0)
    file.close()
    try refusal(.corruption, "another file")
  }

  @Test("a database whose creation was cut off holds nothing, and is not finished")
  func unfinished() throws {
    try raw().close()
    try refusal(.notFound, "no tables")
  }

  @Test("an older release's file has to be opened for writing once, a newer one's cannot be read")
  func otherVersions() throws {
    let catalog = try open()
    catalog.close()
    let connection = try raw()
    let current = try #require(
      try connection.firstRow("PRAGMA user_version") { (row) throws(ChromaError) in
        try row.integer(0)
      })
    for (version, hint) in [(current - 1, "once for writing"), (current + 1, "newer release")] {
      guard version > 0 else { continue }
      try connection.execute("PRAGMA user_version = \(version)")
      try connection.checkpoint(truncating: true)
      try refusal(.unsupportedFormat, hint)
      let error = #expect(throws: ChromaError.self) { try open(isReadOnly: true) }
      #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }
    connection.close()
  }

  @Test("every change is refused with a sentence that says why, and nothing changes")
  func changes() throws {
    let writer = try open()
    try writer.createCollection("notes", id: 1)
    _ = try writer.append(.batch(7, to: 1))
    writer.close()
    let before = try DirectoryDigest(directory.path)
    let catalog = try open(isReadOnly: true)
    let changes: [() throws -> Void] = [
      { try catalog.createTenant("acme") },
      { try catalog.createCollection("more", id: 2) },
      { _ = try catalog.append(.batch(8, to: 1)) },
      { _ = try catalog.modifyCollection(id: .numbered(1), CollectionChange(name: "other")) },
      {
        _ = try catalog.deleteCollection(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "notes")
      },
      { _ = try catalog.reset() },
      { _ = try catalog.foldBackAll() },
    ]
    for (index, change) in changes.enumerated() {
      let error = #expect(throws: ChromaError.self, "change \(index)") { try change() }
      #expect(error?.kind == .permissionDenied, "change \(index): \(error?.message ?? "")")
      #expect(error?.message.contains(directory.path) == true, "change \(index)")
    }
    #expect(try catalog.allChanges(1)?.rows.count == 1)
    catalog.close()
    #expect(throws: ChromaError.self) { try catalog.requireTenant(CatalogDefaults.tenant) }
    #expect(try DirectoryDigest(directory.path) == before)
  }

  @Test("writers that come and go at any time disturb no read, and each read is current")
  func writersComeAndGo() throws {
    let first = try open()
    try first.createCollection("notes", id: 1)
    first.close()
    let catalog = try open(isReadOnly: true)
    let failures = Mutex<[String]>([])
    let committedCount = Atomic(0)
    let isWriting = Atomic(true)
    onThreads(3) { index in
      do throws(ChromaError) {
        if index == 0 {
          defer { isWriting.store(false, ordering: .sequentiallyConsistent) }
          for round in 0..<30 {
            let writer = try open()
            for _ in 0...round % 3 {
              _ = try writer.append(.batch(UInt8(round), to: 1))
              committedCount.add(1, ordering: .sequentiallyConsistent)
            }
            if round % 4 == 0 { _ = try writer.foldBackAll() }
            writer.close()
          }
        } else {
          repeat {
            let least = committedCount.load(ordering: .sequentiallyConsistent)
            let found = try catalog.allChanges(1)?.rows.count ?? -1
            if found < least { failures.withLock { $0.append("\(found) rows, not \(least)") } }
          } while isWriting.load(ordering: .sequentiallyConsistent)
        }
      } catch {
        failures.withLock { $0.append("thread \(index): \(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
  }
}
