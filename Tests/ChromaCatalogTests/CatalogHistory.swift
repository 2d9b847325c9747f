// Random transactions, replayed by a seed, and what became of them in a form that compares.
//
// Names, ids and keys come from small sets, so that duplicates, missing things and conflicts are
// common. Among the names are some that only a comparison by bytes tells apart.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport

/// One call to a catalog.
enum CatalogStep: Sendable {
  case createTenant(Text)
  case requireTenant(Text)
  case createDatabase(DatabaseRow)
  case database(tenant: Text, name: Text)
  case databases(tenant: Text, limit: Int?, offset: Int)
  case deleteDatabase(tenant: Text, name: Text)
  case createCollection(NewCollection, getOrCreate: Bool)
  case collection(tenant: Text, database: Text, name: Text)
  case collectionByID(UUID)
  case collections(tenant: Text, database: Text, limit: Int?, offset: Int)
  case collectionCount(tenant: Text, database: Text)
  case modifyCollection(UUID, CollectionChange)
  case deleteCollection(tenant: Text, database: Text, name: Text)
  case reset
  case append([LogAppend])
  case changes(UUID, after: KnownState, byteCountMax: Int)
  case referencedBlobs
}

/// What a step returned or threw.
enum CatalogOutcome: Equatable, Sendable {
  case done
  case database(DatabaseRow)
  case databases([DatabaseRow])
  case created(CollectionRow, isNew: Bool)
  case collection(CollectionRow)
  case collections([CollectionRow])
  case count(Int)
  case deleted(DeletedCollection)
  case blobs([Text])
  case appended([AppendResult])
  case changes(CollectionChanges?)
  case failed(ChromaError)

  var isFailure: Bool {
    if case .failed = self { true } else { false }
  }
}

extension CatalogStep {
  func run(on catalog: any Catalog) -> CatalogOutcome {
    do throws(ChromaError) {
      return try outcome(on: catalog)
    } catch {
      return .failed(error)
    }
  }

  private func outcome(on catalog: any Catalog) throws(ChromaError) -> CatalogOutcome {
    switch self {
    case .createTenant(let name):
      try catalog.createTenant(name)
      return .done
    case .requireTenant(let name):
      try catalog.requireTenant(name)
      return .done
    case .createDatabase(let row):
      try catalog.createDatabase(row)
      return .done
    case .database(let tenant, let name):
      return .database(try catalog.database(tenant: tenant, name: name))
    case .databases(let tenant, let limit, let offset):
      return .databases(try catalog.databases(tenant: tenant, limit: limit, offset: offset))
    case .deleteDatabase(let tenant, let name):
      return .blobs(try catalog.deleteDatabase(tenant: tenant, name: name))
    case .createCollection(let new, let getOrCreate):
      let (row, isNew) = try catalog.createCollection(new, getOrCreate: getOrCreate)
      return .created(row, isNew: isNew)
    case .collection(let tenant, let database, let name):
      return .collection(try catalog.collection(tenant: tenant, database: database, name: name))
    case .collectionByID(let id):
      return .collection(try catalog.collection(id: id))
    case .collections(let tenant, let database, let limit, let offset):
      return .collections(
        try catalog.collections(tenant: tenant, database: database, limit: limit, offset: offset))
    case .collectionCount(let tenant, let database):
      return .count(try catalog.collectionCount(tenant: tenant, database: database))
    case .modifyCollection(let id, let change):
      return .collection(try catalog.modifyCollection(id: id, change))
    case .deleteCollection(let tenant, let database, let name):
      return .deleted(
        try catalog.deleteCollection(tenant: tenant, database: database, name: name))
    case .reset:
      return .blobs(try catalog.reset())
    case .append(let appends):
      return .appended(try catalog.append(appends))
    case .changes(let id, let known, let byteCountMax):
      return .changes(
        try catalog.changes(in: id, after: known, byteCountMax: byteCountMax))
    case .referencedBlobs:
      return .blobs(try catalog.referencedBlobs())
    }
  }
}

/// Draws steps. Writes to logs are the most frequent, as in life; a reset is rare, so that states
/// grow large.
struct CatalogStepGenerator {
  private static let names: [Text] = [
    CatalogDefaults.tenant, CatalogDefaults.database, "caf\u{E9}", "cafe\u{301}", "a\0", "a\0b",
    "a", "\u{1F600}", "\u{FFFD}", "'; DROP TABLE log --",
  ]

