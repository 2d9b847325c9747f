// The Swift door: filters as expressions.
//
// An expression becomes the same JSON that every other door hands in, so that there is one grammar.

import ChromaBase

/// A metadata filter: `Key("year") > 2020 && Key("tag").isIn(["a", "b"])`.
///
/// A record that lacks the key matches `!=`, `isNotIn` and `doesNotContain`, and nothing else.
public struct Where: Sendable {
  let json: JSON

  public static func && (left: Where, right: Where) -> Where { joined("$and", left, right) }
  public static func || (left: Where, right: Where) -> Where { joined("$or", left, right) }

  private static func joined(_ word: String, _ left: Where, _ right: Where) -> Where {
    Where(json: .object([.init(Text(word), .array([left.json, right.json]))]))
  }
}

/// A metadata key, to compare with values.
public struct Key: Sendable {
  let name: String

  public init(_ name: String) {
    self.name = name
  }

  public static func == (key: Key, value: MetadataValue) -> Where { key.filter("$eq", value) }
  public static func != (key: Key, value: MetadataValue) -> Where { key.filter("$ne", value) }
  /// Numbers only, as the other three.
  public static func > (key: Key, value: MetadataValue) -> Where { key.filter("$gt", value) }
  public static func >= (key: Key, value: MetadataValue) -> Where { key.filter("$gte", value) }
  public static func < (key: Key, value: MetadataValue) -> Where { key.filter("$lt", value) }
  public static func <= (key: Key, value: MetadataValue) -> Where { key.filter("$lte", value) }

  /// Values of one type, at least one.
  public func isIn(_ values: [MetadataValue]) -> Where {
    filter("$in", .array(values.map(\.json)))
  }

  public func isNotIn(_ values: [MetadataValue]) -> Where {
    filter("$nin", .array(values.map(\.json)))
  }

  /// Whether an array has the value as an element.
  public func contains(_ value: MetadataValue) -> Where { filter("$contains", value) }
  public func doesNotContain(_ value: MetadataValue) -> Where { filter("$not_contains", value) }

  /// Records that have a value under the key, of any type.
  public var exists: Where { filter("$exists", true as MetadataValue) }
  public var doesNotExist: Where { filter("$exists", false as MetadataValue) }

  /// Strings that are like an SQL pattern: `%` stands for any run of characters, `_` for one, and a
  /// backslash takes away their meaning.
  public func isLike(_ pattern: String) -> Where { filter("$like", JSON.string(Text(pattern))) }
  public func isNotLike(_ pattern: String) -> Where {
    filter("$not_like", JSON.string(Text(pattern)))
  }

  /// Strings that have the text in them, whatever the case of its letters.
  public func containsIgnoringCase(_ text: String) -> Where {
    filter("$icontains", JSON.string(Text(text)))
  }

  public func doesNotContainIgnoringCase(_ text: String) -> Where {
    filter("$not_icontains", JSON.string(Text(text)))
  }

  private func filter(_ word: String, _ value: MetadataValue) -> Where {
    filter(word, value.json)
  }

  private func filter(_ word: String, _ operand: JSON) -> Where {
    Where(json: .object([.init(Text(name), .object([.init(Text(word), operand)]))]))
  }
}

/// A document filter: `.contains("swift") && .doesNotMatch("(?i)draft")`. Case counts but where the
/// name says otherwise.
///
/// A record without a document matches only negations.
public struct WhereDocument: Sendable {
  let json: JSON

  /// Whether the document has the text in it.
  public static func contains(_ text: String) -> WhereDocument { filter("$contains", text) }
  public static func doesNotContain(_ text: String) -> WhereDocument {
    filter("$not_contains", text)
  }

  /// Whether a regular expression, in the syntax of Rust's regex crate, matches somewhere.
  public static func matches(_ pattern: String) -> WhereDocument { filter("$regex", pattern) }
  public static func doesNotMatch(_ pattern: String) -> WhereDocument {
    filter("$not_regex", pattern)
  }

  /// Whether all of the document is like an SQL pattern: `%` stands for any run of characters, `_`
  /// for one, and a backslash takes away their meaning.
  public static func isLike(_ pattern: String) -> WhereDocument { filter("$like", pattern) }
  public static func isNotLike(_ pattern: String) -> WhereDocument {
    filter("$not_like", pattern)
  }

  /// Whether the document has the text in it, whatever the case of its letters.
  public static func containsIgnoringCase(_ text: String) -> WhereDocument {
    filter("$icontains", text)
  }

  public static func doesNotContainIgnoringCase(_ text: String) -> WhereDocument {
    filter("$not_icontains", text)
  }

  public static func && (left: WhereDocument, right: WhereDocument) -> WhereDocument {
    joined("$and", left, right)
  }

  public static func || (left: WhereDocument, right: WhereDocument) -> WhereDocument {
    joined("$or", left, right)
  }

  private static func filter(_ word: String, _ text: String) -> WhereDocument {
    WhereDocument(json: .object([.init(Text(word), .string(Text(text)))]))
  }

  private static func joined(
    _ word: String, _ left: WhereDocument, _ right: WhereDocument
  ) -> WhereDocument {
    WhereDocument(json: .object([.init(Text(word), .array([left.json, right.json]))]))
  }
}

extension MetadataValue {
  fileprivate var json: JSON {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    case .string(let value): .string(Text(value))
    case .bools(let values): .array(values.map { .bool($0) })
    case .ints(let values): .array(values.map { .int($0) })
    case .floats(let values): .array(values.map { .float($0) })
    case .strings(let values): .array(values.map { .string(Text($0)) })
    case .removed: .null
    }
  }
}
