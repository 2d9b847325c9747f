import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

extension CompactionLimits {
  /// Little data makes many segments, most of them blobs.
  static var tiny: CompactionLimits {
    var limits = CompactionLimits()
    limits.inlineSegmentByteCountMax = 1024
    limits.logRowCountMax = 4
    limits.logByteCountMin = 2048
    limits.wastedByteCountMin = 512
    limits.tailRecordCountMax = 40
    limits.tailByteCountMax = 16 * 1024
    limits.mergedSegmentByteCountMax = 64 * 1024
    return limits
  }
}

/// Compaction changes where records stand and nothing that a reader sees; afterwards the directory
/// holds little beside them. Method: engines on one directory in memory, with small limits.
@Suite struct CompactionTests {
  private let files = MemoryFileSystem()

  private func open() throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
        isShared: true, compactionLimits: .tiny))
  }

  private func create(in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "things",
        configuration: nil, metadata: nil, getOrCreate: true)
    ).id
  }

  private func batch(
    _ operation: Operation, _ numbers: some Sequence<Int>, document: String = "text"
  ) -> RecordBatch {
    let ids = numbers.map { Text("id-\($0)") }
    if operation == .delete { return RecordBatch(operation: .delete, ids: ids) }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(dimension: 2, values: numbers.flatMap { [Float($0), 1] }),
      documents: ids.map { Text("\(document) of \($0)") })
  }

  private func ids(_ engine: Engine, _ id: UUID) throws -> [String] {
    try engine.get(.everything, from: id, limit: nil, offset: 0, include: []).ids.map(\.string)
  }

  private func expectNoWaste(_ engine: Engine) throws {
    let referenced = Set(try engine.catalog.referencedBlobs().map(\.string))
    let there = try files.attributes("/db/blobs") == nil ? [] : files.list("/db/blobs")
    #expect(Set(there) == referenced)
  }

  @Test func writersKeepTheirLogShort() throws {
    let engine = try open()
    let id = try create(in: engine)
    for number in 0..<200 {
      try engine.write(batch(.upsert, [number % 10]), to: id)
      let found = try engine.statistics(of: id)
      #expect(found.logRowCount <= CompactionLimits.tiny.logRowCountMax)
    }
    #expect(try ids(engine, id) == (0..<10).map { "id-\($0)" })
    // One small segment, in the catalog.
    #expect(try engine.statistics(of: id).segmentCount == 1)
    try expectNoWaste(engine)
  }

  @Test func manySegmentsBecomeFew() throws {
    let engine = try open()
    let id = try create(in: engine)
    for start in stride(from: 0, to: 2000, by: 10) {
      try engine.write(batch(.add, start..<start + 10), to: id)
      if start % 500 == 0 { try engine.tidy(id) }
    }
    let before = try engine.statistics(of: id)
    #expect(before.segmentCount > 1 && before.segmentCount < 30)
    #expect(before.compactedByteCount < 8 * before.segmentByteCount)
    try engine.compact(id)
    #expect(try engine.statistics(of: id).segmentCount <= 3)
    #expect(try ids(try open(), id) == (0..<2000).map { "id-\($0)" })
    try expectNoWaste(engine)
  }

  @Test func aShortLogThatEmptiesSegmentsIsCompactedOnceItIsIdle() throws {
    let engine = try open()
    let id = try create(in: engine)
    let document = String(repeating: "a document ", count: 40)
    try engine.write(batch(.add, 0..<100, document: document), to: id)
    try engine.flush(id)
    let before = try engine.statistics(of: id)
    try engine.write(batch(.delete, 0..<50), to: id)
    let deleted = try engine.statistics(of: id)
    #expect(deleted.logByteCount < CompactionLimits.tiny.logByteCountMin)
    try engine.tidy(id)
    let after = try engine.statistics(of: id)
    #expect(after.segmentByteCount < before.segmentByteCount * 3 / 4)
    #expect(after.deadRowCount == 0)
    try engine.write(batch(.delete, 50..<100), to: id)
    try engine.tidy(id)
    #expect(try engine.statistics(of: id).segmentByteCount == 0)
    try expectNoWaste(engine)
  }

  @Test func aRecordThatIsReplacedOverAndOverIsKeptOnceWhenIdle() throws {
    let engine = try open()
    let id = try create(in: engine)
    let document = String(repeating: "a document ", count: 40)
    for _ in 0..<3 { try engine.write(batch(.upsert, [1], document: document), to: id) }
    #expect(
      try engine.statistics(of: id).logByteCount < CompactionLimits.tiny.logByteCountMin)
    try engine.tidy(id)
    #expect(try engine.statistics(of: id).logByteCount == 0)
  }

  @Test func aFlushLeavesNothingOfWhatWasDeleted() throws {
    let engine = try open()
    let id = try create(in: engine)
    let other = try create(in: engine)
    let marker = "a-marker-that-must-go"
    for start in stride(from: 0, to: 200, by: 20) {
      try engine.write(batch(.add, start..<start + 20, document: "kept"), to: id)
    }
    try engine.write(
      RecordBatch(
        operation: .add, ids: [Text(marker)],
        embeddings: VectorColumn(dimension: 2, values: [1.25, 77.5])), to: id)
    try engine.flush()
    #expect(try contains(Array(marker.utf8)))
    try engine.write(RecordBatch(operation: .delete, ids: [Text(marker)]), to: id)
    try engine.flush()
    #expect(try !contains(Array(marker.utf8)))
    #expect(try engine.count(in: id) == 200)
    #expect(try engine.count(in: other) == 200)
    try expectNoWaste(engine)
  }

  private func contains(_ marker: [UInt8]) throws -> Bool {
    var paths = try files.list("/db").map { "/db/\($0)" }
    if try files.attributes("/db/blobs") != nil {
      paths += try files.list("/db/blobs").map { "/db/blobs/\($0)" }
    }
    for path in paths where try files.attributes(path)?.kind == .file {
      let bytes = try files.open(path, .readOnly).read(at: 0, byteCountMax: 1 << 24)
      for start in bytes.indices where bytes[start...].starts(with: marker) { return true }
    }
    return false
  }

  @Test func aProcessThatEndsGivesBackWhatItDeleted() throws {
    let environment = EngineEnvironment(
      fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
      isShared: true, compactsInBackground: true, compactionLimits: .tiny)
    var engine: Engine? = try Engine(environment)
    let id = try #require(try engine.map { try create(in: $0) })
    try engine?.write(batch(.add, 0..<1000), to: id)
    try engine?.flush(id)
    try engine?.write(batch(.delete, 0..<1000), to: id)
    engine = nil
    #expect(try open().statistics(of: id).segmentCount == 0)
    #expect(try files.list("/db/blobs").isEmpty)
  }

  @Test func aReaderOfARetiredVersionGoesOn() throws {
    let writer = try open()
    let reader = try open()
    let id = try create(in: writer)
    for round in 0..<20 {
      try writer.write(batch(.upsert, round * 20..<round * 20 + 40), to: id)
      let expected = try ids(writer, id)
      try writer.compact(id)
      #expect(try ids(reader, id) == expected)
    }
  }

  // MARK: What happens while segments are merged

  /// Merges all segments of a collection, and calls the body before the result is published.
  private func merge(_ engine: Engine, _ id: UUID, whileItRuns body: () throws -> Void) throws
    -> Bool
  {
    var callCount = 0
    var failure: (any Error)?
    let isPublished = try engine.maintenance.compactor.merge(
      try engine.known.state(of: id), cancel: nil, choose: { Array($0.parts.indices) },
      exclusively: { (work) throws(ChromaError) in
        callCount += 1
        if callCount == 2 {
          do { try body() } catch { failure = error }
        }
        return try engine.exclusively(work)
      })
    if let failure { throw failure }
    return isPublished
  }

  @Test func whatDiesDuringAMergeStaysDead() throws {
    let engine = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let isPublished = try merge(engine, id) {
      try engine.write(batch(.delete, 10..<20), to: id)
      try engine.write(batch(.update, 30..<40, document: "new"), to: id)
      // Brings the deletions into a version, and leaves something in the log.
      for _ in 0..<5 { try engine.write(batch(.delete, [50]), to: id) }
      try engine.write(batch(.add, [200]), to: id)
    }
    #expect(isPublished)
    for reader in [engine, try open()] {
      let found = try reader.get(
        .everything, from: id, limit: nil, offset: 0, include: [.documents])
      let expected = (0..<100).filter { !(10..<20).contains($0) && $0 != 50 } + [200]
      #expect(found.ids.map(\.string) == expected.map { "id-\($0)" })
      for (id, document) in zip(expected, found.documents ?? []) {
        let word = (30..<40).contains(id) ? "new" : "text"
        #expect(document == Text("\(word) of id-\(id)"))
      }
    }
    try expectNoWaste(engine)
  }

  @Test func aMergeThatWasOvertakenIsThrownAway() throws {
    let engine = try open()
    let other = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let isPublished = try merge(engine, id) {
      // All that the merge takes in is dead, and so goes with the next step.
      try other.write(batch(.delete, 0..<100), to: id)
      for number in 0..<5 { try other.write(batch(.add, [number]), to: id) }
    }
    #expect(!isPublished)
    #expect(try ids(engine, id) == (0..<5).map { "id-\($0)" })
    try expectNoWaste(engine)
  }

  @Test func twoDoNotMergeTheSameCollection() throws {
    let engine = try open()
    let other = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let isPublished = try merge(engine, id) {
      let error = #expect(throws: ChromaError.self) { try merge(other, id) {} }
      #expect(error?.kind == .locked)
    }
    #expect(isPublished)
  }

  @Test func aBlobThatIsBeingMergedIsNotSweptAway() throws {
    let engine = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let isPublished = try merge(engine, id) {
      // A process that begins to write sweeps first.
      try open().write(batch(.add, [100]), to: id)
    }
    #expect(isPublished)
    #expect(try ids(open(), id) == (0...100).map { "id-\($0)" })
  }

  @Test func whoseCollectionIsDroppedDuringAMergeLeavesNothing() throws {
    let engine = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let error = #expect(throws: ChromaError.self) {
      try merge(engine, id) {
        try open().deleteCollection(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "things")
      }
    }
    #expect(error?.kind == .notFound)
    try expectNoWaste(engine)
  }

  @Test func aMergeThatGetsNoTurnToPublishLeavesNothing() throws {
    let engine = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<100), to: id)
    try engine.flush(id)
    let there = try files.list("/db/blobs")
    let cancel = CancelToken()
    var callCount = 0
    let error = #expect(throws: ChromaError.self) {
      try engine.maintenance.compactor.merge(
        try engine.known.state(of: id), cancel: cancel, choose: { Array($0.parts.indices) },
        exclusively: { (work) throws(ChromaError) in
          callCount += 1
          if callCount == 2 {
            cancel.request()
            throw ChromaError(.locked, "Somebody else writes.")
          }
          return try engine.exclusively(work)
        })
    }
    #expect(error?.kind == .locked)
    #expect(try files.list("/db/blobs") == there)
    // Nobody has to wait for a lease that does nothing.
    #expect(try merge(engine, id) {})
  }

  @Test func whatAMergeLeftThatWasKilledIsSweptWhenItsLeaseHasEnded() throws {
    let engine = try open()
    let id = try create(in: engine)
    let lease = Lease(
      id: UUID(random: SystemRandomSource()), collection: id, kind: .compaction,
      blobName: "left.segment", holder: "killed",
      deadline: SystemClock().wallNanoseconds() + 3_600_000_000_000)
    #expect(try engine.catalog.acquireLease(lease))
    try engine.blobs.put([1, 2, 3], name: "left.segment")
    let next = try open()
    try next.write(batch(.add, [1]), to: id)
    #expect(try files.list("/db/blobs") == ["left.segment"])
    #expect(try engine.catalog.renewLease(id: lease.id, deadline: 1))
    try next.write(batch(.add, [2]), to: id)
    #expect(try files.list("/db/blobs") == [])
  }

  @Test func aFlushWaitsForWhoeverMerges() throws {
    let engine = try open()
    let other = try open()
    let id = try create(in: engine)
    try engine.write(batch(.add, 0..<101), to: id)
    try engine.flush(id)
    try other.write(batch(.delete, 100..<101), to: id)
    // What a process leaves that is killed while it merges.
    let lease = Lease(
      id: UUID(random: SystemRandomSource()), collection: id, kind: .compaction, blobName: nil,
      holder: "killed", deadline: SystemClock().wallNanoseconds() + 200_000_000)
    #expect(try other.catalog.acquireLease(lease))
    try engine.flush(id)
    #expect(try !contains(Array("id-100".utf8)))
    #expect(try engine.statistics(of: id).deadRowCount == 0)
  }
}
