// Directories that earlier releases wrote.

import ChromaBase
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Testing

/// What a release wrote, every later one reads. Method: `Tests/Fixtures/<format>` holds directories,
/// the script that wrote them, and what they must read as. Each is copied, opened, compared, written
/// to, and opened again: the first opening may have brought it up to date.
@Suite struct FixtureTests {
  /// Of all tests.
  private static let folder =
    #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
  /// Collections of the default database in each of the fixtures' directories. Another database has
  /// one.
  private static let collectionCounts = ["format-1": 4, "format-2": 7]

  private func open(
    _ directory: TemporaryDirectory, isReadOnly: Bool = false
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: directory.fileSystem, directory: "\(directory.path)/db",
        clock: SystemClock(), random: SystemRandomSource(), isShared: true,
        isReadOnly: isReadOnly))
  }

  /// Opened read-only, an older release's directory stays as it is: it is not brought up to date.
  private func expectRefusedUnchanged(_ directory: TemporaryDirectory) throws {
    let before = try DirectoryDigest(directory.path)
    let error = #expect(throws: ChromaError.self) { try open(directory, isReadOnly: true) }
    #expect(error?.kind == .unsupportedFormat)
    #expect(error?.message.contains("once for writing") == true, "\(error?.message ?? "")")
    #expect(try DirectoryDigest(directory.path) == before)
  }

  private func copy(_ source: String, to target: String, _ files: FolderFileSystem) throws {
    try files.createDirectory(target)
    for name in try files.list(source) {
      let path = "\(source)/\(name)"
      if try files.attributes(path)?.kind == .directory {
        try copy(path, to: "\(target)/\(name)", files)
        continue
      }
      let file = try files.open(path, .readOnly)
      let bytes = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
      file.close()
      let copy = try files.open("\(target)/\(name)", .createNew)
      try copy.write(bytes, at: 0)
      copy.close()
    }
  }

  @Test(
    "what a release wrote reads as it did", arguments: collectionCounts.keys.sorted(),
    ["closed", "killed"])
  func reads(_ format: String, _ state: String) throws {
    let expected = try JSON(
      parsing: Fixture.bytes("\(format)/expected.json", beside: "\(Self.folder)/Tests"))
    guard case .array(let collections) = expected else {
      Issue.record("The fixture's expected.json holds no array.")
      return
    }
    let directory = TemporaryDirectory()
    try copy(
      "\(Self.folder)/Fixtures/\(format)/\(state)", to: "\(directory.path)/db",
      directory.fileSystem)
    try expectRefusedUnchanged(directory)
    for _ in 1...2 {
      let engine = try open(directory)
      #expect(
        try engine.collectionCount(tenant: "default_tenant", database: "default_database")
          == Self.collectionCounts[format])
      #expect(
        try engine.collectionCount(tenant: "tenant \u{E9}", database: "database two") == 1)
      for collection in collections { try expect(collection, in: engine) }
      // The log goes on where it was, for a collection that others must not notice.
      let id = try engine.collection(
        tenant: "default_tenant", database: "default_database", name: "emptied"
      ).id
      try engine.write(
        RecordBatch(
          operation: .add, ids: ["new"],
          embeddings: VectorColumn(dimension: 2, values: [1, 2])), to: id)
      #expect(try engine.count(in: id) == 1)
      try engine.write(RecordBatch(operation: .delete, ids: ["new"]), to: id)
    }
    let reader = try open(directory, isReadOnly: true)
    for collection in collections { try expect(collection, in: reader) }
  }

  private func expect(_ expected: JSON, in engine: Engine) throws {
    guard case .string(let tenant) = expected["tenant"],
      case .string(let database) = expected["database"], case .string(let name) = expected["name"],
      case .array(let records) = expected["records"]
    else {
      Issue.record("The fixture's expected.json is not as its script writes it.")
      return
    }
    let found = try engine.collection(tenant: tenant, database: database, name: name)
    #expect(json(found.metadata) == sorted(expected["metadata"]), "\(name)")
    let columns = try engine.get(
      try Selection(), from: found.id, limit: nil, offset: 0,
      include: [.documents, .embeddings, .metadatas, .uris])
    #expect(columns.ids.count == records.count, "\(name)")
    for (row, record) in records.enumerated() where row < columns.ids.count {
      let embedding = (columns.embeddings ?? [])
        .dropFirst(row * columns.dimension).prefix(columns.dimension)
      let members: [JSON.Member] = [
        .init("id", .string(columns.ids[row])),
        .init("embedding", .array(embedding.map { .float(Double($0)) })),
        .init("document", json(columns.documents?[row])), .init("uri", json(columns.uris?[row])),
        .init("metadata", json(columns.metadatas?[row])),
      ]
      let stored = JSON.object(members)
      #expect(sorted(stored) == sorted(record), "\(name), record \(row)")
    }
  }

  private func json(_ text: Text??) -> JSON { (text ?? nil).map { .string($0) } ?? .null }

  private func json(_ metadata: Metadata??) -> JSON {
    guard let metadata = metadata ?? nil else { return .null }
    return .object(metadata.entries.map { JSON.Member($0.key, json($0.value)) })
  }

  private func json(_ value: MetadataValue) -> JSON {
    switch value {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    case .string(let value): .string(value)
    case .bools(let values): .array(values.map { .bool($0) })
    case .ints(let values): .array(values.map { .int($0) })
    case .floats(let values): .array(values.map { .float($0) })
    case .strings(let values): .array(values.map { .string($0) })
    }
  }

  /// The same with the members of every object in the order of their keys.
  private func sorted(_ value: JSON?) -> JSON {
    guard case .object(let members) = value else { return value ?? .null }
    return .object(
      members.map { JSON.Member($0.key, sorted($0.value)) }.sorted { $0.key < $1.key })
  }
}
