// Universally unique identifiers (RFC 9562), version 4.

package struct UUID: Hashable, Comparable, Sendable {
  package let high: UInt64
  package let low: UInt64

  /// The identifier of the default database.
  package static let zero = UUID(high: 0, low: 0)

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A random identifier: version 4, variant 1 (RFC 9562, section 5.4).
  package init(random: any RandomSource) {
    high = random.next() & ~0xF000 | 0x4000
    low = random.next() & ~(0b11 << 62) | (0b10 << 62)
  }

  /// Reads the hyphenated form or 32 hexadecimal digits, either case; nil for anything else.
  package init?(_ text: some StringProtocol) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var digitCount = 0
    var offset = 0
    let isHyphenated = text.utf8.count == 36
    guard isHyphenated || text.utf8.count == 32 else { return nil }
    for byte in text.utf8 {
      defer { offset += 1 }
      if isHyphenated && [8, 13, 18, 23].contains(offset) {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = Hexadecimal.value(of: byte) else { return nil }
      if digitCount < 16 {
        high = high << 4 | UInt64(digit)
      } else {
        low = low << 4 | UInt64(digit)
      }
      digitCount += 1
    }
    guard digitCount == 32 else { return nil }
    self.init(high: high, low: low)
  }

  package static func < (left: UUID, right: UUID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension UUID: CustomStringConvertible {
  /// Lower case, hyphenated.
  package var description: String {
    var text = ""
    text.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append("-") }
      text.append(Hexadecimal.digits[Int(byte >> 4)])
      text.append(Hexadecimal.digits[Int(byte & 15)])
    }
    return text
  }

  /// Sixteen bytes, most significant first.
  package var bytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64($0))) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64($0))) }
  }
}

package enum Hexadecimal {
  package static let digits: [Character] = Array("0123456789abcdef")

  package static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
