// A catalog at whose calls a test may do something of its own: what another thread or process would
// do at just that moment.

import ChromaBase
import ChromaCatalog
import Synchronization

/// Forwards every call. Thread-safe.
final class InterruptedCatalog: Catalog {
  private let base: any Catalog
  private let afterChanges = Mutex<(@Sendable () -> Void)?>(nil)

  init(_ base: any Catalog) {
    self.base = base
  }

  /// Runs the closure once, when `changes` has answered and its caller has not yet seen it.
  func onceAfterChanges(_ body: @escaping @Sendable () -> Void) {
    afterChanges.withLock { $0 = body }
  }

  func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    let changes = try base.changes(in: collection, after: known, byteCountMax: byteCountMax)
    let body = afterChanges.withLock { body in
      defer { body = nil }
      return body
    }
    body?()
    return changes
  }

  func createTenant(_ name: Text) throws(ChromaError) { try base.createTenant(name) }

  func requireTenant(_ name: Text) throws(ChromaError) { try base.requireTenant(name) }

  func createDatabase(_ row: DatabaseRow) throws(ChromaError) { try base.createDatabase(row) }

  func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow {
    try base.database(tenant: tenant, name: name)
  }

  func databases(tenant: Text, limit: Int?, offset: Int) throws(ChromaError) -> [DatabaseRow] {
    try base.databases(tenant: tenant, limit: limit, offset: offset)
  }

  func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
    try base.deleteDatabase(tenant: tenant, name: name)
  }

  func createCollection(_ new: NewCollection, getOrCreate: Bool) throws(ChromaError)
    -> (row: CollectionRow, isNew: Bool)
  {
    try base.createCollection(new, getOrCreate: getOrCreate)
  }

  func collection(tenant: Text, database: Text, name: Text) throws(ChromaError) -> CollectionRow {
    try base.collection(tenant: tenant, database: database, name: name)
  }

  func collection(id: UUID) throws(ChromaError) -> CollectionRow { try base.collection(id: id) }

  func collections(tenant: Text, database: Text, limit: Int?, offset: Int) throws(ChromaError)
    -> [CollectionRow]
  {
    try base.collections(tenant: tenant, database: database, limit: limit, offset: offset)
  }

  func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int {
    try base.collectionCount(tenant: tenant, database: database)
  }

  func modifyCollection(id: UUID, _ change: CollectionChange) throws(ChromaError) -> CollectionRow {
    try base.modifyCollection(id: id, change)
  }

  func deleteCollection(tenant: Text, database: Text, name: Text) throws(ChromaError)
    -> DeletedCollection
  {
    try base.deleteCollection(tenant: tenant, database: database, name: name)
  }

  func reset() throws(ChromaError) -> [Text] { try base.reset() }

  func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try base.append(appends)
  }

  func manifest(
    of collection: UUID
  ) throws(ChromaError)
    -> (row: CollectionRow, manifest: VersionManifest, index: IndexManifest)?
  {
    try base.manifest(of: collection)
  }

  func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
    try base.publish(publication)
  }

  func publishIndex(_ publication: IndexPublication) throws(ChromaError) -> PublishResult {
    try base.publishIndex(publication)
  }

  func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool {
    try base.acquireLease(lease)
  }

  func renewLease(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try base.renewLease(id: id, deadline: deadline)
  }

  func releaseLease(id: UUID) throws(ChromaError) { try base.releaseLease(id: id) }

  func pin(id: UUID, deadline: Int64) throws(ChromaError) {
    try base.pin(id: id, deadline: deadline)
  }

  func renewPin(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try base.renewPin(id: id, deadline: deadline)
  }

  func unpin(id: UUID) throws(ChromaError) -> [Text] { try base.unpin(id: id) }

  func shrink() throws(ChromaError) { try base.shrink() }

  func foldBackAll() throws(ChromaError) -> Bool { try base.foldBackAll() }

  func collectionIDs() throws(ChromaError) -> [UUID] { try base.collectionIDs() }

  func referencedBlobs() throws(ChromaError) -> [Text] { try base.referencedBlobs() }

  func isAnyBlobLeased() throws(ChromaError) -> Bool { try base.isAnyBlobLeased() }

  func close() { base.close() }
}
