// Repetitions: `?`, `*`, `+`, `{2}`, `{2,}`, `{2,3}`, each lazy with a `?` behind it.

extension RegexParser {
  mutating func parseRepetition(
    _ group: inout OpenGroup, minimum: UInt32, maximum: UInt32?
  ) throws(RegexSyntaxError) {
    let child = try takeRepeated(&group)
    advance()
    if peek == "?" { advance() }
    addRepetition(of: child, to: &group, minimum: minimum, maximum: maximum)
  }

  mutating func parseCountedRepetition(_ group: inout OpenGroup) throws(RegexSyntaxError) {
    let start = position
    let child = try takeRepeated(&group)
    advanceAndSkipIgnored()
    guard peek != nil else { throw unclosedCount(from: start) }

    // A missing number is reported only if nothing worse follows it.
    let first = parseDecimal()
    guard peek != nil else { throw unclosedCount(from: start) }
    let minimum: UInt32
    var maximum: UInt32?
    if peek == "," {
      advanceAndSkipIgnored()
      guard peek != nil else { throw unclosedCount(from: start) }
      minimum = try first.get()
      if peek != "}" { maximum = try parseDecimal().get() }
    } else {
      minimum = try first.get()
      maximum = minimum
    }
    guard peek == "}" else { throw unclosedCount(from: start) }
    advanceAndSkipIgnored()
    if peek == "?" { advance() }
    if let maximum, maximum < minimum {
      throw RegexSyntaxError(.repetitionCountInvalid, RegexSpan(start, position))
    }
    addRepetition(of: child, to: &group, minimum: minimum, maximum: maximum)
  }

  /// Takes what stands before a repetition operator off the branch being read.
  private func takeRepeated(
    _ group: inout OpenGroup
  ) throws(RegexSyntaxError) -> RegexSyntaxTree.NodeID {
    guard let child = group.parts.popLast() else {
      throw RegexSyntaxError(.repetitionMissing, here())
    }
    if case .flags = tree[child].kind { throw RegexSyntaxError(.repetitionMissing, here()) }
    return child
  }

  private mutating func addRepetition(
    of child: RegexSyntaxTree.NodeID, to group: inout OpenGroup, minimum: UInt32, maximum: UInt32?
  ) {
    let span = RegexSpan(tree[child].span.start, position)
    group.parts.append(
      tree.add(.repetition(child, minimum: minimum, maximum: maximum), span))
  }

  private func unclosedCount(from start: Int) -> RegexSyntaxError {
    RegexSyntaxError(.repetitionCountUnclosed, RegexSpan(start, position))
  }

  /// Reads a number and the white space around it, which is allowed in every mode.
  private mutating func parseDecimal() -> Result<UInt32, RegexSyntaxError> {
    while peek?.properties.isWhitespace == true { advance() }
    let start = position
    var value: UInt32? = 0
    while let scalar = peek, ("0"..."9").contains(scalar) {
      value = value.flatMap { value in
        let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowsToo) = tens.addingReportingOverflow(scalar.value - 0x30)
        return overflows || overflowsToo ? nil : sum
      }
      advanceAndSkipIgnored()
    }
    let span = RegexSpan(start, position)
    while peek?.properties.isWhitespace == true { advanceAndSkipIgnored() }
    if span.start == span.end { return .failure(RegexSyntaxError(.repetitionCountEmpty, span)) }
    guard let value else { return .failure(RegexSyntaxError(.decimalInvalid, span)) }
    return .success(value)
  }
}
