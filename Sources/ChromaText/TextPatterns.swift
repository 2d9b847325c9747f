// `$like` and `$icontains`, as regular expressions.
//
// `$like` takes SQL's patterns: `%` stands for any run of scalars, line feeds among them, `_` for
// one scalar, and a backslash takes the special meaning from what follows it. The pattern is about
// the whole text, and case counts. `$icontains` finds a text inside another where scalars that
// differ only by Unicode's simple case folding are equal.

import ChromaBase

extension RegularExpression {
  static func meaning(like pattern: Text) throws(ChromaError) -> RegexMeaning {
    try checkLength(of: pattern, "$like")
    let anyScalar = RegexExpression.set(0, isByteClass: false)
    let anyRun = RegexExpression.repetition(anyScalar, minimum: 0, maximum: nil)
    var parts: [RegexExpression] = []
    var isEscaped = false
    for scalar in pattern.string.unicodeScalars {
      switch scalar {
      case "\\" where !isEscaped:
        isEscaped = true
        continue
      case "%" where !isEscaped:
        if parts.last != anyRun { parts.append(anyRun) }
      case "_" where !isEscaped:
        parts.append(anyScalar)
      default:
        parts.append(.literal(scalar))
      }
      isEscaped = false
    }
    if isEscaped {
      throw ChromaError.invalidArgument(
        "Expected operand value for operator $like not to end with a lone backslash. Write two "
          + "backslashes for one.")
    }
    if parts == [anyRun] { return RegexMeaning(expression: .empty, sets: []) }

    // A match may stand anywhere, so a run at an end says no more than that there is no anchor.
    if parts.first == anyRun { parts.removeFirst() } else { parts.insert(.look(.textStart), at: 0) }
    if parts.last == anyRun { parts.removeLast() } else { parts.append(.look(.textEnd)) }
    return RegexMeaning(expression: .concatenation(parts), sets: [.all])
  }

  static func meaning(icontains text: Text) throws(ChromaError) -> RegexMeaning {
    try checkLength(of: text, "$icontains")
    var sets: [ScalarSet] = []
    var expressions: [Unicode.Scalar: RegexExpression] = [:]
    var parts: [RegexExpression] = []
    for scalar in text.string.unicodeScalars {
      if let known = expressions[scalar] {
        parts.append(known)
        continue
      }
      let set = CaseFolding.closure(of: ScalarSet(scalar))
      var expression = RegexExpression.literal(scalar)
      if set.single == nil {
        let index = sets.firstIndex(of: set) ?? sets.count
        if index == sets.count { sets.append(set) }
        expression = .set(index, isByteClass: false)
      }
      expressions[scalar] = expression
      parts.append(expression)
    }
    return RegexMeaning(expression: .concatenation(parts), sets: sets)
  }

  private static func checkLength(of operand: Text, _ name: String) throws(ChromaError) {
    guard operand.byteCount <= Limits.regexByteCountMax else {
      throw ChromaError.invalidArgument(
        "The operand of \(name) has \(operand.byteCount) bytes; \(Limits.regexByteCountMax) are "
          + "the most.")
    }
  }
}
