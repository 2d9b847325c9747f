// Tenants, databases and collections in chroma.db.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  // MARK: Tenants

  package func createTenant(_ name: Text) throws(ChromaError) {
    try change { (connection) throws(ChromaError) in
      guard try !connection.hasRow(CatalogSQL.selectTenant, [.text(name)]) else {
        throw .tenantExists(name)
      }
      try connection.execute(CatalogSQL.insertTenant, [.text(name)])
    }
  }

  package func requireTenant(_ name: Text) throws(ChromaError) {
    try read { (connection) throws(ChromaError) in
      guard try connection.hasRow(CatalogSQL.selectTenant, [.text(name)]) else {
        throw .tenantNotFound(name)
      }
    }
  }

  // MARK: Databases

  package func createDatabase(_ row: DatabaseRow) throws(ChromaError) {
    try change { (connection) throws(ChromaError) in
      guard try !connection.hasRow(CatalogSQL.selectDatabase, [.text(row.tenant), .text(row.name)])
      else {
        throw .databaseExists(row.name)
      }
      guard try !connection.hasRow(CatalogSQL.selectDatabaseByID, [.uuid(row.id)]) else {
        throw .databaseExists(row.id)
      }
      try connection.execute(
        CatalogSQL.insertDatabase, [.uuid(row.id), .text(row.tenant), .text(row.name)])
    }
  }

  package func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow {
    try read { (connection) throws(ChromaError) in
      let id = try connection.firstRow(CatalogSQL.selectDatabase, [.text(tenant), .text(name)]) {
        (row) throws(ChromaError) in try row.uuid(1)
      }
      guard let id else { throw .databaseNotFound(name) }
      return DatabaseRow(id: id, tenant: tenant, name: name)
    }
  }

  package func databases(
    tenant: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [DatabaseRow] {
    try read { (connection) throws(ChromaError) in
      try connection.allRows(
        CatalogSQL.listDatabases, [.text(tenant), .limit(limit), .offset(offset)]
      ) {
        (row) throws(ChromaError) in
        DatabaseRow(id: try row.uuid(0), tenant: tenant, name: try row.text(1))
      }
    }
  }

  package func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
    try change { (connection) throws(ChromaError) in
      guard let key = try Self.databaseKey(connection, tenant, name) else {
        throw .databaseToDeleteNotFound(name)
      }
      return try delete(
        connection, CatalogSQL.deleteDatabase, key, blobs: CatalogSQL.listBlobsOfDatabase)
    }
  }

  // MARK: Collections

  package func createCollection(
    _ new: NewCollection, getOrCreate: Bool
  ) throws(ChromaError) -> (row: CollectionRow, isNew: Bool) {
    try change { (connection) throws(ChromaError) in
      guard let databaseKey = try Self.databaseKey(connection, new.tenant, new.database) else {
        throw .databaseOfCollectionNotFound(new.database)
      }
      if let existing = try Self.find(connection, new.tenant, new.database, new.name) {
        guard getOrCreate else { throw .collectionExists(new.name) }
        return (existing.row, false)
      }
      guard try !connection.hasRow(CatalogSQL.selectLogState, [.uuid(new.id)]) else {
        throw .collectionExists(new.id)
      }
      try connection.execute(
        CatalogSQL.insertCollection,
        [
          .uuid(new.id), .integer(databaseKey), .text(new.name), .text(new.configuration),
          .optional(new.schema), .optional(new.metadata),
        ])
      return (CollectionRow(new), true)
    }
  }

  package func collection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> CollectionRow {
    try read { (connection) throws(ChromaError) in
      guard let found = try Self.find(connection, tenant, database, name) else {
        throw .collectionNotFound(name)
      }
      return found.row
    }
  }

  package func collection(id: UUID) throws(ChromaError) -> CollectionRow {
    try read { (connection) throws(ChromaError) in
      guard let found = try Self.find(connection, id) else { throw .collectionNotFound(id) }
      return found.row
    }
  }

  package func collections(
    tenant: Text, database: Text, limit: Int?, offset: Int
  ) throws(ChromaError) -> [CollectionRow] {
    try read { (connection) throws(ChromaError) in
      try connection.allRows(
        CatalogSQL.listCollections,
        [.text(tenant), .text(database), .limit(limit), .offset(offset)]
      ) { (row) throws(ChromaError) in try row.collection().row }
    }
  }

  package func collectionIDs() throws(ChromaError) -> [UUID] {
    try read { (connection) throws(ChromaError) in
      try connection.allRows(CatalogSQL.listCollectionIDs) { (row) throws(ChromaError) in
        try row.uuid(0)
      }
    }
  }

  package func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int {
    try read { (connection) throws(ChromaError) in
      try connection.firstRow(CatalogSQL.countCollections, [.text(tenant), .text(database)]) {
        (row) throws(ChromaError) in Int(try row.integer(0))
      } ?? 0
    }
  }

  package func modifyCollection(
    id: UUID, _ change: CollectionChange
  ) throws(ChromaError) -> CollectionRow {
    try self.change { (connection) throws(ChromaError) in
      guard let (key, found) = try Self.find(connection, id) else {
        throw .collectionNotFound(id)
      }
      var row = found
      if let name = change.name {
        let holder = try Self.find(connection, row.tenant, row.database, name)
        guard holder == nil || holder?.key == key else { throw .newCollectionNameTaken() }
        row.name = name
      }
      row.configuration = change.configuration ?? row.configuration
      row.schema = change.schema ?? row.schema
      row.metadata = change.metadata ?? row.metadata
      try connection.execute(
        CatalogSQL.updateCollection,
        [
          .integer(key), .text(row.name), .text(row.configuration), .optional(row.schema),
          .optional(row.metadata),
        ])
      return row
    }
  }

  package func deleteCollection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> DeletedCollection {
    try change { (connection) throws(ChromaError) in
      guard let (key, row) = try Self.find(connection, tenant, database, name) else {
        throw .collectionNotFound(name)
      }
      let blobs = try delete(
        connection, CatalogSQL.deleteCollection, key, blobs: CatalogSQL.listBlobsOfCollection)
      return DeletedCollection(row: row, blobs: blobs)
    }
  }

  package func reset() throws(ChromaError) -> [Text] {
    try change { (connection) throws(ChromaError) in
      let candidates = try Self.blobs(connection, CatalogSQL.listBlobsOfRows)
      try connection.execute(CatalogSQL.deleteDatabases)
      try connection.execute(CatalogSQL.deleteTenants)
      for statement in CatalogSchema.defaults { try connection.execute(statement) }
      let retired = try retire(connection, candidates)
      try giveBackPages(connection)
      return retired
    }
  }

  // MARK: Steps

  /// Deletes a row, and by the tables' own rule whatever refers to it. Returns the blobs that nothing
  /// needs any more.
  private func delete(
    _ connection: SQLiteConnection, _ deletion: String, _ key: Int64,
    blobs listing: String
  ) throws(ChromaError) -> [Text] {
    let candidates = try Self.blobs(connection, listing, [.integer(key)])
    try connection.execute(deletion, [.integer(key)])
    let retired = try retire(connection, candidates)
    try giveBackPages(connection)
    return retired
  }

  private static func databaseKey(
    _ connection: SQLiteConnection, _ tenant: Text, _ name: Text
  ) throws(ChromaError) -> Int64? {
    try connection.firstRow(CatalogSQL.selectDatabase, [.text(tenant), .text(name)]) {
      (row) throws(ChromaError) in try row.integer(0)
    }
  }

  private static func find(
    _ connection: SQLiteConnection, _ tenant: Text, _ database: Text, _ name: Text
  ) throws(ChromaError) -> (key: Int64, row: CollectionRow)? {
    try connection.firstRow(
      CatalogSQL.selectCollection, [.text(tenant), .text(database), .text(name)]
    ) {
      (row) throws(ChromaError) in try row.collection()
    }
  }

  private static func find(
    _ connection: SQLiteConnection, _ id: UUID
  ) throws(ChromaError) -> (key: Int64, row: CollectionRow)? {
    try connection.firstRow(CatalogSQL.selectCollectionByID, [.uuid(id)]) {
      (row) throws(ChromaError) in try row.collection()
    }
  }
}
