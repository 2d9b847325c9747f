// The Swift door: space and speed.

import ChromaEngine

/// What a collection takes. New writes stand in its log, until a compaction makes segments.
public struct CollectionStatistics: Equatable, Sendable {
  public let recordCount: Int
  /// Grows with every compaction; 0 before the first.
  public let version: Int64
  /// How many records were ever written, changed or deleted.
  public let position: Int64
  /// Writes that are in no segment yet.
  public let logRowCount: Int
  /// Their records.
  public let logRecordCount: Int
  /// Their bytes.
  public let logByteCount: Int
  public let segmentCount: Int
  public let segmentByteCount: Int
  /// Records of segments that were deleted or replaced since, and whose room is not free yet.
  public let deadRowCount: Int
  /// Bytes that compactions wrote, ever.
  public let compactedByteCount: Int64

  init(_ found: ChromaEngine.CollectionStatistics) {
    recordCount = found.recordCount
    version = found.version
    position = found.position
    logRowCount = found.logRowCount
    logRecordCount = found.logRecordCount
    logByteCount = found.logByteCount
    segmentCount = found.segmentCount
    segmentByteCount = found.segmentByteCount
    deadRowCount = found.deadRowCount
    compactedByteCount = found.compactedByteCount
  }
}
