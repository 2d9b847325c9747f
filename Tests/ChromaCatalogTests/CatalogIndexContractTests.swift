// The contract of every catalog: indexes of collections.

import ChromaBase
import ChromaCatalog
import Testing

@Suite("Every catalog: indexes")
struct CatalogIndexContractTests {
  private let stores = CatalogStores()

  /// Collections of ten records each, of which segments hold eight.
  private func open(_ kind: CatalogKind, collectionCount: UInt64 = 1) throws
    -> (catalog: any Catalog, clock: WallClock)
  {
    let store = stores.make(kind)
    let catalog = try store.open()
    for id in 1...collectionCount {
      try catalog.createCollection(Text("c\(id)"), id: id)
      _ = try catalog.append([
        .batch(1, to: id, recordCount: 8), .batch(2, to: id, recordCount: 2),
      ])
      _ = try catalog.publish(id, upTo: 8, added: [.inline(1, id: id)])
    }
    return (catalog, store.clock)
  }

  private func error(_ body: () throws -> Void) -> ChromaError? {
    do {
      try body()
      return nil
    } catch {
      return error as? ChromaError
    }
  }

  private func delete(_ name: Text, in catalog: any Catalog) throws -> [Text] {
    try catalog.deleteCollection(
      tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name
    ).blobs
  }

  // MARK: Generations

  @Test(arguments: CatalogKind.allCases)
  func aNewCollectionHasNoIndex(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    #expect(try catalog.index(1) == .absent)
    #expect(try catalog.allChanges(1)?.index == nil)
    #expect(try catalog.index(2) == nil)
  }

