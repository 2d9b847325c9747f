// Numbers of any few bits, one after another, the lowest bit first.

internal import ChromaBase

/// Where a patch goes: bytes and bits, in pieces, with their checksum.
struct PatchOutput {
  private static let pieceByteCountMax = 1 << 18

  private let sink: (UnsafeRawBufferPointer) throws(ChromaError) -> Void
  private var piece: [UInt8] = []
  private(set) var checksum: UInt32 = 0
  private(set) var byteCount = 0
  /// Bits that do not fill bytes yet, lowest first, fewer than 32.
  private var bits: UInt64 = 0
  private var bitCount = 0

  init(to sink: @escaping (UnsafeRawBufferPointer) throws(ChromaError) -> Void) {
    self.sink = sink
    piece.reserveCapacity(Self.pieceByteCountMax + 8)
  }

  /// Only where no bits are begun.
  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ChromaError) {
    piece.append(contentsOf: bytes)
    if piece.count >= Self.pieceByteCountMax { try flush() }
  }

  mutating func write(_ bytes: [UInt8]) throws(ChromaError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(ChromaError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// A number of at most 32 bits.
  @inline(__always)
  mutating func writeBits(_ number: UInt32, _ count: Int) throws(ChromaError) {
    bits |= UInt64(number) << UInt64(bitCount)
    bitCount += count
    if bitCount >= 32 {
      try writeWord(UInt32(truncatingIfNeeded: bits))
      bits >>= 32
      bitCount -= 32
    }
  }

  /// Four bytes, where no bits are begun.
  @inline(__always)
  mutating func writeWord(_ word: UInt32) throws(ChromaError) {
    withUnsafeBytes(of: word.littleEndian) { piece.append(contentsOf: $0) }
    if piece.count >= Self.pieceByteCountMax { try flush() }
  }

  /// Fills the last byte with zeros.
  mutating func endBits() {
    while bitCount > 0 {
      piece.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      bitCount -= 8
    }
    bitCount = 0
  }

  /// Hands on what was gathered.
  mutating func flush() throws(ChromaError) {
    byteCount += piece.count
    checksum = CRC32C.checksum(of: piece, continuing: checksum)
    try piece.withUnsafeBufferPointer { (piece) throws(ChromaError) in
      try sink(UnsafeRawBufferPointer(piece))
    }
    piece.removeAll(keepingCapacity: true)
  }
}

/// Takes bits from bytes after which eight more may be read.
struct PatchBits {
  private let base: UnsafeRawPointer
  /// Bits that there are.
  private let bitCount: Int
  private(set) var offset = 0

  init(_ base: UnsafeRawPointer, byteCount: Int) {
    self.base = base
    bitCount = 8 * byteCount
  }

  /// Whether so many bits are left; to be asked before they are read.
  @inline(__always)
  func has(_ count: Int) -> Bool { count <= bitCount &- offset }

  /// A number of at most 32 bits.
  @inline(__always)
  mutating func read(_ count: Int) -> UInt32 {
    let word = UInt64(
      littleEndian: (base + offset >> 3).loadUnaligned(as: UInt64.self))
    let number = word >> UInt64(offset & 7) & (1 << UInt64(count) &- 1)
    offset &+= count
    return UInt32(truncatingIfNeeded: number)
  }

  mutating func skip(_ count: Int) { offset &+= count }

  /// Whether all bits were read, but for zeros that fill the last byte.
  func isAtEnd() -> Bool {
    guard bitCount - offset < 8 else { return false }
    var rest = self
    return rest.read(bitCount - offset) == 0
  }
}
