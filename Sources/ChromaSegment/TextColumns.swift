// Texts that some rows have: documents and uris.
//
// Index of a column:
//
//     | presence: UInt8 | bit set of the rows that have one, if presence is 2 | ends: integers |
//
// Presence is 1 where every row has a text. A row without one ends where it begins. The index of
// documents goes on with that of their blocks:
//
//     | blocks: UInt32 | first rows: integers | ends of the stored bytes: integers |
//
// Texts follow each other in the order of the rows. A block begins with the first row after the one
// before it, and ends with the row at which it has `Limits.documentBlockByteCount` or more. It is
// compressed with zstd, or stands as it is: then its stored bytes are as many as those of its texts.

internal import CZstd
internal import ChromaBase

/// Gathers the index of a column of texts.
struct TextColumnBuilder {
  private var present: [Bool] = []
  private var ends: [Int64] = []
  private var end: Int64 = 0
  private(set) var hasTexts = false

  init(rowCount: Int) {
    present.reserveCapacity(rowCount)
    ends.reserveCapacity(rowCount)
  }

  mutating func append(_ text: Text?) {
    present.append(text != nil)
    if let text {
      hasTexts = true
      end += Int64(text.byteCount)
    }
    ends.append(end)
  }

  func index() -> ByteWriter {
    var writer = ByteWriter()
    if present.contains(false) {
      writer.write(2 as UInt8)
      writer.writeBits(present)
    } else {
      writer.write(1 as UInt8)
    }
    writer.writeIntegers(ends)
    return writer
  }
}

/// Compresses documents in blocks.
struct DocumentBlockBuilder {
  private var block: [UInt8] = []
  private var compressor: Compressor?
  private var row = 0
  private var firstRow = 0
  private var firstRows: [Int64] = []
  private var ends: [Int64] = []
  private var end = 0

  mutating func append(_ document: Text, to sink: SegmentSink) throws(ChromaError) {
    block.append(contentsOf: document.bytes)
    if block.count >= Limits.documentBlockByteCount { try writeBlock(to: sink) }
  }

  mutating func endRow(_ row: Int) {
    self.row = row + 1
    if block.isEmpty { firstRow = row + 1 }
  }

  mutating func finish(to sink: SegmentSink) throws(ChromaError) {
    if !block.isEmpty { try writeBlock(to: sink) }
  }

  func writeIndex(to writer: inout ByteWriter) {
    writer.write(UInt32(firstRows.count))
    writer.writeIntegers(firstRows)
    writer.writeIntegers(ends)
  }

  private mutating func writeBlock(to sink: SegmentSink) throws(ChromaError) {
    let compressor: Compressor
    if let made = self.compressor { compressor = made } else { compressor = try Compressor() }
    self.compressor = compressor
    let stored = compressor.compressed(block) ?? block
    try sink.append(stored)
    end += stored.count
    firstRows.append(Int64(firstRow))
    ends.append(Int64(end))
    block.removeAll(keepingCapacity: true)
  }
}

/// Where the texts of a column stand.
struct TextColumn {
  private let rowCount: Int
  /// Nil where every row has a text.
  private let present: SegmentBytes?
  let ends: IntegerColumn

  init(rowCount: Int, from cursor: inout SegmentCursor) throws(ChromaError) {
    self.rowCount = rowCount
    switch try cursor.readUInt8() {
    case 1: present = nil
    case 2: present = try cursor.take((rowCount + 7) / 8)
    case let number: throw cursor.damage("the presence of texts is \(number)")
    }
    ends = try IntegerColumn(count: rowCount, from: &cursor)
  }

  func hasText(_ row: Int) throws(ChromaError) -> Bool {
    guard let present else { return true }
    return try present.load(UInt8.self, at: row / 8) >> UInt8(row % 8) & 1 == 1
  }

  func rowsWithText() throws(ChromaError) -> Bitset {
    guard let present else { return Bitset(firstSlots: rowCount) }
    let bytes = try present.bytes()
    var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    for (index, byte) in bytes.enumerated() {
      words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
    }
    // What fills up the last byte is nothing to go by.
    if rowCount % 64 > 0 { words[rowCount / 64] &= 1 << UInt64(rowCount % 64) - 1 }
    return Bitset(words: words)
  }
}

/// Where the blocks of documents stand.
struct DocumentBlocks {
  /// The bytes of a block's texts at most: it ends with the row at which it is large enough, 64 KiB
  /// in segments of earlier releases.
  private static let byteCountMax = 64 * 1024 + Limits.textByteCountMax

  let texts: TextColumn
  private let rowCount: Int
  private let firstRows: IntegerColumn
  private let ends: IntegerColumn
  private let stored: SegmentBytes

  init(rowCount: Int, index: SegmentBytes, stored: SegmentBytes) throws(ChromaError) {
    self.rowCount = rowCount
    self.stored = stored
    var cursor = SegmentCursor(index)
    texts = try TextColumn(rowCount: rowCount, from: &cursor)
    let blockCount = Int(try cursor.readUInt32())
    guard blockCount <= rowCount else { throw cursor.damage("\(blockCount) blocks of documents") }
    firstRows = try IntegerColumn(count: blockCount, from: &cursor)
    ends = try IntegerColumn(count: blockCount, from: &cursor)
    try cursor.expectEnd()
  }