  @Test(arguments: CatalogKind.allCases)
  func deltasAddToTheBaseUntilAnotherBaseReplacesThem(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    func expect(_ generation: Int64, _ position: Int64, _ blobs: [IndexBlob]) throws {
      let index = IndexManifest(generation: generation, position: position, blobs: blobs)
      #expect(try catalog.index(1) == index)
      let changes = try #require(try catalog.allChanges(1))
      #expect(changes.index == index)
      #expect(changes.row.generation == generation)
      #expect(changes.row.indexedPosition == position)
      // Nothing else of the collection has changed.
      #expect(changes.row.version == 1)
      #expect(changes.manifest?.segments.count == 1)
      #expect(changes.rows.map(\.firstPosition) == [9])
      #expect(try catalog.referencedBlobs() == blobs.map(\.name).sorted())
      #expect(try catalog.inconsistencies() == [])
    }
    // The first number was the version's.
    #expect(
      try catalog.publishIndex(1, upTo: 3, added: ["base"], replacesAll: true)
        == .published(version: 2, retiredBlobs: []))
    try expect(2, 3, ["base"])
    #expect(
      try catalog.publishIndex(1, upTo: 5, added: ["one"])
        == .published(version: 3, retiredBlobs: []))
    try expect(3, 5, ["base", "one"])
    // Of deletions it takes note where it was; it may also only move on.
    _ = try catalog.publishIndex(1, upTo: 5, added: ["another", "and another"])
    try expect(4, 5, ["base", "one", "another", "and another"])
    _ = try catalog.publishIndex(1, upTo: 8)
    try expect(5, 8, ["base", "one", "another", "and another"])
    // What begins anew may cover less.
    #expect(
      try catalog.publishIndex(1, upTo: 1, added: ["new", "newer"], replacesAll: true)
        == .published(
          version: 6, retiredBlobs: ["and another", "another", "base", "one"]))
    try expect(6, 1, ["new", "newer"])
  }

  @Test(arguments: CatalogKind.allCases)
  func changesTellTheIndexOnlyToWhomItIsNew(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    func read(_ version: Int64, _ generation: Int64) throws -> (Int64?, IndexManifest?) {
      let changes = try #require(
        try catalog.changes(
          in: .numbered(1),
          after: KnownState(version: version, position: 10, generation: generation),
          byteCountMax: .max))
      return (changes.manifest?.version, changes.index)
    }
    #expect(try read(1, 0) == (nil, nil))
    #expect(try read(1, 7) == (nil, .absent))
    _ = try catalog.publishIndex(1, added: ["base"], replacesAll: true)
    let index = IndexManifest(generation: 2, position: 8, blobs: ["base"])
    #expect(try read(1, 0) == (nil, index))
    #expect(try read(0, 2) == (1, nil))
    #expect(try read(1, 2) == (nil, nil))
    // A version leaves the index as it is.
    _ = try catalog.publish(1)
    #expect(try read(1, 2) == (3, nil))
    #expect(try read(3, 1) == (nil, index))
  }

  @Test(arguments: CatalogKind.allCases)
  func aDroppedIndexIsGoneAndMayComeAgain(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.publishIndex(1, added: ["base", "delta"], replacesAll: true)
    #expect(
      try catalog.publishIndex(.dropping(2, of: .numbered(1)))
        == .published(version: 0, retiredBlobs: ["base", "delta"]))
    #expect(try catalog.index(1) == .absent)
    #expect(try catalog.collection(id: .numbered(1)).indexedPosition == 0)
    #expect(try catalog.referencedBlobs() == [])
    #expect(try catalog.inconsistencies() == [])
    #expect(
      try catalog.publishIndex(.dropping(2, of: .numbered(1))) == .superseded(version: 0))
    // A number is never given twice.
    #expect(
      try catalog.publishIndex(1, added: ["again"], replacesAll: true)
        == .published(version: 4, retiredBlobs: []))
  }

  @Test(arguments: CatalogKind.allCases)
  func aGenerationThatIsNotExpectedWins(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind, collectionCount: 2)
    let publication = IndexPublication(
      collection: .numbered(1), expectedGeneration: 0, position: 8, added: ["mine"],
      replacesAll: true, lease: .numbered(1), leaseDeadline: 900)
    _ = try catalog.acquireLease(lease(1, .index, blob: "mine", until: 100))
    _ = try catalog.publishIndex(1, added: ["theirs"], replacesAll: true)
    let state = try catalog.allChanges(1)
    #expect(try catalog.publishIndex(publication) == .superseded(version: 3))
    #expect(try catalog.allChanges(1) == state)
    #expect(try catalog.index(2) == .absent)
    // Neither does its lease change.
    #expect(try catalog.referencedBlobs() == ["mine", "theirs"])
    let missing = IndexPublication(
      collection: .numbered(7), expectedGeneration: 0, position: 0, added: ["mine"],
      replacesAll: true)
    #expect(
      error { _ = try catalog.publishIndex(missing) }
        == .notFound("Collection [\(UUID.numbered(7))] does not exist."))
  }

  @Test(arguments: CatalogKind.allCases)
  func whatContradictsTheStateIsRefusedWhole(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    func expectRefused(
      _ part: String, upTo position: Int64 = 8, _ added: [IndexBlob] = [],
      replacesAll: Bool = false
    ) throws {
      let state = try catalog.allChanges(1)
      let failure = error {
        _ = try catalog.publishIndex(
          1, upTo: position, added: added, replacesAll: replacesAll)
      }
      #expect(failure?.kind == .invalidArgument, "\(part)")
      #expect(failure?.message.contains(part) == true, "\(failure?.message ?? "no error")")
      #expect(try catalog.allChanges(1) == state)
    }
    try expectRefused("has none to extend", ["delta"])
    try expectRefused("has none to extend or to drop", upTo: 0, replacesAll: true)
    for position in [.min, -1, 9, 10, .max] as [Int64] {
      try expectRefused(
        "position \(position) is not from 0 to 8", upTo: position, ["base"], replacesAll: true)
    }
    _ = try catalog.publishIndex(1, upTo: 4, added: ["base"], replacesAll: true)
    for position in [.min, 0, 3, 9, .max] as [Int64] {
      try expectRefused("position \(position) is not from 4 to 8", upTo: position, ["delta"])
    }
    try expectRefused("position 4 is not from 0 to 0", upTo: 4, replacesAll: true)
    try expectRefused("nothing would change", upTo: 4)
    try expectRefused("a blob base already", ["base"])
    try expectRefused("a blob base already", ["base"], replacesAll: true)
    try expectRefused("a blob delta already", ["delta", "delta"])
    for byteCount in [.min, 0] {
      try expectRefused(
        "blob delta has \(byteCount) bytes", [IndexBlob(name: "delta", byteCount: byteCount)])
    }
    // A blob that only a pin keeps is known as well.
    try catalog.pin(id: .numbered(1), deadline: 100)
    _ = try catalog.publishIndex(1, added: ["new"], replacesAll: true)
    try expectRefused("a blob base already", ["base"])
    #expect(try catalog.inconsistencies() == [])
  }

  // MARK: What goes with it

  @Test(arguments: CatalogKind.allCases)
  func aPinKeepsTheBlobsThatWereInUse(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    _ = try catalog.publishIndex(1, upTo: 4, added: ["base"], replacesAll: true)
    try catalog.pin(id: .numbered(1), deadline: 100)
    _ = try catalog.publishIndex(1, upTo: 5, added: ["delta"])
    try catalog.pin(id: .numbered(2), deadline: 100)
    _ = try catalog.publishIndex(1, upTo: 6, added: ["late"])
    #expect(
      try catalog.publishIndex(1, added: ["new"], replacesAll: true)
        == .published(version: 5, retiredBlobs: ["late"]))
    #expect(try catalog.index(1)?.blobs == ["new"])
    #expect(try catalog.referencedBlobs() == ["base", "delta", "new"])
    #expect(try catalog.inconsistencies() == [])
    #expect(try catalog.unpin(id: .numbered(1)) == [])
    #expect(try catalog.unpin(id: .numbered(2)) == ["base", "delta"])
    #expect(try catalog.referencedBlobs() == ["new"])
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func aPinKeepsADroppedIndexToo(_ kind: CatalogKind) throws {
    let (catalog, clock) = try open(kind)
    _ = try catalog.publishIndex(1, added: ["base"], replacesAll: true)
    try catalog.pin(id: .numbered(1), deadline: 100)
    #expect(
      try catalog.publishIndex(.dropping(2, of: .numbered(1)))
        == .published(version: 0, retiredBlobs: []))
    #expect(try catalog.referencedBlobs() == ["base"])
    #expect(try catalog.inconsistencies() == [])
    // The next publication finds that the pin has expired.
    clock.set(100)
    #expect(
      try catalog.publishIndex(1, added: ["new"], replacesAll: true)
        == .published(version: 4, retiredBlobs: ["base"]))
  }

  @Test(arguments: CatalogKind.allCases)
  func whatIsDeletedNamesTheBlobsOfItsIndex(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind, collectionCount: 3)
    for id in 1...3 as ClosedRange<UInt64> {
      _ = try catalog.publishIndex(
        id, added: [IndexBlob(name: Text("base\(id)"), byteCount: 1)], replacesAll: true)
    }
    // Two collections may hold one blob.
    _ = try catalog.publishIndex(1, added: ["shared"])
    _ = try catalog.publishIndex(2, added: ["shared"])
    #expect(try delete("c1", in: catalog) == ["base1"])
    #expect(try catalog.index(1) == nil)
    try catalog.pin(id: .numbered(1), deadline: 100)
    #expect(try delete("c2", in: catalog) == [])
    #expect(try catalog.referencedBlobs() == ["base2", "base3", "shared"])
    #expect(try catalog.unpin(id: .numbered(1)) == ["base2", "shared"])
    #expect(try catalog.reset() == ["base3"])
    #expect(try catalog.referencedBlobs() == [])
    #expect(try catalog.inconsistencies() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func aDeletedDatabaseNamesTheBlobsOfItsIndexes(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind, collectionCount: 2)
    _ = try catalog.publishIndex(1, added: ["one"], replacesAll: true)
    _ = try catalog.publishIndex(2, added: ["two"], replacesAll: true)
    #expect(
      try catalog.deleteDatabase(tenant: CatalogDefaults.tenant, name: CatalogDefaults.database)
        == ["one", "two"])
  }

  // MARK: Leases

  private func lease(_ id: UInt64, _ kind: LeaseKind, blob: Text? = nil, until: Int64) -> Lease {
    Lease(
      id: .numbered(id), collection: .numbered(1), kind: kind, blobName: blob, holder: "a test",
      deadline: until)
  }

  @Test(arguments: CatalogKind.allCases)
  func aCollectionHasALeaseOfEachKind(_ kind: CatalogKind) throws {
    let (catalog, _) = try open(kind)
    #expect(try catalog.acquireLease(lease(1, .compaction, blob: "segment", until: 100)))
    #expect(try catalog.acquireLease(lease(2, .index, blob: "graph", until: 100)))
    #expect(try !catalog.acquireLease(lease(3, .compaction, until: 100)))
    #expect(try !catalog.acquireLease(lease(3, .index, until: 100)))
    #expect(try catalog.referencedBlobs() == ["graph", "segment"])
    _ = try catalog.publish(1, lease: 1)
    #expect(try catalog.acquireLease(lease(3, .compaction, until: 100)))
    #expect(try !catalog.acquireLease(lease(4, .index, until: 100)))
    _ = try catalog.publishIndex(1, added: ["graph"], replacesAll: true, lease: 2)
    #expect(try catalog.acquireLease(lease(4, .index, until: 100)))
    #expect(try !catalog.acquireLease(lease(5, .compaction, until: 100)))
  }

  @Test(arguments: CatalogKind.allCases)
  func aPublicationRenewsItsLeaseForTheNextBlob(_ kind: CatalogKind) throws {
    let (catalog, clock) = try open(kind)
    _ = try catalog.acquireLease(lease(1, .index, blob: "first", until: 100))
    clock.set(150)
    // Nobody else has taken it, so that it is late does not matter.
    _ = try catalog.publishIndex(
      1, upTo: 4, added: ["first"], replacesAll: true, lease: 1, leaseDeadline: 200,
      leasedBlobName: "second")
    #expect(try catalog.referencedBlobs() == ["first", "second"])
    clock.set(199)
    #expect(try !catalog.acquireLease(lease(2, .index, until: 900)))
    _ = try catalog.publishIndex(1, added: ["second"], lease: 1, leaseDeadline: 300)
    #expect(try catalog.referencedBlobs() == ["first", "second"])
    #expect(try !catalog.isAnyBlobLeased())
    clock.set(300)
    #expect(try catalog.acquireLease(lease(2, .index, blob: "third", until: 900)))
    // Whose lease another has taken may publish all the same, and changes nothing about it.
    _ = try catalog.publishIndex(
      1, added: ["fourth"], lease: 1, leaseDeadline: 999, leasedBlobName: "fifth")
    #expect(try catalog.referencedBlobs() == ["first", "fourth", "second", "third"])
    #expect(try !catalog.renewLease(id: .numbered(1), deadline: 999))
  }
}
