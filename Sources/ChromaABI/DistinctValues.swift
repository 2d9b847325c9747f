// Which values stand under a key.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine

/// What a `chroma_distinct_result` handle stands for.
final class DistinctResult {
  private let arena = Arena()
  let view: chroma_distinct_view

  init(_ values: [DistinctValue], key: Text) {
    view = chroma_distinct_view(
      struct_size: MemoryLayout<chroma_distinct_view>.size, value_count: values.count,
      values: arena.entries(values.lazy.map(\.value), key: key),
      counts: arena.copy(values.map { UInt64($0.count) }))
  }
}

@c @implementation
public func chroma_collection_distinct(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_distinct_options>!,
  _ out_result: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_result?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_result, "out_result")
    var initial = chroma_distinct_options()
    initial.limit = .max
    let options = try sized(options, initial: initial, "options")
    let key = try options.key.requiredText("key")
    let (engine, id) = try collection(handle)
    let values = try engine.distinct(
      key, try options.selection.selection(), in: id, limit: count(orAll: options.limit),
      cancel: try cancelToken(options.cancel))
    out.pointee = HandleTable.give(DistinctResult(values, key: key))
  }
}

@c @implementation
public func chroma_distinct_result_view(
  _ result: OpaquePointer!, _ out_view: UnsafeMutablePointer<chroma_distinct_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try store(try found(result, DistinctResult.self, "result").view, to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_distinct_result_free(_ result: OpaquePointer!) {
  HandleTable.end(result, DistinctResult.self)
}
