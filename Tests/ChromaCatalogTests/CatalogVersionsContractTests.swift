// The contract of every catalog: versions of collections, and what becomes of the log.

import ChromaBase
import ChromaCatalog
import Testing

@Suite("Every catalog: versions")
struct CatalogVersionsContractTests {
  private let stores = CatalogStores()

  private func open(_ kind: CatalogKind, collectionCount: UInt64 = 1) throws -> any Catalog {
    let catalog = try stores.make(kind).open()
    for id in 1...collectionCount { try catalog.createCollection(Text("c\(id)"), id: id) }
    return catalog
  }

  private func error(_ body: () throws -> Void) -> ChromaError? {
    do {
      try body()
      return nil
    } catch {
      return error as? ChromaError
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func aNewCollectionHasNoVersion(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    #expect(
      try catalog.manifest(1) == VersionManifest(version: 0, position: 0, segments: []))
    #expect(try catalog.allChanges(1)?.manifest == nil)
    #expect(try catalog.manifest(2) == nil)
  }

  @Test(arguments: CatalogKind.allCases)
  func aPublicationTakesTheLogsPlace(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    _ = try catalog.append([
      .batch(1, to: 1, recordCount: 3), .blob("log", byteCount: 7, to: 1), .batch(3, to: 1),
      .batch(9, to: 2),
    ])
    let segment = SegmentReference.inline(1, id: 1, rowCount: 4)
    #expect(
      try catalog.publish(1, upTo: 4, added: [segment])
        == .published(version: 1, retiredBlobs: ["log"]))

    let manifest = VersionManifest(
      version: 1, position: 4, segments: [ManifestSegment(reference: segment)])
    #expect(try catalog.manifest(1) == manifest)
    let changes = try #require(try catalog.allChanges(1))
    #expect(changes.manifest == manifest)
    #expect(changes.rows == [LogRow(firstPosition: 5, recordCount: 1, payload: .inline([3]))])
    #expect(changes.isComplete)
    #expect(changes.row.logDebt == LogDebt(rowCount: 1, recordCount: 1, byteCount: 1))
    #expect(changes.row.compactedByteCount == 1)
    // The log goes on where it was, and the other collection as it was.
    #expect(try catalog.append(.batch(4, to: 1)) == .appended(firstPosition: 6))
    #expect(try catalog.allChanges(2)?.rows.count == 1)
    #expect(try catalog.manifest(2)?.version == 0)
    #expect(try catalog.referencedBlobs() == [])
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func changesTellTheVersionOnlyToWhomItIsNew(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append([.batch(1, to: 1, recordCount: 2), .batch(2, to: 1), .batch(3, to: 1)])
    _ = try catalog.publish(1, upTo: 2, added: [.inline(1, id: 1)])
    func read(_ version: Int64, _ position: Int64) throws -> (Int64?, [Int64]) {
      let changes = try #require(
        try catalog.changes(
          in: .numbered(1), after: KnownState(version: version, position: position),
          byteCountMax: .max))
      return (changes.manifest?.version, changes.rows.map(\.firstPosition))
    }
    // Whatever position was known of another version, rows begin after that of the current one.
    for position in [.min, 0, 1, 3, 4, 99, .max] as [Int64] {
      for version in [.min, 0, 2, .max] as [Int64] {
        #expect(try read(version, position) == (1, [3, 4]))
      }
    }
    #expect(try read(1, .min) == (nil, [3, 4]))
    #expect(try read(1, 1) == (nil, [3, 4]))
    #expect(try read(1, 2) == (nil, [3, 4]))
    #expect(try read(1, 3) == (nil, [4]))
    #expect(try read(1, 4) == (nil, []))
    #expect(try read(1, .max) == (nil, []))
  }

