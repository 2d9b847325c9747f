@testable import ChromaText

/// What a pattern's meaning matches, by its definition: from the places where a part may begin,
/// the places where it may end. No automaton, no alphabet, no limits.
struct ReferenceMatcher {
  private let meaning: RegexMeaning
  private let text: [Unicode.Scalar]

  static func matches(_ meaning: RegexMeaning, _ text: [Unicode.Scalar]) -> Bool {
    let matcher = ReferenceMatcher(meaning: meaning, text: text)
    return !matcher.ends(of: meaning.expression, from: Set(0...text.count)).isEmpty
  }

  private func ends(of expression: RegexExpression, from starts: Set<Int>) -> Set<Int> {
    switch expression {
    case .empty:
      return starts
    case .literal(let scalar):
      return Set(starts.filter { $0 < text.count && text[$0] == scalar }.map { $0 + 1 })
    case .set(let index, _):
      let set = meaning.sets[index]
      return Set(
        starts.filter { start in
          guard start < text.count else { return false }
          return set.ranges.contains { ($0.lower...$0.upper).contains(text[start].value) }
        }.map { $0 + 1 })
    case .look(let look):
      return starts.filter { holds(look, at: $0) }
    case .group(let child):
      return ends(of: child, from: starts)
    case .concatenation(let parts):
      return parts.reduce(starts) { ends(of: $1, from: $0) }
    case .alternation(let branches):
      return branches.reduce(into: []) { $0.formUnion(ends(of: $1, from: starts)) }
    case .repetition(let child, let minimum, let maximum):
      var reached = starts
      for _ in 0..<minimum { reached = ends(of: child, from: reached) }
      var (all, count) = (reached, minimum)
      while count < maximum ?? .max, !reached.isEmpty {
        reached = ends(of: child, from: reached).subtracting(all)
        all.formUnion(reached)
        count += 1
      }
      return all
    }
  }

  private func holds(_ look: RegexLook, at place: Int) -> Bool {
    let before = place > 0 ? text[place - 1] : nil
    let after = place < text.count ? text[place] : nil
    switch look {
    case .textStart: return before == nil
    case .textEnd: return after == nil
    case .lineStart: return before == nil || before == "\n"
    case .lineEnd: return after == nil || after == "\n"
    case .lineStartCRLF:
      return before == nil || before == "\n" || (before == "\r" && after != "\n")
    case .lineEndCRLF:
      return after == nil || after == "\r" || (after == "\n" && before != "\r")
    case .wordBoundary(let boundary, let isASCII):
      let isBefore = before.map { isWord($0, isASCII: isASCII) } ?? false
      let isAfter = after.map { isWord($0, isASCII: isASCII) } ?? false
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

  private func isWord(_ scalar: Unicode.Scalar, isASCII: Bool) -> Bool {
    if scalar.isASCII {
      return scalar == "_" || scalar.properties.isAlphabetic
        || scalar.properties.numericType == .decimal
    }
    return !isASCII && UnicodeProperties.word.contains(scalar.value)
  }
}
