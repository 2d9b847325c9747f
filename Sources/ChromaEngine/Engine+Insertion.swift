// Insertions that say what they met: which ids exist is found out inside the write turn, so that what
// is decided by it, and counted, is what the log comes to.

package import ChromaBase
import ChromaCatalog
import ChromaSegment

/// What an insertion does where a record has one of its ids.
package enum ConflictPolicy: Sendable {
  /// Leaves that record as it is.
  case ignore
  /// Stores nothing of the batch.
  case error
  /// Makes that record exactly what is given. It keeps its place in the order of insertion.
  case replace
}

/// What an insertion came to: as many rows as were given, in two parts.
package struct InsertionCounts: Equatable, Sendable {
  package let addedCount: Int
  /// Those whose id existed, or stood in an earlier row.
  package let existingCount: Int
}

extension Engine {
  /// Inserts records, durably: all that the policy lets through, or nothing.
  ///
  /// - Parameters:
  ///   - batch: Its operation does not matter.
  ///   - timeoutMilliseconds: How long to wait for other processes' writes; nil for the default.
  /// - Throws: `.alreadyExists` naming some of the ids, if the policy is `error` and there are such
  ///   records; otherwise as `write`.
  package func insert(
    _ batch: RecordBatch, onConflict policy: ConflictPolicy, to id: UUID,
    timeoutMilliseconds: Int? = nil
  ) throws(ChromaError) -> InsertionCounts {
    try checkWritable()
    do throws(ChromaError) {
      let stored = try asStored(
        try BatchRules.checked(
          RecordBatch(
            operation: policy == .replace ? .replace : .add, ids: batch.ids,
            embeddings: batch.embeddings, documents: batch.documents, uris: batch.uris,
            metadatas: batch.metadatas)),
        in: id)
      // Before the turn, where nobody waits for it.
      let payload = try LogBatch.encode(stored)
      let state = try known.state(of: id)
      let counts = try exclusively(timeoutMilliseconds: timeoutMilliseconds) {
        [self] () throws(ChromaError) in
        let newRows = try state.read { (view) throws(ChromaError) in
          try view.rowsToInsert(of: stored)
        }
        let existingCount = stored.count - newRows.count
        if policy == .error, existingCount > 0 {
          throw Self.idsExist(newRows, in: stored)
        }
        if policy == .ignore, existingCount > 0 {
          let rest = stored.selecting(newRows)
          try append(rest, payload: try LogBatch.encode(rest), to: state)
        } else {
          try append(stored, payload: payload, to: state)
        }
        return InsertionCounts(addedCount: newRows.count, existingCount: existingCount)
      }
      checkIndex(of: id, isWriting: true)
      return counts
    } catch {
      throw Self.asOfficial(error, in: batch.operation)
    }
  }

  /// Appends a batch; to be called inside the turn.
  private func append(
    _ batch: RecordBatch, payload: [UInt8], to state: CollectionState
  ) throws(ChromaError) {
    if batch.count == 0 { return }
    let append = PendingAppend(
      collection: state.id, recordCount: batch.count, payload: payload,
      dimension: batch.embeddings?.dimension, requestKey: nil)
    switch try log.append([append]).first {
    case .appended(let firstPosition, _): state.adopt(batch, firstPosition: firstPosition)
    case .rejected(let error): throw error
    case .repeated, nil: break
    }
  }

  private static func idsExist(_ newRows: [Int], in batch: RecordBatch) -> ChromaError {
    let isNew = Set(newRows)
    // Five ids, and a hundred characters of each, tell what was written twice.
    let named = batch.ids.indices.lazy.filter { !isNew.contains($0) }.prefix(5)
      .map { "\"\(batch.ids[$0].string.prefix(100))\"" }.joined(separator: ", ")
    let count = batch.count - newRows.count
    return ChromaError(
      .alreadyExists,
      "\(count) of the \(batch.count) ids exist already: \(named)\(count > 5 ? ", …" : ""). Nothing "
        + "was added. Leave these records out, or ask for them to be ignored or replaced.")
  }
}

extension CollectionState.View {
  /// The rows of a batch whose id no record has, and no earlier row.
  fileprivate func rowsToInsert(of batch: RecordBatch) throws(ChromaError) -> [Int] {
    // Said here, since what is left of the batch may be nothing.
    if let expected = dimension, let actual = batch.embeddings?.dimension, expected != actual {
      throw .dimensionMismatch(expected: expected, actual: actual)
    }
    var seen: Set<Text> = []
    var rows: [Int] = []
    for (row, id) in batch.ids.enumerated() where seen.insert(id).inserted {
      if try table.slot(of: id) == nil { rows.append(row) }
    }
    return rows
  }
}
