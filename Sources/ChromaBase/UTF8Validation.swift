// UTF-8 validation after the table of well-formed byte sequences in the Unicode Standard
// (chapter 3, "Unicode Encoding Forms", table 3-7).

package enum UTF8Validation {
  /// Whether the bytes are well-formed UTF-8. Linear; runs of ASCII are skipped eight at a time.
  package static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let count = bytes.count
    guard let base = bytes.baseAddress else { return true }
    let raw = UnsafeRawPointer(base)
    var index = 0
    while index < count {
      if count - index >= 8,
        raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        index += 8
        continue
      }
      if base[index] < 0x80 {
        index += 1
        continue
      }
      let length = sequenceByteCount(base + index, available: count - index)
      if length == 0 { return false }
      index += length
    }
    return true
  }

  /// Bytes of the well-formed sequence that starts here; 0 if there is none.
  private static func sequenceByteCount(_ bytes: UnsafePointer<UInt8>, available: Int) -> Int {
    let first = bytes[0]
    switch first {
    case 0x00...0x7F:
      return 1
    case 0xC2...0xDF:
      return available >= 2 && isContinuation(bytes[1]) ? 2 : 0
    case 0xE0...0xEF:
      guard available >= 3, isContinuation(bytes[1]), isContinuation(bytes[2]) else { return 0 }
      // E0 begins overlong forms below A0, ED surrogates above 9F.
      if first == 0xE0 && bytes[1] < 0xA0 { return 0 }
      if first == 0xED && bytes[1] > 0x9F { return 0 }
      return 3
    case 0xF0...0xF4:
      guard available >= 4, isContinuation(bytes[1]), isContinuation(bytes[2]),
        isContinuation(bytes[3])
      else { return 0 }
      // F0 begins overlong forms below 90, F4 leaves Unicode above 8F.
      if first == 0xF0 && bytes[1] < 0x90 { return 0 }
      if first == 0xF4 && bytes[1] > 0x8F { return 0 }
      return 4
    default:
      return 0
    }
  }

  private static func isContinuation(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
  }
}
