// From Swift errors to C: every exported function's body runs inside `answer`.

import CChroma
import ChromaBase
import ChromaEngine

/// What a `chroma_error` handle stands for. The message's bytes live as long as the object.
final class ErrorObject {
  let status: chroma_status
  let message: UnsafeMutableBufferPointer<UInt8>

  init(_ error: ChromaError) {
    status = error.kind.status
    message = .allocate(capacity: max(error.message.utf8.count, 1))
    _ = message.initialize(from: error.message.utf8)
    messageByteCount = error.message.utf8.count
  }

  private let messageByteCount: Int

  deinit {
    message.deallocate()
  }

  var view: chroma_string {
    chroma_string(
      data: UnsafeRawPointer(message.baseAddress)?.assumingMemoryBound(to: CChar.self),
      length: messageByteCount)
  }
}

/// Runs the body of an exported function: its error becomes a status and an error object.
func answer(
  _ outError: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws(ChromaError) -> Void
) -> chroma_status {
  outError?.pointee = nil
  do throws(ChromaError) {
    try body()
    return chroma_status(CHROMA_OK)
  } catch {
    outError?.pointee = HandleTable.give(ErrorObject(error))
    return error.kind.status
  }
}

/// Where an answer goes.
///
/// - Throws: `.invalidArgument` if the caller gave NULL.
func required<T>(
  _ out: UnsafeMutablePointer<T>?, _ name: String
) throws(ChromaError) -> UnsafeMutablePointer<T> {
  guard let out else { throw .invalidArgument("\(name) must not be NULL.") }
  return out
}

/// The object behind a handle.
///
/// - Throws: `.closed` if there is none.
func found<T: AnyObject>(
  _ handle: OpaquePointer?, _ type: T.Type, _ name: String
) throws(ChromaError) -> T {
  guard let object = HandleTable.find(handle, type) else {
    throw .closed("The \(name) is closed, or was never one.")
  }
  return object
}

extension ChromaError.Kind {
  var status: chroma_status {
    let constant: Int =
      switch self {
      case .invalidArgument: CHROMA_ERROR_INVALID_ARGUMENT
      case .notFound: CHROMA_ERROR_NOT_FOUND
      case .alreadyExists: CHROMA_ERROR_ALREADY_EXISTS
      case .permissionDenied: CHROMA_ERROR_PERMISSION_DENIED
      case .conflict: CHROMA_ERROR_CONFLICT
      case .closed: CHROMA_ERROR_CLOSED
      case .cancelled: CHROMA_ERROR_CANCELLED
      case .timeout: CHROMA_ERROR_TIMEOUT
      case .locked: CHROMA_ERROR_LOCKED
      case .io: CHROMA_ERROR_IO
      case .corruption: CHROMA_ERROR_CORRUPTION
      case .outOfSpace: CHROMA_ERROR_OUT_OF_SPACE
      case .unsupportedFormat: CHROMA_ERROR_UNSUPPORTED_FORMAT
      case .resourceExhausted: CHROMA_ERROR_RESOURCE_EXHAUSTED
      case .unimplemented: CHROMA_ERROR_UNIMPLEMENTED
      }
    return chroma_status(constant)
  }
}
