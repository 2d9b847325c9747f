// Filters that a schema rules out, refused in official Chroma's words.

import ChromaBase
import ChromaQuery
import ChromaSegment

extension CollectionSchema {
  /// Refuses a selection that filters by something unindexed: the first such condition, from left to
  /// right, in the metadata filter and then in that of documents.
  ///
  /// - Throws: `invalidArgument`.
  func check(_ selection: Selection) throws(ChromaError) {
    if self == .standard { return }
    if let filter = selection.filter { try check(filter) }
    if let filter = selection.documentFilter { try check(filter) }
  }

  private func check(_ filter: Filter) throws(ChromaError) {
    switch filter {
    case .and(let filters), .or(let filters):
      for filter in filters { try check(filter) }
    case .document(let filter): try check(filter)
    case .field(let field, let condition, _):
      guard let kind = condition.kind, !kinds(under: field.key).contains(kind.kind) else { return }
      throw .invalidArgument(
        "Cannot filter using metadata key '\(field.key)' with type '\(kind.name)' because indexing "
          + "is disabled")
    }
  }

  private func check(_ filter: DocumentFilter) throws(ChromaError) {
    switch filter {
    case .and(let filters), .or(let filters):
      for filter in filters { try check(filter) }
    default:
      if !hasTextIndex {
        throw .invalidArgument(
          "Cannot filter using full-text search because FTS indexing is disabled")
      }
    }
  }
}

extension Filter.Field {
  /// The key as the caller wrote it.
  fileprivate var key: Text {
    switch self {
    case .metadata(let key): key
    case .document: "chroma:document"
    case .uri: "chroma:uri"
    }
  }
}

extension Filter.Condition {
  /// The kind of the operand; nil for a condition that no index of values has to answer.
  fileprivate var kind: SchemaKind? {
    switch self {
    case .equals(let literal), .contains(let literal): literal.kind
    case .isLess(let number), .isLessOrEqual(let number), .isGreater(let number),
      .isGreaterOrEqual(let number):
      number.kind
    case .isAmong(.bools): .bool
    case .isAmong(.strings), .matches: .string
    // Where one is a float, the first one was.
    case .isAmong(.numbers(let numbers)): numbers.contains { $0.kind == .float } ? .float : .int
    case .exists: nil
    }
  }
}

extension Literal {
  fileprivate var kind: SchemaKind {
    switch self {
    case .bool: .bool
    case .number(let number): number.kind
    case .string: .string
    }
  }
}

extension Number {
  fileprivate var kind: SchemaKind {
    switch self {
    case .int: .int
    case .float: .float
    }
  }
}
