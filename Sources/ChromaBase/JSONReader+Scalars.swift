// The strings and numbers of JSON (RFC 8259, sections 6 and 7).

extension JSONReader {
  /// Reads the string that `kind()` announced.
  package mutating func string() throws(ChromaError) -> Text {
    index += 1
    let start = index
    skipPlainCharacters()
    if peek == UInt8(ascii: "\"") {
      index += 1
      return try text(Array(bytes[start..<index - 1]))
    }
    var unescaped = Array(bytes[start..<index])
    while true {
      guard let byte = peek else { throw errorHere("EOF while parsing a string") }
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        return try text(unescaped)
      case UInt8(ascii: "\\"):
        try escape(into: &unescaped)
      default:
        throw errorHere("control character (\\u0000-\\u001F) found while parsing a string")
      }
      let runStart = index
      skipPlainCharacters()
      unescaped += bytes[runStart..<index]
    }
  }

  /// Reads the number that `kind()` announced: `int`, `unsigned` or `float`.
  package mutating func number() throws(ChromaError) -> JSON {
    let start = index
    let isNegative = peek == UInt8(ascii: "-")
    if isNegative { index += 1 }
    let magnitude = try integerPart()
    let isInteger = try !fractionAndExponent()
    if isInteger, let magnitude {
      if !isNegative { return Int64(exactly: magnitude).map(JSON.int) ?? .unsigned(magnitude) }
      // Only a float keeps the sign of -0.
      if 1...Int64.min.magnitude ~= magnitude {
        return .int(Int64(truncatingIfNeeded: 0 &- magnitude))
      }
    }
    // The grammar above is narrower than the one of `Double`: no "inf", no hexadecimal digits.
    guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)), value.isFinite
    else { throw errorHere("number out of range") }
    return .float(value)
  }

  /// Reads the digits before the point. Nil if they make more than a `UInt64`.
  private mutating func integerPart() throws(ChromaError) -> UInt64? {
    guard let first = peek else { throw errorHere("EOF while parsing a value") }
    guard let digit = Self.digit(first) else { throw errorAtNext("invalid number") }
    index += 1
    if digit == 0 {
      if let byte = peek, Self.digit(byte) != nil { throw errorAtNext("invalid number") }
      return 0
    }
    var magnitude = digit
    var isTooLarge = false
    while let byte = peek, let digit = Self.digit(byte) {
      index += 1
      let (shifted, overflows) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carries) = shifted.addingReportingOverflow(digit)
      isTooLarge = isTooLarge || overflows || carries
      magnitude = sum
    }
    return isTooLarge ? nil : magnitude
  }

  /// Reads what follows the integer part. False if nothing does.
  private mutating func fractionAndExponent() throws(ChromaError) -> Bool {
    let start = index
    if peek == UInt8(ascii: ".") {
      index += 1
      if peek == nil { throw errorHere("EOF while parsing a value") }
      guard skipDigits() else { throw errorAtNext("invalid number") }
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      index += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { index += 1 }
      if peek == nil { throw errorHere("EOF while parsing a value") }
      guard skipDigits() else { throw errorAtNext("invalid number") }
    }
    return index > start
  }

  /// Reads the escape sequence behind a backslash.
  private mutating func escape(into unescaped: inout [UInt8]) throws(ChromaError) {
    guard let byte = peek else { throw errorHere("EOF while parsing a string") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"): unescaped += String(try unicodeEscape()).utf8
    default: throw errorHere("invalid escape")
    }
  }

  /// Reads what stands behind `\u`: four digits, or a surrogate pair.
  private mutating func unicodeEscape() throws(ChromaError) -> Unicode.Scalar {
    let first = try fourHexadecimalDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00 else { throw errorHere("lone leading surrogate in hex escape") }
    for expected in [UInt8(ascii: "\\"), UInt8(ascii: "u")] {
      guard let byte = peek else { throw errorHere("EOF while parsing a string") }
      index += 1
      guard byte == expected else { throw errorHere("unexpected end of hex escape") }
    }
    let second = try fourHexadecimalDigits()
    let code = 0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
    guard 0xDC00...0xDFFF ~= second, let scalar = Unicode.Scalar(code) else {
      throw errorHere("lone leading surrogate in hex escape")
    }
    return scalar
  }

  private mutating func fourHexadecimalDigits() throws(ChromaError) -> UInt16 {
    let digits = bytes[index...].prefix(4)
    index += digits.count
    guard digits.count == 4 else { throw errorHere("EOF while parsing a string") }
    var value: UInt16 = 0
    for byte in digits {
      guard let digit = Hexadecimal.value(of: byte) else { throw errorHere("invalid escape") }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  private func text(_ bytes: [UInt8]) throws(ChromaError) -> Text {
    guard let text = Text(validating: bytes) else {
      throw errorHere("invalid unicode code point")
    }
    return text
  }

  /// Skips what stands for itself in a string.
  private mutating func skipPlainCharacters() {
    while let byte = peek, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      index += 1
    }
  }

  /// Whether there was a digit to skip.
  private mutating func skipDigits() -> Bool {
    let start = index
    while let byte = peek, Self.digit(byte) != nil { index += 1 }
    return index > start
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte ? UInt64(byte - UInt8(ascii: "0")) : nil
  }
}
