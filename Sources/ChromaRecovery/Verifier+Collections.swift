// One collection: its log, the segments of its version and its index, and whether they fit its row.

package import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage

extension Verifier {
  func verify(_ collection: Collection) throws(ChromaError) {
    let changed = try verifyLog(of: collection)
    let segments = try verifySegments(of: collection)
    try verifyIndex(of: collection, over: segments, butFor: changed)
  }

  // MARK: The log

  /// - Returns: The hashes of the ids that the log names, whose records may be others now than those
  ///   in segments; nil if a batch cannot be read.
  private func verifyLog(of collection: Collection) throws(ChromaError) -> Set<UInt64>? {
    let record = collection.record
    var changed: Set<UInt64>? = collection.isWhole ? [] : nil
    var next = record.compactedPosition + 1
    var byteCount: Int64 = 0
    for row in collection.log {
      if collection.isWhole, row.firstPosition != next {
        findings.add(
          DatabaseFiles.catalog, "row \(row.key) of log", of: record.title,
          "A batch begins at position \(row.firstPosition), where \(next) follows.")
      }
      next = row.endPosition
      byteCount += Int64(row.payload.byteCount)
      if let batch = try verify(row, of: record) {
        changed?.formUnion(batch.ids.map { IDHash.of($0) })
      } else {
        changed = nil
      }
    }
    guard collection.isWhole else { return nil }
    if next != record.nextPosition {
      findings.add(
        DatabaseFiles.catalog, "row \(record.key) of collections", of: record.title,
        "The log ends before position \(next), the collection says \(record.nextPosition).")
    }
    if record.logRowCount != collection.log.count || record.logByteCount != byteCount {
      findings.add(
        DatabaseFiles.catalog, "row \(record.key) of collections", of: record.title,
        "The log has \(collection.log.count) rows of \(byteCount) bytes, the collection says "
          + "\(record.logRowCount) of \(record.logByteCount).")
    }
    return changed
  }

  /// - Returns: Nil if it cannot be read, of which the findings tell.
  private func verify(
    _ row: LogRecord, of record: CollectionRecord
  ) throws(ChromaError) -> RecordBatch? {
    let file: String
    let place: String
    let bytes: [UInt8]
    switch row.payload {
    case .inline(let payload):
      (file, place, bytes) = (DatabaseFiles.catalog, "row \(row.key) of log", payload)
    case .blob(let name, let byteCount):
      guard byteCount <= Limits.batchByteCountMax,
        let blob = try intactBlob(name.string, byteCount: byteCount, of: record.title)
      else { return nil }
      (file, place) = ("\(DatabaseFiles.blobs)/\(name)", "")
      bytes = try withExtendedLifetime(blob) { () throws(ChromaError) in
        Array(try blob.bytes(0..<blob.byteCount))
      }
    }
    do throws(ChromaError) {
      let batch = try LogBatch.decode(bytes, source: "batch at position \(row.firstPosition)")
      if Int64(batch.count) != row.recordCount {
        findings.add(
          file, place, of: record.title,
          "The batch at position \(row.firstPosition) has \(batch.count) records, the catalog says "
            + "\(row.recordCount).")
      }
      if let dimension = batch.embeddings?.dimension, Int64(dimension) != record.dimension {
        findings.add(
          file, place, of: record.title,
          "The batch at position \(row.firstPosition) has vectors of dimension \(dimension), the "
            + "collection's have \(record.dimension.map(String.init) ?? "none").")
      }
      return batch
    } catch {
      guard error.kind == .corruption else { throw error }
      findings.add(file, place, of: record.title, error.message)
      return nil
    }
  }

  // MARK: Segments

  /// A segment that is whole, and its dead rows.
  typealias VerifiedSegment = (segment: Segment, dead: Bitset)

  /// What the segments of a version have in common.
  private struct Live {
    var slots = Bitset()
    /// Of ids. Eight bytes for each record, where the ids themselves might not fit into memory.
    var hashes: [UInt64] = []
    var space: Space?
  }

  private func verifySegments(
    of collection: Collection
  ) throws(ChromaError) -> [VerifiedSegment] {
    var live = Live()
    var opened: [VerifiedSegment] = []
    for row in collection.segments {
      let (file, place) = Self.place(of: row)
      do throws(ChromaError) {
        guard let segment = try intactSegment(row, of: collection.record) else { continue }
        try segment.verifyAll(cancel: meter.token)
        let dead = try verify(row, segment, of: collection.record)
        try verifyRecords(segment, dead, row, of: collection.record, &live)
        opened.append((segment, dead))
      } catch {
        guard error.kind == .corruption else { throw error }
        findings.add(file, place, of: collection.record.title, error.message)
      }
    }
    try verifyUnique(live, opened, of: collection.record)
    return opened
  }

