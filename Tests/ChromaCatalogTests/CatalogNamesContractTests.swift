// The contract of every catalog: tenants, databases and collections.

import ChromaBase
import ChromaCatalog
import Testing

@Suite("Every catalog: tenants, databases, collections")
struct CatalogNamesContractTests {
  private static let tenant = CatalogDefaults.tenant
  private static let database = CatalogDefaults.database
  private let stores = CatalogStores()

  // MARK: Tenants

  @Test(arguments: CatalogKind.allCases)
  func aNewCatalogHoldsTheDefaultTenantAndDatabase(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.requireTenant("default_tenant")
    let rows = try catalog.databases(tenant: "default_tenant", limit: nil, offset: 0)
    #expect(rows == [DatabaseRow(id: .zero, tenant: "default_tenant", name: "default_database")])
    #expect(try catalog.collectionCount(tenant: Self.tenant, database: Self.database) == 0)
    #expect(try catalog.referencedBlobs() == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func aTenantIsCreatedOnce(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    #expect(throws: ChromaError(.notFound, "Tenant [acme] not found")) {
      try catalog.requireTenant("acme")
    }
    try catalog.createTenant("acme")
    try catalog.requireTenant("acme")
    #expect(throws: ChromaError(.alreadyExists, "Tenant [acme] already exists")) {
      try catalog.createTenant("acme")
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func namesAreComparedByTheirBytes(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    // One scalar, and a letter with a combining accent: equal to Swift's String, not to us. A byte
    // of zero ends nothing.
    let names: [Text] = ["caf\u{E9}", "cafe\u{301}", "nul\0one", "nul\0two", "nul", "NUL", ""]
    for (number, name) in names.enumerated() {
      try catalog.createTenant(name)
      try catalog.createDatabase(
        DatabaseRow(id: .numbered(UInt64(number)), tenant: "acme", name: name))
      try catalog.createCollection(name, id: UInt64(number))
    }
    for (number, name) in names.enumerated() {
      try catalog.requireTenant(name)
      #expect(try catalog.database(tenant: "acme", name: name).id == .numbered(UInt64(number)))
      let row = try catalog.collection(tenant: Self.tenant, database: Self.database, name: name)
      #expect(row.id == .numbered(UInt64(number)))
      #expect(row.name == name)
    }
    let listed = try catalog.databases(tenant: "acme", limit: nil, offset: 0).map(\.name)
    #expect(listed == names.sorted())
  }

  // MARK: Databases

