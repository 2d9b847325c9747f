// What an expression requires of a text, worked out from its parts (Cox, "Regular Expression
// Matching with a Trigram Index", 2012).
//
// Of each part it is known which strings it matches, if they are few: its exact strings. If they are
// not, strings are known of which one begins each match, and strings of which one ends it. Where two
// parts meet, what ends the first and begins the second stands side by side, so that `ab[cd]e`
// requires `abce` or `abde`. Sets that grow too large are written down as required, and only the
// last bytes of their strings go on: letters in any case so become overlapping pieces of three
// bytes.
//
// Invariants:
//   * A set of strings with the empty one says nothing.
//   * Time and size are limited by numbers of strings, whatever the pattern. Beyond, nothing is
//     known.

extension RequiredText {
  init(of meaning: RegexMeaning) {
    var analysis = RequirementAnalysis(sets: meaning.sets)
    self = analysis.part(meaning.expression).requirement
  }
}

private struct RequirementAnalysis {
  /// Strings that parts were made of, at most.
  private static let effortMax = 250_000
  /// Scalars of a class that are tried one by one.
  private static let classCountMax = 16

  let sets: [ScalarSet]
  private var effort = 0

  init(sets: [ScalarSet]) {
    self.sets = sets
  }

  /// Recurses over the expression, whose depth the parser has limited.
  mutating func part(_ expression: RegexExpression) -> RequirementPart {
    effort += 1
    if effort > Self.effortMax { return .unknown }
    switch expression {
    case .empty, .look:
      return RequirementPart(exact: ByteStrings([[]]))
    case .literal(let scalar):
      return RequirementPart(exact: ByteStrings([Array(String(scalar).utf8)]))
    case .set(let index, _):
      return part(sets[index])
    case .group(let child):
      return part(child)
    case .repetition(let child, let minimum, let maximum):
      return repetition(of: child, minimum: minimum, maximum: maximum)
    case .concatenation(let parts):
      return concatenation(parts)
    case .alternation(let branches):
      return alternation(branches)
    }
  }

  private mutating func concatenation(_ parts: [RegexExpression]) -> RequirementPart {
    var whole = RequirementPart(exact: ByteStrings([[]]))
    var literal: [UInt8] = []
    for child in parts {
      if case .literal(let scalar) = child, literal.count < ByteStrings.literalByteCountMax {
        literal += String(scalar).utf8
        continue
      }
      if !literal.isEmpty { append(RequirementPart(exact: ByteStrings([literal])), to: &whole) }
      literal.removeAll(keepingCapacity: true)
      append(part(child), to: &whole)
    }
    if !literal.isEmpty { append(RequirementPart(exact: ByteStrings([literal])), to: &whole) }
    return whole
  }

  private mutating func append(_ next: RequirementPart, to whole: inout RequirementPart) {
    whole.append(next)
    effort += whole.stringCount
  }

  private func part(_ set: ScalarSet) -> RequirementPart {
    let count = set.ranges.reduce(0) { $0 + Int($1.upper - $1.lower) + 1 }
    guard count <= Self.classCountMax, count > 0 else { return .unknown }
    let scalars = set.ranges.flatMap { ($0.lower...$0.upper).compactMap(Unicode.Scalar.init) }
    return RequirementPart(exact: ByteStrings(scalars.map { Array(String($0).utf8) }))
  }

  private mutating func repetition(
    of child: RegexExpression, minimum: UInt32, maximum: UInt32?
  ) -> RequirementPart {
    guard minimum > 0 else {
      if maximum == 1, let exact = part(child).exact, let either = exact.union(ByteStrings([[]])) {
        return RequirementPart(exact: either)
      }
      return .unknown
    }
    let once = part(child)
    var whole = once
    var count: UInt32 = 1
    while count < minimum, whole.exact != nil, once.exact?.strings != [[]] {
      if effort > Self.effortMax { return .unknown }
      append(once, to: &whole)
      count += 1
    }
    // The copies at hand begin the match, and as many like them end it.
    if count < minimum || maximum != minimum { whole.forgetExact() }
    return whole
  }

