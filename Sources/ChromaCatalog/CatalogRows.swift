// What goes into and comes out of a catalog: rows, changes, log entries and their outcomes.

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
  /// The log blobs that nothing refers to any more, in order of their bytes.
  package let blobs: [Text]

  package init(row: CollectionRow, blobs: [Text]) {
    self.row = row
    self.blobs = blobs
  }
}

/// Where the bytes of an encoded batch stand.
package enum LogPayload: Equatable, Sendable {
  /// In the log row. See `Limits.inlineBatchByteCountMax`.
  case inline([UInt8])
  /// In a blob, written and synced before it is appended.
  case blob(name: Text, byteCount: Int)

  package var byteCount: Int {
    switch self {
    case .inline(let bytes): bytes.count
    case .blob(_, let byteCount): byteCount
    }
  }
}

/// 128 random bits that name one write, so that repeating it after a lost answer changes nothing.
package struct RequestKey: Hashable, Sendable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// One batch to append to a collection's log.
package struct LogAppend: Equatable, Sendable {
  package let collection: UUID
  /// Records in the batch, at least 1; as many positions are taken.
  package let recordCount: Int
  package let payload: LogPayload
  /// Elements of the batch's vectors, at least 1; nil if it holds none. The first one that a
  /// collection gets becomes its own.
  package let dimension: Int?
  /// If the collection has seen it, nothing is appended, and the first outcome is told again.
  package let requestKey: RequestKey?
  /// If it isn't the collection's next position, the append is rejected.
  package let expectedNextPosition: Int64?

  package init(
    collection: UUID,
    recordCount: Int,
    payload: LogPayload,
    dimension: Int? = nil,
    requestKey: RequestKey? = nil,
    expectedNextPosition: Int64? = nil
  ) {
    self.collection = collection
    self.recordCount = recordCount
    self.payload = payload
    self.dimension = dimension
    self.requestKey = requestKey
    self.expectedNextPosition = expectedNextPosition
  }

  /// Whether a log can hold it at all.
  var isPossible: Bool {
    recordCount >= 1 && dimension ?? 1 >= 1 && payload.byteCount >= 0
  }
}

/// What became of one `LogAppend`.
package enum AppendResult: Equatable, Sendable {
  /// It stands in the log from this position on.
  case appended(firstPosition: Int64)
  /// Its request key was appended before, at this position. Nothing was appended now.
  case repeated(firstPosition: Int64)
  case rejected(ChromaError)
}

/// One batch in a collection's log.
package struct LogRow: Equatable, Sendable {
  package let firstPosition: Int64
  /// Records in the batch; at least 1.
  package let recordCount: Int
  package let payload: LogPayload

  package init(firstPosition: Int64, recordCount: Int, payload: LogPayload) {
    self.firstPosition = firstPosition
    self.recordCount = recordCount
    self.payload = payload
  }

  /// The position after its last record. A catalog hands out no row in which this overflows.
  package var endPosition: Int64 { firstPosition &+ Int64(recordCount) }
}

/// A collection and a part of its log, from one state of the catalog.
package struct CollectionChanges: Equatable, Sendable {
  package let row: CollectionRow
  /// In order of position, without a hole.
  package let rows: [LogRow]
  /// Whether the rows reach the log's end. If not, ask again after the last row's last position.
  package let isComplete: Bool

  package init(row: CollectionRow, rows: [LogRow], isComplete: Bool) {
    self.row = row
    self.rows = rows
    self.isComplete = isComplete
  }
}

extension Int {
  /// The sum of two numbers that are not negative, or the largest number.
  func addingUpToMax(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
