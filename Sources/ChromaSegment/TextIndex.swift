// Which rows of a segment hold a text: for each gram of its documents the rows that have it.
//
// The grams of a document are its next three bytes from each of its bytes on, of which there are two
// or one at the end. So literals of one to three bytes are held by exactly the rows of the grams that
// begin with them, and longer ones at most by the rows that all their grams of three bytes share.
//
//     | chunks | table: 12 bytes × chunks | chunks: UInt32 |
//
//     chunk    | entries: 8 bytes × grams | lists of rows |
//     entry    | end of the list: 32 bits | its width: 6 bits | gram: 26 bits |, lowest first
//     table    0  rows: UInt32, 1 to 65,536
//              4  grams: UInt32
//              8  bytes of the lists: UInt32
//
// `Gram` and `RowList` tell the rest. Chunks cover the rows one after another, and their rows are
// counted from 0 on in each. So memory is bounded while they are written, and a list takes fewer bits.
//
// Invariants:
//   * It is derived from the documents. Where it is damaged, every row that has one may hold the text:
//     no query fails by it or answers otherwise.
//   * Entries ascend, and so do the rows of a list, of which none is empty.

package import ChromaBase

/// What an entry tells.
struct TextIndexEntry {
  static let byteCount = 8
  let bits: UInt64

  init(bits: UInt64) {
    self.bits = bits
  }

  init(_ gram: UInt64, width: Int, end: Int) {
    bits = gram << 38 | UInt64(width) << 32 | UInt64(end)
  }

  var gram: UInt32 { UInt32(truncatingIfNeeded: bits >> 38) }
  var width: Int { Int(bits >> 32 & 63) }
  var end: Int { Int(bits & 0xFFFF_FFFF) }
}

/// The index of a segment's documents. As long as the segment; any thread.
package struct TextIndex: Sendable {
  /// A run of rows.
  struct Chunk {
    let firstRow: Int
    let rowCount: Int
    let gramCount: Int
    let listByteCount: Int
    /// Among the bytes of the index.
    let offset: Int
  }

  private static let tableEntryByteCount = 12

  let chunks: [Chunk]
  // Sound: bytes that nobody writes, as the segment's are.
  nonisolated(unsafe) private let bytes: SegmentBytes
  nonisolated(unsafe) private let texts: TextColumn
  private let rowCount: Int

  /// - Throws: `.corruption`, and what else reading the table may.
  init(rowCount: Int, _ bytes: SegmentBytes, of texts: TextColumn) throws(ChromaError) {
    self.bytes = bytes
    self.texts = texts
    self.rowCount = rowCount
    let chunkCount = Int(try bytes.load(UInt32.self, at: bytes.count - 4))
    let tableByteCount = chunkCount * Self.tableEntryByteCount
    let tableOffset = bytes.count - 4 - tableByteCount
    let table = try bytes.bytes(from: tableOffset, count: tableByteCount)
    var chunks: [Chunk] = []
    chunks.reserveCapacity(chunkCount)
    var row = 0
    var offset = 0
    for place in stride(from: 0, to: tableByteCount, by: Self.tableEntryByteCount) {
      let numbers = stride(from: place, to: place + Self.tableEntryByteCount, by: 4).map {
        Int(UInt32(littleEndian: table.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
      }
      let chunk = Chunk(
        firstRow: row, rowCount: numbers[0], gramCount: numbers[1], listByteCount: numbers[2],
        offset: offset)
      guard (1...Limits.textIndexChunkRowCount).contains(chunk.rowCount) else {
        throw bytes.damage("a chunk of the text index has \(chunk.rowCount) rows")
      }
      chunks.append(chunk)
      row += chunk.rowCount
      offset += chunk.gramCount * TextIndexEntry.byteCount + chunk.listByteCount
    }
    guard row == rowCount, offset == tableOffset else {
      throw bytes.damage("the text index covers \(row) of \(rowCount) rows, or not its place")
    }
    self.chunks = chunks
  }

  /// Rows that hold a literal, at most. Costs a few looks at the entries of each chunk.
  package func estimate(_ literal: [UInt8]) throws(ChromaError) -> Int {
    do throws(ChromaError) {
      if !literal.isEmpty {
        let grams = Self.grams(of: literal)
        var count = 0
        for chunk in chunks { count += try reader(of: chunk).countMax(grams) }
        return count
      }
    } catch let error where error.kind == .corruption {
      // As if there were no index.
    }
    return try texts.rowsWithText().count
  }

  /// The rows that may hold a literal; if they are exact, the rows that do.
  ///
  /// - Parameters:
  ///   - literal: Any bytes. Of an empty one the rows are those with a document.
  ///   - candidates: Other rows are left out.
  package func rows(
    holding literal: [UInt8], within candidates: Bitset? = nil
  ) throws(ChromaError) -> (rows: Bitset, isExact: Bool) {
    do throws(ChromaError) {
      if !literal.isEmpty {
        var rows = TextIndexRows(rowCount: rowCount, within: candidates)
        let grams = Self.grams(of: literal)
        for chunk in chunks where rows.wants(chunk) {
          try reader(of: chunk).insertRows(holding: grams, into: &rows)
        }
        return (rows.found, literal.count <= 3 || rows.found.isEmpty)
      }
    } catch let error where error.kind == .corruption {
      // As if there were no index.
    }
    let rows = try texts.rowsWithText()
    return (candidates.map { rows.intersection($0) } ?? rows, literal.isEmpty)
  }

  func reader(of chunk: Chunk) throws(ChromaError) -> TextIndexChunkReader {
    try TextIndexChunkReader(chunk, of: bytes)
  }

  /// The ranges of grams of which a document that holds the literal has one each.
  private static func grams(of literal: [UInt8]) -> [Range<UInt32>] {
    if literal.count <= 3 { return [Gram.range(of: literal)] }
    // Of a long literal some, evenly: they leave few rows, and each costs a look at each chunk.
    let count = min(literal.count - 2, Limits.textIndexGramCount)
    var grams: [Range<UInt32>] = []
    for number in 0..<count {
      let start = number * (literal.count - 3) / (count - 1)
      let gram = Gram.range(of: literal[start..<start + 3])
      if !grams.contains(gram) { grams.append(gram) }
    }
    return grams
  }
}
