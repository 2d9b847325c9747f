// The documents of a segment: one by one, or many of them without a copy.

package import ChromaBase

extension Segment {
  package func document(_ row: Int) throws(ChromaError) -> Text? {
    precondition(row >= 0 && row < rowCount)
    guard let documents, try documents.texts.hasText(row) else { return nil }
    let (start, end) = try documents.texts.ends.bounds(row, limit: .max)
    if start == end { return "" }
    let number = try documents.block(of: row)
    let key = DocumentBlockCache.Key(segment: cacheNumber, block: number)
    let block: DocumentBlock
    if let kept = cache.block(key) {
      block = kept
    } else {
      let decompressor = try cache.takeDecompressor()
      defer { cache.giveBack(decompressor) }
      block = try documents.contents(of: number, decompressor)
      cache.keep(block, as: key)
    }
    guard let bytes = block.range(from: start, to: end) else {
      throw payload.damage("the document of row \(row) is not in its block", at: 0)
    }
    let text = block.bytes.withUnsafeBufferPointer { Text(validating: .init(rebasing: $0[bytes])) }
    guard let text else { throw payload.damage("the document of row \(row) is not UTF-8", at: 0) }
    return text
  }

  /// The rows that have a document, an empty one too.
  package func rowsWithDocument() throws(ChromaError) -> Bitset {
    try documents?.texts.rowsWithText() ?? Bitset()
  }

  /// Calls the body with the documents of some rows, ascending, until it returns false. Each block of
  /// documents is decompressed once at most, and kept only where that drives out nothing in use.
  ///
  /// - Parameters:
  ///   - rows: Those without a document are left out.
  ///   - firstRow: Rows before it are left out.
  /// - Returns: The bytes that were decompressed.
  /// - Throws: `.corruption`, `.io`, and what the body throws.
  @discardableResult
  package func forEachDocument(
    in rows: Bitset, from firstRow: Int = 0,
    _ body: (_ row: Int, _ utf8: UnsafeBufferPointer<UInt8>) throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Int {
    var reader = DocumentReader(self)
    try reader.forEachDocument(in: rows, from: firstRow, body)
    return reader.unpackedByteCount
  }
}

/// Reads documents where they stand in their block, which it holds: best for rows that ascend.
package struct DocumentReader {
  private let segment: Segment
  private var block: DocumentBlock?
  /// What had to be decompressed, as no cache had it.
  package private(set) var unpackedByteCount = 0
  package private(set) var unpackedBlockCount = 0

  package init(_ segment: Segment) {
    self.segment = segment
    segment.cache.beginScan()
  }

  /// Calls the body with valid UTF-8 that lives as long as the call; nil if the row has no document.
  package mutating func withDocument<Result>(
    _ row: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(ChromaError) -> Result
  ) throws(ChromaError) -> Result? {
    precondition(row >= 0 && row < segment.rowCount)
    guard let documents = segment.documents, try documents.texts.hasText(row) else { return nil }
    let (start, end) = try documents.texts.ends.bounds(row, limit: .max)
    if start == end { return try body(.init(start: nil, count: 0)) }
    var place = block?.range(from: start, to: end)
    if place == nil {
      let block = try read(documents.block(of: row), of: documents)
      place = block.range(from: start, to: end)
      self.block = block
    }
    guard let place, let block else {
      throw segment.payload.damage("the document of row \(row) is not in its block", at: 0)
    }
    guard block.isText(place) else {
      throw segment.payload.damage("the document of row \(row) is not UTF-8", at: 0)
    }
    return try block.bytes.withUnsafeBufferPointer { (bytes) throws(ChromaError) in
      try body(.init(rebasing: bytes[place]))
    }
  }

  /// As `Segment.forEachDocument`, with the block that was held before.
  package mutating func forEachDocument(
    in rows: Bitset, from firstRow: Int = 0,
    _ body: (_ row: Int, _ utf8: UnsafeBufferPointer<UInt8>) throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    guard segment.documents != nil else { return }
    let firstRow = max(firstRow, 0)
    for word in min(firstRow / 64, rows.words.count)..<rows.words.count {
      var bits = rows.words[word]
      if word == firstRow / 64 { bits &= ~0 << UInt64(firstRow % 64) }
      while bits != 0 {
        let row = word &* 64 &+ bits.trailingZeroBitCount
        bits &= bits &- 1
        guard row < segment.rowCount else { return }
        let goesOn = try withDocument(row) { (utf8) throws(ChromaError) in try body(row, utf8) }
        if goesOn == false { return }
      }
    }
  }

  private mutating func read(
    _ number: Int, of documents: DocumentBlocks
  ) throws(ChromaError) -> DocumentBlock {
    let key = DocumentBlockCache.Key(segment: segment.cacheNumber, block: number)
    if let kept = segment.cache.block(key) { return kept }
    let decompressor = try segment.cache.takeDecompressor()
    defer { segment.cache.giveBack(decompressor) }
    let block = try documents.contents(of: number, decompressor)
    unpackedByteCount += block.bytes.count
    unpackedBlockCount += 1
    segment.cache.offer(block, as: key)
    return block
  }
}
