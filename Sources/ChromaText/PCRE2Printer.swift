// From what a pattern means to the same thing in PCRE2's language.
//
// The printed pattern is ASCII and says nothing that depends on an option of PCRE2 other than
// `PCRE2_UTF`: case is folded and classes are worked out before, anchors and word boundaries are
// look-arounds, and no `.`, `^`, `$` or `\b` is printed.

struct PCRE2Printer {
  private(set) var pattern: [UInt8] = []

  static func print(_ expression: RegexExpression) -> [UInt8] {
    var printer = PCRE2Printer()
    printer.append(expression)
    return printer.pattern
  }

  private mutating func append(_ text: String) {
    pattern += Array(text.utf8)
  }

  /// Recurses as deep as the parser lets patterns nest.
  private mutating func append(_ expression: RegexExpression) {
    switch expression {
    case .empty: append("(?:)")
    case .literal(let scalar): append(scalar)
    case .set(let set, _): append(set)
    case .look(let look): append(Self.text(of: look))
    case .group(let child): append(child)
    case .repetition(let child, let minimum, let maximum):
      append("(?:")
      append(child)
      append("){\(minimum),\(maximum.map(String.init) ?? "")}")
    case .concatenation(let parts):
      for part in parts { append(part) }
    case .alternation(let branches):
      append("(?:")
      for (index, branch) in branches.enumerated() {
        if index > 0 { append("|") }
        append(branch)
      }
      append(")")
    }
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    append(Self.text(of: scalar.value))
  }

  private static func text(of value: UInt32) -> String {
    switch value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x20: String(UnicodeScalar(UInt8(value)))
    default: "\\x{" + String(value, radix: 16) + "}"
    }
  }

  // MARK: Sets

  private mutating func append(_ set: ScalarSet) {
    append(Self.text(of: set))
  }

  private static func text(of set: ScalarSet) -> String {
    if set.isEmpty { return "(?!)" }
    // A named class is found by one table look-up, hundreds of ranges by as many comparisons.
    let complement = set.inverted()
    for (named, name) in namedSets {
      let rest = set.subtracting(named)
      if rest.ranges.count < set.ranges.count, named.subtracting(set).isEmpty {
        return "[" + name + ranges(of: rest) + "]"
      }
      let excluded = complement.subtracting(named)
      if excluded.ranges.count < set.ranges.count, named.subtracting(complement).isEmpty {
        return "[^" + name + ranges(of: excluded) + "]"
      }
    }
    return "[" + ranges(of: set) + "]"
  }

  private static let wordName = #"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}"#

  private static let namedSets = [
    (UnicodeProperties.word, wordName), (UnicodeProperties.digit, #"\p{Nd}"#),
  ]

  private static func ranges(of set: ScalarSet) -> String {
    set.ranges.map { range in
      range.lower == range.upper
        ? text(of: range.lower) : text(of: range.lower) + "-" + text(of: range.upper)
    }.joined()
  }

  // MARK: Conditions

  private static func text(of look: RegexLook) -> String {
    switch look {
    case .textStart: return #"\A"#
    case .textEnd: return #"\z"#
    case .lineStart: return #"(?<![^\x{a}])"#
    case .lineEnd: return #"(?![^\x{a}])"#
    case .lineStartCRLF: return #"(?:\A|(?<=\x{a})|(?<=\x{d})(?!\x{a}))"#
    case .lineEndCRLF: return #"(?:\z|(?=\x{d})|(?<!\x{d})(?=\x{a}))"#
    case .wordBoundary(let boundary, let isASCII):
      let word = isASCII ? "[0-9A-Z_a-z]" : "[\(wordName)]"
      let (before, after) = ("(?<=\(word))", "(?=\(word))")
      let (notBefore, notAfter) = ("(?<!\(word))", "(?!\(word))")
      return switch boundary {
      case .boundary: "(?:\(before)\(notAfter)|\(notBefore)\(after))"
      case .notBoundary: "(?:\(before)\(after)|\(notBefore)\(notAfter))"
      case .start: notBefore + after
      case .end: before + notAfter
      case .startHalf: notBefore
      case .endHalf: notAfter
      }
    }
  }
}