  @Test(arguments: CatalogKind.allCases)
  func aDatabaseNeedsNoTenantAndIsUniqueInIt(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    let row = DatabaseRow(id: .numbered(1), tenant: "nobody", name: "books")
    try catalog.createDatabase(row)
    #expect(try catalog.database(tenant: "nobody", name: "books") == row)
    #expect(throws: ChromaError(.alreadyExists, "Database [books] already exists")) {
      try catalog.createDatabase(DatabaseRow(id: .numbered(2), tenant: "nobody", name: "books"))
    }
    try catalog.createDatabase(DatabaseRow(id: .numbered(2), tenant: "somebody", name: "books"))
    let taken = "Database [\(UUID.numbered(2))] already exists"
    #expect(throws: ChromaError(.alreadyExists, taken)) {
      try catalog.createDatabase(DatabaseRow(id: .numbered(2), tenant: "nobody", name: "films"))
    }
    #expect(throws: ChromaError(.notFound, "Tenant [nobody] not found")) {
      try catalog.requireTenant("nobody")
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func aMissingDatabaseIsNotFound(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    let sentence = "Database [books] not found. Are you sure it exists?"
    #expect(throws: ChromaError(.notFound, sentence)) {
      try catalog.database(tenant: Self.tenant, name: "books")
    }
    #expect(throws: ChromaError(.notFound, "Database [books] not found")) {
      try catalog.deleteDatabase(tenant: Self.tenant, name: "books")
    }
    #expect(try catalog.databases(tenant: "nobody", limit: nil, offset: 0) == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func databasesAreListedByNameWithLimitAndOffset(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    for (number, name) in (["b", "B", "a", "\u{FFFD}", "\u{1F600}", "ab"] as [Text]).enumerated() {
      try catalog.createDatabase(
        DatabaseRow(id: .numbered(UInt64(number)), tenant: "t", name: name))
    }
    func names(_ limit: Int?, _ offset: Int) throws -> [Text] {
      try catalog.databases(tenant: "t", limit: limit, offset: offset).map(\.name)
    }
    let all: [Text] = ["B", "a", "ab", "b", "\u{FFFD}", "\u{1F600}"]
    #expect(try names(nil, 0) == all)
    #expect(try names(2, 1) == ["a", "ab"])
    #expect(try names(nil, 4) == ["\u{FFFD}", "\u{1F600}"])
    #expect(try names(0, 0) == [])
    #expect(try names(-1, -1) == [])
    #expect(try names(.max, .max) == [])
    #expect(try names(.max, .min) == all)
  }

  @Test(arguments: CatalogKind.allCases)
  func deletingADatabaseTakesItsCollectionsAndNamesTheirBlobs(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createDatabase(DatabaseRow(id: .numbered(9), tenant: Self.tenant, name: "other"))
    let other = NewCollection(
      id: .numbered(3), tenant: Self.tenant, database: "other", name: "one", configuration: "{}")
    _ = try catalog.createCollection(other, getOrCreate: false)
    try catalog.createCollection("one", id: 1)
    try catalog.createCollection("two", id: 2)
    _ = try catalog.append([
      .blob("b", to: 1), .blob("a", to: 2), .blob("shared", to: 1), .blob("c", to: 3),
      .blob("shared", to: 3), .batch(1, to: 2),
    ])
    #expect(try catalog.referencedBlobs() == ["a", "b", "c", "shared"])

    let blobs = try catalog.deleteDatabase(tenant: Self.tenant, name: Self.database)
    #expect(blobs == ["a", "b"])
    #expect(try catalog.referencedBlobs() == ["c", "shared"])
    #expect(try catalog.allChanges(1) == nil)
    #expect(try catalog.collectionCount(tenant: Self.tenant, database: Self.database) == 0)
    #expect(try catalog.collectionCount(tenant: Self.tenant, database: "other") == 1)

    // The same names can be used again, and begin anew.
    try catalog.createDatabase(
      DatabaseRow(id: .numbered(10), tenant: Self.tenant, name: Self.database))
    try catalog.createCollection("one", id: 1)
    #expect(try catalog.allChanges(1)?.rows == [])
  }

  // MARK: Collections

  @Test(arguments: CatalogKind.allCases)
  func aCollectionKeepsWhatItWasGiven(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    let new = NewCollection(
      id: UUID(high: .max, low: .max), tenant: Self.tenant, database: Self.database, name: "full",
      configuration: "{\"hnsw\":{}}", schema: "{\"a\":1}", metadata: [0, 255, 0])
    let (row, isNew) = try catalog.createCollection(new, getOrCreate: false)
    #expect(isNew)
    #expect(row == CollectionRow(new, dimension: nil, nextPosition: 1))
    #expect(try catalog.collection(id: new.id) == row)
    #expect(
      try catalog.collection(tenant: Self.tenant, database: Self.database, name: "full") == row)

    // Nothing given and nothing in it are two things.
    let empty = NewCollection(
      id: .numbered(1), tenant: Self.tenant, database: Self.database, name: "empty",
      configuration: "", schema: "", metadata: [])
    _ = try catalog.createCollection(empty, getOrCreate: false)
    #expect(try catalog.collection(id: empty.id) == CollectionRow(empty))
    try catalog.createCollection("bare", id: 2)
    #expect(try catalog.collection(id: .numbered(2)).schema == nil)
    #expect(try catalog.collection(id: .numbered(2)).metadata == nil)
  }

  @Test(arguments: CatalogKind.allCases)
  func anExistingCollectionIsAnErrorOrReturnedUnchanged(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createCollection("one", id: 1)
    #expect(throws: ChromaError(.alreadyExists, "Collection [one] already exists")) {
      try catalog.createCollection("one", id: 2)
    }
    let (row, isNew) = try catalog.createCollection(.named("one", id: 2), getOrCreate: true)
    #expect(!isNew)
    #expect(row.id == .numbered(1))
    let (second, isSecondNew) = try catalog.createCollection(
      .named("two", id: 2), getOrCreate: true)
    #expect(isSecondNew)
    #expect(second.id == .numbered(2))
    let taken = "Collection [\(UUID.numbered(1))] already exists"
    #expect(throws: ChromaError(.alreadyExists, taken)) {
      try catalog.createCollection("three", id: 1)
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func aMissingCollectionIsNotFound(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    let byName = ChromaError(.notFound, "Collection [one] does not exist")
    #expect(throws: byName) {
      try catalog.collection(tenant: Self.tenant, database: Self.database, name: "one")
    }
    #expect(throws: byName) {
      try catalog.collection(tenant: "nobody", database: Self.database, name: "one")
    }
    #expect(throws: byName) {
      try catalog.deleteCollection(tenant: Self.tenant, database: Self.database, name: "one")
    }
    let byID = ChromaError(.notFound, "Collection [\(UUID.numbered(1))] does not exist")
    #expect(throws: byID) { try catalog.collection(id: .numbered(1)) }
    #expect(throws: byID) {
      try catalog.modifyCollection(id: .numbered(1), CollectionChange(name: "two"))
    }
    #expect(throws: ChromaError(.invalidArgument, "Database [books] does not exist")) {
      let new = NewCollection(
        id: .numbered(1), tenant: Self.tenant, database: "books", name: "one",
        configuration: "{}")
      return try catalog.createCollection(new, getOrCreate: true)
    }
    #expect(
      try catalog.collections(tenant: Self.tenant, database: "books", limit: nil, offset: 0) == [])
    #expect(try catalog.collectionCount(tenant: Self.tenant, database: "books") == 0)
  }

  @Test(arguments: CatalogKind.allCases)
  func collectionsAreListedByIdWithLimitAndOffset(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    // The order of ids is that of unsigned bytes: the highest bit set comes last.
    let ids = [UUID(high: .max, low: 0), .numbered(2), .numbered(.max), .zero, .numbered(1)]
    for (number, id) in ids.enumerated() {
      let new = NewCollection(
        id: id, tenant: Self.tenant, database: Self.database, name: Text("c\(number)"),
        configuration: "{}")
      _ = try catalog.createCollection(new, getOrCreate: false)
    }
    func listed(_ limit: Int?, _ offset: Int) throws -> [UUID] {
      try catalog.collections(
        tenant: Self.tenant, database: Self.database, limit: limit, offset: offset
      ).map(\.id)
    }
    #expect(try listed(nil, 0) == ids.sorted())
    #expect(try listed(2, 2) == Array(ids.sorted()[2...3]))
    #expect(try listed(0, 0) == [])
    #expect(try listed(-5, 0) == [])
    #expect(try listed(nil, 5) == [])
    #expect(try listed(.max, -5) == ids.sorted())
    #expect(try catalog.collectionCount(tenant: Self.tenant, database: Self.database) == 5)
  }

  @Test(arguments: CatalogKind.allCases)
  func modifyingChangesOnlyWhatIsNamed(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    let new = NewCollection(
      id: .numbered(1), tenant: Self.tenant, database: Self.database, name: "one",
      configuration: "{}", schema: "s", metadata: [1])
    _ = try catalog.createCollection(new, getOrCreate: false)
    _ = try catalog.append(.batch(7, to: 1, recordCount: 3, dimension: 4))
    var expected = CollectionRow(new, dimension: 4, nextPosition: 4)
    expected.logRowCount = 1
    expected.logByteCount = 1
    func modify(_ change: CollectionChange) throws {
      #expect(try catalog.modifyCollection(id: .numbered(1), change) == expected)
      #expect(try catalog.collection(id: .numbered(1)) == expected)
    }
    try modify(CollectionChange())
    expected.metadata = []
    try modify(CollectionChange(metadata: []))
    expected.configuration = "{2}"
    expected.schema = "t"
    try modify(CollectionChange(configuration: "{2}", schema: "t"))
    expected.name = "two"
    try modify(CollectionChange(name: "two"))
    #expect(throws: ChromaError(.notFound, "Collection [one] does not exist")) {
      try catalog.collection(tenant: Self.tenant, database: Self.database, name: "one")
    }
    #expect(try catalog.allChanges(1)?.rows.count == 1)
  }

  @Test(arguments: CatalogKind.allCases)
  func aCollectionCannotTakeAnothersName(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createCollection("one", id: 1)
    try catalog.createCollection("two", id: 2)
    let sentence =
      "Database error: error returned from database: (code: 2067) "
      + "UNIQUE constraint failed: collections.name, collections.database_id"
    #expect(throws: ChromaError(.alreadyExists, sentence)) {
      try catalog.modifyCollection(
        id: .numbered(1), CollectionChange(name: "two", metadata: [1]))
    }
    #expect(try catalog.collection(id: .numbered(1)).metadata == nil)
    // Its own name is not another's, and a name is free again once it was left.
    _ = try catalog.modifyCollection(id: .numbered(1), CollectionChange(name: "one"))
    _ = try catalog.modifyCollection(id: .numbered(2), CollectionChange(name: "three"))
    _ = try catalog.modifyCollection(id: .numbered(1), CollectionChange(name: "two"))
  }

  @Test(arguments: CatalogKind.allCases)
  func deletingACollectionNamesItsBlobs(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createCollection("one", id: 1)
    try catalog.createCollection("two", id: 2)
    _ = try catalog.append([.blob("z", to: 1), .blob("a", to: 1), .blob("b", to: 2)])
    let row = try catalog.collection(id: .numbered(1))
    let deleted = try catalog.deleteCollection(
      tenant: Self.tenant, database: Self.database, name: "one")
    #expect(deleted == DeletedCollection(row: row, blobs: ["a", "z"]))
    #expect(row.nextPosition == 3)
    #expect(try catalog.referencedBlobs() == ["b"])
    #expect(try catalog.allChanges(1) == nil)
  }

  @Test(arguments: CatalogKind.allCases)
  func resetLeavesANewCatalog(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createTenant("acme")
    try catalog.createDatabase(DatabaseRow(id: .numbered(5), tenant: "acme", name: "books"))
    _ = try catalog.deleteDatabase(tenant: Self.tenant, name: Self.database)
    let new = NewCollection(
      id: .numbered(1), tenant: "acme", database: "books", name: "one", configuration: "{}")
    _ = try catalog.createCollection(new, getOrCreate: false)
    _ = try catalog.append([.blob("b", to: 1), .blob("a", to: 1), .batch(1, to: 1)])

    #expect(try catalog.reset() == ["a", "b"])
    #expect(throws: ChromaError(.notFound, "Tenant [acme] not found")) {
      try catalog.requireTenant("acme")
    }
    #expect(try catalog.databases(tenant: "acme", limit: nil, offset: 0) == [])
    #expect(
      try catalog.databases(tenant: Self.tenant, limit: nil, offset: 0)
        == [CatalogDefaults.databaseRow])
    #expect(try catalog.allChanges(1) == nil)
    #expect(try catalog.referencedBlobs() == [])
    try catalog.createCollection("one", id: 1)
    #expect(try catalog.allChanges(1)?.row.nextPosition == 1)
  }

  // MARK: Handles

  @Test(arguments: CatalogKind.allCases)
  func aClosedCatalogRefusesEveryCall(_ kind: CatalogKind) throws {
    let store = stores.make(kind)
    let catalog = try store.open()
    try catalog.createTenant("acme")
    catalog.close()
    catalog.close()
    let closed = ChromaError(.closed, "The database is closed. Open it again to go on.")
    #expect(throws: closed) { try catalog.requireTenant("acme") }
    #expect(throws: closed) { try catalog.createTenant("other") }
    #expect(throws: closed) { try catalog.append(.batch(1, to: 1)) }
    #expect(throws: closed) { try catalog.allChanges(1) }
    #expect(throws: closed) { try catalog.reset() }
    try store.open().requireTenant("acme")
  }

  @Test(arguments: CatalogKind.allCases)
  func twoCatalogsOnOneStoreSeeEachOthersCallsAtTheNext(_ kind: CatalogKind) throws {
    let store = stores.make(kind)
    let left = try store.open()
    let right = try store.open()
    for round in 1...20 as ClosedRange<UInt64> {
      let (writer, reader) = round.isMultiple(of: 2) ? (left, right) : (right, left)
      let name = Text("c\(round)")
      try writer.createCollection(name, id: round)
      #expect(try reader.collection(id: .numbered(round)).name == name)
      #expect(try writer.append(.batch(1, to: round)) == .appended(firstPosition: 1))
      #expect(try reader.allChanges(round)?.rows.count == 1)
      #expect(try reader.append(.batch(2, to: round)) == .appended(firstPosition: 2))
      #expect(try writer.allChanges(round)?.rows.count == 2)
    }
    left.close()
    #expect(try right.collectionCount(tenant: Self.tenant, database: Self.database) == 20)
  }
}
