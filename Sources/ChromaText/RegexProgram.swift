// A regular expression as a nondeterministic automaton (Thompson, "Regular Expression Search
// Algorithm", 1968).
//
// Invariants:
//   * Every index that an instruction names is that of an instruction.
//   * Instructions and sets are limited in number, whatever the pattern.

struct RegexProgram {
  typealias Index = UInt32

  enum Instruction {
    /// A match.
    case match
    /// Goes on at both.
    case split(Index, Index)
    /// Goes on if the condition holds here.
    case look(RegexLook, next: Index)
    /// Goes on behind a scalar of `sets[set]`.
    case consume(set: UInt32, next: Index)
  }

  let instructions: [Instruction]
  let sets: [ScalarSet]
  let start: Index
  /// Whether a match can only begin at the beginning of the text.
  let isAnchored: Bool
  /// What conditions ask about the scalars beside them.
  let lookedAt: RegexScalarTraits
  let alphabet: RegexAlphabet
  /// The traits of each letter, as far as conditions ask for them.
  let traits: [RegexScalarTraits]
}

/// What conditions ask about a scalar, or about there being none.
struct RegexScalarTraits: OptionSet, Hashable {
  let rawValue: UInt8

  /// There is no scalar: the text begins or ends.
  static let none = RegexScalarTraits(rawValue: 1 << 0)
  static let lineFeed = RegexScalarTraits(rawValue: 1 << 1)
  static let carriageReturn = RegexScalarTraits(rawValue: 1 << 2)
  static let word = RegexScalarTraits(rawValue: 1 << 3)
  static let asciiWord = RegexScalarTraits(rawValue: 1 << 4)

  /// The scalars that have one of the traits.
  var sets: [(trait: RegexScalarTraits, ScalarSet)] {
    var sets: [(RegexScalarTraits, ScalarSet)] = []
    if contains(.lineFeed) { sets.append((.lineFeed, ScalarSet("\n"))) }
    if contains(.carriageReturn) { sets.append((.carriageReturn, ScalarSet("\r"))) }
    if contains(.word) { sets.append((.word, UnicodeProperties.word)) }
    if contains(.asciiWord) { sets.append((.asciiWord, PosixClass.word.set)) }
    return sets
  }
}

extension RegexLook {
  /// What the condition asks about its neighbours.
  var lookedAt: RegexScalarTraits {
    switch self {
    case .textStart, .textEnd: .none
    case .lineStart, .lineEnd: [.none, .lineFeed]
    case .lineStartCRLF, .lineEndCRLF: [.none, .lineFeed, .carriageReturn]
    case .wordBoundary(_, let isASCII): isASCII ? .asciiWord : .word
    }
  }

  /// Whether the condition holds between two scalars.
  func holds(between before: RegexScalarTraits, and after: RegexScalarTraits) -> Bool {
    switch self {
    case .textStart:
      return before.contains(.none)
    case .textEnd:
      return after.contains(.none)
    case .lineStart:
      return !before.isDisjoint(with: [.none, .lineFeed])
    case .lineEnd:
      return !after.isDisjoint(with: [.none, .lineFeed])
    case .lineStartCRLF:
      return !before.isDisjoint(with: [.none, .lineFeed])
        || before.contains(.carriageReturn) && !after.contains(.lineFeed)
    case .lineEndCRLF:
      return !after.isDisjoint(with: [.none, .carriageReturn])
        || after.contains(.lineFeed) && !before.contains(.carriageReturn)
    case .wordBoundary(let boundary, let isASCII):
      let word: RegexScalarTraits = isASCII ? .asciiWord : .word
      let (isBefore, isAfter) = (before.contains(word), after.contains(word))
      return switch boundary {
      case .boundary: isBefore != isAfter
      case .notBoundary: isBefore == isAfter
      case .start: !isBefore && isAfter
      case .end: isBefore && !isAfter
      case .startHalf: !isBefore
      case .endHalf: !isAfter
      }
    }
  }
}
