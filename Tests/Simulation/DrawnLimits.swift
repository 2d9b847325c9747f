// The sizes at which the engines of a history compact and index: mostly so small that a few records
// make many segments, in the catalog and as blobs, and many generations of an index; now and then those
// of production.

import ChromaBase
import ChromaEngine
import ChromaTestSupport

struct EngineLimits: Sendable {
  var compaction = CompactionLimits()
  var index = IndexLimits()

  static let tiny = EngineLimits(compaction: .tiny, index: .tiny)

  static func drawn(seed: UInt64) -> EngineLimits {
    EngineLimits(compaction: .drawn(seed: seed), index: .drawn(seed: seed))
  }
}

extension IndexLimits {
  /// Whoever writes indexes as soon as anything new stands in segments.
  static let tiny: IndexLimits = {
    var limits = IndexLimits()
    limits.recordCountMin = 2
    limits.publishRecordCount = 4
    limits.unindexedCountMax = 0
    limits.stepNanoseconds = 0
    return limits
  }()

  static func drawn(seed: UInt64) -> IndexLimits {
    var random = SeededRandom(seed ^ 0x1DE)
    var limits = IndexLimits()
    if random.oneIn(5) { return limits }
    limits.recordCountMin = random.int(in: 1...6)
    limits.publishRecordCount = random.int(in: 1...6)
    limits.unindexedCountMax = random.element(of: [0, 1, 4])
    limits.stepNanoseconds = 0
    return limits
  }
}

extension CompactionLimits {
  /// Every third write takes a step, and most segments are blobs.
  static let tiny: CompactionLimits = {
    var limits = CompactionLimits()
    limits.inlineSegmentByteCountMax = 700
    limits.logRowCountMax = 2
    limits.logByteCountMin = 1024
    limits.tailRecordCountMax = 20
    limits.tailByteCountMax = 16 * 1024
    limits.mergedSegmentByteCountMax = 512 * 1024
    limits.indexedSegmentRowCountMin = 1
    return limits
  }()

  static func drawn(seed: UInt64) -> CompactionLimits {
    var random = SeededRandom(seed ^ 0x5E6)
    var limits = CompactionLimits()
    if random.oneIn(5) { return limits }
    limits.inlineSegmentByteCountMax = random.element(of: [200, 700, 2000, 8000])
    limits.logRowCountMax = random.int(in: 1...6)
    limits.logByteCountMin = random.element(of: [512, 4096, 128 * 1024])
    limits.tailRecordCountMax = random.element(of: [8, 40, 8192])
    limits.tailByteCountMax = random.element(of: [2048, 16 * 1024, 256 * 1024])
    limits.mergedSegmentByteCountMax = random.element(of: [4096, 64 * 1024, 1024 * 1024])
    limits.indexedSegmentRowCountMin = random.element(of: [1, 1, 3, 256])
    return limits
  }
}
