// The conformers under test, each as a place that catalogs can be opened on, once or several times,
// as several processes would.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Synchronization

/// Something that outlives the catalogs opened on it.
protocol CatalogStore: Sendable {
  /// By whose wall clock leases and pins expire.
  var clock: WallClock { get }

  func open() throws(ChromaError) -> any Catalog
}

/// A clock whose wall says what a test says.
final class WallClock: Clock {
  private let wall = Mutex<Int64>(0)
  private let system = SystemClock()

  func wallNanoseconds() -> Int64 { wall.withLock { $0 } }

  func monotonicNanoseconds() -> UInt64 { system.monotonicNanoseconds() }

  func sleep(nanoseconds: UInt64) { system.sleep(nanoseconds: nanoseconds) }

  func set(_ nanoseconds: Int64) { wall.withLock { $0 = nanoseconds } }

  func advance(_ nanoseconds: Int64) { wall.withLock { $0 += nanoseconds } }
}

/// Every conformer of `Catalog`; the argument of every test of the contract.
enum CatalogKind: CaseIterable, Sendable {
  case memory
  case sqliteInMemory
  case sqliteInFolder
}

/// The stores of one test, which must live until it ends: a folder goes with its store.
final class CatalogStores: Sendable {
  private let stores = Mutex<[any CatalogStore]>([])

  func make(_ kind: CatalogKind) -> any CatalogStore {
    let store: any CatalogStore =
      switch kind {
      case .memory: MemoryStore()
      case .sqliteInMemory: MemoryFileStore()
      case .sqliteInFolder: FolderStore()
      }
    stores.withLock { $0.append(store) }
    return store
  }
}

private struct MemoryStore: CatalogStore {
  let clock = WallClock()
  private let storage = MemoryCatalog.Storage()

  func open() throws(ChromaError) -> any Catalog {
    MemoryCatalog(storage, clock: clock)
  }
}

/// chroma.db in files that are never stored.
private struct MemoryFileStore: CatalogStore {
  let clock = WallClock()
  private let fileSystem = MemoryFileSystem()

  func open() throws(ChromaError) -> any Catalog {
    try fileSystem.createDirectories("/database")
    return try SQLiteCatalog(
      fileSystem: fileSystem, directory: "/database", clock: clock,
      random: SystemRandomSource())
  }
}

/// chroma.db in a directory of the operating system.
private struct FolderStore: CatalogStore {
  let clock = WallClock()
  private let directory = TemporaryDirectory()

  func open() throws(ChromaError) -> any Catalog {
    try SQLiteCatalog(
      fileSystem: directory.fileSystem, directory: directory.path, clock: clock,
      random: SystemRandomSource())
  }
}

// MARK: Short ways to say what tests say often

extension UUID {
  /// Ids in the order of their numbers.
  static func numbered(_ number: UInt64) -> UUID {
    UUID(high: 0x4000, low: number)
  }
}

extension NewCollection {
  /// A collection of the default database.
  static func named(_ name: Text, id: UInt64) -> NewCollection {
    NewCollection(
      id: .numbered(id), tenant: CatalogDefaults.tenant, database: CatalogDefaults.database,
      name: name, configuration: "{}")
  }
}

extension Catalog {
  /// Creates a collection in the default database.
  func createCollection(_ name: Text, id: UInt64) throws(ChromaError) {
    _ = try createCollection(.named(name, id: id), getOrCreate: false)
  }

  /// Appends one batch and returns what became of it.
  func append(_ append: LogAppend) throws(ChromaError) -> AppendOutcome? {
    try self.append([append]).first?.outcome
  }

  /// All changes after a position of a collection that was never compacted.
  func allChanges(_ id: UInt64, after position: Int64 = 0) throws(ChromaError)
    -> CollectionChanges?
  {
    try changes(
      in: .numbered(id), after: KnownState(version: 0, position: position), byteCountMax: .max)
  }
}

/// What became of an append, without the debt, which most tests do not look at.
enum AppendOutcome: Equatable, Sendable {
  case appended(firstPosition: Int64)
  case repeated(firstPosition: Int64)
  case rejected(ChromaError)
}

