// Reading JSON (RFC 8259), a step at a time.
//
// A caller either takes whole values with `value()`, or walks the structure itself:
//
//     try reader.beginObject()
//     while let key = try reader.nextKey() { … one value … }
//     try reader.end()
//
// Errors carry the wording and the position of serde_json, the parser of official Chroma, whose
// messages reach users unchanged: "trailing comma at line 1 column 23". A column is a number of
// bytes; a complaint about a byte that was only looked at counts that byte too.
//
// Invariants:
//   * `index` ≤ `bytes.count`; every access is behind a comparison with `bytes.count`.
//   * `depth` ≤ `Limits.nestingDepthMax`, which bounds the recursion of `value()`.

/// Reads JSON from bytes that nobody checked. After an error the reader is of no further use.
package struct JSONReader {
  /// What a value is, told from its first byte.
  package enum Kind: Sendable {
    case null, bool, number, string, array, object
  }

  let bytes: [UInt8]
  var index = 0
  private var depth = 0
  /// Right after `[` or `{`: the next element or key has no comma before it.
  private var isFirst = false
  /// A key was read, the colon behind it was not.
  private var needsColon = false

  /// - Throws: `invalidArgument` if there are more bytes than `Limits.jsonByteCountMax`.
  package init(_ bytes: [UInt8]) throws(ChromaError) {
    guard bytes.count <= Limits.jsonByteCountMax else {
      throw .invalidArgument(
        "JSON of \(bytes.count) bytes is longer than the limit of "
          + "\(Limits.jsonByteCountMax) bytes.")
    }
    self.bytes = bytes
  }

  /// Skips to the next value and says what it is. Does not read it.
  package mutating func kind() throws(ChromaError) -> Kind {
    if needsColon {
      skipWhitespace()
      guard let byte = peek else { throw errorHere("EOF while parsing an object") }
      guard byte == UInt8(ascii: ":") else { throw errorAtNext("expected `:`") }
      index += 1
      needsColon = false
    }
    skipWhitespace()
    guard let byte = peek else { throw errorHere("EOF while parsing a value") }
    switch byte {
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "{"): return .object
    default: throw errorAtNext("expected value")
    }
  }

  /// Reads the next value, whatever it is.
  package mutating func value() throws(ChromaError) -> JSON {
    switch try kind() {
    case .null:
      try literal("null")
      return .null
    case .bool:
      let isTrue = peek == UInt8(ascii: "t")
      try literal(isTrue ? "true" : "false")
      return .bool(isTrue)
    case .number:
      return try number()
    case .string:
      return .string(try string())
    case .array:
      try beginArray()
      var elements: [JSON] = []
      while try nextElement() { elements.append(try value()) }
      return .array(elements)
    case .object:
      try beginObject()
      var members = UniqueMembers()
      while let key = try nextKey() { members.set(key, try value()) }
      return .object(members.members)
    }
  }

  /// Enters the array that `kind()` announced.
  package mutating func beginArray() throws(ChromaError) {
    try enter()
  }

  /// Whether a further element follows. False has left the array.
  package mutating func nextElement() throws(ChromaError) -> Bool {
    try next(closing: UInt8(ascii: "]"), "EOF while parsing a list", "expected `,` or `]`")
  }

  /// Enters the object that `kind()` announced.
  package mutating func beginObject() throws(ChromaError) {
    try enter()
  }

  /// The key of a further member, whose value must be read next. Nil has left the object.
  package mutating func nextKey() throws(ChromaError) -> Text? {
    let isNext = try next(
      closing: UInt8(ascii: "}"), "EOF while parsing an object", "expected `,` or `}`")
    guard isNext else { return nil }
    guard let byte = peek else { throw errorHere("EOF while parsing a value") }
    guard byte == UInt8(ascii: "\"") else { throw errorAtNext("key must be a string") }
    let key = try string()
    needsColon = true
    return key
  }

  /// Makes sure that nothing but whitespace follows.
  package mutating func end() throws(ChromaError) {
    skipWhitespace()
    if index < bytes.count { throw errorAtNext("trailing characters") }
  }

  /// An error that names the place up to which the text has been read.
  package func errorHere(_ message: String) -> ChromaError {
    error(message, readByteCount: index)
  }

  /// An error that names the byte to be read next.
  package func errorAtNext(_ message: String) -> ChromaError {
    error(message, readByteCount: min(index + 1, bytes.count))
  }

  private func error(_ message: String, readByteCount: Int) -> ChromaError {
    var line = 1
    var column = 0
    for byte in bytes.prefix(readByteCount) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 0
      } else {
        column += 1
      }
    }
    return .invalidArgument("\(message) at line \(line) column \(column)")
  }

  private mutating func enter() throws(ChromaError) {
    guard depth < Limits.nestingDepthMax else { throw errorAtNext("recursion limit exceeded") }
    depth += 1
    index += 1
    isFirst = true
  }

  /// Moves to the next element or key, or out of the container.
  private mutating func next(
    closing: UInt8, _ unterminated: String, _ unseparated: String
  ) throws(ChromaError) -> Bool {
    skipWhitespace()
    guard let byte = peek else { throw errorHere(unterminated) }
    if byte == closing {
      index += 1
      depth -= 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
      return true
    }
    guard byte == UInt8(ascii: ",") else { throw errorAtNext(unseparated) }
    index += 1
    skipWhitespace()
    if peek == closing { throw errorAtNext("trailing comma") }
    return true
  }

  private mutating func literal(_ word: StaticString) throws(ChromaError) {
    for offset in 0..<word.utf8CodeUnitCount {
      guard let byte = peek else { throw errorHere("EOF while parsing a value") }
      index += 1
      if byte != word.utf8Start[offset] { throw errorHere("expected ident") }
    }
  }

  var peek: UInt8? {
    index < bytes.count ? bytes[index] : nil
  }

  private mutating func skipWhitespace() {
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): index += 1
      default: return
      }
    }
  }
}

/// The members of an object while it is read: a repeated key replaces the earlier value.
private struct UniqueMembers {
  private(set) var members: [JSON.Member] = []
  /// Where each key stands; kept only for objects too large for a walk over their members.
  private var positions: [Text: Int] = [:]

  private static let walkedCountMax = 16

  mutating func set(_ key: Text, _ value: JSON) {
    if let position = position(of: key) {
      members[position].value = value
      return
    }
    if members.count == Self.walkedCountMax {
      for (position, member) in members.enumerated() { positions[member.key] = position }
    }
    if members.count >= Self.walkedCountMax { positions[key] = members.count }
    members.append(JSON.Member(key, value))
  }

  private func position(of key: Text) -> Int? {
    members.count > Self.walkedCountMax
      ? positions[key] : members.firstIndex { $0.key == key }
  }
}
