// JSON (RFC 8259) as a value.
//
// Invariants of a parsed value:
//   * An integer literal and a float literal stay apart: 1 is `int`, 1.0 and 1e0 are `float`.
//   * `unsigned` holds only what `int` cannot; integers outside both become `float`.
//   * Floats are finite, object keys unique, and nothing nests deeper than
//     `Limits.nestingDepthMax`, so that walking a value by recursion is safe.

/// A JSON value.
package enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// An integer above `Int64.max`.
  case unsigned(UInt64)
  case float(Double)
  case string(Text)
  case array([JSON])
  /// Members in order of first appearance. A repeated key keeps its place and takes the last value.
  case object([Member])

  package struct Member: Equatable, Sendable {
    package let key: Text
    package var value: JSON

    package init(_ key: Text, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// Reads a whole text, which must be UTF-8.
  ///
  /// - Throws: `invalidArgument` with what is wrong and where, such as "expected value at line 1
  ///   column 1". Columns count bytes.
  package init(parsing bytes: [UInt8]) throws(ChromaError) {
    var reader = try JSONReader(bytes)
    self = try reader.value()
    try reader.end()
  }

  /// The value of a member; nil if there is none or this is no object. Linear in the members.
  package subscript(key: Text) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(Text(value)) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .float(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(nilLiteral: ()) { self = .null }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }

  /// The keys must differ.
  package init(dictionaryLiteral elements: (Text, JSON)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