  private mutating func alternation(_ branches: [RegexExpression]) -> RequirementPart {
    var parts: [RequirementPart] = []
    for branch in branches {
      parts.append(part(branch))
      if parts.last?.saysNothing == true { return .unknown }
    }
    var exact: ByteStrings? = parts.first?.exact
    for part in parts.dropFirst() {
      guard let strings = part.exact else {
        exact = nil
        break
      }
      exact = exact?.union(strings)
    }
    if let exact { return RequirementPart(exact: exact) }
    return RequirementPart(anyOf: parts)
  }
}

/// What is known of a part of an expression.
private struct RequirementPart {
  /// All strings that the part matches, if known. Nothing else is said then.
  private(set) var exact: ByteStrings?
  /// One of them begins every match, one of them ends it.
  private var prefixes = ByteStrings([[]])
  private var suffixes = ByteStrings([[]])
  /// Whether what the sets say is among what is required.
  private var isPrefixSaid = true
  private var isSuffixSaid = true
  /// All of these are required besides.
  private var required: [RequiredText] = []

  static let unknown = RequirementPart(exact: nil)

  init(exact: ByteStrings?) {
    self.exact = exact
  }

  init(anyOf branches: [RequirementPart]) {
    exact = nil
    prefixes = ByteStrings(beginningAnyOf: branches.lazy.flatMap { $0.exact ?? $0.prefixes })
    suffixes = ByteStrings(endingAnyOf: branches.lazy.flatMap { $0.exact ?? $0.suffixes })
    let requirement = RequiredText.any(of: branches.map(\.requirement))
    if requirement == .anything {
      isPrefixSaid = false
      isSuffixSaid = false
    } else {
      required = [requirement]
    }
  }

  var saysNothing: Bool {
    exact == nil && required.isEmpty && prefixes.strings == [[]] && suffixes.strings == [[]]
  }

  var stringCount: Int { exact?.count ?? suffixes.count }

  /// All that is known, in one.
  var requirement: RequiredText {
    var part = self
    part.forgetExact()
    if !part.isPrefixSaid { part.say(part.prefixes) }
    if !part.isSuffixSaid { part.say(part.suffixes) }
    return RequiredText.all(of: part.required)
  }

  /// Makes of strings that are all that the part matches such that begin and end it.
  mutating func forgetExact() {
    guard let strings = exact else { return }
    exact = nil
    prefixes = strings
    suffixes = strings
    isPrefixSaid = false
    isSuffixSaid = false
  }

  private mutating func say(_ strings: ByteStrings) {
    if let requirement = strings.requirement { require([requirement]) }
  }

  private mutating func require(_ requirements: [RequiredText]) {
    let room = RequiredText.literalCountMax - required.count
    required += requirements.prefix(room)
  }

  mutating func append(_ next: RequirementPart) {
    if let nextExact = next.exact, exact?.append(nextExact) == true { return }
    let strings = exact
    forgetExact()
    require(next.required)

    if let nextStrings = next.exact {
      if suffixes.append(nextStrings) {
        isSuffixSaid = false
        return
      }
      // Only the last bytes go on.
      if !isSuffixSaid { say(suffixes) }
      if strings != nil { isPrefixSaid = true }
      suffixes = suffixes.ends(of: 2)
      if !suffixes.append(nextStrings) { suffixes = nextStrings }
      isSuffixSaid = false
      return
    }

    var meeting = suffixes
    if meeting.append(next.prefixes) {
      if strings != nil {
        prefixes = meeting
      } else if meeting != suffixes || !isSuffixSaid {
        say(meeting)
      }
    } else {
      if !isSuffixSaid { say(suffixes) }
      if !next.isPrefixSaid { say(next.prefixes) }
      if strings != nil { isPrefixSaid = true }
    }
    suffixes = next.suffixes
    isSuffixSaid = next.isSuffixSaid
  }
}
