import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine
@testable import ChromaSegment

/// Schemas are read, shown, refused and enforced as by official Chroma, and survive being stored;
/// what they leave unindexed gets no index. Method: answers recorded by `Fixtures/record_schemas.py`,
/// and texts that nobody should send.
@Suite struct CollectionSchemaTests {
  private let files = MemoryFileSystem()

  private func open() throws(ChromaError) -> Engine {
    var limits = CompactionLimits()
    limits.indexedSegmentRowCountMin = 2
    return try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactionLimits: limits))
  }

  private func create(
    _ name: String = "things", schema: Text?, configuration: Text? = nil,
    metadata: Metadata? = nil, getOrCreate: Bool = false, in engine: Engine
  ) throws(ChromaError) -> CollectionDescription {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: Text(name),
        configuration: configuration, schema: schema, metadata: metadata, getOrCreate: getOrCreate))
  }

  // MARK: Against official Chroma

  @Test func newCollectionsAnswerAsRecorded() throws {
    let engine = try open()
    for (number, columns) in try lines(of: "create").enumerated() {
      let answer = RecordedRules.answer { () throws(ChromaError) in
        let created = try create(
          "recorded\(number)", schema: RecordedRules.text(columns[0]),
          configuration: RecordedRules.text(columns[1]),
          metadata: RecordedRules.metadata(columns[2]), in: engine)
        let schema = try withoutProcessors(try JSON(parsing: created.schema.bytes))
        return .array([
          try JSON(parsing: created.configuration.bytes),
          columns[1] == .null ? schema : .null,
        ])
      }
      #expect(sorted(answer) == sorted(columns[3]), "\(columns[0].text) \(columns[1].text)")
    }
  }

  /// Both where records stand in the log, and where they stand in a segment.
  @Test(arguments: [false, true])
  func filtersAnswerAsRecorded(isCompacted: Bool) throws {
    let engine = try open()
    var collections: [Text: UUID] = [:]
    for columns in try lines(of: "filter") {
      let schema = try #require(RecordedRules.text(columns[0]))
      let id: UUID
      if let known = collections[schema] {
        id = known
      } else {
        id = try create("recorded\(collections.count)", schema: schema, in: engine).id
        try engine.write(records, to: id)
        if isCompacted { try engine.compact(id) }
        collections[schema] = id
      }
      let answer = RecordedRules.answer { () throws(ChromaError) in
        let selection = try Selection(
          whereJSON: RecordedRules.text(columns[1]),
          whereDocumentJSON: RecordedRules.text(columns[2]))
        let found = try engine.get(selection, from: id, limit: nil, offset: 0, include: [])
        return .array(found.ids.map(JSON.string))
      }
      // `#document: 1` and the like find nothing there for other reasons than here.
      #expect(answer == columns[3], "\(schema) \(columns[1].text) \(columns[2].text)")
    }
  }

  /// What official Chroma was given for `filter`.
  private var records: RecordBatch {
    RecordBatch(
      operation: .add, ids: ["1", "2"],
      embeddings: VectorColumn(dimension: 2, values: [1, 2, 2, 3]), documents: ["hello", nil],
      uris: [nil, "file:///a"],
      metadatas: [
        MetadataChange([
          MetadataChange.Entry("s", .string("a")), MetadataChange.Entry("i", .int(1)),
          MetadataChange.Entry("f", .float(1.5)), MetadataChange.Entry("b", .bool(true)),
          MetadataChange.Entry("sa", .strings(["x", "y"])), MetadataChange.Entry("ia", .ints([1])),
          MetadataChange.Entry("fa", .floats([1.5])), MetadataChange.Entry("ba", .bools([true])),
        ]),
        MetadataChange([
          MetadataChange.Entry("s", .string("b")), MetadataChange.Entry("f", .int(2)),
          MetadataChange.Entry("é", .string("a")),
        ]),
      ])
  }

  // MARK: Enforcement

  private static let noStrings: Text = """
    {"defaults":{"string":{"string_inverted_index":{"enabled":false,"config":{}}}},"keys":{}}
    """

  @Test func everyCallRefusesTheSame() throws {
    let engine = try open()
    let id = try create(schema: Self.noStrings, in: engine).id
    let selection = try Selection(whereJSON: #"{"s":"a"}"#)
    let queries = VectorColumn(dimension: 2, values: [1, 2])
    let refusal = ChromaError.invalidArgument(
      "Cannot filter using metadata key 's' with type 'Str' because indexing is disabled")
    // Empty at first: what is refused does not depend on what there is.
    for _ in 0..<2 {
      #expect(throws: refusal) { try engine.count(selection, in: id) }
      #expect(throws: refusal) {
        try engine.get(selection, from: id, limit: 0, offset: 0, include: [])
      }
      #expect(throws: refusal) {
        try engine.query(queries, selection, in: id, resultCount: 1, include: [])
      }
      #expect(throws: refusal) {
        try engine.explain(queries, selection, in: id, resultCount: 1)
      }
      #expect(throws: refusal) { try engine.explain(nil, selection, in: id, resultCount: 1) }
      #expect(throws: refusal) { try engine.distinct("i", selection, in: id, limit: nil) }
      #expect(throws: refusal) { try engine.delete(selection, from: id, limit: nil) }
      try engine.write(records, to: id)
    }
    #expect(try engine.count(in: id) == 2)
    // Whether a key is there is known without an index, and so is what there is to list.
    #expect(try engine.count(try Selection(whereJSON: #"{"s":{"$exists":true}}"#), in: id) == 2)
    #expect(try engine.distinct("s", .everything, in: id, limit: nil).count == 2)
  }

  @Test func anExistingCollectionKeepsItsSchemaAndOthersSeeIt() throws {
    let engine = try open()
    let first = try create(schema: Self.noStrings, in: engine)
    let again = try create(
      schema: #"{"defaults":{},"keys":{"a":{}}}"#, getOrCreate: true, in: engine)
    #expect(again.id == first.id)
    #expect(again.schema == first.schema)
    try engine.modifyCollection(
      id: first.id, name: nil, metadata: nil, configuration: #"{"hnsw":{"ef_search":7}}"#)
    let other = try open()
    let modified = try other.collection(id: first.id)
    #expect(modified.schema.string.components(of: #""ef_search":7"#) == 2)
    #expect(throws: ChromaError.self) {
      try other.count(try Selection(whereJSON: #"{"s":"a"}"#), in: first.id)
    }
  }

  @Test func whatIsNotIndexedIsNotWritten() throws {
    let engine = try open()
    let schema: Text = """
      {"defaults":{"string":{"string_inverted_index":{"enabled":false,"config":{}}}},
       "keys":{"s":{"string":{"string_inverted_index":{"enabled":true,"config":{}}}},
               "f":{"int":{"int_inverted_index":{"enabled":false,"config":{}}}},
               "#document":{"string":{"fts_index":{"enabled":false,"config":{}}}}}}
      """
    for (name, schema) in [("all", nil as Text?), ("some", schema)] {
      let id = try create(name, schema: schema, in: engine).id
      try engine.write(many, to: id)
      try engine.compact(id)
      let version = try engine.known.state(of: id).read { $0.table.version }
      let segment = try #require(version.parts.first?.segment)
      let isEverything = schema == nil
      for (key, isIndexed) in [("s", true), ("t", isEverything), ("f", isEverything), ("i", true)] {
        let column = try #require(segment.columns(of: Text(key)).first)
        #expect(column.isIndexed == isIndexed, "\(name): \(key)")
      }
      #expect((segment.textIndex != nil) == isEverything)
    }
  }

  /// Enough for a blob.
  private var many: RecordBatch {
    let numbers = 0..<3000
    return RecordBatch(
      operation: .add, ids: numbers.map { Text("id-\($0)") },
      embeddings: VectorColumn(dimension: 8, values: (0..<24_000).map { Float($0) }),
      documents: numbers.map { Text("document \($0)") },
      metadatas: numbers.map { number in
        MetadataChange([
          MetadataChange.Entry("s", .string(Text("\(number % 7)"))),
          MetadataChange.Entry("t", .string(Text("\(number % 5)"))),
          MetadataChange.Entry("f", .int(Int64(number))),
          MetadataChange.Entry("i", .int(Int64(number))),
        ])
      })
  }

  // MARK: Storing

  @Test func storedSchemasReadBackTheSame() throws {
    for columns in try lines(of: "create") {
      guard let json = RecordedRules.text(columns[0]),
        let usual = try? CollectionConfiguration(json: nil, metadata: nil),
        let (schema, configuration) = try? CollectionSchema.settle(json: json, with: usual)
      else { continue }
      let stored = try CollectionSchema(stored: schema.stored)
      #expect(stored == schema, "\(json)")
      #expect(stored.json(with: configuration) == schema.json(with: configuration), "\(json)")
      // What is shown may be given again.
      let shown = try CollectionSchema.settle(json: schema.json(with: configuration), with: usual)
      #expect(shown.0 == schema, "\(json)")
      #expect(shown.1 == configuration || shown.1.hnsw.threadCount != nil, "\(json)")
    }
  }

  @Test(arguments: ["", "{", "5", "{}", #"{"defaults":{},"keys":{"a":1}}"#] as [Text])
  func aDamagedStoredSchemaIsCorruption(stored: Text) {
    let error = #expect(throws: ChromaError.self) { try CollectionSchema(stored: stored) }
    #expect(error?.kind == .corruption)
  }

  // MARK: Hostile texts

  /// Every text is either a schema or refused, and so is every text like it.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func spoiledSchemasNeverTrap(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let usual = try CollectionConfiguration(json: nil, metadata: nil)
    let texts = try lines(of: "create").compactMap { RecordedRules.text($0[0]) }
    for _ in 0..<200 {
      var bytes = texts[random.int(in: 0...texts.count - 1)].bytes
      for _ in 0..<random.int(in: 1...4) where !bytes.isEmpty {
        let place = random.int(in: 0...bytes.count - 1)
        switch random.int(in: 0...3) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8(random.int(in: 0x20...0x7E))
        case 2: bytes.insert(random.element(of: Array("{}[]\",:019-.e".utf8)), at: place)
        default: bytes.removeLast(bytes.count - place)
        }
      }
      guard let text = Text(validating: bytes) else { continue }
      do throws(ChromaError) {
        let (schema, configuration) = try CollectionSchema.settle(json: text, with: usual)
        let shown = try JSON(parsing: schema.json(with: configuration).bytes)
        #expect(shown["defaults"] != nil, "seed \(seed): \(text)")
      } catch {
        #expect(error.kind == .invalidArgument, "seed \(seed): \(text)")
      }
    }
  }

  @Test func extremeSchemasAreReadOrRefused() throws {
    let usual = try CollectionConfiguration(json: nil, metadata: nil)
    let deep = String(repeating: #"{"a":"#, count: 100_000)
    #expect(throws: ChromaError.self) {
      try CollectionSchema.settle(json: Text(#"{"defaults":{"x":"# + deep), with: usual)
    }
    let keys = (0..<10_000).map {
      #""key-\#($0)":{"int":{"int_inverted_index":{"enabled":false,"config":{}}}}"#
    }
    let wide = Text(#"{"defaults":{},"keys":{"# + keys.joined(separator: ",") + "}}")
    let (schema, _) = try CollectionSchema.settle(json: wide, with: usual)
    #expect(schema.kinds(under: "key-9999") == [.string, .float, .bool])
    #expect(schema.kinds(under: "key-10000") == .all)
    #expect(try CollectionSchema(stored: schema.stored) == schema)
  }

  // MARK: Helpers

  private func lines(of kind: Text) throws -> [[JSON]] {
    let lines = try Fixture.lines("schemas.jsonl").compactMap { line -> [JSON]? in
      guard case .array(let columns) = try JSON(parsing: Array(line.utf8)),
        columns.first == .string(kind)
      else { return nil }
      return Array(columns.dropFirst())
    }
    try #require(!lines.isEmpty)
    return lines
  }

  /// The schema with `num_threads` null where it is the number of processors.
  private func withoutProcessors(_ value: JSON) throws(ChromaError) -> JSON {
    switch value {
    case .object(let members):
      var changed: [JSON.Member] = []
      for member in members {
        let isUsual =
          member.key == "num_threads"
          && member.value == .int(Int64(EngineEnvironment.processorCount))
        changed.append(
          JSON.Member(member.key, isUsual ? .null : try withoutProcessors(member.value)))
      }
      return .object(changed)
    default: return value
    }
  }

  /// The value with the members of its objects in order: official Chroma's come in any.
  private func sorted(_ value: JSON) -> JSON {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let members):
      .object(
        members.sorted { $0.key < $1.key }.map { JSON.Member($0.key, sorted($0.value)) })
    default: value
    }
  }
}

extension String {
  /// How often a text stands in it.
  fileprivate func components(of text: String) -> Int {
    ranges(of: text).count
  }
}
