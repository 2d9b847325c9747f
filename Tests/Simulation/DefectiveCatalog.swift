// A catalog with a planted defect, between an engine and its catalog.

import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage
import Synchronization

enum CatalogDefect: Sendable {
  /// An append is acknowledged, and committed by the call after it.
  case acknowledgesBeforeCommit
  /// The two halves of a batch are two transactions.
  case splitsBatch
  case dropsLastRecord
  case ignoresDimension
  case ignoresRequestKey
  /// Every append is told that it stands at the first position.
  case givesPositionTwice
  /// Whoever asks for the first time does not get the last batch.
  case readsLag
  /// The blobs go, then the collection.
  case deletesBlobsBeforeCommit
  /// Collections go one by one, then their database.
  case splitsDatabaseDeletion
  /// One blob in use is not named.
  case overlooksBlob
}

// @unchecked: as its superclass; what it adds is a constant or guarded by its mutex.
final class DefectiveCatalog: ForwardingCatalog, @unchecked Sendable {
  private struct State {
    var held: [LogAppend] = []
    var seen: Set<[Int64]> = []
  }

  private let blobs: BlobStore
  private let defect: CatalogDefect
  private let state = Mutex(State())

  init(_ base: any Catalog, _ fileSystem: any FileSystem, _ defect: CatalogDefect) {
    self.defect = defect
    blobs = BlobStore(fileSystem: fileSystem, directory: "\(Player.directory)/blobs")
    super.init(base)
  }

  /// Commits what was acknowledged.
  override func willCall() throws(ChromaError) {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    if !held.isEmpty { _ = try base.append(held) }
  }

  // MARK: Log

  override func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    try willCall()
    switch defect {
    case .acknowledgesBeforeCommit:
      guard appends.count == 1, let position = try nextPosition(appends[0]) else { break }
      state.withLock { $0.held = appends }
      let debt = LogDebt(rowCount: 0, recordCount: 0, byteCount: 0)
      return [.appended(firstPosition: position, debt: debt)]
    case .splitsBatch:
      guard appends.count == 1, let halves = try halves(of: appends[0]) else { break }
      let first = try base.append([halves.0])
      if case .appended = first[0] { _ = try base.append([halves.1]) }
      return first
    case .dropsLastRecord:
      var shorter: [LogAppend] = []
      for append in appends { shorter.append(try halves(of: append, keeping: 1)?.0 ?? append) }
      return try base.append(shorter)
    case .ignoresDimension:
      return try base.append(appends.map { $0.with(dimension: nil) })
    case .ignoresRequestKey:
      return try base.append(appends.map { $0.with(dimension: $0.dimension, requestKey: nil) })
    case .givesPositionTwice:
      return try base.append(appends).map { result in
        if case .appended(_, let debt) = result {
          .appended(firstPosition: 1, debt: debt)
        } else {
          result
        }
      }
    default: break
    }
    return try base.append(appends)
  }

  /// The position that an append is going to get; nil if it is not sure to be appended.
  private func nextPosition(_ append: LogAppend) throws(ChromaError) -> Int64? {
    let changes = try base.changes(in: append.collection, after: .nothing, byteCountMax: 0)
    guard let row = changes?.row, append.requestKey == nil, row.dimension == append.dimension else {
      return nil
    }
    return row.nextPosition
  }

  /// Two appends that come to the same; nil for one record, or a blob.
  private func halves(
    of append: LogAppend, keeping count: Int? = nil
  ) throws(ChromaError) -> (LogAppend, LogAppend)? {
    guard case .inline(let bytes) = append.payload, append.recordCount > 1 else { return nil }
    let batch = try LogBatch.decode(bytes, source: "test")
    let split = count.map { batch.count - $0 } ?? batch.count / 2
    let payloads = [
      try LogBatch.encode(batch.rows(0..<split)),
      try LogBatch.encode(batch.rows(split..<batch.count)),
    ]
    return (
      append.with(recordCount: split, payload: .inline(payloads[0])),
      append.with(recordCount: batch.count - split, payload: .inline(payloads[1]), requestKey: nil)
    )
  }

  override func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    try willCall()
    let changes = try base.changes(in: collection, after: known, byteCountMax: byteCountMax)
    guard case .readsLag = defect, let changes, let last = changes.rows.last else { return changes }
    let key = [Int64(bitPattern: collection.low), last.firstPosition]
    guard state.withLock({ $0.seen.insert(key).inserted }) else { return changes }
    return CollectionChanges(
      row: changes.row, manifest: changes.manifest, index: changes.index,
      rows: changes.rows.dropLast(), isComplete: changes.isComplete)
  }

  override func referencedBlobs() throws(ChromaError) -> [Text] {
    try willCall()
    let blobs = try base.referencedBlobs()
    if case .overlooksBlob = defect { return blobs.dropLast() }
    return blobs
  }

  // MARK: Deletion

  override func deleteCollection(
    tenant: Text, database: Text, name: Text
  ) throws(ChromaError) -> DeletedCollection {
    try willCall()
    if case .deletesBlobsBeforeCommit = defect {
      let row = try base.collection(tenant: tenant, database: database, name: name)
      let rows = try base.changes(in: row.id, after: .nothing, byteCountMax: .max)?.rows ?? []
      for case .blob(let name, _) in rows.map(\.payload) { try blobs.delete(name.string) }
    }
    return try base.deleteCollection(tenant: tenant, database: database, name: name)
  }

  override func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
    try willCall()
    if case .splitsDatabaseDeletion = defect {
      let rows = try base.collections(tenant: tenant, database: name, limit: nil, offset: 0)
      for row in rows {
        _ = try base.deleteCollection(tenant: tenant, database: name, name: row.name)
      }
    }
    return try base.deleteDatabase(tenant: tenant, name: name)
  }
}

extension LogAppend {
  fileprivate func with(dimension: Int?, requestKey: RequestKey?) -> LogAppend {
    LogAppend(
      collection: collection, recordCount: recordCount, payload: payload, dimension: dimension,
      requestKey: requestKey, expectedNextPosition: expectedNextPosition)
  }

  fileprivate func with(dimension: Int?) -> LogAppend {
    with(dimension: dimension, requestKey: requestKey)
  }

  fileprivate func with(recordCount: Int, payload: StoredPayload) -> LogAppend {
    with(recordCount: recordCount, payload: payload, requestKey: requestKey)
  }

  fileprivate func with(
    recordCount: Int, payload: StoredPayload, requestKey: RequestKey?
  ) -> LogAppend {
    LogAppend(
      collection: collection, recordCount: recordCount, payload: payload, dimension: dimension,
      requestKey: requestKey, expectedNextPosition: expectedNextPosition)
  }
}

extension RecordBatch {
  fileprivate func rows(_ range: Range<Int>) -> RecordBatch {
    RecordBatch(
      operation: operation, ids: Array(ids[range]),
      embeddings: embeddings.map { column in
        VectorColumn(
          dimension: column.dimension,
          values: Array(
            column.values[range.lowerBound * column.dimension..<range.upperBound * column.dimension]
          ),
          present: column.present.map { Array($0[range]) })
      },
      documents: documents.map { Array($0[range]) }, uris: uris.map { Array($0[range]) },
      metadatas: metadatas.map { Array($0[range]) })
  }
}
