// Looking grams up in a chunk of a text index.

internal import ChromaBase

/// A chunk whose entries were verified; its lists are when they are used.
struct TextIndexChunkReader {
  /// Rows of a list that take as long to decode as a document, of some hundred bytes and in the
  /// cache, takes to be looked through: longer lists are left to that.
  private static let rowsPerDocument = 64

  let chunk: TextIndex.Chunk
  private let bytes: SegmentBytes
  private let entries: UnsafeRawBufferPointer

  init(_ chunk: TextIndex.Chunk, of bytes: SegmentBytes) throws(ChromaError) {
    self.chunk = chunk
    self.bytes = bytes
    entries = try bytes.bytes(
      from: chunk.offset, count: chunk.gramCount * TextIndexEntry.byteCount)
  }

  func entry(_ index: Int) -> TextIndexEntry {
    let bits = entries.loadUnaligned(
      fromByteOffset: index * TextIndexEntry.byteCount, as: UInt64.self)
    return TextIndexEntry(bits: UInt64(littleEndian: bits))
  }

  func list(_ index: Int) throws(ChromaError) -> RowList {
    let entry = entry(index)
    let start = index == 0 ? 0 : self.entry(index - 1).end
    guard start < entry.end, entry.end <= chunk.listByteCount, entry.width <= RowList.widthMax
    else { throw bytes.damage("an entry of the text index makes no sense") }
    let lists = chunk.offset + entries.count
    return RowList(
      bytes: try bytes.bytes(from: lists + start, count: entry.end - start), width: entry.width)
  }

  /// Rows of the chunk that have a gram of each range, at most.
  func countMax(_ grams: [Range<UInt32>]) throws(ChromaError) -> Int {
    var least = chunk.rowCount
    for range in grams {
      var count = 0
      for index in indices(of: range) where count < least {
        count += try list(index).countMax
      }
      least = min(least, count)
    }
    return least
  }

  /// Adds the rows that have a gram of the range, if there is one only; of several, of a gram each,
  /// rows among which are those that have them all.
  func insertRows(
    holding grams: [Range<UInt32>], into rows: inout TextIndexRows
  ) throws(ChromaError) {
    if grams.count == 1 {
      let indices = indices(of: grams[0])
      if indices.isEmpty { return }
      var words = [UInt64](repeating: 0, count: (chunk.rowCount + 63) / 64)
      for index in indices {
        let list = try list(index)
        let isRight = words.withUnsafeMutableBufferPointer {
          list.insert(into: $0, below: chunk.rowCount)
        }
        if !isRight { throw damage() }
      }
      rows.insert(words, at: chunk.firstRow)
    } else {
      var lists: [RowList] = []
      for range in grams {
        let indices = indices(of: range)
        if indices.isEmpty { return }
        for index in indices { lists.append(try list(index)) }
      }
      try insertRows(ofAll: lists, into: &rows)
    }
  }

  private func insertRows(
    ofAll unordered: [RowList], into rows: inout TextIndexRows
  ) throws(ChromaError) {
    // The same order in every process, whatever is equal.
    var lists = unordered[...]
    lists.sort { ($0.countMax, $0.bytes.count) < ($1.countMax, $1.bytes.count) }
    var left: [UInt32]
    if let few = rows.candidates(in: chunk, atMost: lists.first?.countMax ?? 0) {
      left = few
    } else {
      left = []
      let isRight = lists.removeFirst().forEach(below: chunk.rowCount) { row in
        if rows.isCandidate(chunk.firstRow + row) { left.append(UInt32(row)) }
        return true
      }
      if !isRight { throw damage() }
    }
    for list in lists where !left.isEmpty {
      // A bit set is looked at for the rows that are left only.
      if list.width > 0, list.countMax > left.count * Self.rowsPerDocument { continue }
      if !list.intersect(&left, below: chunk.rowCount) { throw damage() }
    }
    for row in left { rows.insert(chunk.firstRow + Int(row)) }
  }

  private func indices(of grams: Range<UInt32>) -> Range<Int> {
    let first = firstIndex(atLeast: grams.lowerBound, from: 0)
    // One gram alone, as all of longer literals are.
    if grams.count == 1 {
      let isThere = first < chunk.gramCount && entry(first).gram == grams.lowerBound
      return first..<(isThere ? first + 1 : first)
    }
    return first..<firstIndex(atLeast: grams.upperBound, from: first)
  }

  private func firstIndex(atLeast gram: UInt32, from start: Int) -> Int {
    var lower = start
    var upper = chunk.gramCount
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if entry(middle).gram < gram { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  private func damage() -> ChromaError {
    bytes.damage("a list of the text index has rows that there are not")
  }

  func difference() -> ChromaError {
    bytes.damage(
      "the text index of the rows from \(chunk.firstRow) on is not that of their documents")
  }
}

/// What is found in the chunks of an index, one after another.
struct TextIndexRows {
  private var words: [UInt64]
  private let candidates: Bitset?

  init(rowCount: Int, within candidates: Bitset?) {
    words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    self.candidates = candidates
  }

  var found: Bitset {
    let found = Bitset(words: words)
    return candidates.map { found.intersection($0) } ?? found
  }

  func isCandidate(_ row: Int) -> Bool {
    candidates?.contains(UInt32(truncatingIfNeeded: row)) ?? true
  }

  /// Whether a chunk has candidates.
  func wants(_ chunk: TextIndex.Chunk) -> Bool {
    candidates(in: chunk, atMost: 0) == nil
  }

  /// The candidates among the rows of a chunk, counted from its first; nil if they are more than that,
  /// or all.
  func candidates(in chunk: TextIndex.Chunk, atMost countMax: Int) -> [UInt32]? {
    guard let candidates else { return nil }
    var rows: [UInt32] = []
    let end = chunk.firstRow + chunk.rowCount
    let wordCount = candidates.words.count
    for word in min(chunk.firstRow / 64, wordCount)..<min((end + 63) / 64, wordCount) {
      var bits = candidates.words[word]
      while bits != 0 {
        let row = word * 64 + bits.trailingZeroBitCount
        bits &= bits - 1
        guard row >= chunk.firstRow, row < end else { continue }
        if rows.count >= countMax { return nil }
        rows.append(UInt32(row - chunk.firstRow))
      }
    }
    return rows
  }

  mutating func insert(_ row: Int) {
    words[row >> 6] |= 1 << UInt64(row & 63)
  }

  /// Adds rows that are counted from the first row on.
  mutating func insert(_ rows: [UInt64], at firstRow: Int) {
    let shift = UInt64(firstRow & 63)
    for (index, bits) in rows.enumerated() where bits != 0 {
      let word = firstRow >> 6 + index
      words[word] |= bits << shift
      let rest = shift == 0 ? 0 : bits >> (64 - shift)
      if rest != 0 { words[word + 1] |= rest }
    }
  }
}
