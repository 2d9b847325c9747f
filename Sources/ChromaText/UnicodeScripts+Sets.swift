// Scripts and script extensions as sets of scalars, read from the generated table.

extension UnicodeScriptTable {
  /// The scalars of a script by its normalized name; nil if there is no such script.
  static func script(named name: String) -> ScalarSet? {
    codes[name].flatMap { sets[$0]?.script }
  }

  /// The scalars that a script uses, also those that it shares with others.
  static func extensions(named name: String) -> ScalarSet? {
    codes[name].flatMap { sets[$0]?.extensions }
  }

  private typealias Code = Substring

  /// Short names by every normalized name.
  private static let codes: [String: Code] = {
    var codes: [String: Code] = ["qaac": "Copt", "qaai": "Zinh"]
    for (code, name, _) in scriptEntries {
      codes[UnicodeProperties.normalized(String(code))] = code
      codes[UnicodeProperties.normalized(String(name))] = code
    }
    return codes
  }()

  private static let sets: [Code: (script: ScalarSet, extensions: ScalarSet)] = {
    var shared: [Code: [ScalarSet.Range]] = [:]
    var allShared: [ScalarSet.Range] = []
    for fields in entries(of: extensions) {
      guard let field = fields.first, let range = range(field) else { continue }
      allShared.append(range)
      for code in fields.dropFirst() { shared[code, default: []].append(range) }
    }
    let unshared = ScalarSet(allShared).inverted()
    var sets: [Code: (ScalarSet, ScalarSet)] = [:]
    for (code, _, ranges) in scriptEntries {
      let script = ScalarSet(ranges)
      sets[code] = (script, script.intersection(unshared).union(ScalarSet(shared[code] ?? [])))
    }
    return sets
  }()

  private static let scriptEntries: [(code: Code, name: Substring, [ScalarSet.Range])] =
    entries(of: scripts).compactMap { fields in
      fields.count < 2 ? nil : (fields[0], fields[1], fields.dropFirst(2).compactMap(range))
    }

  private static func entries(of table: StaticString) -> [[Substring]] {
    table.description.split(separator: ";").map { $0.split(whereSeparator: \.isWhitespace) }
      .filter { !$0.isEmpty }
  }

  /// `41` or `41-5A`.
  private static func range(_ field: Substring) -> ScalarSet.Range? {
    let ends = field.split(separator: "-").map { UInt32($0, radix: 16) }
    guard let lower = ends.first ?? nil, let upper = ends.last ?? nil else { return nil }
    return ScalarSet.Range(lower: lower, upper: upper)
  }
}
