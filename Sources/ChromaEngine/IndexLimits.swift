import ChromaBase

/// The sizes and times by which an engine indexes. Tests make them small, so that little data makes
/// many generations.
package struct IndexLimits: Sendable {
  /// Vectors of a collection beyond which it gets an index; it loses it below half of that.
  package var recordCountMin = Limits.indexRecordCountMin
  /// Vectors after which, or time after which, what was indexed is published.
  package var publishRecordCount = Limits.indexPublishRecordCount
  package var publishNanoseconds = Limits.indexPublishNanoseconds
  /// Vectors in segments that may wait for the index before whoever writes gives it some time.
  package var unindexedCountMax = Limits.unindexedCountMax
  /// That time.
  package var stepNanoseconds = Limits.indexStepNanoseconds

  package init() {}
}
