// The dead rows of a segment, as a version's manifest stores them.
//
//     | 1 | bit set of the rows, the lowest bit of the first byte first |
//     | 2 | UInt32 × dead rows, ascending |
//
// Whichever is shorter; the bit set where both are equal.

package import ChromaBase

package enum DeleteBitmap {
  /// - Parameter rows: Numbers below `rowCount`.
  package static func encode(_ rows: Bitset, rowCount: Int) -> [UInt8] {
    let deadCount = rows.count
    let bitByteCount = (rowCount + 7) / 8
    var writer = ByteWriter(byteCountExpected: 1 + min(bitByteCount, 4 * deadCount))
    guard bitByteCount <= 4 * deadCount else {
      writer.write(2 as UInt8)
      for row in rows { writer.write(row) }
      return writer.bytes
    }
    writer.write(1 as UInt8)
    var left = bitByteCount
    for word in rows.words where left > 0 {
      let count = min(left, 8)
      withUnsafeBytes(of: word.littleEndian) {
        writer.write(UnsafeRawBufferPointer(rebasing: $0[..<count]))
      }
      left -= count
    }
    for _ in 0..<left { writer.write(0 as UInt8) }
    return writer.bytes
  }

  /// - Throws: `.corruption` naming the source.
  package static func decode(
    _ bytes: [UInt8], rowCount: Int, source: String
  ) throws(ChromaError) -> Bitset {
    try bytes.withUnsafeBufferPointer { (bytes) throws(ChromaError) in
      var reader = ByteReader(UnsafeRawBufferPointer(bytes), source: source)
      let rows =
        switch try reader.readUInt8() {
        case 1: try readBits(rowCount: rowCount, from: &reader)
        case 2: try readList(rowCount: rowCount, from: &reader)
        case let number: throw reader.damage("its form has the number \(number)")
        }
      try reader.expectEnd()
      return rows
    }
  }

  private static func readBits(
    rowCount: Int, from reader: inout ByteReader
  ) throws(ChromaError) -> Bitset {
    let raw = try reader.read(byteCount: (rowCount + 7) / 8)
    var rows = Bitset()
    for (index, byte) in raw.enumerated() {
      var rest = byte
      while rest != 0 {
        let row = 8 * index + rest.trailingZeroBitCount
        guard row < rowCount else { throw reader.damage("row \(row) of \(rowCount) is dead") }
        rows.insert(UInt32(row))
        rest &= rest - 1
      }
    }
    return rows
  }

  private static func readList(
    rowCount: Int, from reader: inout ByteReader
  ) throws(ChromaError) -> Bitset {
    var rows = Bitset()
    var next = 0
    while reader.remainingByteCount > 0 {
      let row = Int(try reader.readUInt32())
      guard (next..<max(next, rowCount)).contains(row) else {
        throw reader.damage("row \(row) of \(rowCount) is out of place")
      }
      rows.insert(UInt32(row))
      next = row + 1
    }
    return rows
  }
}
