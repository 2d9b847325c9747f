// What names and keys may look like, in the words in which official Chroma refuses the others.

package import ChromaBase

package enum NameRules {
  /// A tenant's name: at least three characters, whatever they are.
  package static func checkTenant(_ name: Text) throws(ChromaError) {
    guard name.string.unicodeScalars.count >= Limits.nameCharacterCountMin else {
      throw .invalidArgument(
        "Validation error: name: Validation error: length [{\"min\": Number("
          + "\(Limits.nameCharacterCountMin)), \"value\": String(\(JSON.string(name).text))}]")
    }
  }

  /// A database's name: at least three bytes, as official Chroma counts, whatever they are.
  package static func checkDatabase(_ name: Text) throws(ChromaError) {
    guard name.byteCount >= Limits.nameCharacterCountMin else {
      throw .invalidArgument(
        "database name must be at least \(Limits.nameCharacterCountMin) characters")
    }
  }

  /// A collection's name, behind the name of a topology and a `+` or alone.
  ///
  /// - Parameter argument: What the caller calls it: `name` or `new_name`.
  package static func checkCollection(_ name: Text, argument: String) throws(ChromaError) {
    let prefix = "Validation error: \(argument): "
    let limits = Limits.collectionNameByteCountRange
    let range = "\(limits.lowerBound)-\(limits.upperBound) characters"
    let parts = name.bytes.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false)
    if parts.count > 2 {
      throw .invalidArgument(
        prefix + "Expected a name to contain at most one topology:  Got two `+` characters.")
    }
    if parts.count == 2, name.byteCount > limits.upperBound {
      throw .invalidArgument(prefix + "Expected a name containing \(range). Got: \(name.byteCount)")
    }
    for part in parts {
      let shown = String(decoding: part, as: UTF8.self)
      guard limits.contains(part.count), part.allSatisfy(isNameCharacter),
        part.first.map(isAlphanumeric) ?? false, part.last.map(isAlphanumeric) ?? false
      else {
        throw .invalidArgument(
          prefix + "Expected a name containing \(range) from [a-zA-Z0-9._-], starting and ending "
            + "with a character in [a-zA-Z0-9]. Got: \(shown)")
      }
      if zip(part, part.dropFirst()).contains(where: { $0 == period && $1 == period }) {
        throw .invalidArgument(
          prefix + "Expected a name that does not contains two consecutive periods (..). "
            + "Got \(shown)")
      }
      if isIPv4Address(part) {
        throw .invalidArgument(
          prefix + "Expected a name that is not a valid ip address. Got \(shown)")
      }
    }
  }

  /// A collection's metadata: not empty, its keys good ones, its values single.
  ///
  /// - Parameter argument: What the caller calls it: `metadata` or `new_metadata`.
  package static func checkCollectionMetadata(
    _ metadata: Metadata, argument: String = "metadata"
  ) throws(ChromaError) {
    let prefix = "Validation error: \(argument): "
    if metadata.isEmpty { throw .invalidArgument(prefix + "Metadata cannot be empty") }
    for entry in metadata.entries {
      if entry.key.isEmpty { throw .invalidArgument(prefix + "Metadata key cannot be empty") }
      guard isMetadataKey(entry.key) else {
        throw .invalidArgument(
          prefix + "Metadata key cannot start with '#' or '$': \(entry.key)")
      }
      switch entry.value {
      case .bool, .int, .string: break
      case .float(let value): try BatchRules.checkFinite(value, entry.key)
      case .bools, .ints, .floats, .strings:
        throw .invalidArgument(
          prefix + "The value of key '\(entry.key)' is a list. Use a str, int, float or bool: only "
            + "records may have lists in their metadata.")
      }
    }
  }

  /// Whether metadata may have the key.
  package static func isMetadataKey(_ key: Text) -> Bool {
    guard let first = key.bytes.first else { return false }
    return first != UInt8(ascii: "#") && first != UInt8(ascii: "$")
  }

  private static let period = UInt8(ascii: ".")

  private static func isNameCharacter(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == period || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  /// Four decimal numbers up to 255 without leading zeros. IPv6 needs colons, which names cannot have.
  private static func isIPv4Address(_ name: ArraySlice<UInt8>) -> Bool {
    let numbers = name.split(separator: period, omittingEmptySubsequences: false)
    return numbers.count == 4
      && numbers.allSatisfy { digits in
        let text = String(decoding: digits, as: UTF8.self)
        return UInt8(text).map { String($0) == text } ?? false
      }
  }
}