  @Test(arguments: CatalogKind.allCases)
  func theDebtIsWhatTheLogHolds(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    func debt(_ append: LogAppend) throws -> LogDebt? {
      guard case .appended(_, let debt) = try catalog.append([append]).first else { return nil }
      return debt
    }
    #expect(
      try debt(.batch(1, to: 1, recordCount: 3))
        == LogDebt(rowCount: 1, recordCount: 3, byteCount: 1))
    #expect(
      try debt(.blob("b", byteCount: 1000, to: 1))
        == LogDebt(rowCount: 2, recordCount: 4, byteCount: 1001))
    _ = try catalog.publish(1, upTo: 3)
    #expect(
      try debt(.batch(2, to: 1)) == LogDebt(rowCount: 2, recordCount: 2, byteCount: 1001))
    _ = try catalog.publish(1)
    #expect(try debt(.batch(3, to: 1)) == LogDebt(rowCount: 1, recordCount: 1, byteCount: 1))
    #expect(try catalog.collection(id: .numbered(1)).compactedPosition == 5)
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func segmentsAreReplacedAndTheirRowsDie(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append(.batch(1, to: 1))
    _ = try catalog.publish(
      1, added: [.blob("one", id: 1), .inline(2, id: 2), .blob("three", id: 3)])
    let few = DeletedRows(bitmap: [1], count: 1)
    let more = DeletedRows(bitmap: [1, 2, 3], count: 3)
    _ = try catalog.publish(1, deleted: [2: few, 3: few])
    let merged = SegmentReference.blob("four", id: 4)
    #expect(
      try catalog.publish(1, added: [merged], removed: [1, 2], deleted: [3: more, 4: few])
        == .published(version: 3, retiredBlobs: ["one"]))
    #expect(
      try catalog.manifest(1)?.segments == [
        ManifestSegment(reference: .blob("three", id: 3), deletedRows: more),
        ManifestSegment(reference: merged, deletedRows: few),
      ])
    #expect(try catalog.referencedBlobs() == ["four", "three"])
    #expect(try catalog.collection(id: .numbered(1)).compactedByteCount == 300_001)
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func aVersionThatIsNotExpectedWins(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    _ = try catalog.append([.batch(1, to: 1), .batch(1, to: 2)])
    _ = try catalog.publish(2, added: [.inline(1, id: 1)])
    let publication = Publication(
      collection: .numbered(1), expectedVersion: 0, position: 1, added: [.inline(1, id: 1)])
    #expect(try catalog.publish(publication) == .published(version: 2, retiredBlobs: []))
    let state = try catalog.allChanges(1)
    #expect(try catalog.publish(publication) == .superseded(version: 2))
    #expect(try catalog.allChanges(1) == state)
    let missing = Publication(collection: .numbered(7), expectedVersion: 0, position: 0)
    let failure = error { _ = try catalog.publish(missing) }
    #expect(failure == .notFound("Collection [\(UUID.numbered(7))] does not exist."))
  }

  @Test(arguments: CatalogKind.allCases)
  func whatContradictsTheStateIsRefusedWhole(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append([.batch(1, to: 1, recordCount: 2), .batch(2, to: 1, recordCount: 2)])
    _ = try catalog.publish(
      1, upTo: 2, added: [.inline(1, id: 1)],
      deleted: [1: DeletedRows(bitmap: [7], count: 5)])
    let state = try catalog.allChanges(1)
    func expectRefused(
      _ part: String, upTo position: Int64 = 4, added: [SegmentReference] = [],
      removed: [UInt64] = [], deleted: [UInt64: DeletedRows] = [:]
    ) throws {
      let failure = error {
        _ = try catalog.publish(
          1, upTo: position, added: added, removed: removed, deleted: deleted)
      }
      #expect(failure?.kind == .invalidArgument, "\(part)")
      #expect(failure?.message.contains(part) == true, "\(failure?.message ?? "no error")")
      #expect(try catalog.allChanges(1) == state)
    }
    for position in [.min, 0, 1, 3, 5, .max] as [Int64] {
      try expectRefused("position \(position) is not the end of a batch", upTo: position)
    }
    try expectRefused("no segment \(UUID.numbered(2)) to remove", removed: [2])
    try expectRefused("no segment \(UUID.numbered(1)) to remove", removed: [1, 1])
    try expectRefused("segment \(UUID.numbered(1)) already", added: [.inline(1, id: 1)])
    try expectRefused(
      "segment \(UUID.numbered(1)) already", added: [.inline(1, id: 1)], removed: [1])
    try expectRefused(
      "segment \(UUID.numbered(2)) already", added: [.inline(1, id: 2), .inline(1, id: 2)])
    try expectRefused("has 0 rows", added: [.inline(1, id: 2, rowCount: 0)])
    let oversized = Array(repeating: 0 as UInt8, count: Limits.inlineSegmentByteCountMax + 1)
    try expectRefused(
      "in \(oversized.count) bytes",
      added: [SegmentReference(id: .numbered(2), payload: .inline(oversized), rowCount: 1)])
    let dead = DeletedRows(bitmap: [1], count: 6)
    try expectRefused("has no segment", deleted: [2: dead])
    try expectRefused("has no segment", removed: [1], deleted: [1: dead])
    for count in [.min, 0, 4, 11, .max] {
      try expectRefused(
        "\(count) of 10 rows", deleted: [1: DeletedRows(bitmap: [], count: count)])
    }
    // The next one is as good as if nothing had been tried.
    _ = try catalog.publish(1, added: [.inline(2, id: 2)], deleted: [1: dead])
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func theNewestRequestKeysOutliveTheirRows(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    let count = UInt64(Limits.keptRequestKeyCountMax) + 2
    let appends = (1...count).map { LogAppend.batch(1, to: 1, recordCount: 2, requestKey: $0) }
    _ = try catalog.append(appends + [.batch(1, to: 2, requestKey: 1), .batch(1, to: 1)])
    _ = try catalog.publish(1, upTo: 20)
    _ = try catalog.publish(1)
    #expect(try catalog.append(appends[2]) == .repeated(firstPosition: 5))
    #expect(
      try catalog.append(appends[Int(count) - 1])
        == .repeated(firstPosition: Int64(2 * count - 1)))
    // The others are forgotten; what stands in the log never is.
    let next = Int64(2 * count + 2)
    #expect(try catalog.append(appends[1]) == .appended(firstPosition: next))
    #expect(try catalog.append(appends[1]) == .repeated(firstPosition: next))
    #expect(
      try catalog.append(.batch(1, to: 2, requestKey: 1)) == .repeated(firstPosition: 1))
    _ = try catalog.publish(1)
    #expect(try catalog.append(appends[1]) == .repeated(firstPosition: next))
    #expect(try catalog.append(appends[3]) == .repeated(firstPosition: 7))
    #expect(try catalog.append(appends[2]) == .appended(firstPosition: next + 2))
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func whatIsDeletedNamesTheBlobsOfItsVersions(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 3)
    for id in 1...3 as ClosedRange<UInt64> {
      _ = try catalog.append(.blob(Text("log\(id)"), to: id))
      _ = try catalog.publish(id, upTo: 0, added: [.blob(Text("segment\(id)"), id: id)])
    }
    // Two collections may hold one segment.
    _ = try catalog.publish(2, upTo: 0, added: [.blob("shared", id: 9)])
    _ = try catalog.publish(3, upTo: 0, added: [.blob("shared", id: 9)])
    let deleted = try catalog.deleteCollection(
      tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "c1")
    #expect(deleted.blobs == ["log1", "segment1"])
    #expect(try catalog.manifest(1) == nil)
    #expect(
      try catalog.publish(2, upTo: 0, removed: [9]) == .published(version: 6, retiredBlobs: []))
    #expect(
      try catalog.deleteDatabase(tenant: CatalogDefaults.tenant, name: CatalogDefaults.database)
        == ["log2", "log3", "segment2", "segment3", "shared"])
    #expect(try catalog.reset() == [])
    #expect(try catalog.inconsistencies() == [])
  }
}
