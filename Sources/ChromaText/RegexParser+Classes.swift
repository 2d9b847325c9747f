// Character classes in brackets: items, ranges, nested brackets, `[:alpha:]`, and the operations
// `&&`, `--` and `~~`, which bind alike and from the left.

/// A bracket that is still open.
struct OpenClass {
  let isNegated: Bool
  /// From `[` through what may only stand at the beginning (`^`, hyphens, `]`): shown if it is
  /// never closed.
  let opening: RegexSpan
  /// Items of the operand being read.
  var items: [RegexSyntaxTree.NodeID] = []
  var itemsSpan: RegexSpan
  /// The operation whose right operand is being read.
  var pending: (operation: RegexSetOperation, left: RegexSyntaxTree.NodeID)?
}

extension RegexParser {
  /// Reads a bracketed class and everything nested in it.
  mutating func parseBrackets() throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    try openClass()
    while true {
      skipIgnored()
      guard let scalar = peek else { throw unclosedClass() }
      switch scalar {
      case "[":
        if let item = parsePosixClass() { addItem(item) } else { try openClass() }
      case "]":
        let closed = closeClass()
        if classes.isEmpty { return closed }
        addItem(closed)
      case "&" where peekSecond == "&": startOperation(.intersection)
      case "-" where peekSecond == "-": startOperation(.difference)
      case "~" where peekSecond == "~": startOperation(.symmetricDifference)
      default: addItem(try parseRange())
      }
    }
  }

  private mutating func openClass() throws(RegexSyntaxError) {
    let start = position
    advanceAndSkipIgnored()
    let isNegated = peek == "^"
    if isNegated { advanceAndSkipIgnored() }
    let contentStart = position
    var leading: [RegexSyntaxTree.NodeID] = []
    while peek == "-" {
      leading.append(tree.add(.literal("-", isByte: false), here(length: 1)))
      advanceAndSkipIgnored()
      if peek == nil { throw RegexSyntaxError(.classUnclosed, RegexSpan(start, start)) }
    }
    if leading.isEmpty && peek == "]" {
      leading.append(tree.add(.literal("]", isByte: false), here(length: 1)))
      advanceAndSkipIgnored()
    }
    let opening = RegexSpan(start, position)
    if peek == nil { throw RegexSyntaxError(.classUnclosed, opening) }
    classes.append(
      OpenClass(
        isNegated: isNegated, opening: opening,
        itemsSpan: RegexSpan(contentStart, contentStart)))
    for item in leading { addItem(item) }
  }

  /// Closes the innermost open bracket at its `]`.
  private mutating func closeClass() -> RegexSyntaxTree.NodeID {
    guard let closed = classes.popLast() else { preconditionFailure("A bracket is open.") }
    let content = operand(of: closed)
    advance()
    return tree.add(
      .bracketed(content, isNegated: closed.isNegated), RegexSpan(closed.opening.start, position))
  }

  private mutating func startOperation(_ operation: RegexSetOperation) {
    guard var open = classes.popLast() else { preconditionFailure("A bracket is open.") }
    let left = operand(of: open)
    advance()
    advance()
    open.items = []
    open.itemsSpan = here()
    open.pending = (operation, left)
    classes.append(open)
  }

  /// Everything read so far within a bracket, as one node.
  private mutating func operand(of open: OpenClass) -> RegexSyntaxTree.NodeID {
    let right =
      switch open.items.count {
      case 0: tree.add(.empty, open.itemsSpan)
      case 1: open.items[0]
      default: tree.add(.union(open.items), open.itemsSpan)
      }
    guard let (operation, left) = open.pending else { return right }
    return tree.add(
      .operation(operation, left, right),
      RegexSpan(tree[left].span.start, tree[right].span.end))
  }

  private mutating func addItem(_ item: RegexSyntaxTree.NodeID) {
    let last = classes.count - 1
    if classes[last].items.isEmpty {
      classes[last].itemsSpan.start = tree[item].span.start
    }
    classes[last].itemsSpan.end = tree[item].span.end
    classes[last].items.append(item)
  }

  private func unclosedClass() -> RegexSyntaxError {
    guard let open = classes.last else { preconditionFailure("A bracket is open.") }
    return RegexSyntaxError(.classUnclosed, open.opening)
  }

  // MARK: Items

  /// Reads one item, or two and the hyphen between them.
  private mutating func parseRange() throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    let lower = try parseItem()
    skipIgnored()
    guard peek != nil else { throw unclosedClass() }
    // A hyphen before `]` is itself; two are an operation.
    if peek != "-" || endsItem(peekSecondSkippingIgnored) {
      if case .assertion = tree[lower].kind {
        throw RegexSyntaxError(.classEscapeInvalid, tree[lower].span)
      }
      return lower
    }
    advanceAndSkipIgnored()
    guard peek != nil else { throw unclosedClass() }
    let upper = try parseItem()
    let span = RegexSpan(tree[lower].span.start, tree[upper].span.end)
    if try rangeEnd(lower) > rangeEnd(upper) {
      throw RegexSyntaxError(.classRangeInvalid, span)
    }
    return tree.add(.range(lower, upper), span)
  }

  private func endsItem(_ scalarBehindHyphen: Unicode.Scalar?) -> Bool {
    scalarBehindHyphen == "]" || scalarBehindHyphen == "-"
  }

  private mutating func parseItem() throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    guard let scalar = peek else { preconditionFailure("The caller saw a scalar here.") }
    if scalar == "\\" { return try parseEscape() }
    let item = tree.add(.literal(scalar, isByte: false), here(length: 1))
    advance()
    return item
  }

  private func rangeEnd(
    _ id: RegexSyntaxTree.NodeID
  ) throws(RegexSyntaxError) -> Unicode.Scalar {
    guard case .literal(let scalar, _) = tree[id].kind else {
      throw RegexSyntaxError(.classRangeLiteral, tree[id].span)
    }
    return scalar
  }

  /// The scalar behind the next one and behind what verbose mode ignores there.
  ///
  /// The `regex` crate looks past the first `#` of a comment only, not past the comment, and so
  /// must this.
  private var peekSecondSkippingIgnored: Unicode.Scalar? {
    guard isVerbose else { return peekSecond }
    var index = position + 1
    var hasSeenComment = false
    while index < pattern.count {
      let scalar = pattern[index]
      if scalar == "#" && !hasSeenComment {
        hasSeenComment = true
      } else if !scalar.properties.isWhitespace {
        return scalar
      }
      index += 1
    }
    return peekSecond
  }

  /// Reads `[:alpha:]` or `[:^alpha:]`. Nil, with nothing read, if no such class stands here.
  private mutating func parsePosixClass() -> RegexSyntaxTree.NodeID? {
    let start = position
    guard skip("[:") else { return nil }
    let isNegated = skip("^")
    var name = ""
    // The longest name has six letters. Without this bound, many brackets would each read on to
    // the pattern's end.
    while let scalar = peek, scalar != ":", name.utf8.count < 8 {
      name.unicodeScalars.append(scalar)
      advance()
    }
    guard skip(":]"), let posixClass = PosixClass(rawValue: name) else {
      position = start
      return nil
    }
    return tree.add(.posixClass(posixClass, isNegated: isNegated), RegexSpan(start, position))
  }
}
