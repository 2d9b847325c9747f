// What a segment says of the collection it belongs to.

package import ChromaBase

/// Where a segment belongs: what lets a lost catalog be rebuilt from the blobs that are left.
package struct SegmentDescription: Equatable, Sendable {
  package var collection: UUID
  /// The version of the collection that it was made for, from 1.
  package var version: Int64
  /// The log positions whose records it may hold, both included.
  package var firstPosition: Int64
  package var lastPosition: Int64
  /// Stored in blobs only: a segment that stands in the catalog needs no copy of it.
  package var definition: CollectionDefinition?

  package init(
    collection: UUID, version: Int64, firstPosition: Int64, lastPosition: Int64,
    definition: CollectionDefinition? = nil
  ) {
    self.collection = collection
    self.version = version
    self.firstPosition = firstPosition
    self.lastPosition = lastPosition
    self.definition = definition
  }
}

/// A collection as the catalog has it.
package struct CollectionDefinition: Equatable, Sendable {
  package var tenant: Text
  package var database: Text
  package var databaseID: UUID
  package var name: Text
  /// JSON.
  package var configuration: Text
  /// JSON.
  package var schema: Text?
  /// As the catalog stores it.
  package var metadata: [UInt8]?

  package init(
    tenant: Text, database: Text, databaseID: UUID, name: Text, configuration: Text,
    schema: Text? = nil, metadata: [UInt8]? = nil
  ) {
    self.tenant = tenant
    self.database = database
    self.databaseID = databaseID
    self.name = name
    self.configuration = configuration
    self.schema = schema
    self.metadata = metadata
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(tenant)
    writer.write(database)
    databaseID.bytes.withUnsafeBytes { writer.write($0) }
    writer.write(name)
    writer.write(configuration)
    writer.write((schema == nil ? 0 : 1) + (metadata == nil ? 0 : 2) as UInt8)
    if let schema { writer.write(schema) }
    if let metadata {
      writer.write(UInt32(metadata.count))
      metadata.withUnsafeBytes { writer.write($0) }
    }
    return writer.bytes
  }

  init(from reader: inout ByteReader) throws(ChromaError) {
    tenant = try reader.readText()
    database = try reader.readText()
    databaseID = try reader.readUUID()
    name = try reader.readText()
    configuration = try reader.readText()
    let parts = try reader.readUInt8()
    guard parts <= 3 else { throw reader.damage("a part of the definition is unknown") }
    schema = parts & 1 == 0 ? nil : try reader.readText()
    metadata =
      parts & 2 == 0
      ? nil : Array(try reader.read(byteCount: try reader.readCount(itemByteCountMin: 1)))
    try reader.expectEnd()
  }
}

extension ByteReader {
  /// Sixteen bytes, most significant first.
  mutating func readUUID() throws(ChromaError) -> UUID {
    let high = try readUInt64().byteSwapped
    return UUID(high: high, low: try readUInt64().byteSwapped)
  }
}
