// Space and speed, on demand: flush, compact, statistics.

package import ChromaBase

/// How far a long call has come.
package struct MaintenanceProgress: Sendable {
  package let collectionCount: Int
  package let doneCount: Int
  /// How much of the one in work is indexed, of what was not when the call came to it: 0 to 1.
  package let currentFraction: Double

  /// How far the call has come, in thousandths of a collection.
  package var thousandths: (done: Int, total: Int) {
    let share = Int((min(max(currentFraction, 0), 1) * 1000).rounded(.down))
    let total = collectionCount * 1000
    return (min(doneCount * 1000 + share, total), total)
  }
}

/// What a collection takes.
package struct CollectionStatistics: Sendable {
  package let recordCount: Int
  /// Grows with every compaction.
  package let version: Int64
  /// The position of the last record in the log, ever.
  package let position: Int64
  /// Rows, records and bytes of the log that are not in segments yet.
  package let logRowCount: Int
  package let logRecordCount: Int
  package let logByteCount: Int
  package let segmentCount: Int
  package let segmentByteCount: Int
  /// Rows of segments that are deleted and still there.
  package let deadRowCount: Int
  /// Bytes that compactions of the collection wrote, ever.
  package let compactedByteCount: Int64
}

extension Engine {
  /// Brings every collection, or one, to rest: all that was written stands in segments, and nothing
  /// that was deleted before the call is left in any file.
  ///
  /// - Parameter progress: Called on this thread, before each collection, after each part of it that was
  ///   indexed, and at the end.
  /// - Throws: `.notFound`, `.cancelled`, `.locked`, `.corruption`, `.io`, `.outOfSpace`.
  package func flush(
    _ id: UUID? = nil, cancel: CancelToken? = nil,
    progress: @escaping (MaintenanceProgress) -> Void = { _ in }
  ) throws(ChromaError) {
    try maintain(id, progress) { (id, progress) throws(ChromaError) in
      try maintenance.flush(id, cancel: cancel, progress: progress)
    }
  }

  /// As `flush`, and makes as few segments of each collection as their largest size allows.
  package func compact(
    _ id: UUID? = nil, cancel: CancelToken? = nil,
    progress: @escaping (MaintenanceProgress) -> Void = { _ in }
  ) throws(ChromaError) {
    try maintain(id, progress) { (id, progress) throws(ChromaError) in
      try maintenance.compact(id, cancel: cancel, progress: progress)
    }
  }

  /// What the background thread does for a collection that nobody writes to any more, here and now.
  package func tidy(_ id: UUID) throws(ChromaError) {
    try checkWritable()
    try maintenance.tidy(id, isIdle: true, cancel: nil)
    while try maintenance.index(id, cancel: nil) {}
  }

  private func maintain(
    _ id: UUID?, _ progress: @escaping (MaintenanceProgress) -> Void,
    _ work: (UUID, _ progress: (Double) -> Void) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    try checkWritable()
    let ids = if let id { [id] } else { try catalog.collectionIDs() }
    for (index, each) in ids.enumerated() {
      func tell(_ fraction: Double) {
        progress(
          MaintenanceProgress(
            collectionCount: ids.count, doneCount: index, currentFraction: fraction))
      }
      tell(0)
      do throws(ChromaError) {
        try work(each, tell)
      } catch {
        // One of many may be deleted meanwhile.
        guard id == nil, error.kind == .notFound else { throw error }
        known.forget(each)
      }
    }
    try maintenance.shrink()
    progress(
      MaintenanceProgress(collectionCount: ids.count, doneCount: ids.count, currentFraction: 0))
  }

  package func statistics(of id: UUID) throws(ChromaError) -> CollectionStatistics {
    try known.state(of: id).read { view in
      let (row, table) = (view.row, view.table)
      let parts = table.version.parts
      return CollectionStatistics(
        recordCount: table.liveCount, version: row.version, position: row.nextPosition - 1,
        logRowCount: row.logRowCount, logRecordCount: row.logDebt.recordCount,
        logByteCount: row.logByteCount, segmentCount: parts.count,
        segmentByteCount: table.version.byteCount,
        deadRowCount: parts.reduce(0) { $0 + $1.deadCount },
        compactedByteCount: row.compactedByteCount)
    }
  }
}
