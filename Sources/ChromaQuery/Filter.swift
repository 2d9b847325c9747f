// The metadata filter: what `where` means.
//
// Rules, official Chroma's but for what `$exists`, `$like` and `$icontains` add:
//   * A record that lacks the key fails every condition; the negations ($ne, $nin, $not_contains,
//     $not_like, $not_icontains, $exists with false) are exactly the opposites, so they match it.
//   * Bools, numbers and strings are never equal to each other. Integers and floats compare by value.
//   * An array is never equal to, among, less or greater than anything; `$contains` alone looks into
//     it, and there an integer does not equal a float.
//   * `$like` and `$icontains` look at strings only, not into arrays of them.
//
// A filter nests no deeper than the JSON it was read from (`Limits.nestingDepthMax`), so evaluating
// it by recursion is safe.

package import ChromaBase
package import ChromaText

/// What a filter sees of a record.
package struct FilteredRecord: Sendable {
  package let metadata: Metadata?
  package let document: Text?
  package let uri: Text?

  package init(metadata: Metadata?, document: Text?, uri: Text?) {
    self.metadata = metadata
    self.document = document
    self.uri = uri
  }

  /// Parts of a record that a filter may look at.
  package struct Fields: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    package static let metadata = Fields(rawValue: 1)
    package static let document = Fields(rawValue: 2)
    package static let uri = Fields(rawValue: 4)
  }
}

/// A condition on a record's metadata, and through the key `#document` on its document.
package enum Filter: Sendable {
  /// All of them; true of every record if there are none.
  case and([Filter])
  /// Any of them; true of no record if there are none.
  case or([Filter])
  case field(Field, Condition, isNegated: Bool)
  case document(DocumentFilter)

  /// Where a condition finds its value.
  package enum Field: Equatable, Sendable {
    case metadata(Text)
    /// The key `chroma:document`: the document as if it were metadata.
    case document
    /// The key `chroma:uri`.
    case uri
  }

  package enum Condition: Equatable, Sendable {
    case equals(Literal)
    case isAmong(LiteralSet)
    case isLess(than: Number)
    case isLessOrEqual(to: Number)
    case isGreater(than: Number)
    case isGreaterOrEqual(to: Number)
    /// An array has the element.
    case contains(Literal)
    /// There is a value, of any type.
    case exists
    /// A string in which the expression, made of `$like` or `$icontains`, matches somewhere.
    case matches(RegularExpression)
  }

  /// What the filter looks at: the rest of a record need not be there.
  package var needs: FilteredRecord.Fields {
    switch self {
    case .and(let filters), .or(let filters):
      filters.reduce(into: []) { $0.formUnion($1.needs) }
    case .field(.metadata, _, _): .metadata
    case .field(.document, _, _), .document: .document
    case .field(.uri, _, _): .uri
    }
  }

  /// The keys of metadata that the filter looks at, each once.
  package var metadataKeys: [Text] {
    switch self {
    case .and(let filters), .or(let filters):
      var seen: Set<Text> = []
      return filters.flatMap(\.metadataKeys).filter { seen.insert($0).inserted }
    case .field(.metadata(let key), _, _): return [key]
    case .field, .document: return []
    }
  }

  /// Whether the filter holds of a record.
  package func matches(_ record: FilteredRecord) -> Bool {
    matches(record) { $0.matches($1) }
  }

  /// Whether the filter holds of a record, whose texts may be long.
  ///
  /// - Throws: `.cancelled` if that is wished for meanwhile.
  package func matches(
    _ record: FilteredRecord, cancel: CancelToken?
  ) throws(ChromaError) -> Bool {
    try matches(record) { (expression, text) throws(ChromaError) in
      try expression.matches(text, cancel: cancel)
    }
  }

  private func matches<Failure: Error>(
    _ record: FilteredRecord, _ search: (RegularExpression, Text) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    switch self {
    case .and(let filters):
      for filter in filters { if try !filter.matches(record, search) { return false } }
      return true
    case .or(let filters):
      for filter in filters { if try filter.matches(record, search) { return true } }
      return false
    case .field(let field, let condition, let isNegated):
      guard let value = field.value(in: record) else { return isNegated }
      if case .matches(let expression) = condition, case .string(let text) = value {
        return try search(expression, text) != isNegated
      }
      return condition.holds(of: value) != isNegated
    case .document(let filter):
      return try filter.matches(record, search)
    }
  }
}

extension Filter.Field {
  func value(in record: FilteredRecord) -> MetadataValue? {
    switch self {
    case .metadata(let key): record.metadata?[key]
    case .document: record.document.map(MetadataValue.string)
    case .uri: record.uri.map(MetadataValue.string)
    }
  }
}

extension Filter.Condition {
  package func holds(of value: MetadataValue) -> Bool {
    switch self {
    case .equals(let literal):
      switch (literal, value) {
      case (.bool(let wanted), .bool(let bool)): wanted == bool
      case (.string(let wanted), .string(let text)): wanted == text
      case (.number(let wanted), _): value.number.map { $0 == wanted } ?? false
      default: false
      }
    case .isAmong(let literals):
      switch value {
      case .bool(let bool): literals.contains(bool)
      case .string(let text): literals.contains(text)
      default: value.number.map { literals.contains($0) } ?? false
      }
    case .isLess(let bound): value.number.map { $0 < bound } ?? false
    case .isLessOrEqual(let bound): value.number.map { $0 <= bound } ?? false
    case .isGreater(let bound): value.number.map { $0 > bound } ?? false
    case .isGreaterOrEqual(let bound): value.number.map { $0 >= bound } ?? false
    case .contains(let literal):
      switch (literal, value) {
      case (.bool(let wanted), .bools(let elements)): elements.contains(wanted)
      case (.number(.int(let wanted)), .ints(let elements)): elements.contains(wanted)
      case (.number(.float(let wanted)), .floats(let elements)): elements.contains(wanted)
      case (.string(let wanted), .strings(let elements)): elements.contains(wanted)
      default: false
      }
    case .exists: true
    case .matches(let expression):
      if case .string(let text) = value { expression.matches(text) } else { false }
    }
  }
}

extension MetadataValue {
  fileprivate var number: Number? {
    switch self {
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    default: nil
    }
  }
}
