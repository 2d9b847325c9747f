import Chroma
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

/// The Swift door hands in and out what it is given. Method: every call of the API once, in the way
/// that a user writes it, and each kind of mistake.
@Suite struct ChromaTests {
  private static let records = [
    Record(id: "a", embedding: [0, 0], document: "A gray cat", metadata: ["year": 2020]),
    Record(
      id: "b", embedding: [1, 0], document: "A black dog", uri: "file://b",
      metadata: ["year": 2021, "tags": .strings(["pet", "dog"]), "good": true, "score": 0.5]),
    Record(id: "c", embedding: [5, 5]),
  ]

  private func kind(_ body: () async throws -> Void) async -> ChromaError.Kind? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? ChromaError)?.kind
    }
  }

  private func collection(_ space: Space = .l2) async throws -> Collection {
    let client = try await Client.inMemory()
    let collection = try await client.createCollection("animals", space: space)
    try await collection.add(Self.records)
    return collection
  }

  @Test("records read back as they were written")
  func roundTrip() async throws {
    let collection = try await collection()
    let all: Include = [.documents, .embeddings, .metadatas, .uris]
    #expect(try await collection.count() == 3)
    #expect(try await collection.get(include: all) == Self.records)
    #expect(try await collection.get(ids: ["c", "a"]).map(\.id) == ["a", "c"])
    #expect(try await collection.get(limit: 1, offset: 1).map(\.id) == ["b"])
  }

  @Test("a query finds the nearest, in every space", arguments: Space.allCases)
  func query(space: Space) async throws {
    let neighbors = try await collection(space).query([1, 0.1], resultCount: 2)
    #expect(neighbors.count == 2)
    #expect(neighbors[0].record.id == (space == .ip ? "c" : "b"))
    #expect(neighbors[0].distance <= neighbors[1].distance)
  }

  @Test("an addition says what it met, as it was told to")
  func conflicts() async throws {
    let collection = try await collection()
    let records = [Record(id: "a", embedding: [7, 7]), Record(id: "d", embedding: [8, 8])]
    #expect(
      await kind { try await collection.add(records, onConflict: .error) } == .alreadyExists)
    #expect(try await collection.count() == 3)
    let ignored = try await collection.add(records, onConflict: .ignore)
    #expect(ignored.addedCount == 1 && ignored.existingCount == 1)
    #expect(try await collection.get(ids: ["a"])[0].document == "A gray cat")
    let replaced = try await collection.add(records, onConflict: .replace)
    #expect(replaced.addedCount == 0 && replaced.existingCount == 2)
    let all: Include = [.documents, .embeddings, .metadatas, .uris]
    #expect(
      try await collection.get(include: all) == [records[0]] + Self.records[1...] + [records[1]])
  }

  @Test("a query leaves out what is farther than its bound")
  func bound() async throws {
    let collection = try await collection()
    for (bound, ids) in [(-1, []), (0, ["b"]), (1, ["b", "a"]), (.infinity, ["b", "a", "c"])] {
      let neighbors = try await collection.query([1, 0], maxDistance: bound)
      #expect(neighbors.map(\.record.id) == ids)
    }
    #expect(
      await kind { _ = try await collection.query([1, 0], maxDistance: .nan) }
        == .invalidArgument)
  }

  @Test("an update of a selection merges metadata into that of its records")
  func updateOfSelection() async throws {
    let collection = try await collection()
    #expect(
      try await collection.update(
        metadata: ["year": nil, "old": true], where: Key("year") < 2021) == 1)
    #expect(try await collection.get(ids: ["a"])[0].metadata == ["old": true])
    #expect(await kind { try await collection.update(metadata: ["old": true]) } == .invalidArgument)
  }

  @Test("filters are expressions")
  func filters() async throws {
    let collection = try await collection()
    func ids(_ filter: Where) async throws -> [String] {
      try await collection.get(where: filter).map(\.id)
    }
    #expect(try await ids(Key("year") > 2020) == ["b"])
    #expect(try await ids(Key("year") != 2020) == ["b", "c"])
    #expect(try await ids(Key("year") >= 2020 && Key("good") == true) == ["b"])
    #expect(try await ids(Key("year") < 2021 || Key("score") <= 0.5) == ["a", "b"])
    #expect(try await ids(Key("year").isIn([2019, 2020])) == ["a"])
    #expect(try await ids(Key("year").isNotIn([2020])) == ["b", "c"])
    #expect(try await ids(Key("tags").contains("pet")) == ["b"])
    #expect(try await ids(Key("tags").doesNotContain("pet")) == ["a", "c"])

    func documents(_ filter: WhereDocument) async throws -> [String] {
      try await collection.get(whereDocument: filter).map(\.id)
    }
    #expect(try await documents(.contains("cat")) == ["a"])
    #expect(try await documents(.contains("A") && .doesNotContain("cat")) == ["b"])
    #expect(try await documents(.matches("(gray|white) cat") || .matches("dog$")) == ["a", "b"])
    #expect(try await documents(.doesNotMatch("^A")) == ["c"])
    let neighbors = try await collection.query([0, 0], where: Key("year") > 2020)
    #expect(neighbors.map(\.record.id) == ["b"])
  }

  @Test("updates merge, upserts insert, deletes count")
  func changes() async throws {
    let collection = try await collection()
    try await collection.update([
      Record(id: "b", document: "A brown dog", metadata: ["year": .removed, "age": 3]),
      Record(id: "nobody", document: "x"),
    ])
    let changed = try #require(try await collection.get(ids: ["b"]).first)
    #expect(changed.document == "A brown dog")
    #expect(changed.metadata?["year"] == nil && changed.metadata?["age"] == 3)
    try await collection.upsert([Record(id: "d", embedding: [9, 9])])
    #expect(try await collection.count() == 4)
    #expect(try await collection.delete(where: Key("age") == 3) == 1)
    #expect(try await collection.delete(ids: ["a", "no such id"]) == 2)
    #expect(try await collection.get().map(\.id) == ["c", "d"])
  }

  @Test("a directory keeps what was written, for every client")
  func directory() async throws {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/animals"
    do {
      let client = try await Client(path: path)
      let collection = try await client.getOrCreateCollection(
        "animals", metadata: ["topic": "pets"])
      try await collection.add(Self.records)
    }
    let client = try await Client(path: path)
    #expect(try await client.collections().map(\.name) == ["animals"])
    let collection = try await client.collection("animals")
    #expect(collection.metadata == ["topic": "pets"])
    #expect(try await collection.count() == 3)
    try await client.deleteCollection("animals")
    await #expect(throws: ChromaError.self) { try await collection.count() }
  }

  @Test("mistakes are errors of their kind")
  func mistakes() async throws {
    let client = try await Client.inMemory()
    let collection = try await client.createCollection("mistakes")
    #expect(await kind { _ = try await client.createCollection("mistakes") } == .alreadyExists)
    #expect(await kind { _ = try await client.createCollection("x") } == .invalidArgument)
    #expect(await kind { _ = try await client.collection("nobody") } == .notFound)
    #expect(await kind { try await collection.add([Record(id: "a")]) } == .invalidArgument)
    #expect(
      await kind { try await collection.add([Record(id: "", embedding: [1])]) }
        == .invalidArgument)
    #expect(
      await kind {
        try await collection.add([
          Record(id: "a", embedding: [1]), Record(id: "b", embedding: [1, 2]),
        ])
      } == .invalidArgument)
    #expect(
      await kind { try await collection.add([Record(id: "a", embedding: [.nan])]) }
        == .invalidArgument)
    #expect(await kind { _ = try await collection.get(offset: -1) } == .invalidArgument)
    #expect(
      await kind { _ = try await collection.get(whereDocument: .matches("[")) }
        == .invalidArgument)
    #expect(try await collection.count() == 0)
    try await client.reset()
    #expect(await kind { _ = try await collection.count() } == .notFound)
  }

  @Test("a flush brings a collection to rest, and changes no answer")
  func maintenance() async throws {
    let directory = TemporaryDirectory()
    let client = try await Client(path: "\(directory.path)/db", memoryByteCountMax: 1)
    let collection = try await client.createCollection("animals")
    try await collection.add(Self.records)
    try await collection.update([Record(id: "c", document: "A fish")])
    let before = try await collection.get(include: [.documents, .embeddings])
    var statistics = try await collection.statistics()
    #expect(statistics.recordCount == 3 && statistics.position == 4 && statistics.version == 0)
    #expect(statistics.logRowCount == 2 && statistics.logRecordCount == 4)

    let told = Mutex<[[Int]]>([])
    try await client.flush { done, total in told.withLock { $0.append([done, total]) } }
    #expect(told.withLock { $0.first == [0, 1000] && $0.last == [1000, 1000] })
    statistics = try await collection.statistics()
    #expect(statistics.logRecordCount == 0 && statistics.segmentCount == 1)
    #expect(statistics.compactedByteCount >= statistics.segmentByteCount)

    try await collection.upsert([Record(id: "a", embedding: [0, 0], document: "A gray cat")])
    try await collection.flush()
    try await collection.compact()
    try await client.compact()
    #expect(try await collection.statistics().deadRowCount == 0)
    #expect(try await collection.get(include: [.documents, .embeddings]) == before)
    try await client.deleteCollection("animals")
    await #expect(throws: ChromaError.self) { try await collection.statistics() }
    await #expect(throws: ChromaError.self) { try await collection.flush() }
  }

  @Test("a read-only client reads, and refuses the rest")
  func readOnly() async throws {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/db"
    do {
      let client = try await Client(path: path)
      try await client.createCollection("animals").add(Self.records)
    }
    let client = try await Client(path: path, isReadOnly: true)
    let collection = try await client.collection("animals")
    #expect(try await collection.count() == 3)
    let calls: [() async throws -> Void] = [
      { try await collection.add(Self.records) }, { try await collection.flush() },
      { try await client.compact() }, { _ = try await client.createCollection("more") },
    ]
    for call in calls { #expect(await kind(call) == .permissionDenied) }
    #expect(await kind { _ = try await Client(path: path + "2", isReadOnly: true) } == .notFound)
    #expect(
      await kind { _ = try await Client(path: path, memoryByteCountMax: -1) } == .invalidArgument)
    #expect(
      await kind { _ = try await Client(path: path, indexingThreadCount: 0) } == .invalidArgument)
  }

  @Test("a backup comes back, and damage is found and mended")
  func recovery() async throws {
    let directory = TemporaryDirectory()
    let paths = ["db", "backup", "restored"].map { "\(directory.path)/\($0)" }
    do {
      let client = try await Client(path: paths[0])
      let collection = try await client.createCollection("animals")
      try await collection.add(Self.records)
      let told = Mutex<[Int64]>([])
      let copy = try await client.backup(to: paths[1]) { done, total in
        told.withLock { $0 = [done, total] }
      }
      #expect(copy.byteCount > 0 && copy.copiedByteCount == copy.byteCount)
      #expect(told.withLock { $0.first == $0.last && !$0.isEmpty })
      #expect(await kind { try await client.backup(to: paths[0]) } == .invalidArgument)
      #expect(await kind { try await Client.repair(path: paths[0]) } == .locked)
    }
    let copy = try await Client.restore(paths[1], to: paths[2])
    #expect(copy.copiedByteCount == copy.byteCount)
    #expect(await kind { try await Client.restore(paths[1], to: paths[2]) } == .alreadyExists)
    #expect(try await Client.verify(path: paths[2]).isEmpty)
    #expect(try await Client.repair(path: paths[2]).actions.isEmpty)

    let file = try #require(fopen("\(paths[2])/chroma.db", "r+b"))
    #expect(fseek(file, 3 * 4096 + 100, SEEK_SET) == 0)
    #expect(fputs("damage", file) >= 0)
    #expect(fclose(file) == 0)
    let findings = try await Client.verify(path: paths[2])
    #expect(findings.contains { $0.severity == .damage && $0.file == "chroma.db" })
    #expect(findings.allSatisfy { !$0.what.isEmpty })
    #expect(try await Client.repair(path: paths[2]).actions.isEmpty == false)
    #expect(try await Client.verify(path: paths[2]).allSatisfy { $0.severity == .waste })
    #expect(try await Client.repair(path: paths[2]).actions.isEmpty)
    _ = try await Client(path: paths[2]).collections()

    let absent = "\(directory.path)/absent"
    #expect(await kind { _ = try await Client.verify(path: absent) } == .notFound)
    #expect(await kind { try await Client.repair(path: absent) } == .notFound)
    #expect(await kind { _ = try await Client.verify(path: "") } == .invalidArgument)
    #expect(await kind { try await Client.inMemory().backup(to: absent) } == .invalidArgument)
    #expect(await kind { try await Client.restore(absent, to: paths[0]) } != nil)
  }

  @Test("a cancelled task's long calls end as cancelled")
  func cancelling() async throws {
    let client = try await Client.inMemory()
    let collection = try await client.createCollection("animals")
    try await collection.add(Self.records)
    let calls: [@Sendable () async throws -> Void] = [
      { _ = try await collection.query([0, 0]) }, { try await client.flush() },
      { try await client.compact() }, { try await collection.flush() },
      { try await collection.compact() },
    ]
    for call in calls {
      let task = Task { () -> ChromaError.Kind? in
        withUnsafeCurrentTask { $0?.cancel() }
        return await kind(call)
      }
      #expect(await task.value == .cancelled)
    }
    #expect(try await collection.count() == 3)
  }
}
