// Regular expressions, as `$regex`, `$like`, `$icontains` and their negations take them.
//
//     $regex ─RegexParser→ RegexSyntaxTree ─RegexTranslator→ RegexMeaning
//     $like, $icontains ────────────────────TextPatterns───→ RegexMeaning
//             ─RegexCompiler→ RegexProgram ─RegexSearch→ match or none
//             ─RequiredText→ what every match holds
//
// The dialect, its errors and its promise are those of official Chroma, that is, of Rust's `regex`
// crate: no look-around and no backreferences, and a search takes time linear in the text.

package import ChromaBase
internal import Synchronization

/// A regular expression, ready to be searched for. Any thread may use it, any number at once.
package final class RegularExpression: Sendable {
  /// The operator that the expression was made for, and its operand.
  package enum Source: Equatable, Sendable {
    case regex(Text)
    case like(Text)
    case icontains(Text)
  }

  package let source: Source
  /// What a text must hold to hold a match.
  package let required: RequiredText
  /// A literal that every match holds, to look for before all else: that is many times quicker.
  private let literal: [UInt8]?
  /// Whether the literal is all that the expression asks for.
  private let isLiteral: Bool
  private let program: RegexProgram
  /// Searches that nobody uses just now, with the states that they have made. As many as there
  /// have been threads at once.
  private let idleSearches = Mutex<[RegexSearch]>([])

  /// - Throws: `invalidArgument` if the pattern is refused, in official Chroma's words.
  package convenience init(_ pattern: Text) throws(ChromaError) {
    try self.init(.regex(pattern))
  }

  /// - Throws: `invalidArgument` if the operand is refused, a regular expression in official
  ///   Chroma's words.
  package init(_ source: Source) throws(ChromaError) {
    let meaning =
      switch source {
      case .regex(let pattern): try Self.meaning(pattern)
      case .like(let pattern): try Self.meaning(like: pattern)
      case .icontains(let text): try Self.meaning(icontains: text)
      }
    self.source = source
    required = RequiredText(of: meaning)
    isLiteral = meaning.literal != nil
    literal = meaning.literal ?? required.sharedLiteral
    do throws(RegexCompiler.TooLarge) {
      program = try RegexCompiler.compile(meaning)
    } catch {
      throw Self.tooLarge
    }
  }

  /// Whether the text holds a match, anywhere. The bytes must be valid UTF-8.
  package func matches(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
    matches(utf8) {}
  }

  /// Whether the text holds a match, anywhere. The bytes must be valid UTF-8.
  ///
  /// - Throws: `.cancelled`, within some milliseconds, if that is wished for meanwhile.
  package func matches(
    _ utf8: UnsafeBufferPointer<UInt8>, cancel: CancelToken?
  ) throws(ChromaError) -> Bool {
    try matches(utf8) { () throws(ChromaError) in try cancel?.check() }
  }

  /// Whether the text holds a match, anywhere.
  package func matches(_ text: Text) -> Bool {
    text.bytes.withUnsafeBufferPointer { matches($0) }
  }

  /// The same, whose search ends when that is wished for.
  package func matches(_ text: Text, cancel: CancelToken?) throws(ChromaError) -> Bool {
    try text.bytes.withUnsafeBufferPointer { utf8 throws(ChromaError) in
      try matches(utf8, cancel: cancel)
    }
  }

  private func matches<Failure: Error>(
    _ utf8: UnsafeBufferPointer<UInt8>, _ check: () throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    try check()
    if let literal {
      let isThere = literal.withUnsafeBufferPointer { contains($0, in: utf8) }
      if !isThere || isLiteral { return isThere }
    }
    let search = idleSearches.withLock { $0.popLast() } ?? RegexSearch(program)
    defer { idleSearches.withLock { $0.append(search) } }
    return try search.matches(utf8, check)
  }

  // MARK: Compiling

  static func meaning(_ pattern: Text) throws(ChromaError) -> RegexMeaning {
    guard pattern.byteCount <= Limits.regexByteCountMax else {
      throw ChromaError.invalidArgument(
        "The regular expression has \(pattern.byteCount) bytes; "
          + "\(Limits.regexByteCountMax) are the most.")
    }
    let scalars = Array(pattern.string.unicodeScalars)
    do throws(RegexTranslationError) {
      return try RegexTranslator.translate(try tree(scalars))
    } catch {
      switch error {
      case .syntax(let error): throw ChromaError.invalidArgument(error.message(in: scalars))
      case .bytePattern: throw ChromaError.invalidArgument("Byte pattern is not allowed")
      case .tooLarge: throw tooLarge
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

  static let tooLarge = ChromaError.invalidArgument(
    "The regular expression is too large: with its repetitions written out it has more than "
      + "\(Limits.regexStepCountMax) steps, or its character classes have more than "
      + "\(Limits.regexRangeCountMax) ranges. Use smaller repetitions or fewer classes.")
}

extension RegularExpression: Equatable {
  package static func == (left: RegularExpression, right: RegularExpression) -> Bool {
    left.source == right.source
  }
}
