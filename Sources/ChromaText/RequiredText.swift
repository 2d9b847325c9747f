// What a text must hold for a regular expression to match in it.
//
// An index of the pieces of texts answers this cheaply, and only texts that hold it are searched.
// It says less than the expression, never more: a text with a match always holds it.

/// Bytes that a text must hold, anywhere. They may begin or end within a scalar.
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
  /// Literals in one requirement, at most: each is a look-up in an index.
  static let literalCountMax = 256

  var literalCount: Int {
    switch self {
    case .anything: 0
    case .literal: 1
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.literalCount }
    }
  }

  /// The longest literal at hand that every text with a match holds.
  var sharedLiteral: [UInt8]? {
    switch self {
    case .anything: return nil
    case .literal(let bytes): return bytes
    case .all(let parts):
      return parts.compactMap(\.sharedLiteral).max { $0.count < $1.count }
    case .any(let parts):
      var shared: [UInt8]?
      for part in parts {
        guard case .literal(let bytes) = part else { return nil }
        let common = zip(shared ?? bytes, bytes).prefix { $0 == $1 }
        shared = common.map(\.0)
      }
      return shared?.isEmpty == false ? shared : nil
    }
  }

  /// All of the requirements, or as many of them as there is room for.
  static func all(of requirements: [RequiredText]) -> RequiredText {
    let requirements = requirements.flatMap { requirement in
      if case .all(let parts) = requirement { parts } else { [requirement] }
    }
    var literals: [[UInt8]] = []
    var others: [RequiredText] = []
    for case .literal(let bytes) in requirements { literals.append(bytes) }
    literals = withoutParts(of: literals, keeping: .longest)
    for requirement in requirements {
      switch requirement {
      case .anything, .literal, .all: continue
      case .any(let parts):
        // One of them is required anyhow.
        let isSaid = parts.contains { part in
          guard case .literal(let bytes) = part else { return false }
          return literals.contains { $0.holds(bytes) }
        }
        if !isSaid && !others.contains(requirement) { others.append(requirement) }
      }
    }
    var room = literalCountMax
    let kept = (literals.map { .literal($0) } + others).filter { requirement in
      if requirement.literalCount > room { return false }
      room -= requirement.literalCount
      return true
    }
    return kept.count > 1 ? .all(kept) : kept.first ?? .anything
  }

  /// One of the requirements, if there is room for all of them.
  static func any(of requirements: [RequiredText]) -> RequiredText {
    var literals: [[UInt8]] = []
    var others: [RequiredText] = []
    var room = literalCountMax
    for requirement in requirements {
      room -= requirement.literalCount
      if requirement == .anything || room < 0 { return .anything }
      switch requirement {
      case .anything: continue
      case .literal(let bytes): literals.append(bytes)
      case .any(let parts):
        for part in parts {
          if case .literal(let bytes) = part { literals.append(bytes) } else { others.append(part) }
        }
      case .all: if !others.contains(requirement) { others.append(requirement) }
      }
    }
    let kept = withoutParts(of: literals, keeping: .shortest).map { .literal($0) } + others
    return kept.count > 1 ? .any(kept) : kept.first ?? .anything
  }

  private enum Kept { case longest, shortest }

  /// The literals, ascending, without repetitions and without those that others make needless: all
  /// of "ab" and "abc" is "abc", and one of them is "ab".
  private static func withoutParts(of literals: [[UInt8]], keeping kept: Kept) -> [[UInt8]] {
    let distinct = Set(literals).sorted { $0.lexicographicallyPrecedes($1) }
    return distinct.filter { literal in
      !distinct.contains { other in
        guard other.count != literal.count else { return false }
        return kept == .longest ? other.holds(literal) : literal.holds(other)
      }
    }
  }
}

extension [UInt8] {
  func holds(_ bytes: [UInt8]) -> Bool {
    withUnsafeBufferPointer { haystack in
      bytes.withUnsafeBufferPointer { ChromaText.contains($0, in: haystack) }
    }
  }
}
