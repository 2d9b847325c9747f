// Writes: check, encode, commit, adopt.

package import ChromaBase
package import ChromaCatalog
import ChromaSegment

extension Engine {
  /// Adds, updates or upserts records: all of the batch, durably, or nothing.
  ///
  /// - Parameters:
  ///   - requestKey: A write repeated with its key happens once.
  ///   - timeoutMilliseconds: How long to wait for other processes' writes; nil for the default.
  /// - Throws: `.invalidArgument`, `.notFound`, `.locked`, `.io`, `.outOfSpace`.
  package func write(
    _ batch: RecordBatch, to id: UUID, requestKey: RequestKey? = nil,
    timeoutMilliseconds: Int? = nil
  ) throws(ChromaError) {
    try checkWritable()
    let batch = try BatchRules.checked(batch)
    if batch.count == 0 {
      // Nothing to write, but a collection that is gone is still an error.
      guard try catalog.hasCollection(id) else {
        throw Self.asOfficial(CollectionState.gone(id), in: batch.operation)
      }
      return
    }
    let stored: RecordBatch
    do throws(ChromaError) {
      stored = try asStored(batch, in: id)
    } catch {
      throw Self.asOfficial(error, in: batch.operation)
    }
    let append = PendingAppend(
      collection: id, recordCount: batch.count, payload: try LogBatch.encode(stored),
      dimension: batch.embeddings?.dimension, requestKey: requestKey)
    let timeout = timeoutMilliseconds ?? Limits.writeTurnTimeoutMilliseconds
    switch try commits.append(append, timeoutMilliseconds: timeout) {
    case .appended(let firstPosition, _):
      known.knownState(of: id)?.adopt(stored, firstPosition: firstPosition)
      checkIndex(of: id, isWriting: true)
    case .repeated:
      break
    case .rejected(let error):
      throw Self.asOfficial(error, in: batch.operation)
    }
  }

  /// The batch with its vectors as the collection stores them: rounded once, so that the log, every
  /// segment and every answer have the same.
  func asStored(
    _ batch: RecordBatch, in id: UUID
  ) throws(ChromaError) -> RecordBatch {
    guard let embeddings = batch.embeddings else { return batch }
    let type = try known.vectorType(of: id)
    if type == .f32 { return batch }
    return RecordBatch(
      operation: batch.operation, ids: batch.ids,
      embeddings: try BatchRules.rounded(embeddings, to: type), documents: batch.documents,
      uris: batch.uris, metadatas: batch.metadatas)
  }

  /// Official Chroma words a missing collection in two ways, and its users match on the words.
  static func asOfficial(_ error: ChromaError, in operation: Operation?) -> ChromaError {
    guard error.kind == .notFound, operation != .delete else { return error }
    return .notFound("Error getting collection: \(error.message)")
  }

  /// Deletes records.
  ///
  /// - Returns: Without a filter the number of ids given, as official Chroma counts; else the number
  ///   of records that matched.
  package func delete(
    _ selection: Selection, from id: UUID, limit: Int?, timeoutMilliseconds: Int? = nil
  ) throws(ChromaError) -> Int {
    try checkWritable()
    guard selection.hasFilter else {
      guard let ids = selection.ids else {
        throw .invalidArgument(
          "Validation error: ids, where: Either ids or where must be specified")
      }
      if limit != nil {
        throw .invalidArgument(
          "limit can only be specified when a where or where_document clause is provided")
      }
      let known = ids.filter { !$0.isEmpty }
      try write(
        RecordBatch(operation: .delete, ids: known), to: id,
        timeoutMilliseconds: timeoutMilliseconds)
      return ids.count
    }
    return try write(to: selection, in: id, limit: limit, timeoutMilliseconds) { ids in
      RecordBatch(operation: .delete, ids: ids)
    }
  }

  /// Merges metadata into that of every record that matches, as `update` does record by record.
  ///
  /// - Returns: The number of records that matched.
  package func update(
    _ selection: Selection, merging metadata: MetadataChange, in id: UUID,
    timeoutMilliseconds: Int? = nil
  ) throws(ChromaError) -> Int {
    try checkWritable()
    guard selection.ids != nil || selection.hasFilter else {
      throw .invalidArgument("ids, where or where_document must say which records to update.")
    }
    // Checked as one record's, once, and even if no record matches.
    let row = try BatchRules.checked(
      RecordBatch(operation: .update, ids: ["id"], metadatas: [metadata]))
    return try write(to: selection, in: id, limit: nil, timeoutMilliseconds) { ids in
      RecordBatch(
        operation: .update, ids: ids,
        documents: row.documents.map { Array(repeating: $0[0], count: ids.count) },
        uris: row.uris.map { Array(repeating: $0[0], count: ids.count) },
        metadatas: row.metadatas.map { Array(repeating: $0[0], count: ids.count) })
    }
  }

  /// Writes to the records that match. Which ones do is decided inside the turn, where nobody else
  /// writes.
  ///
  /// - Returns: Their number.
  private func write(
    to selection: Selection, in id: UUID, limit: Int?, _ timeoutMilliseconds: Int?,
    _ batch: @escaping ([Text]) -> RecordBatch
  ) throws(ChromaError) -> Int {
    let state = try known.state(of: id)
    return try exclusively(timeoutMilliseconds: timeoutMilliseconds) {
      [self] () throws(ChromaError) in
      let ids = try state.read { (view) throws(ChromaError) in
        try view.schema.check(selection)
        let table = view.table
        var ids: [Text] = []
        let slots = try Selector(selection, in: table, cancel: nil)
          .slotsInOrder(offset: 0, limit: limit)
        for slot in slots { ids.append(try table.id(slot)) }
        return ids
      }
      if ids.isEmpty { return 0 }
      let batch = batch(ids)
      let append = PendingAppend(
        collection: id, recordCount: batch.count, payload: try LogBatch.encode(batch),
        dimension: nil, requestKey: nil)
      switch try log.append([append]).first {
      case .appended(let firstPosition, _): state.adopt(batch, firstPosition: firstPosition)
      case .rejected(let error): throw error
      case .repeated, nil: break
      }
      return ids.count
    }
  }
}