  var count: Int { firstRows.count }

  /// The block that a row's document stands in.
  func block(of row: Int) throws(ChromaError) -> Int {
    let block = try firstRows.firstIndex(atLeast: Int64(row) + 1) - 1
    guard block >= 0 else { throw stored.damage("no block holds the document of row \(row)") }
    return block
  }

  /// Where the texts of a block begin and end, among all texts.
  func textBounds(of block: Int) throws(ChromaError) -> (start: Int, end: Int) {
    let first = try firstRows.number(block, below: rowCount)
    let next =
      block + 1 < count ? try firstRows.number(block + 1, below: rowCount) : rowCount
    let start = first == 0 ? 0 : try texts.ends.value(first - 1)
    guard next > first, start >= 0, try texts.ends.value(next - 1) >= start,
      try texts.ends.value(next - 1) <= Int64(Int.max)
    else { throw stored.damage("block \(block) of documents makes no sense") }
    return (Int(start), Int(try texts.ends.value(next - 1)))
  }

  /// The texts of a block.
  func contents(
    of block: Int, _ decompressor: Decompressor
  ) throws(ChromaError) -> DocumentBlock {
    let (start, end) = try textBounds(of: block)
    let place = try ends.bounds(block, limit: stored.count)
    let raw = try stored.bytes(from: place.start, count: place.end - place.start)
    let byteCount = end - start
    if raw.count == byteCount { return DocumentBlock(start: start, bytes: Array(raw)) }
    // Before anything is allocated.
    guard byteCount <= Self.byteCountMax, Decompressor.textByteCount(of: raw) == byteCount,
      let bytes = decompressor.decompressed(raw, byteCount: byteCount)
    else { throw stored.damage("block \(block) of documents does not decompress") }
    return DocumentBlock(start: start, bytes: bytes)
  }
}

/// The texts of one block.
struct DocumentBlock {
  /// Where they begin among all texts of the segment.
  let start: Int
  let bytes: [UInt8]
  /// Whether they are UTF-8 one after another: looked at once for all of them.
  let isUTF8: Bool

  init(start: Int, bytes: [UInt8]) {
    self.start = start
    self.bytes = bytes
    isUTF8 = bytes.withUnsafeBufferPointer { UTF8Validation.isValid($0) }
  }

  /// Where a text stands here, given where it stands among all; nil if it does not.
  func range(from start: Int, to end: Int) -> Range<Int>? {
    guard self.start <= start, start <= end, end - self.start <= bytes.count else { return nil }
    return (start - self.start)..<(end - self.start)
  }

  /// Whether a part of these bytes is UTF-8: it is if they all are, and no character is cut.
  func isText(_ range: Range<Int>) -> Bool {
    isUTF8 && isBoundary(range.lowerBound) && isBoundary(range.upperBound)
  }

  private func isBoundary(_ index: Int) -> Bool {
    index == bytes.count || bytes[index] & 0xC0 != 0x80
  }
}

/// zstd, as blocks of documents are compressed.
final class Compressor {
  /// Measured on 4 MB of English glosses in blocks of 64 KiB: level 3 takes two to three times as
  /// long for 4 % fewer bytes, and a commit may be waiting.
  private static let level: Int32 = 1

  private let context: OpaquePointer
  private var buffer: [UInt8] = []

  init() throws(ChromaError) {
    guard let context = ZSTD_createCCtx() else {
      throw ChromaError(.resourceExhausted, "There is no memory to compress documents.")
    }
    self.context = context
  }

  deinit {
    ZSTD_freeCCtx(context)
  }

  /// Nil if the bytes would not become fewer.
  func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    // One byte less than given: what does not fit is not worth it.
    let capacity = max(bytes.count - 1, 0)
    if buffer.count < capacity { buffer = [UInt8](repeating: 0, count: capacity) }
    let count = buffer.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { source in
        ZSTD_compressCCtx(
          context, target.baseAddress, capacity, source.baseAddress, source.count, Self.level)
      }
    }
    return ZSTD_isError(count) == 0 ? Array(buffer[..<count]) : nil
  }
}

/// The other way round. What it keeps costs more to make than a block to decompress.
final class Decompressor {
  private let context: OpaquePointer

  init() throws(ChromaError) {
    guard let context = ZSTD_createDCtx() else {
      throw ChromaError(.resourceExhausted, "There is no memory to decompress documents.")
    }
    self.context = context
  }

  deinit {
    ZSTD_freeDCtx(context)
  }

  /// How many bytes these say they are, decompressed; nil if they do not say.
  static func textByteCount(of bytes: UnsafeRawBufferPointer) -> Int? {
    // The two largest numbers mean an error and an unknown size.
    Int(exactly: ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count))
  }

  /// Nil if the bytes are not exactly so many, compressed.
  func decompressed(_ bytes: UnsafeRawBufferPointer, byteCount: Int) -> [UInt8]? {
    var isRight = false
    let result = [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
      let found = ZSTD_decompressDCtx(
        context, target.baseAddress, byteCount, bytes.baseAddress, bytes.count)
      isRight = ZSTD_isError(found) == 0 && found == byteCount
      count = isRight ? byteCount : 0
    }
    return isRight ? result : nil
  }
}
