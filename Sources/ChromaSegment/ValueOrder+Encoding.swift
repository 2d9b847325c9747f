// The bytes of a column's index. `ValueIndex.swift` has the format.

internal import ChromaBase

extension ValueOrder {
  /// - Parameter placeCount: values of the column.
  func encoded(placeCount: Int, isArray: Bool) -> [UInt8] {
    let wordCount = (placeCount + 63) / 64
    let places = self.places.map { Int64($0) }
    let head = IntegerHead(fitting: places)
    // At most 2^32 distinct values of 2^29 bytes each.
    let isBitmaps = 8 * wordCount * ends.count < head.width * places.count
    var writer = ByteWriter()
    writer.write(isBitmaps ? 2 : 1 as UInt8)
    writer.write(UInt32(ends.count))
    writer.writeIntegers(ends)
    if isBitmaps || isArray { writer.writeIntegers(firsts.map { Int64($0) }) }
    if isBitmaps {
      bitmaps(wordCount: wordCount).withUnsafeBytes { writer.write($0) }
    } else {
      writer.write(head)
      writer.write(places, as: head)
    }
    return writer.bytes
  }

  /// A bit set of places for each distinct value, in words.
  func bitmaps(wordCount: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 8 * wordCount * ends.count)
    var start = 0
    for (number, end) in ends.enumerated() {
      let bitmap = 8 * wordCount * number
      for place in places[start..<Int(end)] { bytes[bitmap + Int(place / 8)] |= 1 << (place % 8) }
      start = Int(end)
    }
    return bytes
  }
}
