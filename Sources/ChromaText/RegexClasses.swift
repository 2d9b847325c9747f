// The sets behind `[:alpha:]` and `\p{…}`.

extension PosixClass {
  /// Always of ASCII.
  var set: ScalarSet {
    switch self {
    case .alnum: Self.set("0"..."9", "A"..."Z", "a"..."z")
    case .alpha: Self.set("A"..."Z", "a"..."z")
    case .ascii: Self.set("\u{0}"..."\u{7F}")
    case .blank: Self.set("\t"..."\t", " "..." ")
    case .cntrl: Self.set("\u{0}"..."\u{1F}", "\u{7F}"..."\u{7F}")
    case .digit: Self.set("0"..."9")
    case .graph: Self.set("!"..."~")
    case .lower: Self.set("a"..."z")
    case .print: Self.set(" "..."~")
    case .punct: Self.set("!"..."/", ":"..."@", "["..."`", "{"..."~")
    case .space: Self.set("\t"..."\r", " "..." ")
    case .upper: Self.set("A"..."Z")
    case .word: Self.set("0"..."9", "A"..."Z", "_"..."_", "a"..."z")
    case .xdigit: Self.set("0"..."9", "A"..."F", "a"..."f")
    }
  }

  private static func set(_ ranges: ClosedRange<Unicode.Scalar>...) -> ScalarSet {
    ScalarSet(
      ranges.map { ScalarSet.Range(lower: $0.lowerBound.value, upper: $0.upperBound.value) })
  }
}

extension UnicodeClassQuery {
  enum Failure: Error {
    case propertyNotFound, valueNotFound
    /// The `regex` crate has it; there is no table for it here.
    case unsupported
  }

  /// Whether the query itself, with `!=`, asks for everything else.
  var isNegated: Bool {
    switch self {
    case .name: false
    case .value(_, _, let isNegated): isNegated
    }
  }

  func set() throws(Failure) -> ScalarSet {
    switch self {
    case .name(let name):
      let name = UnicodeProperties.normalized(name)
      if let set = UnicodeProperties.set(named: name) ?? UnicodeScriptTable.script(named: name) {
        return set
      }
      if UnicodeProperties.unsupportedBooleanProperties.contains(name) { throw .unsupported }
      throw UnicodeProperties.emptyValues.contains(name) ? .valueNotFound : .propertyNotFound
    case .value(let property, let value, _):
      return try Self.set(
        property: UnicodeProperties.normalized(property),
        value: UnicodeProperties.normalized(value))
    }
  }

  private static func set(property: String, value: String) throws(Failure) -> ScalarSet {
    let set: ScalarSet?
    switch property {
    case "gc", "generalcategory": set = UnicodeProperties.categorySet(named: value)
    case "sc", "script": set = UnicodeScriptTable.script(named: value)
    case "scx", "scriptextensions": set = UnicodeScriptTable.extensions(named: value)
    case "age": set = UnicodeProperties.age(named: value)
    default:
      if UnicodeProperties.unsupportedValueProperties.contains(property) { throw .unsupported }
      let isKnown =
        UnicodeProperties.booleanProperties[property] != nil
        || UnicodeProperties.unsupportedBooleanProperties.contains(property)
        || UnicodeProperties.valuelessProperties.contains(property)
      throw isKnown ? .valueNotFound : .propertyNotFound
    }
    guard let set else { throw .valueNotFound }
    return set
  }
}
