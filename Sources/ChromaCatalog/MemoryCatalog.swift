// The catalog as a model: values under one lock.
//
// It says in the plainest way what every conformer must do. Tests hold the stored catalog against it,
// and simulations run on it. One lock around every call makes it serializable; checking everything
// before the first change makes every call whole.

package import ChromaBase
import Synchronization

/// A catalog that is never stored; for tests and simulations.
package final class MemoryCatalog: Catalog {
  /// What several catalogs look at, as several processes look at one directory.
  package final class Storage: Sendable {
    let state: Mutex<State>

    package init() {
      state = Mutex(State())
    }

    /// What another one holds now; the two go apart from here.
    package init(copying other: Storage) {
      state = Mutex(other.state.withLock { $0 })
    }
  }

  struct Collection {
    var row: CollectionRow
    /// In order of position, without a hole.
    var log: [LogRow] = []
    /// The first position of each request that carried a key.
    var requests: [RequestKey: Int64] = [:]
    /// In order of publication.
    var segments: [Segment] = []
    /// In the order in which they apply.
    var indexBlobs: [IndexedBlob] = []

    func isIn(_ tenant: Text, _ database: Text) -> Bool {
      row.tenant == tenant && row.database == database
    }
  }

  /// A segment from the version that added it up to the one that removed it.
  struct Segment {
    var segment: ManifestSegment
    let firstVersion: Int64
    var endVersion: Int64?
  }

  /// A blob of an index from the generation that added it up to the one that removed it.
  struct IndexedBlob {
    let blob: IndexBlob
    let firstGeneration: Int64
    var endGeneration: Int64?
  }

  struct State {
    var tenants: Set<Text> = [CatalogDefaults.tenant]
    var databases = [CatalogDefaults.databaseRow]
    var collections: [UUID: Collection] = [:]
    var leases: [Lease] = []
    var pins: [UUID: (version: Int64, deadline: Int64)] = [:]
    /// Blobs that no row names and a pin still needs, and the number under which they went.
    var garbage: [Text: Int64] = [:]
    var lastVersion: Int64 = 0
  }

  private let storage: Storage
  private let clock: any Clock
  private let isClosed = Atomic(false)

  /// - Parameter clock: Says when leases and pins expire.
  package init(_ storage: Storage = Storage(), clock: any Clock = SystemClock()) {
    self.storage = storage
    self.clock = clock
  }

  package func close() {
    isClosed.store(true, ordering: .sequentiallyConsistent)
  }

  // MARK: Tenants

  package func createTenant(_ name: Text) throws(ChromaError) {
    try transaction { (state) throws(ChromaError) in
      guard state.tenants.insert(name).inserted else { throw .tenantExists(name) }
    }
  }

  package func requireTenant(_ name: Text) throws(ChromaError) {
    try transaction { (state) throws(ChromaError) in
      guard state.tenants.contains(name) else { throw .tenantNotFound(name) }
    }
  }

  // MARK: Databases

  package func createDatabase(_ row: DatabaseRow) throws(ChromaError) {
    try transaction { (state) throws(ChromaError) in
      guard state.database(row.tenant, row.name) == nil else { throw .databaseExists(row.name) }
      guard !state.databases.contains(where: { $0.id == row.id }) else {
        throw .databaseExists(row.id)
      }
      state.databases.append(row)
    }
  }

  package func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow {
    try transaction { (state) throws(ChromaError) in
      guard let row = state.database(tenant, name) else { throw .databaseNotFound(name) }
      return row
    }
  }

  package func databases(
    tenant: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [DatabaseRow] {
    try transaction { (state) throws(ChromaError) in
      let all = state.databases.filter { $0.tenant == tenant }.sorted { $0.name < $1.name }
      return Array(all.dropFirst(max(offset, 0)).prefix(max(limit ?? .max, 0)))
    }
  }

  package func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
    try transaction { (state) throws(ChromaError) in
      guard state.database(tenant, name) != nil else { throw .databaseToDeleteNotFound(name) }
      state.databases.removeAll { $0.tenant == tenant && $0.name == name }
      return state.removeCollections(now) { $0.isIn(tenant, name) }
    }
  }

  // MARK: Collections

  package func createCollection(
    _ new: NewCollection, getOrCreate: Bool
  ) throws(ChromaError) -> (row: CollectionRow, isNew: Bool) {
    try transaction { (state) throws(ChromaError) in
      guard state.database(new.tenant, new.database) != nil else {
        throw .databaseOfCollectionNotFound(new.database)
      }
      if let existing = state.collection(new.tenant, new.database, new.name) {
        guard getOrCreate else { throw .collectionExists(new.name) }
        return (existing.row, false)
      }
      guard state.collections[new.id] == nil else { throw .collectionExists(new.id) }
      let row = CollectionRow(new)
      state.collections[new.id] = Collection(row: row)
      return (row, true)
    }
  }

  package func collection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> CollectionRow {
    try transaction { (state) throws(ChromaError) in
      guard let found = state.collection(tenant, database, name) else {
        throw .collectionNotFound(name)
      }
      return found.row
    }
  }

  package func collection(id: UUID) throws(ChromaError) -> CollectionRow {
    try transaction { (state) throws(ChromaError) in
      guard let found = state.collections[id] else { throw .collectionNotFound(id) }
      return found.row
    }
  }

  package func collections(
    tenant: Text, database: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [CollectionRow] {
    try transaction { (state) throws(ChromaError) in
      let all = state.collections.values.filter { $0.isIn(tenant, database) }.map(\.row)
        .sorted { $0.id < $1.id }
      return Array(all.dropFirst(max(offset, 0)).prefix(max(limit ?? .max, 0)))
    }
  }

  package func collectionIDs() throws(ChromaError) -> [UUID] {
    try transaction { state in state.collections.keys.sorted() }
  }

  package func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int {
    try transaction { (state) throws(ChromaError) in
      state.collections.values.count { $0.isIn(tenant, database) }
    }
  }

  package func modifyCollection(
    id: UUID, _ change: CollectionChange
  ) throws(ChromaError) -> CollectionRow {
    try transaction { (state) throws(ChromaError) in
      guard var row = state.collections[id]?.row else { throw .collectionNotFound(id) }
      if let name = change.name {
        let holder = state.collection(row.tenant, row.database, name)
        guard holder == nil || holder?.row.id == id else { throw .newCollectionNameTaken() }
        row.name = name
      }
      row.configuration = change.configuration ?? row.configuration
      row.schema = change.schema ?? row.schema
      row.metadata = change.metadata ?? row.metadata
      state.collections[id]?.row = row
      return row
    }
  }

  package func deleteCollection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> DeletedCollection {
    try transaction { (state) throws(ChromaError) in
      guard let found = state.collection(tenant, database, name) else {
        throw .collectionNotFound(name)
      }
      let blobs = state.removeCollections(now) { $0.row.id == found.row.id }
      return DeletedCollection(row: found.row, blobs: blobs)
    }
  }

  package func reset() throws(ChromaError) -> [Text] {
    try transaction { (state) throws(ChromaError) in
      let blobs = state.removeCollections(now) { _ in true }
      state.tenants = [CatalogDefaults.tenant]
      state.databases = [CatalogDefaults.databaseRow]
      return blobs
    }
  }

  // MARK: Log

  package func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try transaction { (state) throws(ChromaError) in appends.map { state.append($0) } }
  }

  /// By which leases and pins expire.
  var now: Int64 { clock.wallNanoseconds() }

  func transaction<Outcome: Sendable>(
    _ body: (inout State) throws(ChromaError) -> Outcome
  ) throws(ChromaError) -> Outcome {
    guard !isClosed.load(ordering: .sequentiallyConsistent) else { throw .catalogClosed() }
    return try storage.state.withLock { (state) throws(ChromaError) in try body(&state) }
  }
}

