// The grams of some documents, gathered and sorted, while a segment is written.
//
// Memory: 16 bytes for each pair of a gram and a row. A chunk has as many as its documents have bytes,
// at most; a document beyond `dedupedByteCountMin` gives each of its grams once, of which UTF-8 has
// some six million. So it is 32 MiB where no document exceeds a chunk, and a large one in a common
// alphabet adds a few; the worst that can be made is 100 MiB.

internal import ChromaBase

/// The next bytes of a document, up to three, from each of its bytes on. As a number of 26 bits: its
/// bytes, the first one highest, zeros, and in two bits how many they are. So grams are in the order of
/// their bytes, and those with a prefix are neighbours.
enum Gram {
  @inline(__always)
  static func of(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt32 {
    UInt32(first) << 18 | UInt32(second) << 10 | UInt32(third) << 2 | 3
  }

  /// The grams that begin with one to three bytes.
  static func range(of prefix: some Collection<UInt8>) -> Range<UInt32> {
    var bits: UInt32 = 0
    for byte in prefix { bits = bits << 8 | UInt32(byte) }
    let shift = UInt32(8 * (3 - prefix.count) + 2)
    // A shorter gram of the same bytes and zeros is before all of them.
    return bits << shift | UInt32(prefix.count)..<(bits + 1) << shift
  }
}

/// Gathers what one chunk of a text index holds.
struct TextIndexBuilder {
  /// Bytes from which a document gives each of its grams once only. Looking whether it was there
  /// costs less than sorting it, but a bit set has to be kept.
  private static let dedupedByteCountMin = 64 * 1024

  private(set) var rowCount = 0
  private(set) var textByteCount = 0
  /// Gram and row, the row in the lower 16 bits. Ascending once they are sorted.
  private(set) var pairs: [UInt64] = []
  /// Of the grams of a long document.
  private var seen: [UInt64] = []

  /// Whether another document has to go into the next chunk.
  func isFull(before document: Text?) -> Bool {
    rowCount == Limits.textIndexChunkRowCount
      || rowCount > 0
        && textByteCount + (document?.byteCount ?? 0) > Limits.textIndexChunkByteCount
  }

  mutating func append(_ document: Text?) {
    document?.bytes.withUnsafeBufferPointer { appendGrams(of: $0) }
    rowCount += 1
  }

  /// - Parameter document: of the next row; nothing for a row without one.
  mutating func append(_ document: UnsafeBufferPointer<UInt8>?) {
    if let document { appendGrams(of: document) }
    rowCount += 1
  }

  mutating func removeAll() {
    rowCount = 0
    textByteCount = 0
    pairs.removeAll(keepingCapacity: true)
  }

  /// Puts the pairs in their order, each once.
  mutating func sort() {
    Self.sort(&pairs)
  }

  private mutating func appendGrams(of document: UnsafeBufferPointer<UInt8>) {
    let row = UInt64(rowCount)
    let count = document.count
    textByteCount += count
    if count >= 3 {
      if count < Self.dedupedByteCountMin {
        appendWholeGrams(of: document, row: row)
      } else {
        appendWholeGramsOnce(of: document, row: row)
      }
    }
    if count >= 2 { appendGram(document[(count - 2)...], row: row) }
    if count >= 1 { appendGram(document[(count - 1)...], row: row) }
  }

  private mutating func appendGram(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, row: UInt64) {
    pairs.append(UInt64(Gram.range(of: bytes).lowerBound) << 16 | row)
  }

  private mutating func appendWholeGrams(of document: UnsafeBufferPointer<UInt8>, row: UInt64) {
    let count = document.count - 2
    let start = pairs.count
    pairs.append(contentsOf: repeatElement(0, count: count))
    pairs.withUnsafeMutableBufferPointer { pairs in
      for index in 0..<count {
        let gram = Gram.of(document[index], document[index + 1], document[index + 2])
        pairs[start + index] = UInt64(gram) << 16 | row
      }
    }
  }

  private mutating func appendWholeGramsOnce(
    of document: UnsafeBufferPointer<UInt8>, row: UInt64
  ) {
    if seen.isEmpty { seen = [UInt64](repeating: 0, count: 1 << 18) }
    let start = pairs.count
    for index in 0..<document.count - 2 {
      let gram = Gram.of(document[index], document[index + 1], document[index + 2])
      let bit = UInt64(1) << UInt64(gram >> 2 & 63)
      guard seen[Int(gram >> 8)] & bit == 0 else { continue }
      seen[Int(gram >> 8)] |= bit
      pairs.append(UInt64(gram) << 16 | row)
    }
    for pair in pairs[start...] { seen[Int(pair >> 24)] = 0 }
  }

  /// Sorts by gram in two passes over 13 bits each, which keep the rows in order, and drops what is
  /// there twice.
  private static func sort(_ pairs: inout [UInt64]) {
    let other = UnsafeMutablePointer<UInt64>.allocate(capacity: pairs.count)
    defer { other.deallocate() }
    var kept = 0
    pairs.withUnsafeMutableBufferPointer { pairs in
      guard let start = pairs.baseAddress else { return }
      distribute(start, pairs.count, by: 16, to: other)
      distribute(other, pairs.count, by: 29, to: start)
      var previous = UInt64.max
      for index in 0..<pairs.count {
        let pair = start[index]
        start[kept] = pair
        kept += pair == previous ? 0 : 1
        previous = pair
      }
    }
    pairs.removeLast(pairs.count - kept)
  }

  /// Puts pairs into the order of the 13 bits from `shift` on.
  private static func distribute(
    _ pairs: UnsafeMutablePointer<UInt64>, _ count: Int, by shift: UInt64,
    to target: UnsafeMutablePointer<UInt64>
  ) {
    let digitCount = 1 << 13
    withUnsafeTemporaryAllocation(of: Int.self, capacity: digitCount) { places in
      guard let places = places.baseAddress else { return }
      places.initialize(repeating: 0, count: digitCount)
      let mask = UInt64(digitCount - 1)
      for index in 0..<count { places[Int(pairs[index] >> shift & mask)] &+= 1 }
      var start = 0
      for digit in 0..<digitCount { (places[digit], start) = (start, start &+ places[digit]) }
      for index in 0..<count {
        let pair = pairs[index]
        let digit = Int(pair >> shift & mask)
        target[places[digit]] = pair
        places[digit] &+= 1
      }
    }
  }
}
