// Reading `where`.
//
//     where   := { key: literal } | { key: { operator: operand } }
//              | { "$and": [where …] } | { "$or": [where …] } | null
//     literal := string | integer | float | boolean
//
// This is the grammar of official Chroma's engine, which is wider than that of its Python client:
// lists of filters may have any length, and null filters nothing. Whatever is not of the grammar,
// be it no JSON at all, is an "Invalid where clause". The operators `$exists`, `$like`, `$icontains`
// and the latter two's negations are additions, whose mistakes are told in more words.

package import ChromaBase
import ChromaText

extension Filter {
  /// Reads a filter from the JSON text of `where`.
  ///
  /// - Throws: `invalidArgument` in official Chroma's words.
  package init(json: Text) throws(ChromaError) {
    guard let value = try? JSON(parsing: json.bytes) else { throw Self.invalid }
    self = value == .null ? .and([]) : try Filter(value)
  }

  private static let invalid = ChromaError.invalidArgument("Invalid where clause")

  private init(_ value: JSON) throws(ChromaError) {
    guard case .object(let members) = value, members.count == 1, let member = members.first else {
      throw Self.invalid
    }
    switch member.key {
    case "$and": self = .and(try Self.filters(member.value))
    case "$or": self = .or(try Self.filters(member.value))
    case "#document": self = try Self.documentFilter(member.value)
    default:
      if member.key.hasPrefix("$") { throw Self.invalid }
      let (condition, isNegated) = try Self.condition(member.value)
      self = .field(Field(key: member.key), condition, isNegated: isNegated)
    }
  }

  private static func filters(_ value: JSON) throws(ChromaError) -> [Filter] {
    guard case .array(let elements) = value else { throw invalid }
    var filters: [Filter] = []
    for element in elements { filters.append(try Filter(element)) }
    return filters
  }

  /// Reads what stands behind `#document`: a condition on the text, or on its metadata twin, whose
  /// strings official Chroma does not index.
  private static func documentFilter(_ value: JSON) throws(ChromaError) -> Filter {
    if case .object(let members) = value, members.count == 1, let member = members.first,
      let filter = try DocumentFilter(operator: member.key, operand: member.value, orThrow: invalid)
    {
      return .document(filter)
    }
    let (condition, isNegated) = try condition(value)
    if condition == .exists { return .field(.document, .exists, isNegated: isNegated) }
    if condition.comparesStrings {
      throw .invalidArgument(
        "Cannot filter using metadata key '#document' with type 'Str' because indexing is disabled")
    }
    return .field(.metadata("#document"), condition, isNegated: isNegated)
  }

  private static func condition(
    _ value: JSON
  ) throws(ChromaError) -> (condition: Condition, isNegated: Bool) {
    guard case .object(let members) = value else { return (.equals(try literal(value)), false) }
    guard members.count == 1, let member = members.first else { throw invalid }
    let operand = member.value
    if let (expression, isNegated) = try RegularExpression.ofAddition(member.key, operand: operand)
    {
      return (.matches(expression), isNegated)
    }
    return switch member.key {
    case "$eq": (.equals(try literal(operand)), false)
    case "$ne": (.equals(try literal(operand)), true)
    case "$in": (.isAmong(try literals(operand)), false)
    case "$nin": (.isAmong(try literals(operand)), true)
    case "$lt": (.isLess(than: try number(operand)), false)
    case "$lte": (.isLessOrEqual(to: try number(operand)), false)
    case "$gt": (.isGreater(than: try number(operand)), false)
    case "$gte": (.isGreaterOrEqual(to: try number(operand)), false)
    case "$contains": (.contains(try literal(operand)), false)
    case "$not_contains": (.contains(try literal(operand)), true)
    case "$exists": (.exists, try !bool(operand, of: "$exists"))
    default: throw invalid
    }
  }

  private static func bool(_ operand: JSON, of name: Text) throws(ChromaError) -> Bool {
    guard case .bool(let value) = operand else {
      throw .invalidArgument(
        "Expected operand value to be a bool for operator \(name), got \(operand.text)")
    }
    return value
  }

  private static func literal(_ value: JSON) throws(ChromaError) -> Literal {
    switch value {
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    default: .number(try number(value))
    }
  }

  private static func number(_ value: JSON) throws(ChromaError) -> Number {
    switch value {
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    default: throw invalid
    }
  }

  /// Reads a list whose first element decides the type of all. Among floats, integers are numbers
  /// too; among integers, floats are not.
  private static func literals(_ value: JSON) throws(ChromaError) -> LiteralSet {
    guard case .array(let elements) = value, let first = elements.first else { throw invalid }
    var bools: Set<Bool> = []
    var numbers: [Number] = []
    var strings: Set<Text> = []
    for element in elements {
      switch (first, element) {
      case (.bool, .bool(let value)): bools.insert(value)
      case (.string, .string(let value)): strings.insert(value)
      case (.int, .int(let value)), (.float, .int(let value)): numbers.append(.int(value))
      case (.float, .float(let value)): numbers.append(.float(value))
      case (.float, .unsigned(let value)): numbers.append(.float(Double(value)))
      default: throw invalid
      }
    }
    return switch first {
    case .bool: .bools(bools)
    case .string: .strings(strings)
    default: .numbers(numbers.sorted())
    }
  }
}

extension Filter.Field {
  init(key: Text) {
    self =
      switch key {
      case "chroma:document": .document
      case "chroma:uri": .uri
      default: .metadata(key)
      }
  }
}

extension Filter.Condition {
  fileprivate var comparesStrings: Bool {
    switch self {
    case .equals(.string), .isAmong(.strings): true
    default: false
    }
  }
}