extension MemoryCatalog.State {
  fileprivate func database(_ tenant: Text, _ name: Text) -> DatabaseRow? {
    databases.first { $0.tenant == tenant && $0.name == name }
  }

  fileprivate func collection(
    _ tenant: Text, _ database: Text, _ name: Text
  ) -> MemoryCatalog.Collection? {
    collections.values.first { $0.isIn(tenant, database) && $0.row.name == name }
  }

  fileprivate mutating func append(_ append: LogAppend) -> AppendResult {
    guard append.isPossible else { return .rejected(.impossibleBatch()) }
    guard let found = collections[append.collection] else {
      return .rejected(.collectionOfRecordsNotFound(append.collection))
    }
    if let key = append.requestKey, let firstPosition = found.requests[key] {
      return .repeated(firstPosition: firstPosition)
    }
    let firstPosition = found.row.nextPosition
    if let expected = append.expectedNextPosition, expected != firstPosition {
      return .rejected(.positionMismatch(expected: expected, actual: firstPosition))
    }
    if let expected = found.row.dimension, let actual = append.dimension, expected != actual {
      return .rejected(.dimensionMismatch(expected: expected, actual: actual))
    }
    let (next, overflow) = firstPosition.addingReportingOverflow(Int64(append.recordCount))
    guard !overflow else { return .rejected(.positionsExhausted(append.collection)) }

    collections[append.collection]?.row.dimension = found.row.dimension ?? append.dimension
    collections[append.collection]?.row.nextPosition = next
    collections[append.collection]?.row.logRowCount += 1
    collections[append.collection]?.row.logByteCount += append.payload.byteCount
    collections[append.collection]?.log.append(
      LogRow(
        firstPosition: firstPosition, recordCount: append.recordCount, payload: append.payload))
    if let key = append.requestKey {
      collections[append.collection]?.requests[key] = firstPosition
    }
    let debt = collections[append.collection]?.row.logDebt ?? found.row.logDebt
    return .appended(firstPosition: firstPosition, debt: debt)
  }
}
