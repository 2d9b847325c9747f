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
    ] + defaults,
    versions,
    indexes,
  ]

  /// From 1 to 2: versions of collections, and what a log owes them.
  private static let versions = [
    "ALTER TABLE collections ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE collections ADD COLUMN compacted_position INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE collections ADD COLUMN compacted_byte_count INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE collections ADD COLUMN log_row_count INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE collections ADD COLUMN log_byte_count INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE collections SET (log_row_count, log_byte_count) = (
      SELECT count(*), ifnull(sum(ifnull(length(payload), blob_byte_count)), 0)
      FROM log WHERE collection_key = collections.key)
    """,
    """
    CREATE TABLE segments (
      key INTEGER PRIMARY KEY,
      collection_key INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
      id BLOB NOT NULL,
      first_version INTEGER NOT NULL,
      end_version INTEGER,
      row_count INTEGER NOT NULL,
      blob_name TEXT,
      blob_byte_count INTEGER,
      payload BLOB,
      UNIQUE (collection_key, id)
    ) STRICT
    """,
    "CREATE INDEX segments_by_blob_name ON segments (blob_name) WHERE blob_name IS NOT NULL",
    "CREATE INDEX ended_segments ON segments (end_version) WHERE end_version IS NOT NULL",
    // Apart from the segments, whose payloads would be written anew with each change.
    """
    CREATE TABLE deletions (
      segment_key INTEGER PRIMARY KEY REFERENCES segments ON DELETE CASCADE,
      first_version INTEGER NOT NULL,
      row_count INTEGER NOT NULL,
      bitmap BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE requests (
      collection_key INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
      first_position INTEGER NOT NULL,
      request_key BLOB NOT NULL,
      PRIMARY KEY (collection_key, first_position),
      UNIQUE (collection_key, request_key)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE leases (
      collection_key INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
      kind INTEGER NOT NULL,
      id BLOB NOT NULL,
      blob_name TEXT,
      holder TEXT NOT NULL,
      deadline INTEGER NOT NULL,
      PRIMARY KEY (collection_key, kind)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE pins (
      id BLOB NOT NULL PRIMARY KEY,
      version INTEGER NOT NULL,
      deadline INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE garbage (
      blob_name TEXT NOT NULL PRIMARY KEY,
      end_version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE versions (last INTEGER NOT NULL) STRICT",
    "INSERT INTO versions (last) VALUES (0)",
  ]

  /// From 2 to 3: indexes of collections.
  private static let indexes = [
    "ALTER TABLE collections ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE collections ADD COLUMN indexed_position INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE index_blobs (
      key INTEGER PRIMARY KEY,
      collection_key INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
      first_generation INTEGER NOT NULL,
      end_generation INTEGER,
      blob_name TEXT NOT NULL,
      blob_byte_count INTEGER NOT NULL,
      UNIQUE (collection_key, blob_name)
    ) STRICT
    """,
    "CREATE INDEX index_blobs_by_blob_name ON index_blobs (blob_name)",
    """
    CREATE INDEX ended_index_blobs ON index_blobs (end_generation)
      WHERE end_generation IS NOT NULL
    """,
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
