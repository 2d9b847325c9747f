// Reading JSON into structs as serde does, which official Chroma reads its configurations and schemas
// with: its errors (unknown and repeated fields, wrong types, each with the place) reach users. So
// these go through the text in the same order and stop at the same places. Where serde takes a struct
// written as an array of its fields, they refuse.

import ChromaBase

extension JSONReader {
  // MARK: Fields

  /// Enters the object that a struct is written as.
  mutating func beginStruct(_ type: String) throws(ChromaError) {
    guard try kind() == .object else { throw try mismatch("struct \(type)") }
    try beginObject()
  }

  /// The name of a further field of a struct that knows no others; nil has left the struct.
  mutating func nextField(
    of fields: [Text], _ seen: inout Set<Text>
  ) throws(ChromaError) -> Text? {
    guard let key = try nextKey() else { return nil }
    guard fields.contains(key) else {
      let names = fields.map { "`\($0)`" }
      let expected =
        switch names.count {
        case 0: "there are no fields"
        case 2: "expected " + names.joined(separator: " or ")
        default: "expected one of " + names.joined(separator: ", ")
        }
      throw errorHere("unknown field `\(key)`, \(expected)")
    }
    try note(key, in: &seen)
    return key
  }

  /// Refuses a field that was there before.
  func note(_ key: Text, in seen: inout Set<Text>) throws(ChromaError) {
    if !seen.insert(key).inserted { throw errorHere("duplicate field `\(key)`") }
  }

  // MARK: Values

  /// Whether the value was null, which has then been read.
  mutating func skipNull() throws(ChromaError) -> Bool {
    guard try kind() == .null else { return false }
    _ = try value()
    return true
  }

  mutating func space() throws(ChromaError) -> Space {
    guard try kind() == .string else { throw errorAtNext("expected value") }
    let name = try variant(Space.allCases.map { Text($0.rawValue) })
    return Space(rawValue: name.string) ?? .l2
  }

  mutating func bool() throws(ChromaError) -> Bool {
    guard try kind() == .bool else { throw try mismatch("a boolean") }
    return try value() == .bool(true)
  }

  mutating func text() throws(ChromaError) -> Text {
    guard try kind() == .string else { throw try mismatch("a string") }
    return try string()
  }

  mutating func variant(_ variants: [Text]) throws(ChromaError) -> Text {
    let name = try string()
    guard variants.contains(name) else {
      let expected = variants.map { "`\($0)`" }.joined(separator: ", ")
      throw errorHere("unknown variant `\(name)`, expected one of \(expected)")
    }
    return name
  }

  mutating func unsigned(
    _ type: String = "usize", max: UInt64 = .max
  ) throws(ChromaError) -> UInt64 {
    guard try kind() == .number else { throw try mismatch(type) }
    let number = try number()
    let value: UInt64? =
      switch number {
      case .int(let value): UInt64(exactly: value)
      case .unsigned(let value): value
      default: throw mismatch(of: number, type)
      }
    guard let value, value <= max else {
      throw errorHere("invalid value: integer `\(number.text)`, expected \(type)")
    }
    return value
  }

  mutating func float(_ type: String = "f64") throws(ChromaError) -> Double {
    guard try kind() == .number else { throw try mismatch(type) }
    return switch try number() {
    case .int(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .float(let value): value
    default: 0
    }
  }

  /// The error for the next value, which is of another type.
  mutating func mismatch(_ expected: String) throws(ChromaError) -> ChromaError {
    switch try kind() {
    case .array: return errorHere("invalid type: sequence, expected \(expected)")
    case .object: return errorHere("invalid type: map, expected \(expected)")
    default:
      let value = try value()
      return mismatch(of: value, expected)
    }
  }

  /// The error for a value that has been read and is of another type.
  func mismatch(of value: JSON, _ expected: String) -> ChromaError {
    let found =
      switch value {
      case .null: "null"
      case .bool: "boolean `\(value.text)`"
      case .int, .unsigned: "integer `\(value.text)`"
      case .float: "floating point `\(value.text)`"
      case .string: "string \(value.text)"
      case .array: "sequence"
      case .object: "map"
      }
    return errorHere("invalid type: \(found), expected \(expected)")
  }

  /// Reads the description of an embedding function, without fields that it does not have.
  mutating func embeddingFunction() throws(ChromaError) -> JSON {
    guard try kind() == .object else {
      throw try mismatch("internally tagged enum EmbeddingFunctionConfiguration")
    }
    var type: Text?
    var name: JSON?
    var config: JSON?
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "type":
        if type != nil { throw errorHere("duplicate field `type`") }
        guard try kind() == .string else { throw try mismatch("variant identifier") }
        type = try variant(["legacy", "known", "unknown"])
      case "name": name = try value()
      case "config": config = try value()
      default: _ = try value()
      }
    }
    guard let type else { throw errorHere("missing field `type`") }
    guard type == "known" else { return ["type": .string(type)] }
    guard let name else { throw errorHere("missing field `name`") }
    guard case .string = name else { throw mismatch(of: name, "a string") }
    guard let config else { throw errorHere("missing field `config`") }
    return ["type": .string(type), "name": name, "config": config]
  }
}
