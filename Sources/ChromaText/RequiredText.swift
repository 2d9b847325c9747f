// What a text must hold for a regular expression to match in it.
//
// An index of a text's pieces answers this much cheaply, and only the texts that hold it are
// searched. It says less than the expression, never more: a text with a match always holds it.

import ChromaBase

/// Bytes that are required of a text, in any places.
package indirect enum RequiredText: Equatable, Sendable {
  /// Nothing is known: any text may hold a match.
  case anything
  /// The text holds these bytes, at least one.
  case literal([UInt8])
  /// All of at least two.
  case all([RequiredText])
  /// One of at least two.
  case any([RequiredText])
}

extension RequiredText {
  /// Recurses over the expression, whose depth the parser has limited.
  init(of meaning: RegexMeaning) {
    self.init(of: meaning.expression)
  }

  private init(of expression: RegexExpression) {
    switch expression {
    case .empty, .set, .look:
      self = .anything
    case .literal(let scalar):
      self = .literal(Array(String(scalar).utf8))
    case .group(let child):
      self.init(of: child)
    case .repetition(let child, let minimum, _):
      self = .anything
      if minimum > 0 { self.init(of: child) }
    case .concatenation(let parts):
      var required: [RequiredText] = []
      var literal: [UInt8] = []
      for part in parts {
        if case .literal(let scalar) = part {
          literal += Array(String(scalar).utf8)
          continue
        }
        if case .look = part { continue }
        if !literal.isEmpty { required.append(.literal(literal)) }
        literal = []
        let other = RequiredText(of: part)
        if other != .anything { required.append(other) }
      }
      if !literal.isEmpty { required.append(.literal(literal)) }
      self = required.count > 1 ? .all(required) : required.first ?? .anything
    case .alternation(let branches):
      let required = branches.map { RequiredText(of: $0) }
      self = required.contains(.anything) ? .anything : .any(required)
    }
  }
}
