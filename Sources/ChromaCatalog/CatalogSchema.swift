// The tables of chroma.db, version by version. docs/FORMAT.md says what each column holds.

/// What a chroma.db is recognised by, and the steps from each version to the next.
enum CatalogSchema {
  /// The letters "Chrm": tells our files from those of other programs that use SQLite.
  static let applicationID: Int64 = 0x4368_726D

  /// The version that this release writes, and the newest that it reads.
  static var version: Int64 { Int64(migrations.count) }

  /// The statements from version n to n + 1 stand at index n. Those of a release never change.
  static let migrations: [[String]] = [
    [
      """
      CREATE TABLE tenants (
        name TEXT NOT NULL PRIMARY KEY
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE databases (
        key INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (tenant, name)
      ) STRICT
      """,
      """
      CREATE TABLE collections (
        key INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        database_key INTEGER NOT NULL REFERENCES databases ON DELETE CASCADE,
        name TEXT NOT NULL,
        configuration TEXT NOT NULL,
        schema TEXT,
        metadata BLOB,
        dimension INTEGER,
        next_position INTEGER NOT NULL,
        UNIQUE (database_key, name)
      ) STRICT
      """,
      // Listing a database's collections by id must not sort them all for every page.
      "CREATE INDEX collections_by_id ON collections (database_key, id)",
      """
      CREATE TABLE log (
        key INTEGER PRIMARY KEY,
        collection_key INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
        first_position INTEGER NOT NULL,
        record_count INTEGER NOT NULL,
        payload BLOB,
        blob_name TEXT,
        blob_byte_count INTEGER,
        request_key BLOB,
        UNIQUE (collection_key, first_position)
      ) STRICT
      """,
      """
      CREATE UNIQUE INDEX log_by_request_key ON log (collection_key, request_key)
        WHERE request_key IS NOT NULL
      """,
      "CREATE INDEX log_by_blob_name ON log (blob_name) WHERE blob_name IS NOT NULL",
    ] + defaults
  ]

  /// What a new catalog holds: `CatalogDefaults`.
  static let defaults = [
    "INSERT INTO tenants (name) VALUES ('default_tenant')",
    """
    INSERT INTO databases (id, tenant, name)
    VALUES (zeroblob(16), 'default_tenant', 'default_database')
    """,
  ]
}