extension AppendResult {
  var outcome: AppendOutcome {
    switch self {
    case .appended(let firstPosition, _): .appended(firstPosition: firstPosition)
    case .repeated(let firstPosition): .repeated(firstPosition: firstPosition)
    case .rejected(let error): .rejected(error)
    }
  }
}

extension Catalog {
  /// The collection's version as it is.
  func manifest(_ id: UInt64) throws(ChromaError) -> VersionManifest? {
    try manifest(of: .numbered(id))?.manifest
  }

  /// Publishes what follows the current version, up to the log's end unless a position is given.
  func publish(
    _ id: UInt64, upTo position: Int64? = nil, added: [SegmentReference] = [],
    removed: [UInt64] = [], deleted: [UInt64: DeletedRows] = [:], lease: UInt64? = nil
  ) throws(ChromaError) -> PublishResult {
    let row = try collection(id: .numbered(id))
    return try publish(
      Publication(
        collection: .numbered(id), expectedVersion: row.version,
        position: position ?? row.nextPosition - 1, added: added,
        removed: removed.map { .numbered($0) },
        deleted: Dictionary(uniqueKeysWithValues: deleted.map { (.numbered($0), $1) }),
        lease: lease.map { .numbered($0) }))
  }

  /// The collection's index as it is.
  func index(_ id: UInt64) throws(ChromaError) -> IndexManifest? {
    try manifest(of: .numbered(id))?.index
  }

  /// Publishes what follows the current generation, up to the segments' end unless a position is
  /// given.
  func publishIndex(
    _ id: UInt64, upTo position: Int64? = nil, added: [IndexBlob] = [], replacesAll: Bool = false,
    lease: UInt64? = nil, leaseDeadline: Int64? = nil, leasedBlobName: Text? = nil
  ) throws(ChromaError) -> PublishResult {
    let row = try collection(id: .numbered(id))
    return try publishIndex(
      IndexPublication(
        collection: .numbered(id), expectedGeneration: row.generation,
        position: position ?? row.compactedPosition, added: added, replacesAll: replacesAll,
        lease: lease.map { .numbered($0) }, leaseDeadline: leaseDeadline,
        leasedBlobName: leasedBlobName))
  }

  /// The promises between rows that a stored catalog does not keep.
  func inconsistencies() throws(ChromaError) -> [String] {
    try (self as? SQLiteCatalog)?.inconsistencies() ?? []
  }
}

extension SegmentReference {
  /// A segment in its row, whose one payload byte tells it from others.
  static func inline(_ mark: UInt8, id: UInt64, rowCount: Int = 10) -> SegmentReference {
    SegmentReference(id: .numbered(id), payload: .inline([mark]), rowCount: rowCount)
  }

  static func blob(_ name: Text, id: UInt64, rowCount: Int = 10) -> SegmentReference {
    SegmentReference(
      id: .numbered(id), payload: .blob(name: name, byteCount: 100_000), rowCount: rowCount)
  }
}

extension IndexBlob: ExpressibleByStringLiteral {
  public init(stringLiteral name: String) {
    self.init(name: Text(name), byteCount: 1000)
  }
}

extension LogAppend {
  /// A batch whose one payload byte tells it from others.
  static func batch(
    _ mark: UInt8,
    to id: UInt64,
    recordCount: Int = 1,
    dimension: Int? = nil,
    requestKey: UInt64? = nil,
    expecting expectedNextPosition: Int64? = nil
  ) -> LogAppend {
    LogAppend(
      collection: .numbered(id), recordCount: recordCount, payload: .inline([mark]),
      dimension: dimension, requestKey: requestKey.map { RequestKey(high: $0, low: ~$0) },
      expectedNextPosition: expectedNextPosition)
  }

  /// A batch whose payload is a blob.
  static func blob(_ name: Text, byteCount: Int = 100_000, to id: UInt64) -> LogAppend {
    LogAppend(
      collection: .numbered(id), recordCount: 1,
      payload: .blob(name: name, byteCount: byteCount))
  }
}
