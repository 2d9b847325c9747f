import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

@testable import ChromaEngine

/// Everything that an engine does at once, from threads of two engines with their background threads,
/// which compact and index: each thread keeps a model of the records that only it writes, and compares every answer.
@Suite struct CompactionHammerTests {
  private let files = MemoryFileSystem()
  private static let threadCount = 6

  private func open(memoryByteCountMax: Int?) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactsInBackground: true, memoryByteCountMax: memoryByteCountMax,
        compactionLimits: .tiny, indexLimits: .tiny))
  }

  private static func create(_ name: Text, in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: #"{"hnsw":{"ef_search":1000}}"#, metadata: nil, getOrCreate: true)
    ).id
  }

  /// One thread's records, by id, with the number that they were last written with.
  private struct Player {
    let engine: Engine
    let collection: UUID
    let thread: Int
    var random: SeededRandom
    var model: [Text: Int] = [:]

    mutating func step(_ number: Int) throws {
      let ids = (0..<random.int(in: 1...12)).map { _ in Text("\(thread)-\(random.int(in: 0...39))")
      }
      let unique = Array(Set(ids))
      switch random.int(in: 0...15) {
      case 0..<7:
        try engine.write(
          RecordBatch(
            operation: .upsert, ids: unique,
            embeddings: VectorColumn(
              dimension: 3, values: unique.flatMap { _ in [Float(number), Float(thread), 1] }),
            documents: unique.map { Text("\($0) \(number)") },
            metadatas: unique.map { _ in MetadataChange([.init("n", .int(Int64(number)))]) }),
          to: collection)
        for id in unique { model[id] = number }
      case 7..<9:
        try engine.write(RecordBatch(operation: .delete, ids: unique), to: collection)
        for id in unique { model[id] = nil }
      case 9: try maintain { try engine.flush(collection) }
      case 10: try maintain { try engine.compact() }
      case 11: try maintain { try engine.tidy(collection) }
      case 12: try dropAndCreate(number)
      default: break
      }
      try check(unique)
    }

    /// Others may compact at the same time, for longer than a caller wants to wait.
    private func maintain(_ work: () throws -> Void) throws {
      do { try work() } catch let error as ChromaError where error.kind == .locked {}
    }

    private func dropAndCreate(_ number: Int) throws {
      let name = Text("own-\(thread)")
      let own = try CompactionHammerTests.create(name, in: engine)
      for round in 0..<6 {
        try engine.write(
          RecordBatch(
            operation: .add, ids: (0..<10).map { Text("\(round)-\($0)") },
            embeddings: VectorColumn(dimension: 2, values: (0..<20).map(Float.init))), to: own)
      }
      #expect(try engine.count(in: own) == 60)
      try engine.deleteCollection(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name)
    }

    private func check(_ ids: [Text]) throws {
      let found = try engine.get(
        Selection(ids: ids), from: collection, limit: nil, offset: 0,
        include: [.documents, .metadatas, .embeddings])
      #expect(Set(found.ids) == Set(ids.filter { model[$0] != nil }))
      for (row, id) in found.ids.enumerated() {
        let number = model[id] ?? -1
        #expect(found.documents?[row] == Text("\(id) \(number)"))
        #expect(found.embeddings?[3 * row] == Float(number))
        #expect(found.metadatas?[row]?["n"] == .int(Int64(number)))
      }
      let near = try engine.query(
        VectorColumn(dimension: 3, values: [1, Float(thread), 1]), Selection(ids: ids),
        in: collection, resultCount: 50, include: [.distances])
      #expect(Set(near.records.ids) == Set(found.ids))
      if let id = found.ids.first, let number = model[id] { try checkNearest(number) }
    }

    /// What this thread wrote last under one number is nearest to it, through the index or not.
    private func checkNearest(_ number: Int) throws {
      let expected = Set(model.filter { $0.value == number }.keys)
      let nearest = try engine.query(
        VectorColumn(dimension: 3, values: [Float(number), Float(thread), 1]), .everything,
        in: collection, resultCount: expected.count, include: [.distances])
      #expect(Set(nearest.records.ids) == expected)
      #expect(nearest.distances == expected.map { _ in 0 })
    }
  }

  @Test func everyThreadSeesItsOwnRecordsWhateverAllDo() throws {
    let seed = SystemRandomSource().next()
    let engines = [try open(memoryByteCountMax: nil), try open(memoryByteCountMax: 32 * 1024)]
    let shared = try Self.create("shared", in: engines[0])
    let models = Mutex<[Text: Int]>([:])
    let failures = Mutex<[String]>([])
    onThreads(Self.threadCount) { thread in
      var player = Player(
        engine: engines[thread % 2], collection: shared, thread: thread,
        random: SeededRandom(seed &+ UInt64(thread)))
      do {
        for number in 0..<150 { try player.step(number) }
      } catch {
        failures.withLock { $0.append("thread \(thread): \(error)") }
      }
      let model = player.model
      models.withLock { $0.merge(model) { $1 } }
    }
    #expect(failures.withLock { $0 } == [], "seed \(seed)")
    for engine in engines {
      let all = try engine.get(.everything, from: shared, limit: nil, offset: 0, include: [])
      #expect(Set(all.ids) == Set(models.withLock { $0.keys }), "seed \(seed)")
    }
  }
}
