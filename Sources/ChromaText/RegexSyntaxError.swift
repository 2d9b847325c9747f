// A refused pattern, said as the `regex` crate says it.
//
// Official Chroma hands that crate's text to its users, who match on it. The text shows the
// pattern, carets under what is wrong, and a sentence:
//
//     regex parse error:
//         a[
//          ^
//     error: unclosed character class
//
// A pattern of several lines is shown between two rules, its lines numbered.

/// What is wrong with a pattern, and where.
struct RegexSyntaxError: Error {
  enum Kind {
    case classEscapeInvalid, classRangeInvalid, classRangeLiteral, classUnclosed
    case decimalInvalid
    case escapeHexEmpty, escapeHexInvalid, escapeHexInvalidDigit, escapeUnexpectedEnd
    case escapeUnrecognized
    case flagDanglingNegation, flagDuplicate, flagRepeatedNegation, flagUnexpectedEnd
    case flagUnrecognized
    case groupNameDuplicate, groupNameEmpty, groupNameInvalid, groupNameUnexpectedEnd
    case groupUnclosed, groupUnopened
    case nestLimitExceeded(Int)
    case repetitionCountInvalid, repetitionCountEmpty, repetitionCountUnclosed, repetitionMissing
    case wordBoundaryUnclosed, wordBoundaryUnrecognized, wordBoundaryUnexpectedEnd
    case unicodeClassInvalid
    case backreference, lookAround
    // Found when the tree is given its meaning.
    case unicodeNotAllowed, invalidUTF8, propertyNotFound, propertyValueNotFound
    /// A property that the `regex` crate knows and this engine does not.
    case propertyUnsupported
  }

  var kind: Kind
  var span: RegexSpan
  /// Where the first of two clashing things stands, such as the first use of a group's name.
  var otherSpan: RegexSpan?

  init(_ kind: Kind, _ span: RegexSpan, other: RegexSpan? = nil) {
    self.kind = kind
    self.span = span
    self.otherSpan = other
  }

  /// The whole message for the pattern in which the error was found.
  func message(in pattern: [Unicode.Scalar]) -> String {
    var text = "Regex syntax errror: regex parse error:\n"
    text += RegexNotation(pattern, spans: [span] + (otherSpan.map { [$0] } ?? [])).text
    text += "error: \(sentence)"
    return text
  }

  private var sentence: String {
    switch kind {
    case .classEscapeInvalid: "invalid escape sequence found in character class"
    case .classRangeInvalid: "invalid character class range, the start must be <= the end"
    case .classRangeLiteral: "invalid range boundary, must be a literal"
    case .classUnclosed: "unclosed character class"
    case .decimalInvalid: "decimal literal invalid"
    case .escapeHexEmpty: "hexadecimal literal empty"
    case .escapeHexInvalid: "hexadecimal literal is not a Unicode scalar value"
    case .escapeHexInvalidDigit: "invalid hexadecimal digit"
    case .escapeUnexpectedEnd: "incomplete escape sequence, reached end of pattern prematurely"
    case .escapeUnrecognized: "unrecognized escape sequence"
    case .flagDanglingNegation: "dangling flag negation operator"
    case .flagDuplicate: "duplicate flag"
    case .flagRepeatedNegation: "flag negation operator repeated"
    case .flagUnexpectedEnd: "expected flag but got end of regex"
    case .flagUnrecognized: "unrecognized flag"
    case .groupNameDuplicate: "duplicate capture group name"
    case .groupNameEmpty: "empty capture group name"
    case .groupNameInvalid: "invalid capture group character"
    case .groupNameUnexpectedEnd: "unclosed capture group name"
    case .groupUnclosed: "unclosed group"
    case .groupUnopened: "unopened group"
    case .nestLimitExceeded(let limit):
      "exceed the maximum number of nested parentheses/brackets (\(limit))"
    case .repetitionCountInvalid:
      "invalid repetition count range, the start must be <= the end"
    case .repetitionCountEmpty: "repetition quantifier expects a valid decimal"
    case .repetitionCountUnclosed: "unclosed counted repetition"
    case .repetitionMissing: "repetition operator missing expression"
    case .wordBoundaryUnclosed:
      "special word boundary assertion is either unclosed or contains an invalid character"
    case .wordBoundaryUnrecognized:
      "unrecognized special word boundary assertion, "
        + "valid choices are: start, end, start-half or end-half"
    case .wordBoundaryUnexpectedEnd:
      "found either the beginning of a special word boundary or a bounded repetition "
        + "on a \\b with an opening brace, but no closing brace"
    case .unicodeClassInvalid: "invalid Unicode character class"
    case .backreference: "backreferences are not supported"
    case .lookAround: "look-around, including look-ahead and look-behind, is not supported"
    case .unicodeNotAllowed: "Unicode not allowed here"
    case .invalidUTF8: "pattern can match invalid UTF-8"
    case .propertyNotFound: "Unicode property not found"
    case .propertyValueNotFound: "Unicode property value not found"
    case .propertyUnsupported:
      "this Unicode property is not supported here; general categories, scripts, script "
        + "extensions, ages and the Boolean properties are"
    }
  }
}

