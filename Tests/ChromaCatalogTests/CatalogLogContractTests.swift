// The contract of every catalog: collections' logs.

import ChromaBase
import ChromaCatalog
import Testing

@Suite("Every catalog: logs")
struct CatalogLogContractTests {
  private let stores = CatalogStores()

  private func open(_ kind: CatalogKind, collectionCount: UInt64 = 1) throws -> any Catalog {
    let catalog = try stores.make(kind).open()
    for id in 1...collectionCount { try catalog.createCollection(Text("c\(id)"), id: id) }
    return catalog
  }

  @Test(arguments: CatalogKind.allCases)
  func positionsBeginAtOneAndHaveNoHole(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    #expect(try catalog.allChanges(1)?.row.nextPosition == 1)
    #expect(
      try catalog.append(.batch(10, to: 1, recordCount: 3)) == .appended(firstPosition: 1))
    #expect(try catalog.append(.batch(20, to: 1)) == .appended(firstPosition: 4))
    #expect(try catalog.append(.blob("blob", byteCount: 7, to: 1)) == .appended(firstPosition: 5))
    let changes = try #require(try catalog.allChanges(1))
    #expect(changes.row.nextPosition == 6)
    #expect(changes.isComplete)
    #expect(
      changes.rows == [
        LogRow(firstPosition: 1, recordCount: 3, payload: .inline([10])),
        LogRow(firstPosition: 4, recordCount: 1, payload: .inline([20])),
        LogRow(firstPosition: 5, recordCount: 1, payload: .blob(name: "blob", byteCount: 7)),
      ])
  }

  @Test(arguments: CatalogKind.allCases)
  func payloadsComeBackByteForByte(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    let payloads: [[UInt8]] = [
      [], [0], [0, 0, 255], Array(repeating: 7, count: Limits.inlineBatchByteCountMax),
    ]
    for payload in payloads {
      _ = try catalog.append(
        LogAppend(collection: .numbered(1), recordCount: 1, payload: .inline(payload)))
    }
    let rows = try #require(try catalog.allChanges(1)).rows
    #expect(rows.map(\.payload) == payloads.map { .inline($0) })
  }

  @Test(arguments: CatalogKind.allCases)
  func changesBeginWithTheRowThatHoldsTheNextPosition(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append([
      .batch(1, to: 1, recordCount: 3), .batch(2, to: 1, recordCount: 2), .batch(3, to: 1),
    ])
    let expected: [(after: Int64, firstPositions: [Int64])] = [
      (.min, [1, 4, 6]), (-1, [1, 4, 6]), (0, [1, 4, 6]), (1, [1, 4, 6]), (2, [1, 4, 6]),
      (3, [4, 6]), (4, [4, 6]), (5, [6]), (6, []), (7, []), (.max - 1, []), (.max, []),
    ]
    for (position, firstPositions) in expected {
      let changes = try #require(try catalog.allChanges(1, after: position))
      #expect(changes.rows.map(\.firstPosition) == firstPositions, "after \(position)")
      #expect(changes.isComplete)
      #expect(changes.row.nextPosition == 7)
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func changesAreBoundedByBytesButAlwaysMoveOn(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append([
      .blob("a", byteCount: 50, to: 1), .blob("b", byteCount: 50, to: 1), .batch(1, to: 1),
      .blob("c", byteCount: 1000, to: 1), .batch(2, to: 1),
    ])
    func read(_ position: Int64, _ byteCountMax: Int) throws -> (Int, Bool) {
      let changes = try #require(
        try catalog.changes(
          in: .numbered(1), after: KnownState(version: 0, position: position),
          byteCountMax: byteCountMax))
      return (changes.rows.count, changes.isComplete)
    }
    #expect(try read(0, 99) == (1, false))
    #expect(try read(0, 100) == (2, false))
    #expect(try read(0, 101) == (3, false))
    #expect(try read(3, 0) == (1, false))
    #expect(try read(3, .min) == (1, false))
    #expect(try read(3, 1000) == (1, false))
    #expect(try read(3, 1001) == (2, true))
    #expect(try read(4, 0) == (1, true))
    #expect(try read(5, 0) == (0, true))
  }

  @Test(arguments: CatalogKind.allCases)
  func aMissingCollectionHasNoChangesAndTakesNoBatch(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    #expect(try catalog.allChanges(2) == nil)
    let sentence = "Collection [\(UUID.numbered(2))] does not exist."
    #expect(try catalog.append(.batch(1, to: 2)) == .rejected(ChromaError(.notFound, sentence)))
  }

  @Test(arguments: CatalogKind.allCases)
  func theFirstVectorsSetTheDimension(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append(.batch(1, to: 1))
    #expect(try catalog.collection(id: .numbered(1)).dimension == nil)
    _ = try catalog.append(.batch(1, to: 1, dimension: 3))
    #expect(try catalog.collection(id: .numbered(1)).dimension == 3)
    _ = try catalog.append(.batch(1, to: 1))
    _ = try catalog.append(.batch(1, to: 1, dimension: 3))
    #expect(
      try catalog.append(.batch(1, to: 1, dimension: 2))
        == .rejected(
          ChromaError(
            .invalidArgument, "Collection expecting embedding with dimension of 3, got 2")))
    let changes = try #require(try catalog.allChanges(1))
    #expect(changes.row.dimension == 3)
    #expect(changes.row.nextPosition == 5)
    #expect(changes.rows.count == 4)
  }

  @Test(arguments: CatalogKind.allCases)
  func aRequestKeyIsAppendedOncePerCollection(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    _ = try catalog.append(.batch(9, to: 1))
    let first = LogAppend.batch(1, to: 1, recordCount: 2, dimension: 3, requestKey: 5)
    #expect(try catalog.append(first) == .appended(firstPosition: 2))
    _ = try catalog.append(.batch(9, to: 1))
    // Told again whatever else the repetition says.
    let again = LogAppend.batch(1, to: 1, dimension: 4, requestKey: 5, expecting: 99)
    #expect(try catalog.append(first) == .repeated(firstPosition: 2))
    #expect(try catalog.append(again) == .repeated(firstPosition: 2))
    #expect(try catalog.allChanges(1)?.row.nextPosition == 5)
    // Another key, another collection, the same halves the other way round: other requests.
    #expect(
      try catalog.append(.batch(1, to: 1, requestKey: ~5)) == .appended(firstPosition: 5))
    #expect(try catalog.append(.batch(1, to: 2, requestKey: 5)) == .appended(firstPosition: 1))
  }

  @Test(arguments: CatalogKind.allCases)
  func aRejectedRequestKeyMayTryAgain(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    let early = try catalog.append(.batch(1, to: 1, requestKey: 5, expecting: 2))
    guard case .rejected = early else {
      Issue.record("Got \(String(describing: early)).")
      return
    }
    #expect(try catalog.append(.batch(1, to: 1, requestKey: 5)) == .appended(firstPosition: 1))
  }

  @Test(arguments: CatalogKind.allCases)
  func anExpectedPositionMustBeTheNext(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    #expect(
      try catalog.append(.batch(1, to: 1, recordCount: 2, expecting: 1))
        == .appended(firstPosition: 1))
    for wrong in [.min, 0, 1, 2, 4, .max] as [Int64] {
      let result = try catalog.append(.batch(1, to: 1, expecting: wrong))
      guard case .rejected(let error) = result else {
        Issue.record("Expected \(wrong), got \(String(describing: result)).")
        continue
      }
      #expect(error.kind == .conflict)
      #expect(error.message.contains("next log position is 3, not \(wrong)"))
    }
    #expect(try catalog.append(.batch(1, to: 1, expecting: 3)) == .appended(firstPosition: 3))
  }

  @Test(arguments: CatalogKind.allCases)
  func aGroupOfAppendsRejectsOnlyTheWrongOnes(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    let results = try catalog.append([
      .batch(1, to: 1, recordCount: 2, dimension: 3),
      .batch(2, to: 1, dimension: 4),
      .batch(3, to: 2, dimension: 4, requestKey: 1),
      .batch(4, to: 7),
      .batch(5, to: 2, requestKey: 1),
      .batch(6, to: 1, expecting: 3),
      .batch(7, to: 1, expecting: 3),
      .batch(8, to: 2, recordCount: 0),
      .batch(9, to: 2, recordCount: -1),
      .batch(10, to: 2),
    ]).map(\.outcome)
    let isRejected = results.map { if case .rejected = $0 { true } else { false } }
    #expect(
      isRejected == [false, true, false, true, false, false, true, true, true, false])
    #expect(results[0] == .appended(firstPosition: 1))
    #expect(results[2] == .appended(firstPosition: 1))
    #expect(results[4] == .repeated(firstPosition: 1))
    #expect(results[5] == .appended(firstPosition: 3))
    #expect(results[9] == .appended(firstPosition: 2))
    #expect(try catalog.allChanges(1)?.rows.map(\.payload) == [.inline([1]), .inline([6])])
    #expect(try catalog.allChanges(2)?.rows.map(\.payload) == [.inline([3]), .inline([10])])
    #expect(try catalog.append([]) == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func positionsEndBeforeTheyOverflow(_ kind: CatalogKind) throws {
    let catalog = try open(kind)
    _ = try catalog.append(.batch(1, to: 1, recordCount: .max - 1))
    let row = try catalog.collection(id: .numbered(1))
    #expect(row.nextPosition == .max)
    for recordCount in [1, .max] {
      let result = try catalog.append(.batch(1, to: 1, recordCount: recordCount))
      guard case .rejected(let error) = result else {
        Issue.record("Got \(String(describing: result)).")
        continue
      }
      #expect(error.kind == .resourceExhausted)
    }
    #expect(try catalog.allChanges(1)?.rows.count == 1)
    #expect(try catalog.allChanges(1, after: .max - 1)?.rows == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func referencedBlobsAreNamedOnceInOrder(_ kind: CatalogKind) throws {
    let catalog = try open(kind, collectionCount: 2)
    _ = try catalog.append([
      .blob("b", to: 1), .blob("B", to: 2), .batch(1, to: 1), .blob("b", to: 2),
      .blob("a\0", to: 1), .blob("a", to: 1),
    ])
    #expect(try catalog.referencedBlobs() == ["B", "a", "a\0", "b"])
  }
}
