// The calls that a simulated disk sees, and how it is told to fail some of them.

/// A call of `FileSystem` or `File`, in the order of a trace.
package struct DiskCall: Equatable, Sendable, CustomStringConvertible {
  package enum Kind: String, CaseIterable, Sendable {
    case open, read, write, setByteCount, sync, lock, map
    case createDirectory, list, attributes, rename, remove, syncDirectory

    /// Whether the call changes what a power cut could leave.
    package var isChange: Bool {
      switch self {
      case .write, .setByteCount, .sync, .createDirectory, .rename, .remove, .syncDirectory: true
      case .open, .read, .lock, .map, .list, .attributes: false
      }
    }

    package var isSync: Bool { self == .sync || self == .syncDirectory }
  }

  package var kind: Kind
  package var path: String
  package var offset: UInt64 = 0
  package var byteCount = 0
  package var isFailed = false
  /// Whether it failed because a fault said so.
  package var isInjected = false

  package var description: String {
    "\(kind.rawValue) \(path) \(offset)+\(byteCount)\(isFailed ? " failed" : "")"
  }
}

/// A call that fails.
package struct DiskFault: Sendable {
  /// Only calls of this kind; nil: of any kind.
  package var kind: DiskCall.Kind?
  /// Only on paths that end so.
  package var pathSuffix: String
  /// Which of those calls fails, from 1 on, counted from the injection.
  package var ordinal: Int
  /// Whether all later ones fail too.
  package var isLasting: Bool
  /// The errno.
  package var code: Int32

  package init(
    _ kind: DiskCall.Kind?, pathSuffix: String = "", ordinal: Int, isLasting: Bool = false,
    code: Int32
  ) {
    self.kind = kind
    self.pathSuffix = pathSuffix
    self.ordinal = ordinal
    self.isLasting = isLasting
    self.code = code
  }
}
