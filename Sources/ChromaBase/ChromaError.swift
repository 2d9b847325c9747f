// What can go wrong, and whose it is.
//
// Three kinds. The caller's mistake (`invalidArgument`, `notFound`, `alreadyExists`,
// `permissionDenied`, `closed`, `cancelled`), the world's failure (`io`, `corruption`, `outOfSpace`,
// `locked`, `timeout`, `unsupportedFormat`), and a state that the caller asked us to check
// (`conflict`). Our own mistakes are preconditions, not errors.
//
// A message is a whole sentence that a user can act on: what was wrong, the value or its size, the
// limit, what to do. Where official Chroma has a wording, the message is that wording, because
// downstream code matches on it.

/// The error of everything below the doors. Each kind has one C status and one Python class.
package struct ChromaError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Kind: Equatable, Sendable {
    /// The caller's argument is wrong: type, range, name, filter, dimension.
    case invalidArgument
    /// A tenant, database or collection does not exist.
    case notFound
    /// A tenant, database or collection of that name exists.
    case alreadyExists
    /// The setting forbids it, such as `reset` without `allow_reset`.
    case permissionDenied
    /// A condition that the caller stated no longer holds: another write came first.
    case conflict
    /// The handle was closed, or belongs to a process that forked.
    case closed
    /// The caller cancelled the call.
    case cancelled
    /// The time that the caller allows ran out.
    case timeout
    /// Another process holds the write turn for longer than the caller waits.
    case locked
    /// The operating system refused a call; the message names the file and the reason.
    case io
    /// Stored bytes fail their checksum or make no sense; the message names the file and the place.
    case corruption
    /// The disk is full. Reads go on.
    case outOfSpace
    /// The directory was written by a newer release.
    case unsupportedFormat
    /// A limit of `Limits` or of memory was met.
    case resourceExhausted
    /// The operation exists, but not in this kind of database.
    case unimplemented
  }

  package let kind: Kind
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package static func invalidArgument(_ message: String) -> ChromaError {
    ChromaError(.invalidArgument, message)
  }

  package static func notFound(_ message: String) -> ChromaError {
    ChromaError(.notFound, message)
  }

  package static func corruption(_ message: String) -> ChromaError {
    ChromaError(.corruption, message)
  }

  package static func closed(_ message: String) -> ChromaError {
    ChromaError(.closed, message)
  }

  package var description: String { message }
}