  static func place(of row: SegmentRecord) -> (file: String, place: String) {
    switch row.payload {
    case .inline: (DatabaseFiles.catalog, "row \(row.key) of segments")
    case .blob(let name, _): ("\(DatabaseFiles.blobs)/\(name)", "")
    }
  }

  /// - Returns: Nil if its blob is not whole, of which the findings tell.
  private func intactSegment(
    _ row: SegmentRecord, of record: CollectionRecord
  ) throws(ChromaError) -> Segment? {
    switch row.payload {
    case .inline(let bytes):
      return try Segment(
        inline: bytes, source: "segment \(row.id) in \(DatabaseFiles.catalog)", cache: cache)
    case .blob(let name, let byteCount):
      guard let blob = try intactBlob(name.string, byteCount: byteCount, of: record.title) else {
        return nil
      }
      return try Segment(blob: blob, cache: cache)
    }
  }

  /// Compares a segment with its row.
  ///
  /// - Returns: Its dead rows.
  private func verify(
    _ row: SegmentRecord, _ segment: Segment, of record: CollectionRecord
  ) throws(ChromaError) -> Bitset {
    let (file, place) = Self.place(of: row)
    if segment.description.collection != record.id {
      findings.add(
        file, place, of: record.title,
        "The segment belongs to the collection \(segment.description.collection).")
    }
    if Int64(segment.rowCount) != row.rowCount {
      findings.add(
        file, place, of: record.title,
        "The segment has \(segment.rowCount) rows, the catalog says \(row.rowCount).")
    }
    if Int64(segment.dimension) != record.dimension {
      findings.add(
        file, place, of: record.title,
        "The segment has vectors of dimension \(segment.dimension), the collection's have "
          + "\(record.dimension.map(String.init) ?? "none").")
    }
    guard let bitmap = row.bitmap else { return Bitset() }
    let dead = try DeleteBitmap.decode(
      bitmap, rowCount: segment.rowCount, source: "delete bitmap of segment \(row.id)")
    if Int64(dead.count) != row.deletedCount {
      findings.add(
        DatabaseFiles.catalog, "row \(row.key) of deletions", of: record.title,
        "\(dead.count) rows are deleted, the row says \(row.deletedCount ?? 0).")
    }
    return dead
  }

  private func verifyRecords(
    _ segment: Segment, _ dead: Bitset, _ row: SegmentRecord, of record: CollectionRecord,
    _ live: inout Live
  ) throws(ChromaError) {
    let (file, place) = Self.place(of: row)
    if let space = live.space, space != segment.space {
      findings.add(
        file, place, of: record.title,
        "The segment measures by \(segment.space.rawValue), others by \(space.rawValue).")
    }
    live.space = segment.space
    for number in 0..<segment.rowCount where !dead.contains(UInt32(number)) {
      let slot = segment.slot(number)
      if segment.order(number) > record.compactedPosition
        || Int64(slot) >= record.compactedPosition
      {
        findings.add(
          file, place, of: record.title,
          "Row \(number) has order \(segment.order(number)) and slot \(slot), the segments reach to "
            + "position \(record.compactedPosition).")
        return
      }
      if !live.slots.insert(slot) {
        findings.add(
          file, place, of: record.title, "Row \(number) has the slot \(slot) of another record.")
      }
      live.hashes.append(IDHash.of(try segment.id(number)))
    }
  }

  /// No two live records have one id.
  private func verifyUnique(
    _ live: Live, _ opened: [VerifiedSegment], of record: CollectionRecord
  ) throws(ChromaError) {
    let sorted = live.hashes.sorted()
    var twice: Set<UInt64> = []
    for (left, right) in zip(sorted, sorted.dropFirst()) where left == right { twice.insert(left) }
    guard !twice.isEmpty else { return }
    var seen: Set<Text> = []
    for (segment, dead) in opened {
      for number in 0..<segment.rowCount where !dead.contains(UInt32(number)) {
        let id = try segment.id(number)
        if twice.contains(IDHash.of(id)), !seen.insert(id).inserted {
          findings.add(
            DatabaseFiles.catalog, "rows of segments", of: record.title,
            "The record \"\(id)\" stands in the segments twice.")
        }
      }
    }
  }
}

extension Recovery {
  /// Finds all damage of a database directory. Changes no byte; others may read and write meanwhile.
  ///
  /// Cost: every byte that the database needs is read once, chroma.db twice.
  ///
  /// - Parameter directory: An absolute path.
  /// - Returns: What was found, damage and waste; empty for a sound database. Damage is never thrown.
  /// - Throws: `.notFound` if there is no database; `.unsupportedFormat` for a newer release's;
  ///   `.cancelled`, `.locked`, `.io`.
  package static func verify(
    _ directory: String, _ environment: RecoveryEnvironment = .system, cancel: CancelToken? = nil,
    progress: ProgressReport? = nil
  ) throws(ChromaError) -> [Finding] {
    try Verifier(directory, environment, Meter(cancel, progress)).run()
  }
}
