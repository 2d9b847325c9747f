// Regular expressions by their definition: the set of places where a match that begins here may end.

package import ChromaBase

package indirect enum ModelPattern: Sendable {
  case scalars([Unicode.Scalar])
  /// The same, whatever the case.
  case anyCase([Unicode.Scalar])
  /// `.`
  case any
  /// Of these, or of all others.
  case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  case sequence([ModelPattern])
  case choice([ModelPattern])
  case repeated(ModelPattern, atLeast: Int, atMost: Int?)
  /// `^` and `$`
  case start, end
  /// Any run of scalars.
  case anything

  /// Scalars that are the same but for case, as Unicode's simple folding has them: all groups with
  /// more than two members that tests use, and those whose members differ in length.
  package static let caseGroups: [[Unicode.Scalar]] = [
    ["k", "K", "\u{212A}"], ["s", "S", "\u{17F}"], ["\u{E5}", "\u{C5}", "\u{212B}"],
    ["\u{DF}", "\u{1E9E}"], ["\u{3C3}", "\u{3A3}", "\u{3C2}"], ["\u{E9}", "\u{C9}"],
    ["\u{1C6}", "\u{1C5}", "\u{1C4}"], ["\u{2C65}", "\u{23A}"],
  ]

  private static func isSame(_ left: Unicode.Scalar, _ right: Unicode.Scalar) -> Bool {
    if left == right { return true }
    if let group = caseGroups.first(where: { $0.contains(left) }) { return group.contains(right) }
    // A to Z alone; nothing else that has cases stands in a pattern.
    return left.isASCII && right.isASCII
      && left.properties.lowercaseMapping == right.properties.lowercaseMapping
  }

  package func matches(_ text: Text) -> Bool {
    let scalars = Array(text.string.unicodeScalars)
    return ends(scalars, [Bool](repeating: true, count: scalars.count + 1)).contains(true)
  }

  /// The places of a text where a match may end that begins at one of these.
  private func ends(_ text: [Unicode.Scalar], _ starts: [Bool]) -> [Bool] {
    switch self {
    case .scalars(let scalars):
      return scalars.reduce(starts) { starts, wanted in
        Self.step(text, starts) { $0 == wanted }
      }
    case .anyCase(let scalars):
      return scalars.reduce(starts) { starts, wanted in
        Self.step(text, starts) { Self.isSame($0, wanted) }
      }
    case .any: return Self.step(text, starts) { $0 != "\n" }
    case .oneOf(let ranges, let isNegated):
      return Self.step(text, starts) { scalar in
        ranges.contains { $0.contains(scalar) } != isNegated
      }
    case .sequence(let parts): return parts.reduce(starts) { $1.ends(text, $0) }
    case .choice(let parts):
      return parts.reduce([Bool](repeating: false, count: starts.count)) {
        Self.union($0, $1.ends(text, starts))
      }
    case .repeated(let part, let atLeast, let atMost):
      var all = (0..<atLeast).reduce(starts) { now, _ in part.ends(text, now) }
      for _ in 0..<(atMost.map { $0 - atLeast } ?? text.count) {
        let more = Self.union(all, part.ends(text, all))
        if more == all { break }
        all = more
      }
      return all
    case .start: return starts.indices.map { $0 == 0 && starts[$0] }
    case .end: return starts.indices.map { $0 == text.count && starts[$0] }
    case .anything:
      let first = starts.firstIndex(of: true) ?? starts.count
      return starts.indices.map { $0 >= first }
    }
  }

  private static func union(_ left: [Bool], _ right: [Bool]) -> [Bool] {
    zip(left, right).map { $0 || $1 }
  }

  private static func step(
    _ text: [Unicode.Scalar], _ starts: [Bool], _ isWanted: (Unicode.Scalar) -> Bool
  ) -> [Bool] {
    var ends = [Bool](repeating: false, count: starts.count)
    for place in text.indices where starts[place] && isWanted(text[place]) {
      ends[place + 1] = true
    }
    return ends
  }

  // MARK: How it is written

  package var text: Text { Text(written) }

  private var written: String {
    switch self {
    case .scalars(let scalars): scalars.map(Self.escaped).joined()
    case .anyCase(let scalars): "(?i:" + scalars.map(Self.escaped).joined() + ")"
    case .any: "."
    case .oneOf(let ranges, let isNegated):
      (isNegated ? "[^" : "[")
        + ranges.map { Self.escaped($0.lowerBound) + "-" + Self.escaped($0.upperBound) }.joined()
        + "]"
    case .sequence(let parts): parts.map(\.written).joined()
    case .choice(let parts): "(?:" + parts.map(\.written).joined(separator: "|") + ")"
    case .repeated(let part, let atLeast, let atMost):
      "(?:\(part.written))" + Self.quantifier(atLeast, atMost)
    case .start: "^"
    case .end: "$"
    case .anything: "(?s:.)*"
    }
  }

  private static func quantifier(_ atLeast: Int, _ atMost: Int?) -> String {
    switch (atLeast, atMost) {
    case (0, nil): "*"
    case (1, nil): "+"
    case (0, 1): "?"
    case (_, nil): "{\(atLeast),}"
    case (_, let atMost?): atMost == atLeast ? "{\(atLeast)}" : "{\(atLeast),\(atMost)}"
    }
  }

  /// As its number, where it might mean something else.
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let isPlain = scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    return isPlain ? String(scalar) : "\\x{" + String(scalar.value, radix: 16) + "}"
  }
}
