// The conformers under test, each as a place that catalogs can be opened on, once or several times,
// as several processes would.

import ChromaBase
import ChromaCatalog

/// Something that outlives the catalogs opened on it.
protocol CatalogStore: Sendable {
  func open() throws(ChromaError) -> any Catalog
}

/// Every conformer of `Catalog`; the argument of every test of the contract.
enum CatalogKind: CaseIterable, Sendable {
  case memory

  func makeStore() -> any CatalogStore {
    switch self {
    case .memory: MemoryStore()
    }
  }
}

private struct MemoryStore: CatalogStore {
  private let storage = MemoryCatalog.Storage()

  func open() throws(ChromaError) -> any Catalog {
    MemoryCatalog(storage)
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
  func append(_ append: LogAppend) throws(ChromaError) -> AppendResult? {
    try self.append([append]).first
  }

  /// All changes after a position.
  func allChanges(_ id: UInt64, after position: Int64 = 0) throws(ChromaError)
    -> CollectionChanges?
  {
    try changes(in: .numbered(id), after: position, byteCountMax: .max)
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
