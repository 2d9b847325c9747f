// Unicode's simple case folding: which scalars are one letter in several cases.
//
// The standard library maps letters to upper, lower and title case; scalars whose folding is the
// same are those that such mappings join. Where that is not so is listed below.

enum CaseFolding {
  /// A scalar and all that are equal to it but for case, itself included.
  private struct Entry {
    let scalar: UInt32
    let equals: [UInt32]
  }

  /// Ascending.
  private static let entries: [Entry] = {
    var orbits: [UInt32: [UInt32]] = [:]
    func join(_ left: UInt32, _ right: UInt32) {
      let (first, second) = (orbits[left] ?? [left], orbits[right] ?? [right])
      if first.contains(right) { return }
      for scalar in first + second { orbits[scalar] = first + second }
    }
    // CaseFolding.txt folds these together, though no mapping of a single scalar joins them.
    join(0x0390, 0x1FD3)
    join(0x03B0, 0x1FE3)
    join(0xFB05, 0xFB06)

    let cased = UnicodeProperties.scalars(where: \.changesWhenCaseMapped)
    for range in cased.ranges {
      for value in range.lower...range.upper {
        // Dotted capital and dotless small i fold to nothing but themselves outside Turkish.
        guard value != 0x130, value != 0x131, let scalar = Unicode.Scalar(value) else { continue }
        let properties = scalar.properties
        for mapping in [
          properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping,
        ] {
          let partners = mapping.unicodeScalars
          guard partners.count == 1, let partner = partners.first,
            !UnicodeProperties.isTooYoung(partner.properties)
          else { continue }
          join(value, partner.value)
        }
      }
    }
    return orbits.filter { $0.value.count > 1 }.map { Entry(scalar: $0.key, equals: $0.value) }
      .sorted { $0.scalar < $1.scalar }
  }()

  /// The set and everything that equals one of its members but for case.
  static func closure(of set: ScalarSet) -> ScalarSet {
    var added: [ScalarSet.Range] = []
    for range in set.ranges {
      var index = indexOfFirstEntry(atOrAbove: range.lower)
      while index < entries.count, entries[index].scalar <= range.upper {
        for equal in entries[index].equals {
          added.append(ScalarSet.Range(lower: equal, upper: equal))
        }
        index += 1
      }
    }
    return added.isEmpty ? set : ScalarSet(set.ranges + added)
  }

  private static func indexOfFirstEntry(atOrAbove value: UInt32) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].scalar < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
