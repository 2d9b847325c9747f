// What goes into and comes out of a catalog about tenants, databases and collections.

package import ChromaBase

/// What exists in a new catalog.
package enum CatalogDefaults {
  package static let tenant: Text = "default_tenant"
  package static let database: Text = "default_database"
  /// Its id is `UUID.zero`, as in official Chroma.
  package static let databaseRow = DatabaseRow(id: .zero, tenant: tenant, name: database)
}

package struct DatabaseRow: Equatable, Sendable {
  package let id: UUID
  package let tenant: Text
  package let name: Text

  package init(id: UUID, tenant: Text, name: Text) {
    self.id = id
    self.tenant = tenant
    self.name = name
  }
}

/// A collection to create.
package struct NewCollection: Equatable, Sendable {
  package let id: UUID
  package let tenant: Text
  package let database: Text
  package let name: Text
  /// JSON that the catalog doesn't look into.
  package let configuration: Text
  /// JSON that the catalog doesn't look into.
  package let schema: Text?
  /// Bytes that the engine encodes and the catalog doesn't look into.
  package let metadata: [UInt8]?

  package init(
    id: UUID,
    tenant: Text,
    database: Text,
    name: Text,
    configuration: Text,
    schema: Text? = nil,
    metadata: [UInt8]? = nil
  ) {
    self.id = id
    self.tenant = tenant
    self.database = database
    self.name = name
    self.configuration = configuration
    self.schema = schema
    self.metadata = metadata
  }
}

/// A collection as stored.
package struct CollectionRow: Equatable, Sendable {
  package let id: UUID
  package let tenant: Text
  package let database: Text
  package var name: Text
  package var configuration: Text
  package var schema: Text?
  package var metadata: [UInt8]?
  /// Elements of its vectors; nil until the first write that holds one.
  package var dimension: Int?
  /// The position that the next record in its log gets. The first is 1.
  package var nextPosition: Int64
  /// Which manifest is current; 0 before the first one. Grows, with gaps.
  package var version: Int64 = 0
  /// The segments of the version hold the log up to and with this position; rows begin after it.
  package var compactedPosition: Int64 = 0
  /// Rows in its log.
  package var logRowCount = 0
  /// Bytes of those rows' payloads, blobs included.
  package var logByteCount = 0
  /// Bytes of all segments that were ever published for it: what compactions have written.
  package var compactedByteCount: Int64 = 0
  /// Which index is current; 0 if there is none. Grows, with gaps, until the index is dropped.
  package var generation: Int64 = 0
  /// The index covers the vectors that were set up to and with this log position; 0 without one, at
  /// most `compactedPosition`.
  package var indexedPosition: Int64 = 0

  package init(_ new: NewCollection, dimension: Int? = nil, nextPosition: Int64 = 1) {
    id = new.id
    tenant = new.tenant
    database = new.database
    name = new.name
    configuration = new.configuration
    schema = new.schema
    metadata = new.metadata
    self.dimension = dimension
    self.nextPosition = nextPosition
  }

  /// What of its log the segments do not hold.
  package var logDebt: LogDebt {
    LogDebt(
      rowCount: logRowCount, recordCount: Int(nextPosition - 1 - compactedPosition),
      byteCount: logByteCount)
  }
}

/// What to change about a collection; nil leaves a field as it is.
package struct CollectionChange: Equatable, Sendable {
  package let name: Text?
  package let configuration: Text?
  package let schema: Text?
  package let metadata: [UInt8]?

  package init(
    name: Text? = nil,
    configuration: Text? = nil,
    schema: Text? = nil,
    metadata: [UInt8]? = nil
  ) {
    self.name = name
    self.configuration = configuration
    self.schema = schema
    self.metadata = metadata
  }
}

/// A collection that is gone.
package struct DeletedCollection: Equatable, Sendable {
  /// The collection as it was.
  package let row: CollectionRow
  /// The blobs that nothing refers to any more, in order of their bytes.
  package let blobs: [Text]

  package init(row: CollectionRow, blobs: [Text]) {
    self.row = row
    self.blobs = blobs
  }
}
