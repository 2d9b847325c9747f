// From a pattern to its syntax tree.
//
// The dialect is that of Rust's `regex` crate, which official Chroma uses; its documentation of the
// syntax (docs.rs/regex, "Syntax") is the reference, and the recorded answers of official Chroma
// are the judge of every corner. Look-around and backreferences are refused.
//
// Invariants:
//   * No recursion: open groups and open brackets lie on stacks of their own, so a pattern of a
//     million parentheses is an error and not the end of the process.
//   * Time and memory are linear in the pattern's length.
//   * The first error in reading order is the one reported; too deep nesting is reported only for
//     patterns that are otherwise well formed.

import ChromaBase

struct RegexParser {
  /// A group that is still open, or the whole pattern.
  struct OpenGroup {
    /// Where its parenthesis stands; nil for the whole pattern.
    var parenthesis: Int?
    var flagChange = RegexFlagChange()
    var isCapturing = false
    /// Whether verbose mode was on outside, to return to when the group closes.
    var wasVerbose: Bool
    /// Finished branches of an alternation.
    var branches: [RegexSyntaxTree.NodeID] = []
    /// Parts of the branch being read.
    var parts: [RegexSyntaxTree.NodeID] = []
    /// Where the first branch, and the branch being read, begin.
    var start: Int
    var branchStart: Int
  }

  let pattern: [Unicode.Scalar]
  /// The scalar to be read next. `pattern.count` at the end.
  var position = 0
  var isVerbose = false
  var tree = RegexSyntaxTree()
  var groups: [OpenGroup] = []
  var classes: [OpenClass] = []
  /// Names of groups, and where each is first used.
  var groupNames: [[Unicode.Scalar]: RegexSpan] = [:]

  /// The tree of a pattern.
  static func parse(_ pattern: [Unicode.Scalar]) throws(RegexSyntaxError) -> RegexSyntaxTree {
    var parser = RegexParser(pattern: pattern)
    return try parser.parse()
  }

  private init(pattern: [Unicode.Scalar]) {
    self.pattern = pattern
  }

  private mutating func parse() throws(RegexSyntaxError) -> RegexSyntaxTree {
    var current = OpenGroup(parenthesis: nil, wasVerbose: false, start: 0, branchStart: 0)
    while true {
      skipIgnored()
      guard let scalar = peek else { break }
      switch scalar {
      case "(": try openGroup(&current)
      case ")": try closeGroup(&current)
      case "|":
        finishBranch(&current)
        advance()
        current.branchStart = position
      case "[": current.parts.append(try parseBrackets())
      case "?": try parseRepetition(&current, minimum: 0, maximum: 1)
      case "*": try parseRepetition(&current, minimum: 0, maximum: nil)
      case "+": try parseRepetition(&current, minimum: 1, maximum: nil)
      case "{": try parseCountedRepetition(&current)
      default: current.parts.append(try parsePrimitive())
      }
    }
    if let parenthesis = current.parenthesis {
      throw RegexSyntaxError(.groupUnclosed, RegexSpan(parenthesis, parenthesis + 1))
    }
    tree.root = finishAlternation(&current)
    if let node = tree.firstNode(deeperThan: Limits.regexNestingDepthMax) {
      throw RegexSyntaxError(.nestLimitExceeded(Limits.regexNestingDepthMax), tree[node].span)
    }
    return tree
  }

  // MARK: Alternation and concatenation

  private mutating func finishBranch(_ group: inout OpenGroup) {
    let span = RegexSpan(group.branchStart, position)
    let branch =
      switch group.parts.count {
      case 0: tree.add(.empty, span)
      case 1: group.parts[0]
      default: tree.add(.concatenation(group.parts), span)
      }
    group.branches.append(branch)
    group.parts = []
  }

  private mutating func finishAlternation(_ group: inout OpenGroup) -> RegexSyntaxTree.NodeID {
    finishBranch(&group)
    if group.branches.count == 1 { return group.branches[0] }
    return tree.add(.alternation(group.branches), RegexSpan(group.start, position))
  }

  // MARK: Groups

  private mutating func openGroup(_ current: inout OpenGroup) throws(RegexSyntaxError) {
    let parenthesis = position
    advance()
    skipIgnored()
    for prefix in ["?=", "?!", "?<=", "?<!"] where skip(prefix) {
      throw RegexSyntaxError(.lookAround, RegexSpan(parenthesis, position))
    }
    var group = OpenGroup(parenthesis: parenthesis, wasVerbose: isVerbose, start: 0, branchStart: 0)
    if skip("?P<") || skip("?<") {
      try parseGroupName()
      group.isCapturing = true
    } else if peek == "?" {
      let questionMark = position
      advance()
      guard peek != nil else {
        throw RegexSyntaxError(.groupUnclosed, RegexSpan(parenthesis, parenthesis + 1))
      }
      let (change, isEmpty) = try parseFlags()
      let isDirective = peek == ")"
      advance()
      if isDirective {
        // `(?)` reads as a repetition of nothing.
        if isEmpty {
          throw RegexSyntaxError(.repetitionMissing, RegexSpan(questionMark, questionMark))
        }
        isVerbose = change.applied(to: isVerbose ? .verbose : []).contains(.verbose)
        current.parts.append(tree.add(.flags(change), RegexSpan(parenthesis, position)))
        return
      }
      group.flagChange = change
      isVerbose = change.applied(to: isVerbose ? .verbose : []).contains(.verbose)
    } else {
      group.isCapturing = true
    }
    group.start = position
    group.branchStart = position
    groups.append(current)
    current = group
  }

