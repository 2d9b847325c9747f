// Strings as the engine knows them.
//
// Swift's `String` compares by canonical equivalence: "é" as one scalar equals "e" plus an accent,
// so two different ids would be one. Chroma compares bytes. `Text` is valid UTF-8 that compares,
// orders and hashes by its bytes.

/// Valid UTF-8, compared byte by byte. May be empty and may hold NUL.
package struct Text: Hashable, Comparable, Sendable {
  /// Always valid UTF-8.
  package let bytes: [UInt8]

  package init(_ string: String) {
    bytes = Array(string.utf8)
  }

  /// Nil if the bytes are not valid UTF-8 (surrogates and overlong forms included).
  package init?(validating bytes: UnsafeBufferPointer<UInt8>) {
    guard UTF8Validation.isValid(bytes) else { return nil }
    self.bytes = Array(bytes)
  }

  /// Nil if the bytes are not valid UTF-8.
  package init?(validating bytes: [UInt8]) {
    guard bytes.withUnsafeBufferPointer({ UTF8Validation.isValid($0) }) else { return nil }
    self.bytes = bytes
  }

  package var isEmpty: Bool { bytes.isEmpty }
  package var byteCount: Int { bytes.count }
  package var string: String { String(decoding: bytes, as: UTF8.self) }

  package static func == (left: Text, right: Text) -> Bool {
    left.bytes == right.bytes
  }

  package static func < (left: Text, right: Text) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  package func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  package func hasPrefix(_ prefix: Text) -> Bool {
    bytes.starts(with: prefix.bytes)
  }
}

extension Text: ExpressibleByStringLiteral, CustomStringConvertible {
  package init(stringLiteral value: String) {
    self.init(value)
  }

  package var description: String { string }
}
