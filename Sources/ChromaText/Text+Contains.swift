// Substring search, as `$contains` and `$not_contains` want it.

internal import CChromaPlatform
package import ChromaBase

/// Whether the bytes of `needle` stand somewhere in `haystack`. NUL is a byte like any other; an
/// empty needle is in everything. Linear in the two lengths together.
package func contains(
  _ needle: UnsafeBufferPointer<UInt8>, in haystack: UnsafeBufferPointer<UInt8>
) -> Bool {
  chroma_contains(haystack.baseAddress, haystack.count, needle.baseAddress, needle.count)
}

extension Text {
  /// Whether the text holds the other one, byte by byte: case and composition count.
  package func contains(_ other: Text) -> Bool {
    bytes.withUnsafeBufferPointer { haystack in
      other.bytes.withUnsafeBufferPointer { ChromaText.contains($0, in: haystack) }
    }
  }
}
