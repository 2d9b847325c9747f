// Version, errors, cancelling.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine
import ChromaKernels

/// Static strings for C.
private enum StaticStrings {
  // Sound: each is made once, before its first use, and never written or freed afterwards.
  nonisolated(unsafe) static let version = immortal(Release.version)
  nonisolated(unsafe) static let cpuFeatures = immortal(
    "\(Kernels.best.name) (\(Kernels.processorFeatures))")
  nonisolated(unsafe) static let statusNames: [chroma_status: UnsafePointer<CChar>] =
    Dictionary(
      uniqueKeysWithValues: [
        (CHROMA_OK, "CHROMA_OK"),
        (CHROMA_ERROR_INVALID_ARGUMENT, "CHROMA_ERROR_INVALID_ARGUMENT"),
        (CHROMA_ERROR_NOT_FOUND, "CHROMA_ERROR_NOT_FOUND"),
        (CHROMA_ERROR_ALREADY_EXISTS, "CHROMA_ERROR_ALREADY_EXISTS"),
        (CHROMA_ERROR_PERMISSION_DENIED, "CHROMA_ERROR_PERMISSION_DENIED"),
        (CHROMA_ERROR_CLOSED, "CHROMA_ERROR_CLOSED"),
        (CHROMA_ERROR_CANCELLED, "CHROMA_ERROR_CANCELLED"),
        (CHROMA_ERROR_CONFLICT, "CHROMA_ERROR_CONFLICT"),
        (CHROMA_ERROR_UNIMPLEMENTED, "CHROMA_ERROR_UNIMPLEMENTED"),
        (CHROMA_ERROR_IO, "CHROMA_ERROR_IO"),
        (CHROMA_ERROR_CORRUPTION, "CHROMA_ERROR_CORRUPTION"),
        (CHROMA_ERROR_OUT_OF_SPACE, "CHROMA_ERROR_OUT_OF_SPACE"),
        (CHROMA_ERROR_LOCKED, "CHROMA_ERROR_LOCKED"),
        (CHROMA_ERROR_TIMEOUT, "CHROMA_ERROR_TIMEOUT"),
        (CHROMA_ERROR_UNSUPPORTED_FORMAT, "CHROMA_ERROR_UNSUPPORTED_FORMAT"),
        (CHROMA_ERROR_RESOURCE_EXHAUSTED, "CHROMA_ERROR_RESOURCE_EXHAUSTED"),
      ].map { (chroma_status($0), immortal($1)) })
  // Sound as those above.
  nonisolated(unsafe) static let unknownStatus = immortal("CHROMA_ERROR_UNKNOWN")

  private static func immortal(_ string: String) -> UnsafePointer<CChar> {
    let bytes = string.utf8CString
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { (memory + index).initialize(to: byte) }
    return UnsafePointer(memory)
  }
}

@c @implementation
public func chroma_abi_version() -> UInt32 {
  UInt32(CHROMA_ABI_VERSION)
}

@c @implementation
public func chroma_version() -> UnsafePointer<CChar>! {
  StaticStrings.version
}

@c @implementation
public func chroma_cpu_features() -> UnsafePointer<CChar>! {
  StaticStrings.cpuFeatures
}

@c @implementation
public func chroma_status_name(_ status: chroma_status) -> UnsafePointer<CChar>! {
  StaticStrings.statusNames[status] ?? StaticStrings.unknownStatus
}

@c @implementation
public func chroma_error_status(_ error: OpaquePointer!) -> chroma_status {
  HandleTable.find(error, ErrorObject.self)?.status ?? chroma_status(CHROMA_ERROR_CLOSED)
}

@c @implementation
public func chroma_error_message(_ error: OpaquePointer!) -> chroma_string {
  HandleTable.find(error, ErrorObject.self)?.view
    ?? chroma_string(data: StaticStrings.unknownStatus, length: 0)
}

@c @implementation
public func chroma_error_free(_ error: OpaquePointer!) {
  HandleTable.end(error, ErrorObject.self)
}

@c @implementation
public func chroma_cancel_create(
  _ out_cancel: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try required(out_cancel, "out_cancel").pointee = HandleTable.give(CancelToken())
  }
}

@c @implementation
public func chroma_cancel_request(_ cancel: OpaquePointer!) {
  HandleTable.find(cancel, CancelToken.self)?.request()
}

@c @implementation
public func chroma_cancel_free(_ cancel: OpaquePointer!) {
  HandleTable.end(cancel, CancelToken.self)
}

@c @implementation
public func chroma_debug_live_handle_count() -> UInt64 {
  UInt64(HandleTable.liveCount)
}

/// The token of a call; nil for NULL.
///
/// - Throws: `.closed` for a stale handle.
func cancelToken(_ handle: OpaquePointer?) throws(ChromaError) -> CancelToken? {
  guard handle != nil else { return nil }
  return try found(handle, CancelToken.self, "cancel token")
}
