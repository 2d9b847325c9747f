// Tenants, databases, collections.

package import ChromaBase
package import ChromaCatalog
import ChromaSegment

/// What a collection is, as the doors show it.
package struct CollectionDescription: Sendable {
  package let id: UUID
  package let tenant: Text
  package let database: Text
  package let name: Text
  /// JSON with the keys hnsw, spann and embedding_function.
  package let configuration: Text
  /// JSON of what is indexed, complete: also where the collection was created without a schema.
  package let schema: Text
  package let metadata: Metadata?
  package let dimension: Int?
}

/// What to create.
package struct CollectionRequest: Sendable {
  package let tenant: Text
  package let database: Text
  package let name: Text
  package let configuration: Text?
  package let schema: Text?
  package let metadata: Metadata?
  package let getOrCreate: Bool

  package init(
    tenant: Text, database: Text, name: Text, configuration: Text?, schema: Text? = nil,
    metadata: Metadata?, getOrCreate: Bool
  ) {
    self.tenant = tenant
    self.database = database
    self.name = name
    self.configuration = configuration
    self.schema = schema
    self.metadata = metadata
    self.getOrCreate = getOrCreate
  }
}

extension Engine {
  package func createTenant(_ name: Text) throws(ChromaError) {
    try NameRules.checkTenant(name)
    try exclusively { [self] () throws(ChromaError) in try catalog.createTenant(name) }
  }

  package func requireTenant(_ name: Text) throws(ChromaError) {
    try catalog.requireTenant(name)
  }

  package func createDatabase(tenant: Text, name: Text) throws(ChromaError) {
    try NameRules.checkDatabase(name)
    let row = DatabaseRow(id: UUID(random: environment.random), tenant: tenant, name: name)
    try exclusively { [self] () throws(ChromaError) in try catalog.createDatabase(row) }
  }

  package func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow {
    try NameRules.checkDatabase(name)
    return try catalog.database(tenant: tenant, name: name)
  }

  package func databases(
    tenant: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [DatabaseRow] {
    try catalog.databases(tenant: tenant, limit: limit, offset: offset)
  }

  /// Deletes a database with its collections.
  package func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) {
    let blobs = try exclusively { [self] () throws(ChromaError) in
      try catalog.deleteDatabase(tenant: tenant, name: name)
    }
    known.forgetAll()
    delete(blobs)
  }

  package func createCollection(
    _ request: CollectionRequest
  ) throws(ChromaError) -> CollectionDescription {
    try NameRules.checkCollection(request.name, argument: "name")
    if let metadata = request.metadata { try NameRules.checkCollectionMetadata(metadata) }
    var configuration = try CollectionConfiguration(
      json: request.configuration, metadata: request.metadata)
    var schema = CollectionSchema.standard
    if let json = request.schema {
      (schema, configuration) = try CollectionSchema.settle(json: json, with: configuration)
    }
    if request.getOrCreate, let row = try existing(request) { return try describe(row) }
    let new = NewCollection(
      id: UUID(random: environment.random), tenant: request.tenant, database: request.database,
      name: request.name, configuration: configuration.stored, schema: schema.stored,
      metadata: request.metadata.map(MetadataCodec.encode))
    let row = try exclusively { [self] () throws(ChromaError) in
      try catalog.createCollection(new, getOrCreate: request.getOrCreate).row
    }
    return try describe(row)
  }

  /// Most who ask for "get or create" get: that waits for no writer, and writes nothing.
  private func existing(_ request: CollectionRequest) throws(ChromaError) -> CollectionRow? {
    do throws(ChromaError) {
      return try catalog.collection(
        tenant: request.tenant, database: request.database, name: request.name)
    } catch {
      guard error.kind == .notFound else { throw error }
      return nil
    }
  }

  package func collection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> CollectionDescription {
    try describe(try catalog.collection(tenant: tenant, database: database, name: name))
  }

  package func collection(id: UUID) throws(ChromaError) -> CollectionDescription {
    try describe(try catalog.collection(id: id))
  }

  package func collections(
    tenant: Text, database: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [CollectionDescription] {
    let rows = try catalog.collections(
      tenant: tenant, database: database, limit: limit, offset: offset)
    var descriptions: [CollectionDescription] = []
    for row in rows { descriptions.append(try describe(row)) }
    return descriptions
  }

  package func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int {
    try catalog.collectionCount(tenant: tenant, database: database)
  }

  /// Changes what is not nil. Metadata replaces the whole map: keys without a value are left out of
  /// it, and of such alone, the collection has no metadata afterwards.
  package func modifyCollection(
    id: UUID, name: Text?, metadata: MetadataChange?, configuration: Text?
  ) throws(ChromaError) {
    if let name { try NameRules.checkCollection(name, argument: "new_name") }
    let values = metadata.map { Metadata().merging($0) }
    if let metadata, let values, !values.isEmpty || metadata.entries.isEmpty {
      try NameRules.checkCollectionMetadata(values, argument: "new_metadata")
    }
    try exclusively { [self] () throws(ChromaError) in
      var stored: Text?
      if let configuration {
        let current = try CollectionConfiguration(
          stored: try catalog.collection(id: id).configuration)
        stored = try current.updated(json: configuration).stored
      }
      _ = try catalog.modifyCollection(
        id: id,
        CollectionChange(
          name: name, configuration: stored, metadata: values.map(MetadataCodec.encode)))
    }
  }

  package func deleteCollection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) {
    let deleted = try exclusively { [self] () throws(ChromaError) in
      try catalog.deleteCollection(tenant: tenant, database: database, name: name)
    }
    known.forget(deleted.row.id)
    delete(deleted.blobs)
  }

  /// Deletes everything and creates the default tenant and database again.
  package func reset() throws(ChromaError) {
    let blobs = try exclusively { [self] () throws(ChromaError) in try catalog.reset() }
    known.forgetAll()
    delete(blobs)
  }

  package func heartbeatNanoseconds() -> Int64 {
    environment.clock.wallNanoseconds()
  }

  private func describe(_ row: CollectionRow) throws(ChromaError) -> CollectionDescription {
    var metadata: Metadata?
    if let bytes = row.metadata {
      let decoded = try MetadataCodec.decode(bytes, source: "metadata of collection \(row.id)")
      if !decoded.isEmpty { metadata = decoded }
    }
    let configuration = try CollectionConfiguration(stored: row.configuration)
    return CollectionDescription(
      id: row.id, tenant: row.tenant, database: row.database, name: row.name,
      configuration: configuration.json,
      schema: try CollectionSchema(stored: row.schema).json(with: configuration),
      metadata: metadata, dimension: row.dimension)
  }
}