/// A pattern with carets under some of its stretches.
private struct RegexNotation {
  private struct Place {
    /// Both from 0.
    var line: Int
    var column: Int
  }

  private let lines: [ArraySlice<Unicode.Scalar>]
  private let places: [(start: Place, end: Place)]
  private let hasNewline: Bool
  private let numberWidth: Int

  init(_ pattern: [Unicode.Scalar], spans: [RegexSpan]) {
    var lines = pattern.split(separator: "\n", omittingEmptySubsequences: false)
    hasNewline = lines.count > 1
    numberWidth = String(lines.count).utf8.count
    for index in lines.indices.dropLast() where lines[index].last == "\r" {
      lines[index].removeLast()
    }
    // A newline ends a line, so the last one is shown only if there is something on it.
    if hasNewline && lines.last?.isEmpty == true { lines.removeLast() }
    self.lines = lines

    func place(_ position: Int) -> Place {
      let before = pattern.prefix(position)
      let lineStart = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
      return Place(
        line: before.count(where: { $0 == "\n" }), column: before.count - lineStart)
    }
    places = spans.map { (place($0.start), place($0.end)) }
      .sorted { ($0.0.line, $0.0.column) < ($1.0.line, $1.0.column) }
  }

  var text: String {
    guard hasNewline else {
      return shown(lines.first ?? [], after: "    ") + carets(on: 0, after: 4)
    }
    let rule = String(repeating: "~", count: 79) + "\n"
    var text = rule
    for (index, line) in lines.enumerated() {
      let number = String(index + 1)
      let padding = String(repeating: " ", count: numberWidth - number.utf8.count)
      text += shown(line, after: "\(padding)\(number): ")
      text += carets(on: index, after: numberWidth + 2)
    }
    text += rule
    for (start, end) in places where start.line != end.line {
      text +=
        "on line \(start.line + 1) (column \(start.column + 1)) "
        + "through line \(end.line + 1) (column \(end.column))\n"
    }
    return text
  }

  private func shown(_ line: ArraySlice<Unicode.Scalar>, after prefix: String) -> String {
    var text = prefix
    text.unicodeScalars.append(contentsOf: line)
    return text + "\n"
  }

  /// The line of carets below a line of the pattern; empty if nothing there is marked.
  private func carets(on line: Int, after indentation: Int) -> String {
    let marked = places.filter { $0.start.line == line && $0.end.line == line }
    if marked.isEmpty { return "" }
    var text = String(repeating: " ", count: indentation)
    var column = 0
    for (start, end) in marked {
      text += String(repeating: " ", count: max(0, start.column - column))
      let count = max(1, end.column - start.column)
      text += String(repeating: "^", count: count)
      column = max(column, start.column) + count
    }
    return text + "\n"
  }
}
