// What a filter means, said as plainly as possible: the judge of every way in which the engine answers
// one. It is written from the rules alone and shares nothing with the engine's own reading of them.
//
// Rules:
//   * A record that lacks the key fails every condition; `$ne`, `$nin` and the `$not_` forms are the
//     opposites of theirs, so they hold of it.
//   * Bools, numbers and strings are never equal to each other. Integers and floats compare by value.
//   * `$contains` alone looks into arrays, and there an integer is no float.
//   * A record without a document fails every condition on the text.
//   * `$like` and `$icontains` look at strings, and at no arrays of them.

package import ChromaBase
import Glibc

package indirect enum ModelFilter: Sendable {
  package enum Comparison: String, CaseIterable, Sendable {
    /// The operand alone, without an operator.
    case bare
    case eq = "$eq"
    case ne = "$ne"
    case gt = "$gt"
    case gte = "$gte"
    case lt = "$lt"
    case lte = "$lte"
    case isIn = "$in"
    case notIn = "$nin"
    case contains = "$contains"
    case notContains = "$not_contains"
  }

  case and([ModelFilter])
  case or([ModelFilter])
  /// With one operand, or those of a list.
  case field(Text, Comparison, [JSON])
  case documentContains(Text, isNegated: Bool)
  case documentMatches(ModelPattern, isNegated: Bool)
  case exists(Text, Bool)
  /// `$like` or `$icontains` of an operand that means the pattern; of the document without a key.
  case matches(Text?, ModelTextPattern, isNegated: Bool)

  // MARK: What it holds of

  /// For each record whether the filter holds of it.
  package func answers(_ records: [ModelRecord]) -> [Bool] {
    switch self {
    case .and(let filters):
      return filters.reduce([Bool](repeating: true, count: records.count)) { all, filter in
        zip(all, filter.answers(records)).map { $0 && $1 }
      }
    case .or(let filters):
      return filters.reduce([Bool](repeating: false, count: records.count)) { any, filter in
        zip(any, filter.answers(records)).map { $0 || $1 }
      }
    case .field(let key, let comparison, let operands):
      return records.map { Self.holds(comparison, operands, $0.value(under: key)) }
    case .documentContains(let part, let isNegated):
      return records.map { ($0.document.map { Self.holds($0, part) } ?? false) != isNegated }
    case .documentMatches(let pattern, let isNegated):
      return Self.answers(records.map(\.document), pattern, isNegated)
    case .exists(let key, let isWanted):
      return records.map { ($0.value(under: key) != nil) == isWanted }
    case .matches(let key, let text, let isNegated):
      let texts = records.map { record -> Text? in
        guard let key else { return record.document }
        return if case .string(let text) = record.value(under: key) { text } else { nil }
      }
      return Self.answers(texts, text.pattern, isNegated)
    }
  }

  private static func answers(
    _ texts: [Text?], _ pattern: ModelPattern, _ isNegated: Bool
  ) -> [Bool] {
    // The same text is searched once: this search is slow.
    var known: [Text: Bool] = [:]
    return texts.map { text in
      guard let text else { return isNegated }
      let isMatch = known[text] ?? pattern.matches(text)
      known[text] = isMatch
      return isMatch != isNegated
    }
  }

  private static func holds(
    _ comparison: Comparison, _ operands: [JSON], _ value: MetadataValue?
  ) -> Bool {
    switch comparison {
    case .bare, .eq, .isIn: operands.contains { isEqual($0, value) }
    case .ne, .notIn: !operands.contains { isEqual($0, value) }
    case .gt: operands.contains { order($0, value) == .less }
    case .gte: operands.contains { [.less, .same].contains(order($0, value)) }
    case .lt: operands.contains { order($0, value) == .greater }
    case .lte: operands.contains { [.greater, .same].contains(order($0, value)) }
    case .contains: operands.contains { isElement($0, of: value) }
    case .notContains: !operands.contains { isElement($0, of: value) }
    }
  }

  private static func isEqual(_ operand: JSON, _ value: MetadataValue?) -> Bool {
    switch (operand, value) {
    case (.bool(let wanted), .bool(let bool)): wanted == bool
    case (.string(let wanted), .string(let text)): wanted.bytes == text.bytes
    default: order(operand, value) == .same
    }
  }

  private static func isElement(_ operand: JSON, of value: MetadataValue?) -> Bool {
    switch (operand, value) {
    case (.bool(let wanted), .bools(let bools)): bools.contains(wanted)
    case (.int(let wanted), .ints(let ints)): ints.contains(wanted)
    case (.float(let wanted), .floats(let floats)): floats.contains(wanted)
    case (.string(let wanted), .strings(let texts)): texts.contains { $0.bytes == wanted.bytes }
    default: false
    }
  }

  private enum Order {
    case less, same, greater
  }

  /// How a number stands to another; nil if one of them is none.
  private static func order(_ operand: JSON, _ value: MetadataValue?) -> Order? {
    switch (operand, value) {
    case (.int(let left), .int(let right)): order(left, right)
    case (.float(let left), .float(let right)): order(left, right)
    case (.int(let left), .float(let right)): order(left, right)
    case (.float(let left), .int(let right)):
      switch order(right, left) {
      case .less: .greater
      case .same: .same
      case .greater: .less
      }
    default: nil
    }
  }

  private static func order<N: Comparable>(_ left: N, _ right: N) -> Order {
    left == right ? .same : left < right ? .less : .greater
  }

  /// An integer against a float: as whole numbers, then by what the float has behind the point.
  private static func order(_ left: Int64, _ right: Double) -> Order {
    if right >= 0x1p63 { return .less }
    if right < -0x1p63 { return .greater }
    let whole = Int64(right.rounded(.towardZero))
    if left != whole { return order(left, whole) }
    return order(Double.zero, right - right.rounded(.towardZero))
  }

  private static func holds(_ document: Text, _ part: Text) -> Bool {
    document.bytes.withUnsafeBytes { document in
      part.bytes.withUnsafeBytes { part in
        guard let text = document.baseAddress, let wanted = part.baseAddress, part.count > 0
        else { return part.isEmpty }
        // From one place to the next where the part's first byte stands.
        var rest = document.count
        while rest >= part.count,
          let place = memchr(text + (document.count - rest), Int32(part[0]), rest - part.count + 1)
        {
          if memcmp(place, wanted, part.count) == 0 { return true }
          rest = document.count - (UnsafeRawPointer(place) - text) - 1
        }
        return false
      }
    }
  }

  // MARK: How it is written

  /// As `where`.
  package var json: JSON {
    switch self {
    case .and(let filters): ["$and": .array(filters.map(\.json))]
    case .or(let filters): ["$or": .array(filters.map(\.json))]
    case .field(let key, let comparison, let operands):
      .object([JSON.Member(key, Self.condition(comparison, operands))])
    case .documentContains, .documentMatches, .matches(nil, _, _): ["#document": documentJSON]
    case .exists(let key, let isWanted): .object([JSON.Member(key, ["$exists": .bool(isWanted)])])
    case .matches(let key?, let text, let isNegated):
      .object([JSON.Member(key, text.json(isNegated: isNegated))])
    }
  }

  /// As `where_document`, which knows no metadata.
  package var documentJSON: JSON {
    switch self {
    case .and(let filters): ["$and": .array(filters.map(\.documentJSON))]
    case .or(let filters): ["$or": .array(filters.map(\.documentJSON))]
    case .field, .exists: .null
    case .matches(_, let text, let isNegated): text.json(isNegated: isNegated)
    case .documentContains(let part, let isNegated):
      .object([JSON.Member(isNegated ? "$not_contains" : "$contains", .string(part))])
    case .documentMatches(let pattern, let isNegated):
      .object([JSON.Member(isNegated ? "$not_regex" : "$regex", .string(pattern.text))])
    }
  }

  private static func condition(_ comparison: Comparison, _ operands: [JSON]) -> JSON {
    switch comparison {
    case .bare: operands[0]
    case .isIn, .notIn: .object([JSON.Member(Text(comparison.rawValue), .array(operands))])
    default: .object([JSON.Member(Text(comparison.rawValue), operands[0])])
    }
  }
}

