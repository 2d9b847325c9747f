// From a syntax tree to its meaning.
//
// Recurses over the tree, whose depth the parser has limited.
//
// Official Chroma refuses a pattern with "Byte pattern is not allowed" when its regex crate
// represents a class by bytes: a class of several scalars where Unicode is off (`(?-u)\d`), or one
// that nothing matches (`[a&&b]`). The crate turns such a class into one of scalars when it is a
// branch of an alternation of nothing but classes, and drops it when it is repeated zero times.
// So whether the pattern is refused is known only at the end, from what is left.

import ChromaBase

/// Why a pattern cannot be used.
enum RegexTranslationError: Error {
  case syntax(RegexSyntaxError)
  case bytePattern
  /// The classes of the pattern, written out, would take too much memory.
  case tooLarge
}

struct RegexTranslator {
  private let tree: RegexSyntaxTree
  private var flags: RegexFlags = .unicode
  private var rangeCount = 0
  private var sets: [ScalarSet] = []
  private var setIndexes: [ScalarSet: Int] = [:]

  static func translate(_ tree: RegexSyntaxTree) throws(RegexTranslationError) -> RegexMeaning {
    var translator = RegexTranslator(tree: tree)
    let expression = try translator.expression(tree.root)
    if hasByteClass(expression) { throw .bytePattern }
    return RegexMeaning(expression: expression, sets: translator.sets)
  }

  private init(tree: RegexSyntaxTree) {
    self.tree = tree
  }

  private static func hasByteClass(_ expression: RegexExpression) -> Bool {
    switch expression {
    case .empty, .literal, .look: false
    case .set(_, let isByteClass): isByteClass
    case .group(let child), .repetition(let child, _, _): hasByteClass(child)
    case .concatenation(let children), .alternation(let children):
      children.contains(where: hasByteClass)
    }
  }

  private mutating func expression(
    _ id: RegexSyntaxTree.NodeID
  ) throws(RegexTranslationError) -> RegexExpression {
    let node = tree[id]
    switch node.kind {
    case .empty:
      return .empty
    case .flags(let change):
      flags = change.applied(to: flags)
      return .empty
    case .literal(let scalar, let isByte):
      return try literal(scalar, isByte: isByte, node.span)
    case .dot:
      return try dot(node.span)
    case .assertion(let assertion):
      return .look(look(assertion))
    case .perlClass, .unicodeClass, .bracketed:
      return expression(for: try set(id), isByteClass: !flags.contains(.unicode))
    case .group(let child, let change, let isCapturing):
      let outer = flags
      flags = change.applied(to: flags)
      let inner = try expression(child)
      flags = outer
      return isCapturing ? .group(inner) : inner
    case .repetition(let child, let minimum, let maximum):
      let repeated = try expression(child)
      if maximum == 0 { return .empty }
      if minimum == 1 && maximum == 1 { return repeated }
      return .repetition(repeated, minimum: minimum, maximum: maximum)
    case .alternation(let branches):
      return alternation(try expressions(branches))
    case .concatenation(let parts):
      return concatenation(try expressions(parts))
    case .posixClass, .range, .union, .operation:
      preconditionFailure("These stand only within brackets.")
    }
  }

  private mutating func expressions(
    _ ids: [RegexSyntaxTree.NodeID]
  ) throws(RegexTranslationError) -> [RegexExpression] {
    var expressions: [RegexExpression] = []
    expressions.reserveCapacity(ids.count)
    for id in ids { expressions.append(try expression(id)) }
    return expressions
  }

  private func concatenation(_ parts: [RegexExpression]) -> RegexExpression {
    let parts = parts.filter { $0 != .empty }
    return switch parts.count {
    case 0: .empty
    case 1: parts[0]
    default: .concatenation(parts)
    }
  }

  /// Branches of one scalar each are one set.
  private mutating func alternation(_ branches: [RegexExpression]) -> RegexExpression {
    var literals: [ScalarSet.Range] = []
    var classes: [ScalarSet.Range] = []
    var (literalCount, classCount) = (0, 0)
    for branch in branches {
      switch branch {
      case .literal(let scalar):
        literals.append(ScalarSet.Range(lower: scalar.value, upper: scalar.value))
        literalCount += 1
      case .set(let index, let isByteClass) where !isByteClass || sets[index].isASCII:
        classes += sets[index].ranges
        classCount += 1
      default:
        return .alternation(branches)
      }
    }
    guard literalCount == branches.count || classCount == branches.count else {
      return .alternation(branches)
    }
    return expression(for: ScalarSet(literals + classes))
  }

