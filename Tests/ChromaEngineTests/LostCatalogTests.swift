// A directory whose chroma.db is gone.

import ChromaBase
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Testing

@Suite struct LostCatalogTests {
  private let directory = TemporaryDirectory()

  private func open() throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: directory.fileSystem, directory: directory.path, clock: SystemClock(),
        random: SystemRandomSource(), isShared: true))
  }

  private func names(in folder: String = "") throws -> [String] {
    try directory.fileSystem.list("\(directory.path)\(folder)").filter { $0 != "LOCK" }
  }

  @Test(
    "a missing or empty catalog beside blobs is refused, and nothing changes",
    arguments: [false, true])
  func isRefused(_ isEmpty: Bool) throws {
    _ = try open()
    let files = directory.fileSystem
    try files.createDirectory("\(directory.path)/blobs")
    try files.open("\(directory.path)/blobs/some.segment", .createNew).close()
    try files.remove("\(directory.path)/chroma.db")
    if isEmpty { try files.open("\(directory.path)/chroma.db", .createNew).close() }
    let before = try names() + names(in: "/blobs")
    let error = #expect(throws: ChromaError.self) { _ = try open() }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains("\(directory.path)/chroma.db") == true)
    #expect(try names() + names(in: "/blobs") == before)
  }

  @Test("a copy that was cut off before its catalog is refused, and nothing changes")
  func cutOffCopies() throws {
    let files = directory.fileSystem
    try files.open("\(directory.path)/BACKUP", .createNew).close()
    let error = #expect(throws: ChromaError.self) { _ = try open() }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains("\(directory.path)/BACKUP") == true)
    #expect(try names() == ["BACKUP"])
  }

  @Test("where there are no blobs, a missing catalog is created")
  func isCreated() throws {
    _ = try open()
    try directory.fileSystem.remove("\(directory.path)/chroma.db")
    _ = try open()
    #expect(try names() == ["chroma.db"])
  }
}
