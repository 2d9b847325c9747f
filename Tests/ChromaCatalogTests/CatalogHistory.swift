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
  case manifest(UUID)
  case publish(PublicationChoice)
  case publishIndex(IndexPublicationChoice)
  case acquireLease(Lease)
  case renewLease(UUID, deadline: Int64)
  case releaseLease(UUID)
  case pin(UUID, deadline: Int64)
  case renewPin(UUID, deadline: Int64)
  case unpin(UUID)
  case referencedBlobs
  case shrink
  case foldBackAll
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
  case manifest(CollectionRow, VersionManifest, IndexManifest)
  case missing
  case published(PublishResult)
  case publishedIndex(PublishResult)
  case answer(Bool)
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
    default:
      return try retentionOutcome(on: catalog)
    }
  }

  private func retentionOutcome(on catalog: any Catalog) throws(ChromaError) -> CatalogOutcome {
    switch self {
    case .manifest(let id):
      guard let found = try catalog.manifest(of: id) else { return .missing }
      return .manifest(found.row, found.manifest, found.index)
    case .publish(let choice):
      guard let publication = try choice.publication(in: catalog) else { return .missing }
      return .published(try catalog.publish(publication))
    case .publishIndex(let choice):
      guard let publication = try choice.publication(in: catalog) else { return .missing }
      return .publishedIndex(try catalog.publishIndex(publication))
    case .acquireLease(let lease):
      return .answer(try catalog.acquireLease(lease))
    case .renewLease(let id, let deadline):
      return .answer(try catalog.renewLease(id: id, deadline: deadline))
    case .releaseLease(let id):
      try catalog.releaseLease(id: id)
    case .pin(let id, let deadline):
      try catalog.pin(id: id, deadline: deadline)
    case .renewPin(let id, let deadline):
      return .answer(try catalog.renewPin(id: id, deadline: deadline))
    case .unpin(let id):
      return .blobs(try catalog.unpin(id: id))
    case .referencedBlobs:
      return .blobs(try catalog.referencedBlobs())
    case .shrink:
      try catalog.shrink()
    default:
      // Whether everything was moved depends on who reads.
      _ = try catalog.foldBackAll()
    }
    return .done
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

  /// Ids of leases and of pins.
  private static let holderCount: UInt64 = 4

  /// Steps without which a short history would be about nothing: three collections with logs, a
  /// version, an index, a pin, a lease.
  private static let prelude: [CatalogStep] =
    (1...3).map { id in
      .createCollection(.named(names[Int(id)], id: id), getOrCreate: false)
    } + [
      .append([.batch(1, to: 1), .blob("log", to: 2), .batch(3, to: 1), .batch(4, to: 3)]),
      .publish(
        PublicationChoice(
          collection: .numbered(1), rowCount: 1,
          added: [.inline(1, id: 101), .blob("segment", id: 102)])),
      .acquireLease(
        Lease(
          id: .numbered(1), collection: .numbered(2), kind: .compaction, blobName: "leased",
          holder: "prelude", deadline: 500)),
      .publishIndex(
        IndexPublicationChoice(.base, of: .numbered(1), names: ["base", "delta"])),
      .pin(.numbered(1), deadline: 500),
      .publish(
        PublicationChoice(
          collection: .numbered(2), rowCount: 1, added: [.blob("segment", id: 103)],
          lease: .numbered(1))),
      .publishIndex(
        IndexPublicationChoice(.base, of: .numbered(1), names: ["another base"])),
      .publishIndex(IndexPublicationChoice(.base, of: .numbered(2), names: ["base of two"])),
    ]

  private var stepCount = 0
  private var random: SeededRandom
  private let clock: WallClock

  /// - Parameter clock: What deadlines are near to. `next` moves it.
  init(seed: UInt64, clock: WallClock = WallClock()) {
    random = SeededRandom(seed)
    self.clock = clock
  }

  mutating func next() -> CatalogStep {
    stepCount += 1
    if stepCount <= Self.prelude.count { return Self.prelude[stepCount - 1] }
    if random.oneIn(20) { clock.advance(Int64(random.int(in: 0...300))) }
    return random.oneIn(3) ? nextRetention() : nextNaming()
  }

  private mutating func nextRetention() -> CatalogStep {
    switch random.int(in: 0...99) {
    case 0...27:
      .publish(
        PublicationChoice(
          collection: often(), lease: random.oneIn(3) ? holder() : nil, using: &random))
    case 28...39:
      .publishIndex(
        IndexPublicationChoice(
          collection: often(), lease: random.oneIn(3) ? holder() : nil,
          leaseDeadline: random.oneIn(2) ? deadline() : nil, using: &random))
    case 40...44: .manifest(id())
    case 45...56:
      .acquireLease(
        Lease(
          id: holder(), collection: id(), kind: random.element(of: [.compaction, .index]),
          blobName: random.oneIn(2) ? nil : Text("leased\(random.int(in: 1...5))"), holder: name(),
          deadline: deadline()))
    case 57...60: .renewLease(holder(), deadline: deadline())
    case 61...63: .releaseLease(holder())
    case 64...75: .pin(holder(), deadline: deadline())
    case 76...79: .renewPin(holder(), deadline: deadline())
    case 80...89: .unpin(holder())
    case 90...95: .referencedBlobs
    case 96...97: .shrink
    default: .foldBackAll
    }
  }

  /// A collection that is likely to be there.
  private mutating func often() -> UUID {
    random.oneIn(2) ? .numbered(random.next() % 3 + 1) : id()
  }

  private mutating func holder() -> UUID { .numbered(random.next() % Self.holderCount) }

  private mutating func deadline() -> Int64 {
    random.oneIn(20)
      ? random.element(of: [.min, -1, .max])
      : clock.wallNanoseconds() + Int64(random.int(in: 0...1000))
  }

  private mutating func nextNaming() -> CatalogStep {
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
        id(),
        after: KnownState(
          version: Int64(random.int(in: -1...20)), position: position(),
          generation: Int64(random.int(in: -1...20))),
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
  static let looks: [CatalogStep] =
    names.map { .requireTenant($0) }
    + names.prefix(tenantCount).map { .databases(tenant: $0, limit: nil, offset: 0) }
    + ([.zero] + (1...collectionCount).map { UUID.numbered($0) }).map {
      .changes(
        $0, after: KnownState(version: .min, position: 0, generation: .min), byteCountMax: .max)
    } + [.referencedBlobs]

  /// Steps whose outcomes tell of what no look shows: leases, pins, garbage, kept request keys, the
  /// number of the last version. They change the catalog.
  static let probes: [CatalogStep] =
    (0..<holderCount).flatMap { [.renewLease(.numbered($0), deadline: 0), .unpin(.numbered($0))] }
    + [.append(requests), .reset]

  /// Every request that the steps can have made, with a position that nothing has.
  private static var requests: [LogAppend] {
    ([.zero] + (1...collectionCount).map { UUID.numbered($0) }).flatMap { id in
      (0...20).map { number in
        LogAppend(
          collection: id, recordCount: 1, payload: .inline([]),
          requestKey: RequestKey(high: number, low: .max), expectedNextPosition: .max)
      }
    }
  }
}