  private mutating func expression(
    for set: ScalarSet, isByteClass: Bool = false
  ) -> RegexExpression {
    if let scalar = set.single { return .literal(scalar) }
    let index = setIndexes[set] ?? sets.count
    if index == sets.count {
      sets.append(set)
      setIndexes[set] = index
    }
    return .set(index, isByteClass: isByteClass || set.isEmpty)
  }

  // MARK: Literals, dots and anchors

  private mutating func literal(
    _ scalar: Unicode.Scalar, isByte: Bool, _ span: RegexSpan
  ) throws(RegexTranslationError) -> RegexExpression {
    try checkByte(scalar, isByte: isByte, span)
    guard flags.contains(.caseInsensitive) else { return .literal(scalar) }
    let set = ScalarSet(scalar)
    if flags.contains(.unicode) {
      return expression(for: CaseFolding.closure(of: set))
    }
    return expression(for: Self.foldingASCII(set), isByteClass: true)
  }

  /// Where Unicode is off, `\xFF` is a byte that is no UTF-8.
  private func checkByte(
    _ scalar: Unicode.Scalar, isByte: Bool, _ span: RegexSpan
  ) throws(RegexTranslationError) {
    if isByte && !scalar.isASCII && !flags.contains(.unicode) {
      throw .syntax(RegexSyntaxError(.invalidUTF8, span))
    }
  }

  private mutating func dot(_ span: RegexSpan) throws(RegexTranslationError) -> RegexExpression {
    guard flags.contains(.unicode) else {
      throw .syntax(RegexSyntaxError(.invalidUTF8, span))
    }
    let set: ScalarSet =
      if flags.contains(.dotMatchesNewLine) {
        .all
      } else if flags.contains(.crlf) {
        ScalarSet("\n").union(ScalarSet("\r")).inverted()
      } else {
        ScalarSet("\n").inverted()
      }
    return expression(for: set)
  }

  private func look(_ assertion: RegexAssertion) -> RegexLook {
    let isCRLF = flags.contains(.crlf)
    func word(_ boundary: RegexWordBoundary) -> RegexLook {
      .wordBoundary(boundary, isASCII: !flags.contains(.unicode))
    }
    return switch assertion {
    case .caret where flags.contains(.multiLine): isCRLF ? .lineStartCRLF : .lineStart
    case .dollar where flags.contains(.multiLine): isCRLF ? .lineEndCRLF : .lineEnd
    case .caret, .textStart: .textStart
    case .dollar, .textEnd: .textEnd
    case .wordBoundary: word(.boundary)
    case .notWordBoundary: word(.notBoundary)
    case .wordStart: word(.start)
    case .wordEnd: word(.end)
    case .wordStartHalf: word(.startHalf)
    case .wordEndHalf: word(.endHalf)
    }
  }
}

// MARK: - Classes

extension RegexTranslator {
  /// The set of a class or of an item within brackets.
  private mutating func set(
    _ id: RegexSyntaxTree.NodeID
  ) throws(RegexTranslationError) -> ScalarSet {
    let node = tree[id]
    let set: ScalarSet
    switch node.kind {
    case .empty:
      set = .empty
    case .literal:
      set = ScalarSet(try classScalar(id))
    case .range(let lower, let upper):
      // The parser has compared the two.
      set = ScalarSet(try classScalar(lower)...classScalar(upper))
    case .perlClass(let perlClass, let isNegated):
      set = try perlSet(perlClass, isNegated: isNegated, node.span)
    case .posixClass(let posixClass, let isNegated):
      set = try foldedAndNegated(posixClass.set, isNegated: isNegated, node.span)
    case .unicodeClass(let query, let isNegated):
      set = try unicodeSet(query, isNegated: isNegated, node.span)
    case .bracketed(let content, let isNegated):
      set = try foldedAndNegated(try self.set(content), isNegated: isNegated, node.span)
    case .union(let items):
      var ranges: [ScalarSet.Range] = []
      for item in items {
        ranges += try self.set(item).ranges
        if ranges.count > Limits.regexRangeCountMax { throw .tooLarge }
      }
      set = ScalarSet(ranges)
    case .operation(let operation, let left, let right):
      let (left, right) = (folded(try self.set(left)), folded(try self.set(right)))
      set =
        switch operation {
        case .intersection: left.intersection(right)
        case .difference: left.subtracting(right)
        case .symmetricDifference: left.symmetricDifference(right)
        }
    case .flags, .dot, .assertion, .group, .repetition, .alternation, .concatenation:
      preconditionFailure("These do not stand within brackets.")
    }
    rangeCount += set.ranges.count
    if rangeCount > Limits.regexRangeCountMax { throw .tooLarge }
    return set
  }

