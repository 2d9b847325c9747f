import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

/// What an insertion met is what it says, whoever writes at the same time; that the records come to
/// what they should is held against the model in `EngineModelTests`.
@Suite struct InsertionTests {
  private let files = MemoryFileSystem()

  private func open() throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactionLimits: .tiny))
  }

  private func collection(in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "inserted",
        configuration: nil, metadata: nil, getOrCreate: false)
    ).id
  }

  private func batch(_ ids: [String], _ value: Float = 1) -> RecordBatch {
    RecordBatch(
      operation: .add, ids: ids.map { Text($0) },
      embeddings: VectorColumn(
        dimension: 2, values: Array(repeating: value, count: 2 * ids.count)))
  }

  @Test("of threads that insert the same ids, one has inserted each", arguments: [true, false])
  func races(isError: Bool) throws {
    let engines = [try open(), try open()]
    let id = try collection(in: engines[0])
    let addedCounts = Mutex<[Int]>([])
    onThreads(4) { thread in
      for round in 0..<15 {
        let ids = isError ? ["\(round)"] : (0..<4).map { "\(round + $0)" }
        do throws(ChromaError) {
          let counts = try engines[thread % 2].insert(
            batch(ids), onConflict: isError ? .error : .ignore, to: id)
          addedCounts.withLock { $0.append(counts.addedCount) }
          #expect(counts.addedCount + counts.existingCount == ids.count)
        } catch {
          #expect(isError)
          #expect(error.kind == .alreadyExists, "\(error.message)")
        }
      }
    }
    let total = addedCounts.withLock { $0.reduce(0, +) }
    #expect(total == (isError ? 15 : 18))
    #expect(try engines[0].count(in: id) == total)
  }

  @Test("an insertion that must meet nothing names what it met, and stores nothing")
  func refusal() throws {
    let engine = try open()
    let id = try collection(in: engine)
    try engine.write(batch((0..<7).map { "id \($0)" }), to: id)
    let error = #expect(throws: ChromaError.self) {
      try engine.insert(
        batch(["new"] + (0..<7).map { "id \($0)" }), onConflict: .error, to: id)
    }
    #expect(error?.kind == .alreadyExists)
    #expect(
      error?.message.hasPrefix(
        #"7 of the 8 ids exist already: "id 0", "id 1", "id 2", "id 3", "id 4", …. "#) == true)
    #expect(try engine.count(in: id) == 7)
    let twice = #expect(throws: ChromaError.self) {
      try engine.insert(batch(["new", "new"]), onConflict: .error, to: id)
    }
    #expect(twice?.message.hasPrefix(#"1 of the 2 ids exist already: "new". "#) == true)
    #expect(try engine.count(in: id) == 7)
  }

  @Test("an insertion is checked even if nothing is left of it")
  func checksOfNothing() throws {
    let engine = try open()
    let id = try collection(in: engine)
    try engine.write(batch(["a"]), to: id)
    let wrong = RecordBatch(
      operation: .add, ids: ["a"], embeddings: VectorColumn(dimension: 3, values: [1, 2, 3]))
    let dimension = #expect(throws: ChromaError.self) {
      try engine.insert(wrong, onConflict: .ignore, to: id)
    }
    #expect(
      dimension?.message == "Collection expecting embedding with dimension of 2, got 3")
    let vectorless = #expect(throws: ChromaError.self) {
      try engine.insert(
        RecordBatch(operation: .upsert, ids: ["a"]), onConflict: .replace, to: id)
    }
    #expect(vectorless?.kind == .invalidArgument)
    try engine.deleteCollection(
      tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "inserted")
    let gone = #expect(throws: ChromaError.self) {
      try engine.insert(batch([]), onConflict: .ignore, to: id)
    }
    #expect(gone?.kind == .notFound)
  }

  @Test("who reads while records are replaced sees each of them whole")
  func replacementIsAtomic() throws {
    let engines = [try open(), try open()]
    let id = try collection(in: engines[0])
    let ids = (0..<20).map { "\($0)" }
    try engines[0].write(batch(ids, 0), to: id)
    onThreads(3) { thread in
      for round in 1...10 {
        do throws(ChromaError) {
          if thread == 0 {
            let counts = try engines[0].insert(
              batch(ids, Float(round)), onConflict: .replace, to: id)
            #expect(counts.existingCount == ids.count)
          } else {
            let seen = try engines[thread % 2].get(
              .everything, from: id, limit: nil, offset: 0, include: [.embeddings])
            #expect(seen.ids == ids.map { Text($0) })
            #expect(Set(seen.embeddings ?? []).count == 1)
          }
        } catch {
          Issue.record("\(error.message)")
        }
      }
    }
  }

  @Test("a bound that is no number is refused, and one that is infinite bounds nothing")
  func bounds() throws {
    let engine = try open()
    let id = try collection(in: engine)
    try engine.write(batch(["a", "b"]), to: id)
    let query = VectorColumn(dimension: 2, values: [9, 9])
    for (bound, count) in [(Double.infinity, 2), (-.infinity, 0), (127.9, 0), (128, 2)] {
      let answer = try engine.query(
        query, .everything, in: id, resultCount: 5, maxDistance: bound, include: [])
      #expect(answer.records.ids.count == count, "\(bound)")
      #expect(answer.rowOffsets == [0, count], "\(bound)")
    }
    let error = #expect(throws: ChromaError.self) {
      try engine.query(
        query, .everything, in: id, resultCount: 5, maxDistance: .nan, include: [])
    }
    #expect(error?.kind == .invalidArgument)
  }
}