  /// Tenants that databases are created in: the first names.
  private static let tenantCount = 3
  /// Ids that collections get, besides zero.
  private static let collectionCount: UInt64 = 8

  private var random: SeededRandom

  init(seed: UInt64) {
    random = SeededRandom(seed)
  }

  mutating func next() -> CatalogStep {
    switch random.int(in: 0...199) {
    case 0: .reset
    case 1...2: .deleteDatabase(tenant: tenant(), name: database())
    case 3...8: .createTenant(name())
    case 9...12: .requireTenant(name())
    case 13...24: .createDatabase(DatabaseRow(id: id(), tenant: tenant(), name: database()))
    case 25...28: .database(tenant: tenant(), name: database())
    case 29...32: .databases(tenant: tenant(), limit: limit(), offset: offset())
    case 33...52: .createCollection(newCollection(), getOrCreate: random.oneIn(2))
    case 53...56: .collection(tenant: tenant(), database: database(), name: name())
    case 57...60: .collectionByID(id())
    case 61...64:
      .collections(tenant: tenant(), database: database(), limit: limit(), offset: offset())
    case 65...66: .collectionCount(tenant: tenant(), database: database())
    case 67...76: .modifyCollection(id(), change())
    case 77...81: .deleteCollection(tenant: tenant(), database: database(), name: name())
    case 82...85: .referencedBlobs
    case 86...145: .append((0..<random.int(in: 0...6)).map { _ in append() })
    default:
      .changes(
        id(), after: KnownState(version: 0, position: position()),
        byteCountMax: random.element(of: [0, 3, 500, .max]))
    }
  }

  private mutating func name() -> Text { random.element(of: Self.names) }

  private mutating func tenant() -> Text {
    random.element(of: Array(Self.names.prefix(Self.tenantCount)))
  }

  private mutating func database() -> Text { random.element(of: Array(Self.names[1...4])) }

  private mutating func id() -> UUID {
    random.oneIn(20) ? .zero : .numbered(random.next() % Self.collectionCount + 1)
  }

  private mutating func limit() -> Int? {
    random.element(of: [nil, nil, 0, 1, 2, 3, -1, .max, .min])
  }

  private mutating func offset() -> Int { random.element(of: [0, 0, 0, 1, 2, -1, .max, .min]) }

  private mutating func position() -> Int64 {
    random.oneIn(20)
      ? random.element(of: [.min, -1, .max]) : Int64(random.int(in: 0...40))
  }

  private mutating func newCollection() -> NewCollection {
    NewCollection(
      id: id(), tenant: tenant(), database: database(), name: name(), configuration: name(),
      schema: random.oneIn(2) ? nil : name(), metadata: random.oneIn(2) ? nil : payload())
  }

  private mutating func change() -> CollectionChange {
    CollectionChange(
      name: random.oneIn(2) ? nil : name(), configuration: random.oneIn(2) ? nil : name(),
      schema: random.oneIn(2) ? nil : name(), metadata: random.oneIn(2) ? nil : payload())
  }

  private mutating func payload() -> [UInt8] {
    let byteCount = random.oneIn(30) ? 20_000 : random.int(in: 0...4)
    return (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  private mutating func append() -> LogAppend {
    let blob = StoredPayload.blob(
      name: Text("blob\(random.int(in: 1...30))"), byteCount: random.int(in: 0...1000))
    return LogAppend(
      collection: id(),
      recordCount: random.oneIn(30) ? random.int(in: -1...0) : random.int(in: 1...4),
      payload: random.oneIn(4) ? blob : .inline(payload()),
      dimension: random.element(of: [nil, nil, 2, 2, 2, 3]),
      requestKey: random.oneIn(3)
        ? RequestKey(high: UInt64(random.int(in: 0...20)), low: .max) : nil,
      expectedNextPosition: random.oneIn(6) ? position() : nil)
  }
}

extension Catalog {
  /// Everything that the steps of a generator can have left behind, as outcomes.
  func everything() -> [CatalogOutcome] {
    CatalogStepGenerator.looks.map { $0.run(on: self) }
  }
}

extension CatalogStepGenerator {
  /// Looks at every tenant, database, collection and log that its steps can create.
  fileprivate static let looks: [CatalogStep] =
    names.map { .requireTenant($0) }
    + names.prefix(tenantCount).map { .databases(tenant: $0, limit: nil, offset: 0) }
    + ([.zero] + (1...collectionCount).map { UUID.numbered($0) }).map {
      .changes($0, after: .nothing, byteCountMax: .max)
    } + [.referencedBlobs]
}
