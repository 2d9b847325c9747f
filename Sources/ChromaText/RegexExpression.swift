// What a pattern means: flags applied, classes worked out to sets of scalars.
//
// Greed and the names and numbers of groups are gone, because the only question ever asked of an
// expression is whether a text holds a match, and they do not change the answer. Nor does the
// order of an alternation's branches.

/// A condition on the place between two scalars of a text.
enum RegexLook: Hashable, Sendable {
  case textStart, textEnd
  /// `^` and `$` by line: lines end at `\n`.
  case lineStart, lineEnd
  /// The same where lines end at `\r\n`, `\r` or `\n`.
  case lineStartCRLF, lineEndCRLF
  case wordBoundary(RegexWordBoundary, isASCII: Bool)
}

enum RegexWordBoundary: Hashable, Sendable {
  case boundary, notBoundary, start, end, startHalf, endHalf
}

indirect enum RegexExpression: Equatable {
  /// Matches everywhere.
  case empty
  case literal(Unicode.Scalar)
  /// One scalar of `RegexMeaning.sets` at this index. `isByteClass` marks what official Chroma
  /// refuses: see `RegexTranslator`.
  case set(Int, isByteClass: Bool)
  case look(RegexLook)
  /// A capturing group.
  case group(RegexExpression)
  case repetition(RegexExpression, minimum: UInt32, maximum: UInt32?)
  case concatenation([RegexExpression])
  case alternation([RegexExpression])
}

struct RegexMeaning {
  let expression: RegexExpression
  /// Distinct.
  let sets: [ScalarSet]

  /// The text whose presence is all that the expression asks for; nil if it asks for more.
  var literal: [UInt8]? {
    let parts: [RegexExpression] =
      switch expression {
      case .empty: []
      case .concatenation(let parts): parts
      default: [expression]
      }
    var bytes: [UInt8] = []
    for part in parts {
      guard case .literal(let scalar) = part else { return nil }
      bytes += String(scalar).utf8
    }
    return bytes
  }
}
