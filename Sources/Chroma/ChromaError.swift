// The Swift door: errors, and the way from tasks to threads.

import ChromaBase
import Dispatch

/// What went wrong, in a sentence to show.
public struct ChromaError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Equatable, Sendable {
    /// The caller's argument is wrong: type, range, name, filter, dimension.
    case invalidArgument
    /// A tenant, database or collection does not exist.
    case notFound
    /// A tenant, database or collection of that name, or a record of that id, exists.
    case alreadyExists
    /// A setting forbids it.
    case permissionDenied
    /// A condition that the caller stated no longer holds.
    case conflict
    /// The client belongs to a process that forked.
    case closed
    /// The task was cancelled.
    case cancelled
    /// The caller's time ran out.
    case timeout
    /// Another process writes for longer than the call may wait.
    case locked
    /// The operating system refused a call.
    case io
    /// Stored bytes are damaged; the message names the file and the place.
    case corruption
    /// The disk is full. Reads go on.
    case outOfSpace
    /// A newer release wrote the directory.
    case unsupportedFormat
    /// A limit was met.
    case resourceExhausted
    /// The operation is not there in this kind of database.
    case unimplemented
  }

  public let kind: Kind
  public let message: String

  public var description: String { message }

  init(_ error: ChromaBase.ChromaError) {
    message = error.message
    kind =
      switch error.kind {
      case .invalidArgument: .invalidArgument
      case .notFound: .notFound
      case .alreadyExists: .alreadyExists
      case .permissionDenied: .permissionDenied
      case .conflict: .conflict
      case .closed: .closed
      case .cancelled: .cancelled
      case .timeout: .timeout
      case .locked: .locked
      case .io: .io
      case .corruption: .corruption
      case .outOfSpace: .outOfSpace
      case .unsupportedFormat: .unsupportedFormat
      case .resourceExhausted: .resourceExhausted
      case .unimplemented: .unimplemented
      }
  }
}

/// The engine's calls block, and tasks must not: they go to threads of their own.
private let queue = DispatchQueue(label: "chroma", attributes: .concurrent)

/// Does blocking work off the task's thread. Cancelling the task requests the token.
func inBackground<R: Sendable>(
  _ work: @escaping @Sendable (CancelToken) throws(ChromaBase.ChromaError) -> R
) async throws(ChromaError) -> R {
  let cancel = CancelToken()
  let result: Result<R, ChromaError> = await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      queue.async {
        do throws(ChromaBase.ChromaError) {
          continuation.resume(returning: .success(try work(cancel)))
        } catch {
          continuation.resume(returning: .failure(ChromaError(error)))
        }
      }
    }
  } onCancel: {
    cancel.request()
  }
  return try result.get()
}