  /// The scalar of a literal within brackets.
  private func classScalar(
    _ id: RegexSyntaxTree.NodeID
  ) throws(RegexTranslationError) -> Unicode.Scalar {
    let node = tree[id]
    guard case .literal(let scalar, let isByte) = node.kind else {
      preconditionFailure("The parser puts literals here.")
    }
    try checkByte(scalar, isByte: isByte, node.span)
    if !scalar.isASCII && !flags.contains(.unicode) {
      throw .syntax(RegexSyntaxError(.unicodeNotAllowed, node.span))
    }
    return scalar
  }

  private func folded(_ set: ScalarSet) -> ScalarSet {
    guard flags.contains(.caseInsensitive) else { return set }
    return flags.contains(.unicode) ? CaseFolding.closure(of: set) : Self.foldingASCII(set)
  }

  private func foldedAndNegated(
    _ set: ScalarSet, isNegated: Bool, _ span: RegexSpan
  ) throws(RegexTranslationError) -> ScalarSet {
    let folded = folded(set)
    guard isNegated else { return folded }
    guard flags.contains(.unicode) else {
      // Bytes of no ASCII character would be in the class.
      throw .syntax(RegexSyntaxError(.invalidUTF8, span))
    }
    return folded.inverted()
  }

  private static func foldingASCII(_ set: ScalarSet) -> ScalarSet {
    let upper = set.intersection(ScalarSet("A"..."Z")).ranges
    let lower = set.intersection(ScalarSet("a"..."z")).ranges
    return ScalarSet(
      set.ranges + upper.map { ScalarSet.Range(lower: $0.lower + 32, upper: $0.upper + 32) }
        + lower.map { ScalarSet.Range(lower: $0.lower - 32, upper: $0.upper - 32) })
  }

  private func perlSet(
    _ perlClass: PerlClass, isNegated: Bool, _ span: RegexSpan
  ) throws(RegexTranslationError) -> ScalarSet {
    guard flags.contains(.unicode) else {
      if isNegated { throw .syntax(RegexSyntaxError(.invalidUTF8, span)) }
      return switch perlClass {
      case .digit: PosixClass.digit.set
      case .space: PosixClass.space.set
      case .word: PosixClass.word.set
      }
    }
    // These are closed under case folding.
    return switch (perlClass, isNegated) {
    case (.digit, false): UnicodeProperties.digit
    case (.space, false): UnicodeProperties.space
    case (.word, false): UnicodeProperties.word
    case (.digit, true): UnicodeProperties.notDigit
    case (.space, true): UnicodeProperties.notSpace
    case (.word, true): UnicodeProperties.notWord
    }
  }

  private func unicodeSet(
    _ query: UnicodeClassQuery, isNegated: Bool, _ span: RegexSpan
  ) throws(RegexTranslationError) -> ScalarSet {
    guard flags.contains(.unicode) else {
      throw .syntax(RegexSyntaxError(.unicodeNotAllowed, span))
    }
    let set: ScalarSet
    do throws(UnicodeClassQuery.Failure) {
      set = try query.set()
    } catch {
      let kind: RegexSyntaxError.Kind =
        switch error {
        case .propertyNotFound: .propertyNotFound
        case .valueNotFound: .propertyValueNotFound
        case .unsupported: .propertyUnsupported
        }
      throw .syntax(RegexSyntaxError(kind, span))
    }
    return try foldedAndNegated(set, isNegated: isNegated != query.isNegated, span)
  }
}
