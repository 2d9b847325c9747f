// Space and speed: flush, compact, statistics, the state of the index.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine

/// How a long call tells of itself and ends; NULL for neither.
struct LongCall {
  let cancel: CancelToken?
  private let progress: chroma_progress?
  private let context: UnsafeMutableRawPointer?

  init(_ options: UnsafePointer<chroma_long_call>?) throws(ChromaError) {
    let given =
      options == nil
      ? chroma_long_call() : try sized(options, initial: chroma_long_call(), "long_call")
    cancel = try cancelToken(given.cancel)
    progress = given.progress
    context = given.progress_context
  }

  func tell(done: Int, total: Int) {
    progress?(context, UInt64(clamping: done), UInt64(clamping: total))
  }

  func tell(_ progress: MaintenanceProgress) {
    let (done, total) = progress.thousandths
    tell(done: done, total: total)
  }
}

@c @implementation
public func chroma_engine_flush(
  _ handle: OpaquePointer!, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try flush(engine(handle), nil, try LongCall(long_call))
  }
}

@c @implementation
public func chroma_engine_compact(
  _ handle: OpaquePointer!, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try compact(engine(handle), nil, try LongCall(long_call))
  }
}

@c @implementation
public func chroma_collection_flush(
  _ handle: OpaquePointer!, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let (engine, id) = try collection(handle)
    try flush(engine, id, try LongCall(long_call))
  }
}

@c @implementation
public func chroma_collection_compact(
  _ handle: OpaquePointer!, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let (engine, id) = try collection(handle)
    try compact(engine, id, try LongCall(long_call))
  }
}

private func flush(_ engine: Engine, _ id: UUID?, _ call: LongCall) throws(ChromaError) {
  try engine.flush(id, cancel: call.cancel) { call.tell($0) }
}

private func compact(_ engine: Engine, _ id: UUID?, _ call: LongCall) throws(ChromaError) {
  try engine.compact(id, cancel: call.cancel) { call.tell($0) }
}

@c @implementation
public func chroma_collection_statistics(
  _ handle: OpaquePointer!, _ out_statistics: UnsafeMutablePointer<chroma_statistics>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let (engine, id) = try collection(handle)
    let found = try engine.statistics(of: id)
    try store(
      chroma_statistics(
        struct_size: MemoryLayout<chroma_statistics>.size,
        record_count: UInt64(clamping: found.recordCount), version: found.version,
        position: found.position, log_row_count: UInt64(clamping: found.logRowCount),
        log_record_count: UInt64(clamping: found.logRecordCount),
        log_byte_count: UInt64(clamping: found.logByteCount),
        segment_count: UInt64(clamping: found.segmentCount),
        segment_byte_count: UInt64(clamping: found.segmentByteCount),
        dead_row_count: UInt64(clamping: found.deadRowCount),
        compacted_byte_count: UInt64(clamping: found.compactedByteCount)),
      to: out_statistics, "out_statistics")
  }
}

@c @implementation
public func chroma_collection_indexing_status(
  _ handle: OpaquePointer!, _ out_status: UnsafeMutablePointer<chroma_indexing_status>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let (engine, id) = try collection(handle)
    let found = try engine.indexingStatus(of: id)
    try store(
      chroma_indexing_status(
        struct_size: MemoryLayout<chroma_indexing_status>.size,
        indexed_count: UInt64(clamping: found.indexedCount),
        unindexed_count: UInt64(clamping: found.unindexedCount),
        total_count: UInt64(clamping: found.totalCount), progress: found.progress),
      to: out_status, "out_status")
  }
}
