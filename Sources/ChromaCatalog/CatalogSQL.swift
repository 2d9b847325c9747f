// Every statement that the stored catalog runs. The connection keeps each compiled.

import ChromaBase

enum CatalogSQL {
  /// The columns of a collection, in the order in which `SQLiteRow.collection` reads them.
  private static let selectFromCollections = """
    SELECT c.key, c.id, d.tenant, d.name, c.name, c.configuration, c.schema, c.metadata,
      c.dimension, c.next_position, c.version, c.compacted_position, c.log_row_count,
      c.log_byte_count, c.compacted_byte_count, c.generation, c.indexed_position
    FROM collections AS c JOIN databases AS d ON d.key = c.database_key
    """

  static let insertTenant = "INSERT INTO tenants (name) VALUES (?1)"
  static let selectTenant = "SELECT 1 FROM tenants WHERE name = ?1"
  static let deleteTenants = "DELETE FROM tenants"

  static let insertDatabase = "INSERT INTO databases (id, tenant, name) VALUES (?1, ?2, ?3)"
  static let selectDatabase = "SELECT key, id FROM databases WHERE tenant = ?1 AND name = ?2"
  static let selectDatabaseByID = "SELECT key FROM databases WHERE id = ?1"
  static let listDatabases =
    "SELECT id, name FROM databases WHERE tenant = ?1 ORDER BY name LIMIT ?2 OFFSET ?3"
  static let deleteDatabase = "DELETE FROM databases WHERE key = ?1"
  static let deleteDatabases = "DELETE FROM databases"

  static let insertCollection = """
    INSERT INTO collections
      (id, database_key, name, configuration, schema, metadata, next_position)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
    """
  static let selectCollection =
    "\(selectFromCollections) WHERE d.tenant = ?1 AND d.name = ?2 AND c.name = ?3"
  static let selectCollectionByID = "\(selectFromCollections) WHERE c.id = ?1"
  static let listCollections = """
    \(selectFromCollections) WHERE d.tenant = ?1 AND d.name = ?2
    ORDER BY c.id LIMIT ?3 OFFSET ?4
    """
  static let listCollectionIDs = "SELECT id FROM collections ORDER BY id"
  static let countCollections = """
    SELECT count(*) FROM collections AS c JOIN databases AS d ON d.key = c.database_key
    WHERE d.tenant = ?1 AND d.name = ?2
    """
  static let updateCollection = """
    UPDATE collections SET name = ?2, configuration = ?3, schema = ?4, metadata = ?5
    WHERE key = ?1
    """
  static let deleteCollection = "DELETE FROM collections WHERE key = ?1"

  static let selectLogState = """
    SELECT key, dimension, next_position, compacted_position, log_row_count, log_byte_count
    FROM collections WHERE id = ?1
    """
  static let updateLogState = """
    UPDATE collections SET dimension = ?2, next_position = ?3, log_row_count = ?4,
      log_byte_count = ?5
    WHERE key = ?1
    """
  static let selectRequest = """
    SELECT first_position FROM log WHERE collection_key = ?1 AND request_key = ?2
    UNION ALL SELECT first_position FROM requests WHERE collection_key = ?1 AND request_key = ?2
    """
  static let insertLog = """
    INSERT INTO log (collection_key, first_position, record_count, payload, blob_name,
      blob_byte_count, request_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    """
  /// From the row that holds position ?2 on: the last one that begins at or before it.
  static let selectLog = """
    SELECT first_position, record_count, payload, blob_name, blob_byte_count FROM log
    WHERE collection_key = ?1 AND first_position >= ifnull(
      (SELECT max(first_position) FROM log WHERE collection_key = ?1 AND first_position <= ?2),
      0)
    ORDER BY first_position
    """

  static let applicationID = "PRAGMA application_id"
  static let userVersion = "PRAGMA user_version"
  static let countTables = "SELECT count(*) FROM sqlite_schema"
  static let countFreePages = "PRAGMA freelist_count"
  static let giveBackPages =
    "PRAGMA incremental_vacuum(\(Limits.catalogGiveBackPageCountMax))"
}
