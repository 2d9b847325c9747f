import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

@testable import ChromaEngine

/// What happens while a generation is made, by the same process or another one, is neither lost nor
/// answered wrongly. Method: calls between the lease and the publication, where only a race would put
/// them.
@Suite struct IndexRaceTests {
  private static let dimension = 4
  private let setting = IndexSetting()

  private static func vector(_ number: Int) -> [Float] {
    var random = SeededRandom(UInt64(number) &+ 5)
    return (0..<dimension).map { _ in Float(random.int(in: -1000...1000)) / 100 }
  }

  private static func batch(_ operation: Operation, _ numbers: Range<Int>) -> RecordBatch {
    let ids = numbers.map { Text("id-\($0)") }
    if operation == .delete { return RecordBatch(operation: .delete, ids: ids) }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(dimension: dimension, values: numbers.flatMap(vector)))
  }

  private func expectExact(_ engine: Engine, _ id: UUID, _ place: Comment) throws {
    let queries = (500..<510).flatMap(Self.vector)
    let found = try IndexSetting.query(engine, id, queries, dimension: Self.dimension)
    let exact = try IndexSetting.query(
      engine, id, queries, dimension: Self.dimension, isExact: true)
    #expect(found.isSame(as: exact), place)
  }

  /// Makes one publication, and calls the body before it is published.
  private func advance(_ engine: Engine, _ id: UUID, whileItRuns body: () throws -> Void) throws
    -> Bool
  {
    var callCount = 0
    var failure: (any Error)?
    let effort = IndexEffort(recordCountMax: 1000, nanosecondsMax: .max)
    let isPublished = try engine.maintenance.indexer.advance(
      try engine.known.state(of: id), effort, cancel: nil
    ) { (work) throws(ChromaError) in
      callCount += 1
      if callCount == 2 {
        do { try body() } catch { failure = error }
      }
      return try engine.exclusively(work)
    }
    if let failure { throw failure }
    #expect(callCount >= 2)
    return isPublished
  }

  private func filled(_ limits: IndexLimits = .tiny) throws -> (engine: Engine, id: UUID) {
    var limits = limits
    limits.unindexedCountMax = .max
    let engine = try setting.open(limits: limits)
    let id = try IndexSetting.create(in: engine)
    try engine.write(Self.batch(.add, 0..<100), to: id)
    let state = try engine.known.state(of: id)
    try engine.exclusively { [engine] () throws(ChromaError) in
      _ = try engine.maintenance.compactor.step(state)
    }
    return (engine, id)
  }

  @Test func whatIsWrittenWhileAGenerationIsMadeIsNotCoveredByIt() throws {
    let (engine, id) = try filled()
    let isPublished = try advance(engine, id) {
      try engine.write(Self.batch(.delete, 0..<30), to: id)
      // In the slots of those that were deleted, and with vectors set again.
      try engine.write(Self.batch(.add, 200..<230), to: id)
      let moved = RecordBatch(
        operation: .update, ids: (40..<50).map { Text("id-\($0)") },
        embeddings: VectorColumn(
          dimension: Self.dimension, values: (300..<310).flatMap(Self.vector)))
      try engine.write(moved, to: id)
      // They stand in segments of a newer version by the time of the publication.
      let other = try setting.open()
      try other.exclusively { [other] () throws(ChromaError) in
        _ = try other.maintenance.compactor.step(try other.known.state(of: id))
      }
    }
    #expect(isPublished)
    for reader in [engine, try setting.open()] {
      let explanation = try IndexSetting.explain(reader, id, dimension: Self.dimension)
      #expect(explanation.indexedPosition == 100 && explanation.generation > 0)
      #expect(explanation.unindexedCount == 40)
      try expectExact(reader, id, "after the publication")
    }
    try engine.tidy(id)
    #expect(
      try IndexSetting.explain(engine, id, dimension: Self.dimension).unindexedCount == 0)
    try expectExact(engine, id, "caught up")
  }

  @Test func ofTwoGenerationsMadeFromOneTheFirstIsPublished() throws {
    let (engine, id) = try filled()
    // For which the lease has ended.
    let clock = SimulatedClock()
    clock.sleep(nanoseconds: 1 << 62)
    let other = try setting.open(clock: clock)
    var generation: Int64 = 0
    let isPublished = try advance(engine, id) {
      try other.flush(id)
      generation = try IndexSetting.explain(other, id, dimension: Self.dimension).generation
    }
    #expect(!isPublished)
    #expect(generation > 0)
    for reader in [engine, other] {
      let explanation = try IndexSetting.explain(reader, id, dimension: Self.dimension)
      #expect(explanation.generation == generation)
      try expectExact(reader, id, "superseded")
    }
    let referenced = Set(try engine.catalog.referencedBlobs().map(\.string))
    #expect(try Set(setting.files.list("/db/blobs")) == referenced)
  }

  @Test func aCollectionThatIsDeletedMeanwhileLeavesNothing() throws {
    let (engine, id) = try filled()
    let error = #expect(throws: ChromaError.self) {
      _ = try advance(engine, id) {
        try engine.deleteCollection(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "things")
      }
    }
    #expect(error?.kind == .notFound)
    #expect(try setting.files.list("/db/blobs").isEmpty)
  }

  @Test func aReaderOfAGenerationThatWasReplacedGoesOn() throws {
    let (engine, id) = try filled()
    try engine.flush(id)
    let reader = try setting.open()
    try reader.known.state(of: id).read { (view) throws(ChromaError) in
      let index = view.index
      // Not opened before its blobs are gone.
      try engine.write(Self.batch(.delete, 0..<50), to: id)
      try engine.flush(id)
      if let index, case .gone = try reader.known.state(of: id).open(index) { return }
      Issue.record("the blobs of a retired generation are still there")
    }
    try expectExact(reader, id, "of the next generation")
  }

  @Test func anEngineThatClosesIndexesWhatIsOverdue() throws {
    var limits = IndexLimits.tiny
    limits.publishRecordCount = 1000
    var engine: Engine? = try setting.open(compactsInBackground: true, limits: limits)
    let id = try #require(try engine.map { try IndexSetting.create(in: $0) })
    try engine?.write(Self.batch(.add, 0..<100), to: id)
    // The step is taken with the second one, which is when so much is seen to wait.
    try engine?.write(Self.batch(.add, 100..<200), to: id)
    _ = try engine?.count(in: id)
    try engine?.write(Self.batch(.add, 200..<201), to: id)
    engine = nil
    let explanation = try IndexSetting.explain(
      try setting.open(), id, dimension: Self.dimension)
    #expect(explanation.generation > 0)
  }

  @Test(.timeLimit(.minutes(2)))
  func aDatabaseInMemoryGetsAnIndexFromItsThread() throws {
    let handle = try EngineHandle(EngineOptions(path: nil))
    let engine = try handle.current()
    let id = try IndexSetting.create(in: engine)
    let count = Limits.indexRecordCountMin + Limits.unindexedCountMax
    for start in stride(from: 0, to: 2 * count, by: 4096) {
      try engine.write(Self.batch(.add, start..<start + 4096), to: id)
    }
    while try IndexSetting.explain(engine, id, dimension: Self.dimension).generation == 0 {
      sched_yield()
    }
    handle.close()
  }
}
