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
    fileprivate let state = Mutex(State())

    package init() {}
  }

  fileprivate struct Collection {
    var row: CollectionRow
    /// In order of position, without a hole.
    var log: [LogRow] = []
    /// The first position of each request that carried a key.
    var requests: [RequestKey: Int64] = [:]

    func isIn(_ tenant: Text, _ database: Text) -> Bool {
      row.tenant == tenant && row.database == database
    }
  }

  fileprivate struct State {
    var tenants: Set<Text> = [CatalogDefaults.tenant]
    var databases = [CatalogDefaults.databaseRow]
    var collections: [UUID: Collection] = [:]
  }

  private let storage: Storage
  private let isClosed = Atomic(false)

  package init(_ storage: Storage = Storage()) {
    self.storage = storage
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
      return state.removeCollections { $0.isIn(tenant, name) }
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
      let blobs = state.removeCollections { $0.row.id == found.row.id }
      return DeletedCollection(row: found.row, blobs: blobs)
    }
  }

  package func reset() throws(ChromaError) -> [Text] {
    try transaction { (state) throws(ChromaError) in
      let blobs = state.blobs
      state = State()
      return blobs
    }
  }

  // MARK: Log

  package func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try transaction { (state) throws(ChromaError) in appends.map { state.append($0) } }
  }

  package func changes(
    in collection: UUID, after position: Int64, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    try transaction { (state) throws(ChromaError) in
      guard let found = state.collections[collection] else { return nil }
      let known = found.log.lastIndex { $0.endPosition - 1 <= position }
      let new = found.log[(known.map { $0 + 1 } ?? 0)...]
      var byteCount = 0
      let rows = new.prefix { row in
        byteCount = byteCount.addingUpToMax(row.payload.byteCount)
        return row == new.first || byteCount <= byteCountMax
      }
      return CollectionChanges(
        row: found.row, rows: Array(rows), isComplete: rows.count == new.count)
    }
  }

  package func referencedBlobs() throws(ChromaError) -> [Text] {
    try transaction { (state) throws(ChromaError) in state.blobs }
  }

  private func transaction<Outcome: Sendable>(
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

  /// What every log refers to, in order of bytes, each once.
  fileprivate var blobs: [Text] {
    let names = collections.values.flatMap(\.log).compactMap { row in
      if case .blob(let name, _) = row.payload { name } else { nil }
    }
    return Set(names).sorted()
  }

  /// Returns the blobs that nothing refers to any more.
  fileprivate mutating func removeCollections(
    where isDoomed: (MemoryCatalog.Collection) -> Bool
  ) -> [Text] {
    let before = blobs
    collections = collections.filter { !isDoomed($0.value) }
    let after = Set(blobs)
    return before.filter { !after.contains($0) }
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
    collections[append.collection]?.log.append(
      LogRow(
        firstPosition: firstPosition, recordCount: append.recordCount, payload: append.payload))
    if let key = append.requestKey {
      collections[append.collection]?.requests[key] = firstPosition
    }
    return .appended(firstPosition: firstPosition)
  }
}