  private mutating func closeGroup(_ current: inout OpenGroup) throws(RegexSyntaxError) {
    guard let parenthesis = current.parenthesis, var outer = groups.popLast() else {
      throw RegexSyntaxError(.groupUnopened, RegexSpan(position, position + 1))
    }
    let content = finishAlternation(&current)
    isVerbose = current.wasVerbose
    advance()
    outer.parts.append(
      tree.add(
        .group(content, current.flagChange, isCapturing: current.isCapturing),
        RegexSpan(parenthesis, position)))
    current = outer
  }

  private mutating func parseGroupName() throws(RegexSyntaxError) {
    let start = position
    while let scalar = peek, scalar != ">" {
      guard Self.isGroupNameScalar(scalar, isFirst: position == start) else {
        throw RegexSyntaxError(.groupNameInvalid, here(length: 1))
      }
      advance()
    }
    guard peek != nil else { throw RegexSyntaxError(.groupNameUnexpectedEnd, here()) }
    let span = RegexSpan(start, position)
    advance()
    if span.start == span.end { throw RegexSyntaxError(.groupNameEmpty, span) }
    let name = Array(pattern[span.start..<span.end])
    if let first = groupNames.updateValue(span, forKey: name) {
      throw RegexSyntaxError(.groupNameDuplicate, span, other: first)
    }
  }

  private static func isGroupNameScalar(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
    if scalar == "_" || scalar.properties.isAlphabetic { return true }
    if isFirst { return false }
    if scalar == "." || scalar == "[" || scalar == "]" { return true }
    switch scalar.properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  /// Reads flags up to `:` or `)`, which it leaves to be read.
  private mutating func parseFlags() throws(RegexSyntaxError) -> (RegexFlagChange, isEmpty: Bool) {
    var change = RegexFlagChange()
    var seen: [Unicode.Scalar: RegexSpan] = [:]
    while let letter = peek, letter != ":", letter != ")" {
      let span = here(length: 1)
      if letter != "-" && Self.flag(letter) == nil {
        throw RegexSyntaxError(.flagUnrecognized, span)
      }
      if let first = seen.updateValue(span, forKey: letter) {
        throw RegexSyntaxError(
          letter == "-" ? .flagRepeatedNegation : .flagDuplicate, span, other: first)
      }
      if let flag = Self.flag(letter) {
        if seen["-"] == nil { change.enabled.insert(flag) } else { change.disabled.insert(flag) }
      }
      advance()
      guard peek != nil else { throw RegexSyntaxError(.flagUnexpectedEnd, here()) }
    }
    if let negation = seen["-"], negation.end == position {
      throw RegexSyntaxError(.flagDanglingNegation, negation)
    }
    return (change, seen.isEmpty)
  }

  private static func flag(_ letter: Unicode.Scalar) -> RegexFlags? {
    switch letter {
    case "i": .caseInsensitive
    case "m": .multiLine
    case "s": .dotMatchesNewLine
    case "U": .swapGreed
    case "u": .unicode
    case "R": .crlf
    case "x": .verbose
    default: nil
    }
  }
}

// MARK: - Reading scalars

extension RegexParser {
  /// The scalar to be read next; nil at the end.
  var peek: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

  /// The scalar behind the next one.
  var peekSecond: Unicode.Scalar? {
    position + 1 < pattern.count ? pattern[position + 1] : nil
  }

  mutating func advance() {
    if position < pattern.count { position += 1 }
  }

  /// Moves past the next scalar and past what verbose mode ignores behind it.
  mutating func advanceAndSkipIgnored() {
    advance()
    skipIgnored()
  }

  /// In verbose mode, moves past white space and comments.
  mutating func skipIgnored() {
    guard isVerbose else { return }
    while let scalar = peek {
      if scalar.properties.isWhitespace {
        advance()
      } else if scalar == "#" {
        while let scalar = peek {
          advance()
          if scalar == "\n" { break }
        }
      } else {
        return
      }
    }
  }

  /// Moves past the text if it stands here, and says whether it did.
  mutating func skip(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard pattern[position...].starts(with: scalars) else { return false }
    position += scalars.count
    return true
  }

  /// The span of this many scalars from here.
  func here(length: Int = 0) -> RegexSpan {
    RegexSpan(position, position + length)
  }
}
