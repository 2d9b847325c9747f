// What goes into a collection's log, and what comes out of it.

package import ChromaBase

/// Where the bytes of a batch or a segment stand.
package enum StoredPayload: Equatable, Sendable {
  /// In the row. See `Limits.inlineBatchByteCountMax` and `Limits.inlineSegmentByteCountMax`.
  case inline([UInt8])
  /// In a blob, written and synced before a row names it.
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
  package let payload: StoredPayload
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
    payload: StoredPayload,
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
    recordCount >= 1 && dimension ?? 1 >= 1
      && (0...Limits.batchByteCountMax).contains(payload.byteCount)
  }
}

/// What of a collection's log no segment holds yet.
package struct LogDebt: Equatable, Sendable {
  package let rowCount: Int
  package let recordCount: Int
  /// Bytes of the rows' payloads, blobs included.
  package let byteCount: Int

  package init(rowCount: Int, recordCount: Int, byteCount: Int) {
    self.rowCount = rowCount
    self.recordCount = recordCount
    self.byteCount = byteCount
  }
}

/// What became of one `LogAppend`.
package enum AppendResult: Equatable, Sendable {
  /// It stands in the log from this position on; the collection's debt is with it.
  case appended(firstPosition: Int64, debt: LogDebt)
  /// Its request key was appended before, at this position. Nothing was appended now.
  case repeated(firstPosition: Int64)
  case rejected(ChromaError)
}

/// One batch in a collection's log.
package struct LogRow: Equatable, Sendable {
  package let firstPosition: Int64
  /// Records in the batch; at least 1.
  package let recordCount: Int
  package let payload: StoredPayload

  package init(firstPosition: Int64, recordCount: Int, payload: StoredPayload) {
    self.firstPosition = firstPosition
    self.recordCount = recordCount
    self.payload = payload
  }

  /// The position after its last record. A catalog hands out no row in which this overflows.
  package var endPosition: Int64 { firstPosition &+ Int64(recordCount) }
}

/// What somebody has of a collection: a version, the log up to and with a position, and an index.
package struct KnownState: Equatable, Sendable {
  package static let nothing = KnownState(version: 0, position: 0)

  package let version: Int64
  package let position: Int64
  /// Of the index; 0 for none.
  package let generation: Int64

  package init(version: Int64, position: Int64, generation: Int64 = 0) {
    self.version = version
    self.position = position
    self.generation = generation
  }
}

/// A collection, its version and index if those are new, and a part of its log, from one state of the
/// catalog.
package struct CollectionChanges: Equatable, Sendable {
  package let row: CollectionRow
  /// The current version, if it isn't the one that was known. Then the rows begin right after its
  /// position, whatever was known.
  package let manifest: VersionManifest?
  /// The current index, if its generation isn't the one that was known; `.absent` if it was dropped.
  package let index: IndexManifest?
  /// In order of position, without a hole.
  package let rows: [LogRow]
  /// Whether the rows reach the log's end. If not, ask again after the last row's last position,
  /// with the version and generation that came.
  package let isComplete: Bool

  package init(
    row: CollectionRow, manifest: VersionManifest? = nil, index: IndexManifest? = nil,
    rows: [LogRow], isComplete: Bool
  ) {
    self.row = row
    self.manifest = manifest
    self.index = index
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
