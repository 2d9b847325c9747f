// Regular expressions, as `$regex` and `$not_regex` take them.
//
//     pattern → RegexParser → RegexSyntaxTree → RegexTranslator → RegexExpression
//             → PCRE2Printer → PCRE2Program
//
// The dialect and its errors are those of official Chroma, that is, of Rust's `regex` crate.

package import ChromaBase

/// A regular expression, ready to be searched for. Any thread may use it, any number at once.
package final class RegularExpression: Sendable {
  /// Bytes of a pattern. Official Chroma's own limits, on what a pattern compiles to, are met
  /// below this.
  package static let patternByteCountMax = 1024 * 1024

  private let program: PCRE2Program

  /// - Throws: `invalidArgument` in official Chroma's words if the pattern is refused.
  package init(_ pattern: Text) throws(ChromaError) {
    program = try PCRE2Program(PCRE2Printer.print(try Self.expression(pattern)))
  }

  /// What a pattern means.
  static func expression(_ pattern: Text) throws(ChromaError) -> RegexExpression {
    guard pattern.byteCount <= patternByteCountMax else {
      throw ChromaError.invalidArgument(
        "The regular expression has \(pattern.byteCount) bytes; "
          + "\(patternByteCountMax) are the most.")
    }
    let scalars = Array(pattern.string.unicodeScalars)
    do throws(RegexTranslationError) {
      return try RegexTranslator.translate(try Self.tree(scalars))
    } catch {
      switch error {
      case .syntax(let error): throw ChromaError.invalidArgument(error.message(in: scalars))
      case .bytePattern: throw ChromaError.invalidArgument("Byte pattern is not allowed")
      case .tooLarge:
        throw ChromaError.invalidArgument(
          "The character classes of the regular expression have more than "
            + "\(RegexTranslator.rangeCountMax) ranges together. Use fewer of them.")
      }
    }
  }

  private static func tree(
    _ scalars: [Unicode.Scalar]
  ) throws(RegexTranslationError) -> RegexSyntaxTree {
    do throws(RegexSyntaxError) {
      return try RegexParser.parse(scalars)
    } catch {
      throw .syntax(error)
    }
  }

  /// Whether the text holds a match, anywhere. The bytes must be valid UTF-8.
  ///
  /// - Throws: `resourceExhausted` if the search meets a limit, which the message names.
  package func matches(_ utf8: UnsafeBufferPointer<UInt8>) throws(ChromaError) -> Bool {
    try program.matches(utf8)
  }

  /// Whether the text holds a match, anywhere.
  ///
  /// - Throws: `resourceExhausted` if the search meets a limit, which the message names.
  package func matches(_ text: Text) throws(ChromaError) -> Bool {
    try text.bytes.withUnsafeBufferPointer { utf8 throws(ChromaError) in try matches(utf8) }
  }
}
