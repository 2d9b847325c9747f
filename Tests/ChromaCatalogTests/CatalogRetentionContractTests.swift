// The contract of every catalog: leases and pins.

import ChromaBase
import ChromaCatalog
import Testing

@Suite("Every catalog: leases and pins")
struct CatalogRetentionContractTests {
  private let stores = CatalogStores()

  private func lease(_ id: UInt64, on collection: UInt64 = 1, blob: Text? = nil, until: Int64)
    -> Lease
  {
    Lease(
      id: .numbered(id), collection: .numbered(collection), kind: .compaction, blobName: blob,
      holder: "a test", deadline: until)
  }

  private func open(_ kind: CatalogKind, collectionCount: UInt64 = 2) throws
    -> (catalog: any Catalog, clock: WallClock)
  {
    let store = stores.make(kind)
    let catalog = try store.open()
    for id in 1...collectionCount { try catalog.createCollection(Text("c\(id)"), id: id) }
    return (catalog, store.clock)
  }

  private func delete(_ name: Text, in catalog: any Catalog) throws -> [Text] {
    try catalog.deleteCollection(
      tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name
    ).blobs
  }

  // MARK: Leases

  @Test(arguments: CatalogKind.allCases)
  func aLeaseKeepsOthersAwayUntilItExpires(_ kind: CatalogKind) throws {
    let (catalog, clock) = try open(kind)
    #expect(try catalog.acquireLease(lease(1, until: 100)))
    #expect(try !catalog.acquireLease(lease(2, until: 300)))
    #expect(try catalog.acquireLease(lease(2, on: 2, until: 300)))
    // Its holder may take it again.
    #expect(try catalog.acquireLease(lease(1, until: 200)))
    clock.set(199)
    #expect(try !catalog.acquireLease(lease(3, until: 300)))
    clock.set(200)
    #expect(try catalog.acquireLease(lease(3, until: 300)))
    #expect(try !catalog.renewLease(id: .numbered(1), deadline: 900))
    #expect(try catalog.renewLease(id: .numbered(3), deadline: 400))
    clock.set(399)
    #expect(try !catalog.acquireLease(lease(1, until: 900)))
    try catalog.releaseLease(id: .numbered(3))
    try catalog.releaseLease(id: .numbered(3))
    #expect(try !catalog.renewLease(id: .numbered(3), deadline: 900))
    #expect(try catalog.acquireLease(lease(1, until: 900)))
  }

  @Test(arguments: CatalogKind.allCases)
  func aLeaseGoesWithItsCollection(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    let missing = ChromaError.notFound("Collection [\(UUID.numbered(9))] does not exist.")
    #expect(throws: missing) { try catalog.acquireLease(lease(1, on: 9, until: 100)) }
    #expect(try catalog.acquireLease(lease(1, until: 100)))
    _ = try delete("c1", in: catalog)
    #expect(try !catalog.renewLease(id: .numbered(1), deadline: 200))
  }

  @Test(arguments: CatalogKind.allCases)
  func aLeaseMovesToAnotherCollectionWhole(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    #expect(try catalog.acquireLease(lease(1, until: 100)))
    #expect(try catalog.acquireLease(lease(1, on: 2, until: 100)))
    #expect(try catalog.acquireLease(lease(2, until: 100)))
    #expect(try !catalog.acquireLease(lease(3, on: 2, until: 100)))
  }

  @Test(arguments: CatalogKind.allCases)
  func theBlobOfALeaseIsInUseUntilItExpires(_ kind: CatalogKind) throws {
    let (catalog, clock) = try open(kind)
    _ = try catalog.acquireLease(lease(1, blob: "b", until: 100))
    _ = try catalog.acquireLease(lease(2, on: 2, blob: "a", until: 200))
    #expect(try catalog.referencedBlobs() == ["a", "b"])
    clock.set(100)
    #expect(try catalog.referencedBlobs() == ["a"])
    try catalog.releaseLease(id: .numbered(2))
    #expect(try catalog.referencedBlobs() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func aPublicationReleasesItsLeaseAndNoOther(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.acquireLease(lease(1, blob: "b", until: 100))
    _ = try catalog.acquireLease(lease(2, on: 2, blob: "a", until: 100))
    _ = try catalog.publish(1, added: [.blob("b", id: 1)], lease: 1)
    #expect(try !catalog.renewLease(id: .numbered(1), deadline: 100))
    #expect(try catalog.renewLease(id: .numbered(2), deadline: 100))
    #expect(try catalog.referencedBlobs() == ["a", "b"])
    // Not even having had the lease is a condition.
    let result = try catalog.publish(1, removed: [1], lease: 77)
    #expect(result == .published(version: 2, retiredBlobs: ["b"]))
  }

  // MARK: Pins

