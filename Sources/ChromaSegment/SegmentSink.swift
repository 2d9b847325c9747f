// Where a segment's bytes go while it is written.

internal import ChromaBase
internal import ChromaStorage

/// Cuts the bytes into sections, and keeps the checksum of them all.
final class SegmentSink {
  enum Target {
    case memory(byteCountMax: Int)
    case blob(BlobWriter)
  }

  private let target: Target
  /// What was written to memory.
  private(set) var bytes: [UInt8] = []
  private(set) var byteCount = 0
  private(set) var checksum: UInt32 = 0
  /// Whether memory took no more.
  private(set) var isFull = false
  private(set) var entries: [SegmentTrailer.Entry] = []
  private var sectionOffset = 0

  init(_ target: Target) {
    self.target = target
  }

  var alignmentShift: Int {
    if case .blob = target { SegmentTrailer.blobAlignmentShift } else { 0 }
  }

  func begin(_ kind: SectionKind) throws(ChromaError) {
    end()
    let rest = byteCount % (1 << alignmentShift)
    if rest > 0 { try append([UInt8](repeating: 0, count: 1 << alignmentShift - rest)) }
    sectionOffset = byteCount
    entries.append(.init(kind: kind.rawValue, isRequired: kind.isRequired, byteCount: 0))
  }

  /// Ends the section that was begun last.
  func end() {
    guard !entries.isEmpty else { return }
    entries[entries.count - 1].byteCount = byteCount - sectionOffset
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(ChromaError) {
    switch target {
    case .blob(let writer):
      try writer.append(bytes)
    case .memory(let byteCountMax):
      guard bytes.count <= byteCountMax - byteCount else {
        isFull = true
        throw ChromaError(.resourceExhausted, "A segment exceeds \(byteCountMax) bytes.")
      }
      self.bytes.append(contentsOf: bytes)
    }
    byteCount += bytes.count
    checksum = CRC32C.checksum(of: bytes, continuing: checksum)
  }

  func append(_ bytes: [UInt8]) throws(ChromaError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(ChromaError) in
      try append(UnsafeRawBufferPointer(bytes))
    }
  }
}
