// Single-scalar expressions: literals, `.`, anchors, and everything behind a backslash.

extension RegexParser {
  mutating func parsePrimitive() throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    guard let scalar = peek else { preconditionFailure("The caller saw a scalar here.") }
    if scalar == "\\" { return try parseEscape() }
    let span = here(length: 1)
    advance()
    return switch scalar {
    case ".": tree.add(.dot, span)
    case "^": tree.add(.assertion(.caret), span)
    case "$": tree.add(.assertion(.dollar), span)
    default: tree.add(.literal(scalar, isByte: false), span)
    }
  }

  mutating func parseEscape() throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    let start = position
    advance()
    guard let scalar = peek else {
      throw RegexSyntaxError(.escapeUnexpectedEnd, RegexSpan(start, position))
    }
    switch scalar {
    case "0"..."9":
      throw RegexSyntaxError(.backreference, RegexSpan(start, position + 1))
    case "x", "u", "U":
      return try parseHexadecimal(from: start, kind: scalar)
    case "p", "P":
      return try parseUnicodeClass(from: start, isNegated: scalar == "P")
    default:
      break
    }
    advance()
    let span = RegexSpan(start, position)
    if let assertion = Self.assertion(scalar) {
      guard scalar == "b", peek == "{", let special = try parseSpecialWordBoundary(from: start)
      else { return tree.add(.assertion(assertion), span) }
      return tree.add(.assertion(special), RegexSpan(start, position))
    }
    if let (perlClass, isNegated) = Self.perlClass(scalar) {
      return tree.add(.perlClass(perlClass, isNegated: isNegated), span)
    }
    guard let literal = Self.escapedLiteral(scalar) else {
      throw RegexSyntaxError(.escapeUnrecognized, span)
    }
    return tree.add(.literal(literal, isByte: false), span)
  }

  private static func assertion(_ scalar: Unicode.Scalar) -> RegexAssertion? {
    switch scalar {
    case "A": .textStart
    case "z": .textEnd
    case "b": .wordBoundary
    case "B": .notWordBoundary
    case "<": .wordStart
    case ">": .wordEnd
    default: nil
    }
  }

  private static func perlClass(_ scalar: Unicode.Scalar) -> (PerlClass, isNegated: Bool)? {
    switch scalar {
    case "d": (.digit, false)
    case "D": (.digit, true)
    case "s": (.space, false)
    case "S": (.space, true)
    case "w": (.word, false)
    case "W": (.word, true)
    default: nil
    }
  }

  /// What an escape stands for if it is a control character or escaped punctuation.
  private static func escapedLiteral(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar {
    case "a": "\u{07}"
    case "f": "\u{0C}"
    case "t": "\t"
    case "n": "\n"
    case "r": "\r"
    case "v": "\u{0B}"
    case "0"..."9", "A"..."Z", "a"..."z", "<", ">": nil
    default: scalar.isASCII ? scalar : nil
    }
  }

  /// Reads the braces of `\b{start}`. Nil, with nothing read, if they can only be a repetition's.
  private mutating func parseSpecialWordBoundary(
    from start: Int
  ) throws(RegexSyntaxError) -> RegexAssertion? {
    let brace = position
    advanceAndSkipIgnored()
    guard let first = peek else {
      throw RegexSyntaxError(.wordBoundaryUnexpectedEnd, RegexSpan(start, position))
    }
    let nameStart = position
    guard Self.isWordBoundaryNameScalar(first) else {
      position = brace
      return nil
    }
    var name = ""
    while let scalar = peek, Self.isWordBoundaryNameScalar(scalar) {
      name.unicodeScalars.append(scalar)
      advanceAndSkipIgnored()
    }
    guard peek == "}" else {
      throw RegexSyntaxError(.wordBoundaryUnclosed, RegexSpan(brace, position))
    }
    let nameSpan = RegexSpan(nameStart, position)
    advance()
    switch name {
    case "start": return .wordStart
    case "end": return .wordEnd
    case "start-half": return .wordStartHalf
    case "end-half": return .wordEndHalf
    default: throw RegexSyntaxError(.wordBoundaryUnrecognized, nameSpan)
    }
  }

  private static func isWordBoundaryNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "-": true
    default: false
    }
  }

  // MARK: Hexadecimal

  /// Reads `x7F`, `u007F`, `U0000007F` or any of the letters with braces.
  private mutating func parseHexadecimal(
    from start: Int, kind: Unicode.Scalar
  ) throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    advanceAndSkipIgnored()
    guard peek != nil else { throw RegexSyntaxError(.escapeUnexpectedEnd, here()) }
    if peek == "{" { return try parseBracedHexadecimal(from: start) }

    let digitsStart = position
    var value: UInt32? = 0
    let digitCount = kind == "x" ? 2 : kind == "u" ? 4 : 8
    for index in 0..<digitCount {
      if index > 0 { advanceAndSkipIgnored() }
      guard let scalar = peek else { throw RegexSyntaxError(.escapeUnexpectedEnd, here()) }
      value = Self.appending(try hexadecimalDigit(scalar), to: value)
    }
    advanceAndSkipIgnored()
    guard let scalar = value.flatMap(Unicode.Scalar.init) else {
      throw RegexSyntaxError(.escapeHexInvalid, RegexSpan(digitsStart, position))
    }
    return tree.add(.literal(scalar, isByte: kind == "x"), RegexSpan(start, position))
  }

  private mutating func parseBracedHexadecimal(
    from start: Int
  ) throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    let brace = position
    var value: UInt32? = 0
    var isEmpty = true
    advanceAndSkipIgnored()
    while let scalar = peek, scalar != "}" {
      value = Self.appending(try hexadecimalDigit(scalar), to: value)
      isEmpty = false
      advanceAndSkipIgnored()
    }
    guard peek != nil else {
      throw RegexSyntaxError(.escapeUnexpectedEnd, RegexSpan(brace, position))
    }
    let digits = RegexSpan(brace + 1, position)
    advanceAndSkipIgnored()
    if isEmpty { throw RegexSyntaxError(.escapeHexEmpty, RegexSpan(brace, position)) }
    guard let scalar = value.flatMap(Unicode.Scalar.init) else {
      throw RegexSyntaxError(.escapeHexInvalid, digits)
    }
    return tree.add(.literal(scalar, isByte: false), RegexSpan(start, position))
  }

  private func hexadecimalDigit(_ scalar: Unicode.Scalar) throws(RegexSyntaxError) -> UInt32 {
    switch scalar {
    case "0"..."9": return scalar.value - 0x30
    case "A"..."F": return scalar.value - 0x41 + 10
    case "a"..."f": return scalar.value - 0x61 + 10
    default: throw RegexSyntaxError(.escapeHexInvalidDigit, here(length: 1))
    }
  }

  /// Nil once the number leaves 32 bits.
  private static func appending(_ digit: UInt32, to value: UInt32?) -> UInt32? {
    guard let value, value <= UInt32.max >> 4 else { return nil }
    return value << 4 | digit
  }

  // MARK: Unicode classes

  /// Reads `pL`, `p{Greek}`, `p{Script=Greek}`, `p{sc:Greek}` or `p{sc!=Greek}`.
  private mutating func parseUnicodeClass(
    from start: Int, isNegated: Bool
  ) throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    advanceAndSkipIgnored()
    guard let first = peek else { throw RegexSyntaxError(.escapeUnexpectedEnd, here()) }
    let query: UnicodeClassQuery
    if first == "{" {
      var name: [Unicode.Scalar] = []
      advanceAndSkipIgnored()
      while let scalar = peek, scalar != "}" {
        name.append(scalar)
        advanceAndSkipIgnored()
      }
      guard peek != nil else { throw RegexSyntaxError(.escapeUnexpectedEnd, here()) }
      advance()
      query = Self.unicodeClassQuery(name)
    } else {
      if first == "\\" { throw RegexSyntaxError(.unicodeClassInvalid, here(length: 1)) }
      advanceAndSkipIgnored()
      query = .name(String(first))
    }
    return tree.add(.unicodeClass(query, isNegated: isNegated), RegexSpan(start, position))
  }

  private static func unicodeClassQuery(_ name: [Unicode.Scalar]) -> UnicodeClassQuery {
    func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
      var string = ""
      string.unicodeScalars.append(contentsOf: scalars)
      return string
    }
    let notEqual = name.indices.dropLast().first { name[$0] == "!" && name[$0 + 1] == "=" }
    if let index = notEqual {
      return .value(
        property: string(name[..<index]), value: string(name[(index + 2)...]), isNegated: true)
    }
    if let index = name.firstIndex(of: ":") ?? name.firstIndex(of: "=") {
      return .value(
        property: string(name[..<index]), value: string(name[(index + 1)...]), isNegated: false)
    }
    return .name(string(name[...]))
  }
}
