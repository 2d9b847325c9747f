import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

@testable import ChromaEngine

/// Threads and processes that meet in one directory. Two engines on the same files stand for two
/// processes.
@Suite struct EngineConcurrencyTests {
  private let files = MemoryFileSystem()

  private func open(
    _ wrap: (any Catalog) -> any Catalog = { $0 }
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true),
      wrapCatalog: wrap)
  }

  private static func create(_ name: Text, in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: nil, metadata: nil, getOrCreate: true)
    ).id
  }

  private static func batch(
    _ operation: Operation, _ ids: [Text], dimension: Int = 3, length: Int = 1
  ) -> RecordBatch {
    RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(
        dimension: dimension, values: Array(repeating: 1, count: ids.count * dimension)),
      documents: ids.map { Text("\($0) " + String(repeating: "x", count: length)) }, uris: nil,
      metadatas: ids.map { MetadataChange([.init("id", .string($0))]) })
  }

  // MARK: The first write, between a look at the catalog and the read of the records

  private func whileTheFirstWriteComesIn(
    _ body: (Engine, UUID) throws -> Void
  ) throws {
    var interrupted: InterruptedCatalog?
    let engine = try open { base in
      let catalog = InterruptedCatalog(base)
      interrupted = catalog
      return catalog
    }
    let id = try Self.create("first-write", in: engine)
    // Known, so that the write goes into the records that the read is about to look at.
    #expect(try engine.count(in: id) == 0)
    try #require(interrupted).onceAfterChanges { [weak engine] in
      try? engine?.write(Self.batch(.add, ["a"]), to: id)
    }
    try body(engine, id)
  }

  @Test func aGetDuringTheFirstWriteHasVectorsOfTheirDimension() throws {
    try whileTheFirstWriteComesIn { engine, id in
      let got = try engine.get(
        .everything, from: id, limit: nil, offset: 0, include: [.embeddings])
      #expect(got.ids == ["a"])
      #expect(got.dimension == 3)
      #expect(got.embeddings == [1, 1, 1])
    }
  }

  @Test func aQueryOfAnotherDimensionDuringTheFirstWriteIsRefused() throws {
    try whileTheFirstWriteComesIn { engine, id in
      let error = #expect(throws: ChromaError.self) {
        try engine.query(
          VectorColumn(dimension: 2, values: [1, 1]), .everything, in: id, resultCount: 1,
          include: [])
      }
      #expect(error?.message == "Collection expecting embedding with dimension of 3, got 2")
    }
  }

  // MARK: Writes during a read

  @Test func aReadIsNeitherWaitedForNorDisturbed() throws {
    let engine = try open()
    let id = try Self.create("read", in: engine)
    try engine.write(Self.batch(.add, ["a", "b", "c"]), to: id)
    try engine.known.state(of: id).read { (view) throws(ChromaError) in
      let table = view.table
      for round in 0..<20 {
        let ids: [Text] = ["a", Text("new-\(round)")]
        try engine.write(Self.vectors(ids, Float(round + 2)), to: id)
        try engine.write(RecordBatch(operation: .delete, ids: ["b"]), to: id)
        let count = try engine.count(in: id)
        #expect(count == 3 + round)
      }
      #expect(table.liveCount == 3)
      let slots = try Selector(.everything, in: table, cancel: nil)
        .slotsInOrder(offset: 0, limit: nil)
      for (slot, expected) in zip(slots, ["a", "b", "c"] as [Text]) {
        let (id, document) = (try table.id(slot), try table.document(slot))
        #expect(id == expected)
        #expect(document == Text("\(expected) x"))
        #expect(table.vectors.map { $0.withRow(slot) { Array($0) } } == [1, 1, 1])
      }
    }
    let after = try engine.get(
      Selection(ids: ["a"]), from: id, limit: nil, offset: 0, include: [.embeddings])
    #expect(after.embeddings == [21, 21, 21])
  }

  private static func vectors(_ ids: [Text], _ value: Float) -> RecordBatch {
    RecordBatch(
      operation: .upsert, ids: ids,
      embeddings: VectorColumn(
        dimension: 3, values: Array(repeating: value, count: ids.count * 3)))
  }

  // MARK: Other processes

  @Test func collectionsThatAnotherProcessDeletedAreForgotten() throws {
    let reader = try open()
    let writer = try open()
    var forgotten: [() -> CollectionState?] = []
    for number in 0..<4 {
      let id = try Self.create("nightly", in: writer)
      try writer.write(Self.batch(.add, [Text("\(number)")]), to: id)
      #expect(try reader.count(in: id) == 1)
      weak let state = reader.knownState(of: id)
      forgotten.append { state }
      try writer.deleteCollection(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "nightly")
    }
    #expect(forgotten.filter { $0() != nil }.count == 1)
  }

  @Test func whoGetsOrCreatesACollectionThatIsThereWaitsForNoWriter() throws {
    let engine = try open()
    let id = try Self.create("there", in: engine)
    let writer = try WriteTurn(fileSystem: files, directory: "/db", clock: SystemClock())
    try writer.acquire(timeoutMilliseconds: 0)
    #expect(try Self.create("there", in: engine) == id)
    writer.release()
  }

  // MARK: Everything at once

  @Test func threadsOfTwoEnginesSeeEveryWriteOfTheirOwnAndHarmNoneOfTheOthers() throws {
    let engines = [try open(), try open()]
    let shared = try Self.create("shared", in: engines[0])
    let errors = Mutex<[ChromaError]>([])
    let roundCount = 12
    onThreads(6) { thread in
      let engine = engines[thread % 2]
      do throws(ChromaError) {
        for round in 0..<roundCount {
          let ids = (0..<4).map { Text("\(thread)-\(round)-\($0)") }
          // Every third batch is large enough for a blob.
          let length = round % 3 == 0 ? 20_000 : 1
          try engine.write(Self.batch(.add, ids, length: length), to: shared)
          let own = try engine.get(
            Selection(ids: ids), from: shared, limit: nil, offset: 0, include: [.documents])
          #expect(own.ids == ids)
          let filter = Text(#"{"id":"\#(ids[0])"}"#)
          let deleted = try engine.delete(Selection(whereJSON: filter), from: shared, limit: nil)
          #expect(deleted == 1)
          let found = try engine.query(
            VectorColumn(dimension: 3, values: [1, 1, 1]), Selection(ids: ids), in: shared,
            resultCount: 10, include: [.distances])
          #expect(found.records.ids == Array(ids[1...]))
          let name = Text("own-\(thread)-\(round)")
          let id = try Self.create(name, in: engine)
          try engine.write(Self.batch(.upsert, ids, dimension: 5, length: length), to: id)
          try engine.modifyCollection(
            id: id, name: Text("\(name)-renamed"), metadata: nil, configuration: nil)
          #expect(try engines[(thread + 1) % 2].count(in: id) == 4)
          try engine.deleteCollection(
            tenant: CatalogDefaults.tenant, database: CatalogDefaults.database,
            name: Text("\(name)-renamed"))
        }
      } catch {
        errors.withLock { $0.append(error) }
      }
    }
    #expect(errors.withLock { $0.map(\.message) } == [])
    for engine in engines { #expect(try engine.count(in: shared) == 6 * roundCount * 3) }
  }
}
