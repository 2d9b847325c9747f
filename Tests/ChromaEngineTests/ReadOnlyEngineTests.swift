import ChromaBase
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Testing

/// An engine that only reads answers as any other, from a directory that was closed, left by a killed
/// process or is being written, and leaves it as it is. Method: the answers of the engine that wrote,
/// a file system that refuses every change, and a digest of the directory before and after.
@Suite struct ReadOnlyEngineTests {
  private let home = TemporaryDirectory()
  private var path: String { "\(home.path)/db" }

  private func open(
    _ path: String, files: (any FileSystem)? = nil, isReadOnly: Bool = false
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files ?? home.fileSystem, directory: path, clock: SystemClock(),
        random: SystemRandomSource(), isShared: true, isReadOnly: isReadOnly))
  }

  private func request(_ name: Text, getOrCreate: Bool = false) -> CollectionRequest {
    CollectionRequest(
      tenant: "default_tenant", database: "default_database", name: name, configuration: nil,
      metadata: nil, getOrCreate: getOrCreate)
  }

  private static func batch(_ range: Range<Int>, documentByteCount: Int = 10) -> RecordBatch {
    RecordBatch(
      operation: .upsert, ids: range.map { Text("id \($0)") },
      embeddings: VectorColumn(
        dimension: 2, values: range.flatMap { [Float($0), Float($0 % 7)] }),
      documents: range.map { Text(String(repeating: "\($0 % 10)", count: documentByteCount)) })
  }

  /// An engine that has written small batches, one that became a blob, and deletions.
  private func fill() throws -> (engine: Engine, id: UUID) {
    let engine = try open(path)
    let id = try engine.createCollection(request("notes")).id
    for start in 0..<20 { try engine.write(Self.batch(10 * start..<10 * start + 10), to: id) }
    try engine.write(Self.batch(200..<300, documentByteCount: 2000), to: id)
    try engine.write(
      RecordBatch(operation: .delete, ids: (40..<60).map { Text("id \($0)") }), to: id)
    return (engine, id)
  }

  private func answers(_ engine: Engine, _ id: UUID) throws(ChromaError) -> [String] {
    let all = try engine.get(
      .everything, from: id, limit: nil, offset: 0, include: [.documents, .embeddings])
    let near = try engine.query(
      VectorColumn(dimension: 2, values: [33, 3]), .everything, in: id, resultCount: 5,
      include: [.distances])
    return [
      "\(try engine.count(in: id))", "\(all.ids)", "\(all.documents ?? [])",
      "\(all.embeddings ?? [])",
      "\(near.records.ids)", "\(near.distances ?? [])",
      "\(try engine.collections(tenant: "default_tenant", database: "default_database", limit: nil, offset: 0).map(\.name))",
    ]
  }

  private func copy(_ source: String, to target: String, except: [String]) throws {
    try home.fileSystem.createDirectory(target)
    for name in try home.fileSystem.list(source) where !except.contains(name) {
      let path = "\(source)/\(name)"
      if try home.fileSystem.attributes(path)?.kind == .directory {
        try copy(path, to: "\(target)/\(name)", except: except)
        continue
      }
      let file = try home.fileSystem.open(path, .readOnly)
      defer { file.close() }
      let bytes = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
      let copy = try home.fileSystem.open("\(target)/\(name)", .createNew)
      defer { copy.close() }
      try copy.write(bytes, at: 0)
    }
  }

  // MARK: Answers

  @Test(
    "a directory that was closed or left by a killed process is read and left as it is",
    arguments: [true, false], [[], ["LOCK"], ["chroma.db-shm"], ["chroma.db-shm", "LOCK"]])
  func directories(isClosed: Bool, except: [String]) throws {
    var filled: (engine: Engine, id: UUID)? = try fill()
    let id = try #require(filled?.id)
    let expected = try answers(try #require(filled?.engine), id)
    if isClosed { filled = nil }
    let target = "\(home.path)/copy"
    try copy(path, to: target, except: except)
    let before = try DirectoryDigest(target)
    let files = ReadOnlyFileSystem(home.fileSystem)
    for _ in 0..<2 {
      let reader = try open(target, files: files, isReadOnly: true)
      #expect(try answers(reader, id) == expected)
      #expect(try answers(reader, id) == expected)
    }
    #expect(files.refusedCalls == [])
    #expect(try DirectoryDigest(target) == before)
    filled = nil
    #expect(try answers(try open(target), id) == expected)
  }

  @Test("every write of an engine that lives beside it is seen by the next read")
  func liveWriter() throws {
    var filled: (engine: Engine, id: UUID)? = try fill()
    let id = try #require(filled?.id)
    filled = nil
    let files = ReadOnlyFileSystem(home.fileSystem)
    let reader = try open(path, files: files, isReadOnly: true)
    #expect(try reader.count(in: id) == 280)
    for round in 0..<4 {
      let writer = try open(path)
      for step in 0..<5 {
        let start = 1000 * (round + 1) + 10 * step
        try writer.write(
          Self.batch(start..<start + 10, documentByteCount: step == 3 ? 9000 : 10), to: id)
        #expect(try answers(reader, id) == answers(writer, id), "round \(round), step \(step)")
      }
      try writer.write(RecordBatch(operation: .delete, ids: [Text("id \(round)")]), to: id)
      #expect(try answers(reader, id) == answers(writer, id), "round \(round)")
      if round % 2 == 0 { try writer.flush() } else { try writer.compact() }
      #expect(try answers(reader, id) == answers(writer, id), "round \(round), compacted")
      #expect(try reader.statistics(of: id).logRowCount == 0, "round \(round)")
    }
    #expect(try reader.count(in: id) == 280 + 4 * 49)
    let writer = try open(path)
    try writer.deleteCollection(
      tenant: "default_tenant", database: "default_database", name: "notes")
    let error = #expect(throws: ChromaError.self) { try reader.count(in: id) }
    #expect(error?.kind == .notFound)
    #expect(files.refusedCalls == [])
  }

  // MARK: Refusals

  @Test("every call that writes is refused, and says how to write")
  func writes() throws {
    let (writer, id) = try fill()
    let files = ReadOnlyFileSystem(home.fileSystem)
    let reader = try open(path, files: files, isReadOnly: true)
    let byDocument = try Selection(whereDocumentJSON: #"{"$contains":"3"}"#)
    let calls: [() throws -> Void] = [
      { try reader.write(Self.batch(0..<1), to: id) },
      { try reader.write(RecordBatch(operation: .add, ids: []), to: id) },
      { _ = try reader.delete(try Selection(ids: ["id 1"]), from: id, limit: nil) },
      { _ = try reader.delete(byDocument, from: id, limit: nil) },
      { try reader.createTenant("tenant") },
      { try reader.createDatabase(tenant: "default_tenant", name: "other") },
      { try reader.deleteDatabase(tenant: "default_tenant", name: "default_database") },
      { _ = try reader.createCollection(request("more")) },
      { _ = try reader.createCollection(request("more", getOrCreate: true)) },
      {
        try reader.modifyCollection(id: id, name: "renamed", metadata: nil, configuration: nil)
      },
      {
        try reader.deleteCollection(
          tenant: "default_tenant", database: "default_database", name: "notes")
      },
      { try reader.reset() },
      { try reader.flush() },
      { try reader.compact(id) },
      { try reader.tidy(id) },
    ]
    for (index, call) in calls.enumerated() {
      let error = #expect(throws: ChromaError.self, "call \(index)") { try call() }
      #expect(error?.kind == .permissionDenied, "call \(index): \(error?.message ?? "")")
      #expect(error?.message.contains(path) == true, "call \(index)")
    }
    #expect(files.refusedCalls == [])
    // What is there can be got without writing.
    #expect(try reader.createCollection(request("notes", getOrCreate: true)).id == id)
    #expect(try answers(reader, id) == answers(writer, id))
  }

  @Test("where there is no database none is created")
  func missing() throws {
    for path in ["\(home.path)/absent/db", home.path] {
      let error = #expect(throws: ChromaError.self) { try open(path, isReadOnly: true) }
      #expect(error?.kind == .notFound, "\(error?.message ?? "")")
      #expect(error?.message.contains(path) == true, "\(error?.message ?? "")")
    }
    #expect(try home.fileSystem.list(home.path) == [])
    #expect(throws: ChromaError.self) {
      try EngineHandle(EngineOptions(path: nil, isReadOnly: true))
    }
  }

  @Test("on a read-only medium, opening for writing fails by the file's name, and says what to do")
  func readOnlyMedium() throws {
    _ = try fill()
    let error = #expect(throws: ChromaError.self) {
      try open(path, files: ReadOnlyFileSystem(home.fileSystem))
    }
    #expect(error?.kind == .io)
    #expect(error?.message.contains(path) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("open the database read-only") == true)
  }

  // MARK: Handles

  @Test("handles that only read share an engine, and never with those that may write")
  func handles() throws {
    let (_, id) = try fill()
    let writer = try EngineHandle(EngineOptions(path: path))
    let one = try EngineHandle(EngineOptions(path: path, isReadOnly: true))
    let two = try EngineHandle(EngineOptions(path: path + "/../db", isReadOnly: true))
    #expect(try one.current() === two.current())
    #expect(try one.current() !== writer.current())
    #expect(try EngineHandle(EngineOptions(path: path)).current() === writer.current())
    try writer.current().write(Self.batch(500..<510), to: id)
    #expect(try one.current().count(in: id) == 290)
    writer.close()
    #expect(try two.current().count(in: id) == 290)
    #expect(throws: ChromaError.self) { try two.current().write(Self.batch(0..<1), to: id) }

    // Without LOCK they are known by the database's own file.
    let bare = "\(home.path)/bare"
    try copy(path, to: bare, except: ["LOCK", "chroma.db-shm"])
    let before = try DirectoryDigest(bare)
    let three = try EngineHandle(EngineOptions(path: bare, isReadOnly: true))
    let four = try EngineHandle(EngineOptions(path: bare, isReadOnly: true))
    #expect(try three.current() === four.current())
    #expect(try three.current() !== one.current())
    #expect(try three.current().count(in: id) == 290)
    #expect(try DirectoryDigest(bare) == before)
  }
}
