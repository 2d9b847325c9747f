// Ascending numbers of rows, as gaps in the code of Golomb and Rice.
//
// A list is bits, the lowest of its first byte first, and as many zeros as fill its last byte. Each
// row is coded by its gap, the rows between it and the one before: gap ∕ 2^width zeros and a one, then
// the lower `width` bits of the gap, lowest first. A list of width 0 is a bit set.
//
// (R. F. Rice: Some Practical Universal Noiseless Coding Techniques. JPL 79-22, 1979.)
//
// Measured for byte grams of English glosses: 6.4 bits a row, 8.5 as bytes of 7 bits of a gap, with bit
// sets where those are shorter.
//
// Invariants of reading, whatever the bytes are:
//   * Nothing outside of the list is read, and no row at or beyond the limit is given out.

internal import ChromaBase

/// A list of rows that stands in memory, found right by its checksum.
struct RowList {
  static let widthMax = 16

  let bytes: UnsafeRawBufferPointer
  /// 0 to `widthMax`.
  let width: Int

  /// Rows in it, at most; seldom twice as many as there are. Costs nothing.
  var countMax: Int { bytes.count * 8 / (width + 1) }

  /// Calls the body with each row until it returns false.
  ///
  /// - Returns: Whether all rows are below the limit.
  @inline(__always)
  func forEach(below limit: Int, _ body: (Int) -> Bool) -> Bool {
    let mask = UInt64(1) << UInt64(width) - 1
    var bit = 0
    var next = 0
    var zeros = 0
    while true {
      let window = window(at: bit)
      if window == 0 {
        if bit + Self.windowBitCount >= bytes.count * 8 { return true }
        zeros += Self.windowBitCount
        bit += Self.windowBitCount
        continue
      }
      let run = window.trailingZeroBitCount
      var rest = (window >> UInt64(run)) >> 1
      bit += run + 1
      if run + 1 + width > Self.windowBitCount { rest = self.window(at: bit) }
      bit += width
      // At most 2^35 bits are zeros, and the width is 16 at most: no overflow.
      let row = next + (zeros + run) << width + Int(truncatingIfNeeded: rest & mask)
      guard row < limit else { return false }
      if !body(row) { return true }
      next = row + 1
      zeros = 0
    }
  }

  /// Adds the rows to a bit set, which has a bit for each row below the limit.
  ///
  /// - Returns: Whether all rows are below the limit.
  func insert(into words: UnsafeMutableBufferPointer<UInt64>, below limit: Int) -> Bool {
    guard width == 0 else {
      return forEach(below: limit) { row in
        words[row >> 6] |= 1 << UInt64(row & 63)
        return true
      }
    }
    guard bytes.count <= (limit + 7) / 8 else { return false }
    if bytes.count * 8 > limit, bytes[bytes.count - 1] >> UInt8(limit & 7) != 0 { return false }
    for word in 0..<bytes.count / 8 {
      let bits = bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
      words[word] |= UInt64(littleEndian: bits)
    }
    for index in bytes.count & ~7..<bytes.count {
      words[index >> 3] |= UInt64(bytes[index]) << UInt64(index & 7 * 8)
    }
    return true
  }

  /// Keeps those of some rows, ascending, that are in the list.
  ///
  /// - Returns: Whether all rows that were read are below the limit.
  func intersect(_ rows: inout [UInt32], below limit: Int) -> Bool {
    var kept = 0
    let isRight = rows.withUnsafeMutableBufferPointer { rows in
      if width == 0 {
        for row in rows where contains(Int(row)) {
          rows[kept] = row
          kept += 1
        }
        return true
      }
      var place = 0
      return forEach(below: limit) { row in
        while place < rows.count, rows[place] < row { place += 1 }
        guard place < rows.count else { return false }
        if rows[place] == row {
          rows[kept] = rows[place]
          kept += 1
        }
        return true
      }
    }
    rows.removeLast(rows.count - kept)
    return isRight
  }

  /// Of a list that is a bit set.
  private func contains(_ row: Int) -> Bool {
    row >> 3 < bytes.count && bytes[row >> 3] >> UInt8(row & 7) & 1 == 1
  }

  /// Of 64 bits that are loaded at a byte, so many are there from any bit of that byte on.
  private static let windowBitCount = 57

  /// The bits from one on, `windowBitCount` or more of them; zeros after the last one.
  @inline(__always)
  private func window(at bit: Int) -> UInt64 {
    let start = bit >> 3
    let bits: UInt64
    if start <= bytes.count - 8 {
      bits = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
    } else {
      bits = lastBits(from: start)
    }
    return bits >> UInt64(bit & 7)
  }

  private func lastBits(from start: Int) -> UInt64 {
    var bits: UInt64 = 0
    var index = bytes.count
    while index > start {
      index -= 1
      bits = bits << 8 | UInt64(bytes[index])
    }
    return bits
  }
}

/// Writes lists of rows one after another.
struct RowListWriter: ~Copyable {
  private var memory: UnsafeMutableRawBufferPointer
  private(set) var byteCount = 0

  init() {
    memory = .allocate(byteCount: 1 << 16, alignment: 8)
  }

  deinit {
    memory.deallocate()
  }

  var bytes: UnsafeRawBufferPointer { .init(rebasing: memory[..<byteCount]) }

  mutating func removeAll() {
    byteCount = 0
  }

  /// The width with which rows take about the fewest bits: that of ln 2 times the mean gap.
  static func width(count: Int, lastRow: Int) -> Int {
    let wanted = (lastRow + 1) * 44 / 64 / count
    return wanted <= 1 ? 0 : min(Int.bitWidth - 1 - wanted.leadingZeroBitCount, RowList.widthMax)
  }

  /// - Parameter count: from 1; that of the rows that `forEach` hands out, ascending.
  @inline(__always)
  mutating func append(count: Int, width: Int, lastRow: Int, _ row: (Int) -> Int) {
    // Zeros are at most what the rows go up to, in steps of 2^width.
    let bitCountMax = (lastRow + 1) >> width + count * (width + 1)
    reserve(bitCountMax / 8 + 16)
    guard let start = memory.baseAddress else { return }
    var target = start + byteCount
    var bits: UInt64 = 0
    var bitCount = 0
    var next = 0
    let mask = 1 << width - 1
    for index in 0..<count {
      let row = row(index)
      let gap = row - next
      next = row + 1
      var zeros = gap >> width
      while bitCount + zeros + 1 + width > 64 {
        // No room for a code of many zeros: whole bytes out, then as many zeros as fit.
        target.storeBytes(of: bits.littleEndian, as: UInt64.self)
        target += bitCount >> 3
        bits = bitCount >= 64 ? 0 : bits >> UInt64(bitCount & ~7)
        bitCount &= 7
        let step = min(zeros, 32)
        if bitCount + zeros + 1 + width > 64 {
          zeros -= step
          bitCount += step
        }
      }
      bits |= (1 | UInt64(gap & mask) << 1) << UInt64(bitCount + zeros)
      bitCount += zeros + 1 + width
    }
    target.storeBytes(of: bits.littleEndian, as: UInt64.self)
    target += (bitCount + 7) >> 3
    byteCount = target - start
  }

  private mutating func reserve(_ count: Int) {
    guard memory.count - byteCount < count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(2 * memory.count, byteCount + count), alignment: 8)
    larger.copyMemory(from: bytes)
    memory.deallocate()
    memory = larger
  }
}
