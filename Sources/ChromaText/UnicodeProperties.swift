// Unicode's general categories, ages and Boolean properties as sets of scalars, from the tables of
// Swift's standard library. A set is computed when first asked for, in some milliseconds, and kept.
//
// Invariants:
//   * Scalars assigned after Unicode 16.0 count as unassigned, whatever the standard library knows:
//     official Chroma is at 16.0. Older scalars have the standard library's properties, which for
//     some forty of them later versions changed (U+0295, and the property Diacritic).

import Synchronization

enum UnicodeProperties {
  typealias Properties = Unicode.Scalar.Properties

  private static let versionMax = (major: 16, minor: 0)

  /// The set of a general category or Boolean property by its name or alias, normalized; nil if
  /// there is none of that name.
  static func set(named name: String) -> ScalarSet? {
    guard let predicate = booleanProperties[name] else { return categorySet(named: name) }
    return kept(name) { scalars(where: predicate) }
  }

  /// The set of a general category by its name or alias, normalized; nil if there is none.
  static func categorySet(named name: String) -> ScalarSet? {
    switch name {
    case "any": return .all
    case "ascii": return PosixClass.ascii.set
    case "assigned": return kept(name) { category(.unassigned).inverted() }
    default:
      guard let members = categoryMembers[name] else { return nil }
      return kept(name) { ScalarSet(members.flatMap { category($0).ranges }) }
    }
  }

  /// The set kept under this name, made if there is none yet. Only names that exist come here, so
  /// what is kept cannot grow without end.
  private static func kept(_ name: String, _ make: () -> ScalarSet) -> ScalarSet {
    if let set = sets.withLock({ $0[name] }) { return set }
    let set = make()
    // Another thread may have put an equal set there meanwhile.
    sets.withLock { $0[name] = set }
    return set
  }

  private static let sets = Mutex<[String: ScalarSet]>([:])

  /// `\d`, `\s` and `\w`, as in Unicode Technical Standard 18, annex C.
  static let digit = category(.decimalNumber)
  static let space = scalars(where: \.isWhitespace)
  static let word = scalars { properties in
    if properties.isAlphabetic || properties.isJoinControl { return true }
    return switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark, .decimalNumber, .connectorPunctuation: true
    default: false
    }
  }
  static let notDigit = digit.inverted()
  static let notSpace = space.inverted()
  static let notWord = word.inverted()

  /// The scalars of a version of Unicode, which include those of the versions before it; nil if
  /// there is no such version. The name comes normalized: `6.0` or `v60`.
  static func age(named name: String) -> ScalarSet? {
    let version = versions.first { major, minor in
      name == "\(major).\(minor)" || name == "v\(major)\(minor)"
    }
    guard let version else { return nil }
    return kept("age \(version)") {
      scalars { properties in properties.age.map { ($0.major, $0.minor) <= version } ?? false }
    }
  }

  private static let versions = [
    (1, 1), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (5, 0), (5, 1), (5, 2), (6, 0),
    (6, 1), (6, 2), (6, 3), (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (12, 1), (13, 0),
    (14, 0), (15, 0), (15, 1), (16, 0),
  ]

  // MARK: General categories

  private static func category(_ category: Unicode.GeneralCategory) -> ScalarSet {
    categories[category] ?? .empty
  }

  private static let categories: [Unicode.GeneralCategory: ScalarSet] = {
    var ranges: [Unicode.GeneralCategory: [ScalarSet.Range]] = [:]
    forEachRun { run, properties in
      var category = properties.generalCategory
      if category != .unassigned && isTooYoung(properties) { category = .unassigned }
      ranges[category, default: []].append(run)
    }
    return ranges.mapValues { ScalarSet($0) }
  }()

  // MARK: Walking over Unicode

  static func scalars(where predicate: (Properties) -> Bool) -> ScalarSet {
    var ranges: [ScalarSet.Range] = []
    forEachRun { run, properties in
      if predicate(properties) && !isTooYoung(properties) { ranges.append(run) }
    }
    return ScalarSet(ranges)
  }

  static func isTooYoung(_ properties: Properties) -> Bool {
    guard let age = properties.age else { return false }
    return (age.major, age.minor) > versionMax
  }

  /// Blocks of planes 0 to 3 whose scalars are alike, each of one version of Unicode: ideographs of
  /// CJK and Tangut, Hangul syllables, private use, and what is not assigned. Walking over these
  /// scalar by scalar would take two thirds of the time.
  private static let alikeBlocks: [ClosedRange<UInt32>] = [
    0x3400...0x4DB5, 0x4E00...0x9FA5, 0xAC00...0xD7A3, 0xE000...0xF8FF, 0x17000...0x187EC,
    0x20000...0x2A6D6, 0x2A700...0x2B734, 0x2B820...0x2CEA1, 0x2CEB0...0x2EBE0, 0x30000...0x3134A,
    0x31350...0x323AF, 0x3347A...0x3FFFD,
  ]

  /// Calls the body with every scalar, or with runs of scalars whose properties are all alike.
  ///
  /// Alike are, beside the blocks above and within a plane: planes 4 to 13 (nothing is assigned there), 14 behind its tags and
  /// variation selectors, and 15 and 16 (private use); but for the two noncharacters that end
  /// each plane. Walking over these scalar by scalar would take four fifths of the time.
  private static func forEachRun(_ body: (ScalarSet.Range, Properties) -> Void) {
    func visit(_ lower: UInt32, _ upper: UInt32) {
      guard let scalar = Unicode.Scalar(lower) else { return }
      body(ScalarSet.Range(lower: lower, upper: upper), scalar.properties)
    }
    var value: UInt32 = 0
    for block in alikeBlocks {
      while value < block.lowerBound {
        visit(value, value)
        value += 1
      }
      visit(block.lowerBound, block.upperBound)
      value = block.upperBound + 1
    }
    while value <= 0x3FFFF {
      visit(value, value)
      value += 1
    }
    for plane: UInt32 in 0x4...0x10 {
      var next = plane << 16
      if plane == 0xE {
        for value in next...(next | 0xFFF) { visit(value, value) }
        next |= 0x1000
      }
      visit(next, plane << 16 | 0xFFFD)
      visit(plane << 16 | 0xFFFE, plane << 16 | 0xFFFF)
    }
  }
}
