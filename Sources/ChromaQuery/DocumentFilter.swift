// The document filter: what `where_document` means.
//
// A record without a document fails `$contains`, `$regex`, `$like` and `$icontains`; their negations
// are exactly the opposites, so they match it. All but `$icontains` compare bytes: case, accents and
// composition count.
//
// `$like` and `$icontains` are not of official Chroma.

package import ChromaBase
package import ChromaText

/// A condition on a record's document.
package enum DocumentFilter: Sendable {
  /// All of them; true of every record if there are none.
  case and([DocumentFilter])
  /// Any of them; true of no record if there are none.
  case or([DocumentFilter])
  /// The document holds the text. The empty text is in every document.
  case contains(Text, isNegated: Bool)
  /// The expression, which `$like` and `$icontains` become too, matches somewhere in the document.
  case matches(RegularExpression, isNegated: Bool)

  /// Whether the filter holds of a record.
  package func matches(_ record: FilteredRecord) -> Bool {
    matches(record) { $0.matches($1) }
  }

  /// Whether the filter holds of a record, whose document may be long.
  ///
  /// - Throws: `.cancelled` if that is wished for meanwhile.
  package func matches(
    _ record: FilteredRecord, cancel: CancelToken?
  ) throws(ChromaError) -> Bool {
    try matches(record) { (expression, text) throws(ChromaError) in
      try expression.matches(text, cancel: cancel)
    }
  }

  func matches<Failure: Error>(
    _ record: FilteredRecord, _ search: (RegularExpression, Text) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    switch self {
    case .and(let filters):
      for filter in filters { if try !filter.matches(record, search) { return false } }
      return true
    case .or(let filters):
      for filter in filters { if try filter.matches(record, search) { return true } }
      return false
    case .contains(let text, let isNegated):
      let holds = record.document.map { $0.contains(text) } ?? false
      return holds != isNegated
    case .matches(let expression, let isNegated):
      guard let document = record.document else { return isNegated }
      return try search(expression, document) != isNegated
    }
  }
}

// Reading `where_document`:
//
//     filter   := { operator: string }
//               | { "$and": [filter …] } | { "$or": [filter …] } | null
//     operator := "$contains" | "$regex" | "$like" | "$icontains"
//               | "$not_contains" | "$not_regex" | "$not_like" | "$not_icontains"
extension DocumentFilter {
  /// Reads a filter from the JSON text of `where_document`.
  ///
  /// - Throws: `invalidArgument` in official Chroma's words.
  package init(json: Text) throws(ChromaError) {
    guard let value = try? JSON(parsing: json.bytes) else { throw Self.invalid }
    self = value == .null ? .and([]) : try DocumentFilter(value)
  }

  private static let invalid = ChromaError.invalidArgument("Invalid where document clause")

  private init(_ value: JSON) throws(ChromaError) {
    guard case .object(let members) = value, members.count == 1, let member = members.first else {
      throw Self.invalid
    }
    switch member.key {
    case "$and": self = .and(try Self.filters(member.value))
    case "$or": self = .or(try Self.filters(member.value))
    default:
      guard
        let filter = try DocumentFilter(
          operator: member.key, operand: member.value, orThrow: Self.invalid)
      else { throw Self.invalid }
      self = filter
    }
  }

  private static func filters(_ value: JSON) throws(ChromaError) -> [DocumentFilter] {
    guard case .array(let elements) = value else { throw invalid }
    var filters: [DocumentFilter] = []
    for element in elements { filters.append(try DocumentFilter(element)) }
    return filters
  }

  /// Nil if the operator is none of a document.
  ///
  /// - Parameter invalid: The error for an operand that is no string, where the operator is one of
  ///   official Chroma's.
  init?(
    operator name: Text, operand: JSON, orThrow invalid: ChromaError
  ) throws(ChromaError) {
    if let (expression, isNegated) = try RegularExpression.ofAddition(name, operand: operand) {
      self = .matches(expression, isNegated: isNegated)
      return
    }
    guard ["$contains", "$not_contains", "$regex", "$not_regex"].contains(name) else { return nil }
    guard case .string(let text) = operand else { throw invalid }
    switch name {
    case "$contains": self = .contains(text, isNegated: false)
    case "$not_contains": self = .contains(text, isNegated: true)
    case "$regex": self = .matches(try RegularExpression(.regex(text)), isNegated: false)
    default: self = .matches(try RegularExpression(.regex(text)), isNegated: true)
    }
  }
}

extension RegularExpression {
  /// What `$like`, `$icontains` and their negations ask of a document or of a string of metadata;
  /// nil if the operator is none of these.
  static func ofAddition(
    _ name: Text, operand: JSON
  ) throws(ChromaError) -> (expression: RegularExpression, isNegated: Bool)? {
    guard ["$like", "$not_like", "$icontains", "$not_icontains"].contains(name) else { return nil }
    guard case .string(let text) = operand else {
      throw .invalidArgument(
        "Expected operand value to be a string for operator \(name), got \(operand.text)")
    }
    return switch name {
    case "$like": (try RegularExpression(.like(text)), false)
    case "$not_like": (try RegularExpression(.like(text)), true)
    case "$icontains": (try RegularExpression(.icontains(text)), false)
    default: (try RegularExpression(.icontains(text)), true)
    }
  }
}
