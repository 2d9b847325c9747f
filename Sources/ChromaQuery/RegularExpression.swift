import ChromaBase

/// Stands in until the regular expressions of ChromaText are there.
package struct RegularExpression: Sendable {
  init(_ pattern: Text) throws(ChromaError) {
    throw ChromaError(.unimplemented, "Regular expressions are not supported yet.")
  }

  func matches(_ text: Text) throws(ChromaError) -> Bool { false }
}

extension Text {
  /// Stands in until the substring search of ChromaText is there.
  func contains(_ other: Text) -> Bool {
    other.isEmpty || bytes.indices.contains { bytes[$0...].starts(with: other.bytes) }
  }
}
