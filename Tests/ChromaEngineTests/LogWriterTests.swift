import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

@testable import ChromaEngine

/// Writes that share a transaction, on a disk that fills up.
@Suite struct LogWriterTests {
  private let disk = SimulatedDisk()

  private func open() throws -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: disk, directory: "/db", clock: SimulatedClock(),
        random: SeededRandomSource(seed: 1), isShared: true))
  }

  private func collection(in engine: Engine) throws -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "log",
        configuration: nil, metadata: nil, getOrCreate: false)
    ).id
  }

  private func append(_ byteCount: Int, to id: UUID) throws -> PendingAppend {
    let batch = RecordBatch(
      operation: .add, ids: [Text("\(byteCount)")],
      embeddings: VectorColumn(dimension: 1, values: [1]),
      documents: [Text(String(repeating: "x", count: byteCount))])
    return PendingAppend(
      collection: id, recordCount: 1, payload: try LogBatch.encode(batch), dimension: 1,
      requestKey: nil)
  }

  @Test func aBatchWithoutRoomIsRejectedAloneAndLeavesNothing() throws {
    let engine = try open()
    let id = try collection(in: engine)
    // Two writes for each blob: the third is the payload of the second one.
    disk.inject(DiskFault(.write, pathSuffix: ".tmp", ordinal: 3, code: ENOSPC))
    let results = try engine.log.append([
      try append(10, to: id), try append(100_000, to: id), try append(500_000, to: id),
      try append(20, to: id),
    ])
    #expect(results.map(\.isAppended) == [true, true, false, true])
    guard case .rejected(let error) = results[2] else { return }
    #expect(error.kind == .outOfSpace)
    #expect(try engine.count(in: id) == 3)
    #expect(try disk.list("/db/blobs").count == 1)
  }

  @Test func blobsOfACommitThatFailedGoAfterTheNextOne() throws {
    let engine = try open()
    let id = try collection(in: engine)
    // The blob fits, the commit does not.
    for round in 0..<3 {
      let payload = 100_000 + round
      disk.capacityByteCount = disk.byteCount + payload + 1000
      #expect(throws: ChromaError.self) {
        try engine.log.append([try append(payload, to: id)])
      }
      disk.capacityByteCount = .max
      try engine.write(
        RecordBatch(
          operation: .add, ids: [Text("small \(round)")],
          embeddings: VectorColumn(dimension: 1, values: [1])),
        to: id)
      #expect(try disk.list("/db/blobs") == [])
    }
    #expect(try engine.count(in: id) == 3)
  }
}
