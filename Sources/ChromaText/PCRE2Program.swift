// A compiled PCRE2 pattern, with limits.
//
// Without limits a backtracking matcher can take time exponential in the text's length. PCRE2
// counts its own steps and gives up; what it had found by then is unknown, so the caller gets an
// error and not an answer. The just-in-time compiler is not used: it wants memory that is writable
// and executable, which hardened systems refuse.

internal import CPCRE2
internal import ChromaBase

/// Immutable, so any number of threads may match at once.
final class PCRE2Program: @unchecked Sendable {
  // @unchecked because both pointers are only read after `init`, which PCRE2 allows to any number
  // of threads ("pcre2api", MULTITHREADING).
  private let code: OpaquePointer
  private let matchContext: OpaquePointer

  /// Steps of one match: about a second's worth.
  private static let stepCountMax: UInt32 = 10_000_000
  /// Memory of one match, in KiB.
  private static let heapKiBMax: UInt32 = 64 * 1024
  /// Parentheses within parentheses of what the printer prints, which puts at most two around each
  /// level that the parser lets through.
  private static let nestingDepthMax: UInt32 = 1_000

  /// - Throws: `invalidArgument` if PCRE2 finds the pattern too large.
  init(_ pattern: [UInt8]) throws(ChromaError) {
    guard let compileContext = pcre2_compile_context_create_8(nil),
      let matchContext = pcre2_match_context_create_8(nil)
    else { throw Self.outOfMemory }
    defer { pcre2_compile_context_free_8(compileContext) }
    pcre2_set_parens_nest_limit_8(compileContext, Self.nestingDepthMax)
    pcre2_set_match_limit_8(matchContext, Self.stepCountMax)
    pcre2_set_depth_limit_8(matchContext, Self.stepCountMax)
    pcre2_set_heap_limit_8(matchContext, Self.heapKiBMax)

    var status: Int32 = 0
    var offset = 0
    let code = pattern.withUnsafeBufferPointer { bytes in
      pcre2_compile_8(
        bytes.baseAddress, bytes.count, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &status, &offset,
        compileContext)
    }
    guard let code else {
      pcre2_match_context_free_8(matchContext)
      throw ChromaError.invalidArgument(
        "The regular expression is too large: \(Self.message(status)) "
          + "Use fewer or smaller repetitions and alternatives.")
    }
    self.code = code
    self.matchContext = matchContext
  }

  deinit {
    pcre2_code_free_8(code)
    pcre2_match_context_free_8(matchContext)
  }

  /// Whether the text, valid UTF-8, holds a match.
  ///
  /// - Throws: `resourceExhausted` if a limit was met first.
  func matches(_ utf8: UnsafeBufferPointer<UInt8>) throws(ChromaError) -> Bool {
    guard let matchData = pcre2_match_data_create_8(1, nil) else { throw Self.outOfMemory }
    defer { pcre2_match_data_free_8(matchData) }
    // An empty buffer may have no address, for which PCRE2 has a meaning of its own only when the
    // length is zero too, as it is then.
    let status = pcre2_match_8(
      code, utf8.baseAddress, utf8.count, 0, PCRE2_NO_UTF_CHECK, matchData, matchContext)
    // Zero says that there was no room for groups, which nobody asked for.
    if status >= 0 { return true }
    if status == PCRE2_ERROR_NOMATCH { return false }
    let limit =
      switch status {
      case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT: "\(Self.stepCountMax) steps"
      case PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_NOMEMORY: "\(Self.heapKiBMax) KiB of memory"
      default: throw ChromaError(.resourceExhausted, Self.message(status))
      }
    throw ChromaError(
      .resourceExhausted,
      "The regular expression needs more than \(limit) on a document of \(utf8.count) bytes. "
        + "Avoid repetitions within repetitions, such as (a+)+.")
  }

  private static let outOfMemory = ChromaError(
    .resourceExhausted, "No memory is left for a regular expression.")

  private static func message(_ status: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(status, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self) + "."
  }
}
