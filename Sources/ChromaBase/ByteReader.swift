// Reading and writing little-endian bytes.
//
// What is read came from a disk or a socket: every count is checked against the bytes that are
// left before anything is allocated or taken, and short input is an error, never a trap.

/// Walks a buffer, first byte to last. The buffer is borrowed for as long as the reader lives.
package struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  /// Names what is read, for the errors: "log batch 17 of collection …".
  private let source: String
  package private(set) var offset = 0

  package init(_ bytes: UnsafeRawBufferPointer, source: String) {
    self.bytes = bytes
    self.source = source
  }

  package var remainingByteCount: Int { bytes.count - offset }

  package mutating func readUInt8() throws(ChromaError) -> UInt8 { try readInteger() }
  package mutating func readUInt32() throws(ChromaError) -> UInt32 { try readInteger() }
  package mutating func readUInt64() throws(ChromaError) -> UInt64 { try readInteger() }

  /// A 32-bit count of things that each take at least so many of the bytes that follow.
  ///
  /// - Throws: `.corruption` if they cannot all be there, so that a damaged count allocates nothing.
  package mutating func readCount(itemByteCountMin: Int) throws(ChromaError) -> Int {
    let count = Int(try readUInt32())
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: itemByteCountMin)
    guard !overflow, byteCount <= remainingByteCount else {
      throw damage("a count of \(count) does not fit the \(remainingByteCount) bytes left")
    }
    return count
  }

  /// The next bytes, borrowed.
  package mutating func read(byteCount: Int) throws(ChromaError) -> UnsafeRawBufferPointer {
    guard byteCount >= 0, byteCount <= remainingByteCount else {
      throw damage("\(byteCount) bytes wanted, \(remainingByteCount) left")
    }
    defer { offset += byteCount }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + byteCount])
  }

  /// UTF-8 of a known length.
  package mutating func readText(byteCount: Int) throws(ChromaError) -> Text {
    let raw = try read(byteCount: byteCount)
    guard let text = Text(validating: raw.bindMemory(to: UInt8.self)) else {
      throw damage("text is not UTF-8")
    }
    return text
  }

  /// UTF-8 after its 32-bit length in bytes.
  package mutating func readText() throws(ChromaError) -> Text {
    try readText(byteCount: readCount(itemByteCountMin: 1))
  }

  /// One bit for each of `count` things, the lowest bit of the first byte first.
  package mutating func readBits(count: Int) throws(ChromaError) -> [Bool] {
    let raw = try read(byteCount: (count + 7) / 8)
    return (0..<count).map { raw[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
  }

  /// - Throws: `.corruption` if bytes are left.
  package func expectEnd() throws(ChromaError) {
    guard remainingByteCount == 0 else {
      throw damage("\(remainingByteCount) bytes too many")
    }
  }

  /// The error to throw when the bytes make no sense at this place.
  package func damage(_ what: String) -> ChromaError {
    .corruption("The \(source) is damaged at byte \(offset): \(what).")
  }

  private mutating func readInteger<T: FixedWidthInteger>() throws(ChromaError) -> T {
    let raw = try read(byteCount: MemoryLayout<T>.size)
    return T(littleEndian: raw.loadUnaligned(as: T.self))
  }
}

/// Builds what `ByteReader` reads.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init(byteCountExpected: Int = 0) {
    bytes.reserveCapacity(byteCountExpected)
  }

  package mutating func write<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func write(_ raw: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: raw)
  }

  /// A 32-bit length in bytes, then the text. Longer than `Limits.textByteCountMax` is refused at
  /// the doors.
  package mutating func write(_ text: Text) {
    write(UInt32(text.byteCount))
    bytes.append(contentsOf: text.bytes)
  }

  package mutating func writeBits(_ bits: some Collection<Bool>) {
    var byte: UInt8 = 0
    var count = 0
    for bit in bits {
      if bit { byte |= 1 << UInt8(count % 8) }
      count += 1
      if count % 8 == 0 {
        bytes.append(byte)
        byte = 0
      }
    }
    if count % 8 != 0 { bytes.append(byte) }
  }
}
