// One version of a collection: its segments and which of their rows are dead.
//
// Invariants:
//   * No two live rows have the same slot or the same id.
//   * A version never changes. Segments that two versions share are opened once.

import ChromaBase
import ChromaCatalog
import ChromaSegment

/// What a version's manifest names, opened. Any thread.
final class CollectionVersion: Sendable {
  struct Part: Sendable {
    let id: UUID
    let segment: Segment
    let dead: Bitset
    let deadCount: Int
    /// What the segment takes, in the catalog or as a blob.
    let byteCount: Int
    let blobName: Text?

    var liveCount: Int { segment.rowCount - deadCount }
    /// What the segment's live rows take, if all rows are alike.
    var liveByteCount: Int {
      // Divided first, nothing overflows.
      deadCount == 0 ? byteCount : byteCount / max(1, segment.rowCount) * liveCount
    }
  }

  /// 0 before the first compaction.
  let number: Int64
  /// The log position up to and with which the segments hold everything.
  let position: Int64
  let parts: [Part]
  /// Bytes of memory that its segments take, where they are not mapped.
  let memoryByteCount: Int

  static let empty = CollectionVersion()

  private init() {
    number = 0
    position = 0
    parts = []
    memoryByteCount = 0
  }

  /// - Parameters:
  ///   - open: Opens a segment; nil if its blob is gone.
  ///   - known: An earlier version, whose segments are used again.
  /// - Returns: Nil if a blob is gone: the version was retired, or the directory is damaged.
  init?(
    _ manifest: VersionManifest, reusing known: CollectionVersion,
    open: (SegmentReference) throws(ChromaError) -> Segment?
  ) throws(ChromaError) {
    number = manifest.version
    position = manifest.position
    var parts: [Part] = []
    for entry in manifest.segments {
      let reference = entry.reference
      let segment: Segment
      if let opened = known.parts.first(where: { $0.id == reference.id }) {
        segment = opened.segment
      } else if let opened = try open(reference) {
        segment = opened
      } else {
        return nil
      }
      let dead = try entry.deleted.map { (bytes) throws(ChromaError) in
        try DeleteBitmap.decode(
          bytes, rowCount: segment.rowCount, source: "delete bitmap of segment \(reference.id)")
      }
      guard segment.rowCount == reference.rowCount, dead?.count ?? 0 == entry.deletedCount else {
        throw .corruption(
          "The catalog says that segment \(reference.id) has \(reference.rowCount) records, "
            + "\(entry.deletedCount) of them deleted; it has \(segment.rowCount), "
            + "\(dead?.count ?? 0) of them deleted.")
      }
      let blobName: Text? = if case .blob(let name, _) = reference.payload { name } else { nil }
      parts.append(
        Part(
          id: reference.id, segment: segment, dead: dead ?? Bitset(),
          deadCount: entry.deletedCount, byteCount: reference.payload.byteCount,
          blobName: blobName))
    }
    self.parts = parts
    memoryByteCount = parts.reduce(0) { $0 + $1.segment.memoryByteCount }
  }

  var liveCount: Int { parts.reduce(0) { $0 + $1.liveCount } }
  var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
  var liveByteCount: Int { parts.reduce(0) { $0 + $1.liveByteCount } }

  /// The row that holds a record's id, dead or alive as it may be by now.
  func location(of id: Text) throws(ChromaError) -> RecordLocation? {
    if parts.isEmpty { return nil }
    let hash = IDHash.of(id)
    // The newest first: records that are asked for tend to be new.
    for index in parts.indices.reversed() {
      let part = parts[index]
      if let row = try part.segment.row(of: id, hash: hash), !part.dead.contains(UInt32(row)) {
        return RecordLocation(segment: index, row: row)
      }
    }
    return nil
  }

  func slot(at location: RecordLocation) -> UInt32 {
    parts[location.segment].segment.slot(location.row)
  }

  func order(at location: RecordLocation) -> Int64 {
    parts[location.segment].segment.order(location.row)
  }

  func vectorPosition(at location: RecordLocation) -> Int64 {
    parts[location.segment].segment.vectorPosition(location.row)
  }
}
