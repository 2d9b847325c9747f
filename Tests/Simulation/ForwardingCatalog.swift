// A catalog before another one, which forwards every call: what the suites put between an engine and
// its catalog overrides the calls that it is about.

import ChromaBase
import ChromaCatalog
import ChromaEngine

// @unchecked: it holds a constant that is Sendable; subclasses guard what they add.
class ForwardingCatalog: Catalog, @unchecked Sendable {
  let base: any Catalog

  init(_ base: any Catalog) {
    self.base = base
  }

  /// Runs before every call.
  func willCall() throws(ChromaError) {}

  // MARK: Tenants and databases

  func createTenant(_ name: Text) throws(ChromaError) {
    try willCall()
    try base.createTenant(name)
  }

  func requireTenant(_ name: Text) throws(ChromaError) {
    try willCall()
    try base.requireTenant(name)
  }

  func createDatabase(_ row: DatabaseRow) throws(ChromaError) {
    try willCall()
    try base.createDatabase(row)
  }

  func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow {
    try willCall()
    return try base.database(tenant: tenant, name: name)
  }

  func databases(tenant: Text, limit: Int?, offset: Int) throws(ChromaError) -> [DatabaseRow] {
    try willCall()
    return try base.databases(tenant: tenant, limit: limit, offset: offset)
  }

  func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
    try willCall()
    return try base.deleteDatabase(tenant: tenant, name: name)
  }

  // MARK: Collections

  func createCollection(
    _ new: NewCollection, getOrCreate: Bool
  ) throws(ChromaError) -> (row: CollectionRow, isNew: Bool) {
    try willCall()
    return try base.createCollection(new, getOrCreate: getOrCreate)
  }

  func collection(tenant: Text, database: Text, name: Text) throws(ChromaError) -> CollectionRow {
    try willCall()
    return try base.collection(tenant: tenant, database: database, name: name)
  }

  func collection(id: UUID) throws(ChromaError) -> CollectionRow {
    try willCall()
    return try base.collection(id: id)
  }

  func collections(
    tenant: Text, database: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [CollectionRow] {
    try willCall()
    return try base.collections(tenant: tenant, database: database, limit: limit, offset: offset)
  }

  func collectionIDs() throws(ChromaError) -> [UUID] {
    try willCall()
    return try base.collectionIDs()
  }

  func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int {
    try willCall()
    return try base.collectionCount(tenant: tenant, database: database)
  }

  func modifyCollection(
    id: UUID, _ change: CollectionChange
  ) throws(ChromaError) -> CollectionRow {
    try willCall()
    return try base.modifyCollection(id: id, change)
  }

  func deleteCollection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> DeletedCollection {
    try willCall()
    return try base.deleteCollection(tenant: tenant, database: database, name: name)
  }

  func reset() throws(ChromaError) -> [Text] {
    try willCall()
    return try base.reset()
  }

  // MARK: Log and versions

  func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try willCall()
    return try base.append(appends)
  }

  func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    try willCall()
    return try base.changes(in: collection, after: known, byteCountMax: byteCountMax)
  }

  func manifest(
    of collection: UUID
  ) throws(ChromaError)
    -> (row: CollectionRow, manifest: VersionManifest, index: IndexManifest)?
  {
    try willCall()
    return try base.manifest(of: collection)
  }

  func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
    try willCall()
    return try base.publish(publication)
  }

  func publishIndex(_ publication: IndexPublication) throws(ChromaError) -> PublishResult {
    try willCall()
    return try base.publishIndex(publication)
  }

  func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool {
    try willCall()
    return try base.acquireLease(lease)
  }

  func renewLease(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try willCall()
    return try base.renewLease(id: id, deadline: deadline)
  }

  func releaseLease(id: UUID) throws(ChromaError) {
    try willCall()
    try base.releaseLease(id: id)
  }

  // MARK: Pins, blobs, space

  func pin(id: UUID, deadline: Int64) throws(ChromaError) {
    try willCall()
    try base.pin(id: id, deadline: deadline)
  }

  func renewPin(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try willCall()
    return try base.renewPin(id: id, deadline: deadline)
  }

  func unpin(id: UUID) throws(ChromaError) -> [Text] {
    try willCall()
    return try base.unpin(id: id)
  }

  func referencedBlobs() throws(ChromaError) -> [Text] {
    try willCall()
    return try base.referencedBlobs()
  }

  func isAnyBlobLeased() throws(ChromaError) -> Bool {
    try willCall()
    return try base.isAnyBlobLeased()
  }

  func shrink() throws(ChromaError) {
    try willCall()
    try base.shrink()
  }

  func foldBackAll() throws(ChromaError) -> Bool {
    try willCall()
    return try base.foldBackAll()
  }

  func close() {
    try? willCall()
    base.close()
  }
}

extension Catalog {
  /// The catalog behind those that forward to it.
  var unwrapped: any Catalog { (self as? ForwardingCatalog)?.base.unwrapped ?? self }
}

extension Engine {
  /// A sentence for each promise between the rows of the catalog that does not hold.
  func inconsistencies() throws(ChromaError) -> [String] {
    try (catalog.unwrapped as? SQLiteCatalog)?.inconsistencies() ?? []
  }
}
