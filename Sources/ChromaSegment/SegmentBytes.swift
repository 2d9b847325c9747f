// Bytes of a segment, each checked before it is used.

internal import ChromaBase
internal import ChromaStorage
internal import Glibc

/// Where a segment's bytes are: in a blob, which verifies its blocks as they are used, or in memory
/// that was verified at once.
final class SegmentPayload: @unchecked Sendable {
  // @unchecked: the pointer never changes, and nobody writes to what it points to.

  /// At a multiple of 64.
  let base: UnsafeRawPointer
  let byteCount: Int
  /// Nil for a segment that stood in the catalog.
  let blob: Blob?
  /// Names it in errors.
  let source: String
  private let owned: UnsafeMutableRawPointer?
  /// Blocks of bytes in memory that are not what was written: of damaged segments only.
  private let damagedBlocks: Bitset
  /// Nil where all bytes are right.
  let verifiedBlocks: VerifiedBlocks?

  init(_ blob: Blob) {
    base = blob.baseAddress
    byteCount = blob.byteCount
    self.blob = blob
    source = "segment \(blob.path)"
    owned = nil
    damagedBlocks = Bitset()
    verifiedBlocks = blob.verifiedBlocks
  }

  init(
    copying bytes: [UInt8], source: String, damagedBlocks: Bitset = Bitset()
  ) throws(ChromaError) {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, max(bytes.count, 1)) == 0, let memory else {
      throw ChromaError(
        .resourceExhausted, "There is no memory for the \(bytes.count) bytes of the \(source).")
    }
    memory.copyMemory(from: bytes, byteCount: bytes.count)
    owned = memory
    base = UnsafeRawPointer(memory)
    byteCount = bytes.count
    blob = nil
    self.source = source
    self.damagedBlocks = damagedBlocks
    verifiedBlocks =
      damagedBlocks.isEmpty
      ? nil : VerifiedBlocks(byteCount: bytes.count, except: damagedBlocks)
  }

  deinit {
    if blob == nil { verifiedBlocks?.deallocate(byteCount: byteCount) }
    free(owned)
  }

  /// Bytes of the payload, found right.
  ///
  /// - Throws: `.corruption` also if they are not all inside.
  @inline(__always)
  func bytes(from offset: Int, count: Int) throws(ChromaError) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      throw damage("\(count) bytes are wanted there, it has \(byteCount)", at: offset)
    }
    if let blob {
      try blob.verify(offset..<offset + count)
    } else if verifiedBlocks != nil {
      try refuseDamaged(offset..<offset + count)
    }
    return UnsafeRawBufferPointer(start: base + offset, count: count)
  }

  private func refuseDamaged(_ range: Range<Int>) throws(ChromaError) {
    let size = BlobRescue.blockByteCount
    for block in range.lowerBound / size..<(range.upperBound + size - 1) / size
    where damagedBlocks.contains(UInt32(block)) {
      throw damage("the checksum of its block does not hold", at: block * size)
    }
  }

  func damage(_ what: String, at offset: Int) -> ChromaError {
    .corruption("The \(source) is damaged at byte \(offset): \(what).")
  }
}

/// Some of a segment's bytes. Offsets are counted from the first of them.
struct SegmentBytes {
  /// Owned by the segment, which outlives this.
  unowned(unsafe) let payload: SegmentPayload
  let offset: Int
  /// The bytes lie inside the payload.
  let count: Int
  /// The first byte. Not verified.
  let base: UnsafeRawPointer
  /// Nil where everything is. Asked before the payload: counting references to that, at each number
  /// that is read, would cost several times as much as reading it.
  private let verifiedBlocks: VerifiedBlocks?

  init(_ payload: SegmentPayload, offset: Int, count: Int) {
    self.payload = payload
    self.offset = offset
    self.count = count
    base = payload.base + offset
    verifiedBlocks = payload.verifiedBlocks
  }

  @inline(__always)
  func bytes(from start: Int, count: Int) throws(ChromaError) -> UnsafeRawBufferPointer {
    guard start >= 0, count >= 0, start <= self.count, count <= self.count - start else {
      throw damage("\(count) bytes from \(start) on are wanted, there are \(self.count)")
    }
    if let verifiedBlocks, !verifiedBlocks.hold(offset + start, count) {
      return try payload.bytes(from: offset + start, count: count)
    }
    return UnsafeRawBufferPointer(start: base + start, count: count)
  }

  /// All of them.
  func bytes() throws(ChromaError) -> UnsafeRawBufferPointer {
    try payload.bytes(from: offset, count: count)
  }

  @inline(__always)
  func load<T: FixedWidthInteger>(_: T.Type, at start: Int) throws(ChromaError) -> T {
    let raw = try bytes(from: start, count: MemoryLayout<T>.size)
    return T(littleEndian: raw.loadUnaligned(as: T.self))
  }

  func damage(_ what: String) -> ChromaError {
    payload.damage(what, at: offset)
  }
}

/// Takes a section apart, first byte to last.
struct SegmentCursor {
  private let bytes: SegmentBytes
  private(set) var offset = 0

  init(_ bytes: SegmentBytes) {
    self.bytes = bytes
  }

  mutating func readUInt8() throws(ChromaError) -> UInt8 {
    defer { offset += 1 }
    return try bytes.load(UInt8.self, at: offset)
  }

  mutating func readUInt32() throws(ChromaError) -> UInt32 {
    defer { offset += 4 }
    return try bytes.load(UInt32.self, at: offset)
  }

  mutating func readUInt64() throws(ChromaError) -> UInt64 {
    defer { offset += 8 }
    return try bytes.load(UInt64.self, at: offset)
  }

  /// UTF-8 after its length in bytes.
  mutating func readText() throws(ChromaError) -> Text {
    let text = try take(Int(try readUInt32()))
    return try text.text(from: 0, to: text.count)
  }

  /// A number of so many bytes, 0, 1, 2, 4 or 8, with its sign.
  mutating func readSigned(byteCount: Int) throws(ChromaError) -> Int64 {
    defer { offset += byteCount }
    return switch byteCount {
    case 0: 0
    case 1: Int64(try bytes.load(Int8.self, at: offset))
    case 2: Int64(try bytes.load(Int16.self, at: offset))
    case 4: Int64(try bytes.load(Int32.self, at: offset))
    case 8: try bytes.load(Int64.self, at: offset)
    default: throw damage("a number has \(byteCount) bytes")
    }
  }

  /// The next bytes, not looked at.
  mutating func take(_ count: Int) throws(ChromaError) -> SegmentBytes {
    guard count >= 0, count <= bytes.count - offset else {
      throw damage("\(count) bytes are wanted, \(bytes.count - offset) are left")
    }
    defer { offset += count }
    return SegmentBytes(bytes.payload, offset: bytes.offset + offset, count: count)
  }

  /// The next elements of so many bytes each, not looked at.
  mutating func take(_ count: Int, of byteCount: Int) throws(ChromaError) -> SegmentBytes {
    let (total, overflow) = count.multipliedReportingOverflow(by: byteCount)
    guard !overflow else { throw damage("\(count) elements are too many") }
    return try take(total)
  }

  func expectEnd() throws(ChromaError) {
    guard offset == bytes.count else { throw damage("\(bytes.count - offset) bytes are too many") }
  }

  func damage(_ what: String) -> ChromaError {
    bytes.payload.damage(what, at: bytes.offset + offset)
  }
}
