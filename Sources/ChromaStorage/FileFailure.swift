// What a failed call of the operating system, or of a model of it, is told to the caller as.

internal import CChromaPlatform
package import ChromaBase
internal import Glibc

extension ChromaError {
  /// - Parameters:
  ///   - operation: what could not be done, after "Could not": "read 16 bytes at offset 0 of".
  ///   - path: the file or directory.
  ///   - code: the errno.
  package static func failedCall(
    _ operation: String, _ path: String, _ code: Int32
  ) -> ChromaError {
    let sentence = "Could not \(operation) \(path): \(reason(of: code))."
    switch code {
    case ENOSPC, EDQUOT:
      return ChromaError(.outOfSpace, sentence + " Free some space; reads go on.")
    case ELOOP:
      return ChromaError(
        .io, sentence + " Symbolic links are not followed; put the file itself there.")
    case EROFS:
      return ChromaError(.io, sentence + " To read what is there, open the database read-only.")
    case EACCES, EPERM:
      return ChromaError(
        .io, sentence + " If it may be read but not written, open the database read-only.")
    default:
      return ChromaError(.io, sentence)
    }
  }

  package static func closedFile(_ path: String) -> ChromaError {
    .closed("The file \(path) was closed, or opened by the process that this one forked from.")
  }

  /// The operating system's words for an errno.
  private static func reason(of code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      guard let base = buffer.baseAddress else { return "error \(code)" }
      chroma_error_describe(code, base, buffer.count)
      return String(cString: base)
    }
  }
}

/// Refuses what the operating system would misread: a relative path depends on the host's working
/// directory, and a NUL would cut the path short.
package func checkPath(_ path: String) throws(ChromaError) {
  guard path.utf8.first == UInt8(ascii: "/") else {
    throw .invalidArgument("The path '\(path)' is not absolute.")
  }
  guard !path.utf8.contains(0) else {
    throw .invalidArgument("A path of \(path.utf8.count) bytes holds a NUL byte.")
  }
}