extension ModelRecord {
  fileprivate func value(under key: Text) -> MetadataValue? {
    switch key {
    case "#document", "chroma:document": document.map(MetadataValue.string)
    case "chroma:uri": uri.map(MetadataValue.string)
    default: metadata[key]
    }
  }
}

/// What `$like` and `$icontains` ask of a text.
package struct ModelTextPattern: Sendable {
  let name: String
  let operand: String
  let pattern: ModelPattern

  package static func icontains(_ scalars: [Unicode.Scalar]) -> ModelTextPattern {
    ModelTextPattern(
      name: "icontains", operand: String(String.UnicodeScalarView(scalars)),
      pattern: .anyCase(scalars))
  }

  /// - Parameter parts: Scalars as they are, a set of all for `_`, `.anything` for `%`.
  package static func like(_ parts: [ModelPattern]) -> ModelTextPattern {
    let operand = parts.map { part in
      switch part {
      case .scalars(let scalars):
        scalars.map { "%_\\".unicodeScalars.contains($0) ? "\\" + String($0) : String($0) }.joined()
      case .anything: "%"
      default: "_"
      }
    }.joined()
    return ModelTextPattern(
      name: "like", operand: operand, pattern: .sequence([.start] + parts + [.end]))
  }

  func json(isNegated: Bool) -> JSON {
    .object([JSON.Member(Text((isNegated ? "$not_" : "$") + name), .string(Text(operand)))])
  }
}
