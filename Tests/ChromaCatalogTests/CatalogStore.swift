// The conformers under test, each as a place that catalogs can be opened on, once or several times,
// as several processes would.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Synchronization

/// Something that outlives the catalogs opened on it.
protocol CatalogStore: Sendable {
  func open() throws(ChromaError) -> any Catalog
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
  private let storage = MemoryCatalog.Storage()

  func open() throws(ChromaError) -> any Catalog {
    MemoryCatalog(storage)
  }
}

/// chroma.db in files that are never stored.
private struct MemoryFileStore: CatalogStore {
  private let fileSystem = MemoryFileSystem()

  func open() throws(ChromaError) -> any Catalog {
    try fileSystem.createDirectories("/database")
    return try SQLiteCatalog(
      fileSystem: fileSystem, directory: "/database", clock: SystemClock(),
      random: SystemRandomSource())
  }
}

/// chroma.db in a directory of the operating system.
private struct FolderStore: CatalogStore {
  private let directory = TemporaryDirectory()

  func open() throws(ChromaError) -> any Catalog {
    try SQLiteCatalog(
      fileSystem: directory.fileSystem, directory: directory.path, clock: SystemClock(),
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