  @Test(arguments: CatalogKind.allCases)
  func aPinKeepsWhatWasInUseAndNothingNewer(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.append([.blob("log", to: 1), .batch(1, to: 1)])
    _ = try catalog.publish(1, upTo: 0, added: [.blob("old", id: 1)])
    try catalog.pin(id: .numbered(1), deadline: 100)
    func publish(_ added: SegmentReference, _ removed: UInt64) throws -> [Text] {
      let result = try catalog.publish(1, added: [added], removed: [removed])
      guard case .published(_, let blobs) = result else { return ["superseded"] }
      return blobs
    }
    #expect(try publish(.blob("middle", id: 2), 1) == [])
    #expect(try catalog.referencedBlobs() == ["log", "middle", "old"])
    #expect(try publish(.blob("new", id: 3), 2) == ["middle"])
    #expect(try catalog.manifest(1)?.segments.map(\.reference.id) == [.numbered(3)])
    #expect(try catalog.inconsistencies() == [])
    #expect(try catalog.unpin(id: .numbered(1)) == ["log", "old"])
    #expect(try catalog.unpin(id: .numbered(1)) == [])
    #expect(try catalog.referencedBlobs() == ["new"])
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func eachPinKeepsItsOwn(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    for version in 1...5 as ClosedRange<UInt64> {
      _ = try catalog.publish(
        1, added: [.blob(Text("\(version)"), id: version)],
        removed: version == 1 ? [] : [version - 1])
      if version.isMultiple(of: 2) { try catalog.pin(id: .numbered(version), deadline: 100) }
    }
    #expect(try catalog.referencedBlobs() == ["2", "4", "5"])
    #expect(try catalog.unpin(id: .numbered(2)) == ["2"])
    #expect(try catalog.unpin(id: .numbered(4)) == ["4"])
  }

  @Test(arguments: CatalogKind.allCases)
  func whatIsDroppedStaysUnderAPin(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind, collectionCount: 3)
    for id in 1...3 as ClosedRange<UInt64> {
      _ = try catalog.append(.blob(Text("log\(id)"), to: id))
      _ = try catalog.publish(id, upTo: 0, added: [.blob(Text("segment\(id)"), id: 1)])
    }
    try catalog.pin(id: .numbered(1), deadline: 100)
    #expect(try delete("c1", in: catalog) == [])
    // A pin that came later does not need what was gone by then.
    try catalog.pin(id: .numbered(2), deadline: 100)
    #expect(try delete("c2", in: catalog) == [])
    #expect(try catalog.reset() == [])
    #expect(
      try catalog.referencedBlobs() == ["log1", "log2", "log3", "segment1", "segment2", "segment3"])
    #expect(try catalog.inconsistencies() == [])
    #expect(try catalog.unpin(id: .numbered(1)) == ["log1", "segment1"])
    #expect(
      try catalog.unpin(id: .numbered(2)) == ["log2", "log3", "segment2", "segment3"])
    #expect(try catalog.referencedBlobs() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func anExpiredPinIsHonouredUntilSomebodyFindsIt(_ kind: CatalogKind) throws {
    let (catalog, clock) = try open(kind)
    _ = try catalog.publish(1, added: [.blob("one", id: 1)])
    try catalog.pin(id: .numbered(1), deadline: 100)
    #expect(throws: ChromaError.self) { try catalog.pin(id: .numbered(1), deadline: 500) }
    _ = try catalog.publish(1, added: [.blob("two", id: 2)], removed: [1])
    clock.set(150)
    // Nothing has gone yet, so whoever has it may go on.
    #expect(try catalog.renewPin(id: .numbered(1), deadline: 200))
    #expect(try catalog.publish(1) == .published(version: 3, retiredBlobs: []))
    clock.set(200)
    #expect(try catalog.referencedBlobs() == ["one", "two"])
    #expect(try catalog.publish(2) == .published(version: 4, retiredBlobs: ["one"]))
    #expect(try !catalog.renewPin(id: .numbered(1), deadline: 900))
    #expect(try catalog.referencedBlobs() == ["two"])
  }

  @Test(arguments: CatalogKind.allCases)
  func aBlobThatTwoCollectionsHoldGoesWithTheLast(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.publish(1, added: [.blob("shared", id: 1)])
    _ = try catalog.publish(2, added: [.blob("shared", id: 1)])
    try catalog.pin(id: .numbered(1), deadline: 100)
    _ = try catalog.publish(1, removed: [1])
    #expect(try catalog.unpin(id: .numbered(1)) == [])
    #expect(try catalog.referencedBlobs() == ["shared"])
    #expect(try delete("c2", in: catalog) == ["shared"])
  }

  // MARK: Space

  @Test(arguments: CatalogKind.allCases)
  func givingSpaceBackChangesNothing(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.append([.batch(1, to: 1), .batch(2, to: 2)])
    _ = try catalog.publish(1, added: [.inline(1, id: 1)])
    let states = [try catalog.allChanges(1), try catalog.allChanges(2)]
    try catalog.shrink()
    #expect(try catalog.foldBackAll())
    #expect([try catalog.allChanges(1), try catalog.allChanges(2)] == states)
  }
}
