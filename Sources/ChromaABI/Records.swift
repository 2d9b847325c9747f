// Writing and reading records.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaCatalog
import ChromaEngine

// MARK: Writes

@c @implementation
public func chroma_collection_add(
  _ collection: OpaquePointer!, _ records: UnsafePointer<chroma_records>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in try write(.add, records, to: collection) }
}

@c @implementation
public func chroma_collection_update(
  _ collection: OpaquePointer!, _ records: UnsafePointer<chroma_records>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in try write(.update, records, to: collection) }
}

@c @implementation
public func chroma_collection_upsert(
  _ collection: OpaquePointer!, _ records: UnsafePointer<chroma_records>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in try write(.upsert, records, to: collection) }
}

@c @implementation
public func chroma_collection_insert(
  _ handle: OpaquePointer!, _ records: UnsafePointer<chroma_records>!,
  _ on_conflict: chroma_conflict_policy,
  _ out_counts: UnsafeMutablePointer<chroma_insertion_counts>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let records = try sized(records, initial: chroma_records(), "records")
    // Looked at before anything is written.
    _ = try sized(UnsafePointer(out_counts), initial: chroma_insertion_counts(), "out_counts")
    let object = try found(handle, CollectionObject.self, "collection")
    guard records.key == nil else {
      throw .invalidArgument(
        "An insertion that counts what it met takes no request_key: repeated, it meets itself.")
    }
    let counts = try object.engine.current().insert(
      try records.batch(.add), onConflict: try ConflictPolicy(on_conflict), to: object.id,
      timeoutMilliseconds: object.engine.timeout(records.write_turn_timeout_ms))
    try store(
      chroma_insertion_counts(
        struct_size: MemoryLayout<chroma_insertion_counts>.size,
        added_count: UInt64(counts.addedCount), existing_count: UInt64(counts.existingCount)),
      to: out_counts, "out_counts")
  }
}

extension ConflictPolicy {
  fileprivate init(_ value: chroma_conflict_policy) throws(ChromaError) {
    switch Int(value) {
    case CHROMA_ON_CONFLICT_IGNORE: self = .ignore
    case CHROMA_ON_CONFLICT_ERROR: self = .error
    case CHROMA_ON_CONFLICT_REPLACE: self = .replace
    default: throw .invalidArgument("\(value) is no conflict policy: 1, 2 and 3 are.")
    }
  }
}

private func write(
  _ operation: Operation, _ records: UnsafePointer<chroma_records>?, to handle: OpaquePointer?
) throws(ChromaError) {
  let records = try sized(records, initial: chroma_records(), "records")
  let object = try found(handle, CollectionObject.self, "collection")
  try object.engine.current().write(
    try records.batch(operation), to: object.id, requestKey: records.key,
    timeoutMilliseconds: object.engine.timeout(records.write_turn_timeout_ms))
}

@c @implementation
public func chroma_collection_delete_records(
  _ collection: OpaquePointer!, _ options: UnsafePointer<chroma_delete_options>!,
  _ out_deleted_count: UnsafeMutablePointer<UInt64>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_deleted_count?.pointee = 0
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_deleted_count, "out_deleted_count")
    var initial = chroma_delete_options()
    initial.limit = .max
    let options = try sized(options, initial: initial, "options")
    let object = try found(collection, CollectionObject.self, "collection")
    let deletedCount = try object.engine.current().delete(
      try options.selection.selection(), from: object.id, limit: count(orAll: options.limit),
      timeoutMilliseconds: object.engine.timeout(options.write_turn_timeout_ms))
    out.pointee = UInt64(deletedCount)
  }
}

@c @implementation
public func chroma_collection_update_selected(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_update_options>!,
  _ out_updated_count: UnsafeMutablePointer<UInt64>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_updated_count?.pointee = 0
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_updated_count, "out_updated_count")
    let options = try sized(options, initial: chroma_update_options(), "options")
    let object = try found(handle, CollectionObject.self, "collection")
    guard let metadata = try options.metadata.change("metadata") else {
      throw .invalidArgument("metadata must be given.")
    }
    let updatedCount = try object.engine.current().update(
      try options.selection.selection(), merging: metadata, in: object.id,
      timeoutMilliseconds: object.engine.timeout(options.write_turn_timeout_ms))
    out.pointee = UInt64(updatedCount)
  }
}

extension chroma_records {
  /// The records as a batch.
  fileprivate func batch(_ operation: Operation) throws(ChromaError) -> RecordBatch {
    try checkCount(record_count, "records")
    let count = record_count
    guard let ids = try texts(ids, count, "An id") else {
      throw .invalidArgument("ids must be given.")
    }
    guard embeddings.values == nil || embeddings.count == count else {
      throw .invalidArgument(
        "Inconsistent number of IDs, embeddings, documents, URIs and metadatas")
    }
    var changes: [MetadataChange?]?
    if let maps = metadatas {
      var rows: [MetadataChange?] = []
      rows.reserveCapacity(count)
      for index in 0..<count { rows.append(try maps[index].change("metadatas")) }
      changes = rows
    }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: try embeddings.column(present: embedding_present),
      documents: try optionalTexts(documents, count, "A document"),
      uris: try optionalTexts(uris, count, "A uri"), metadatas: changes)
  }

  /// The request key, unless it is all zero.
  fileprivate var key: RequestKey? {
    let words = withUnsafeBytes(of: request_key) { raw in
      (
        UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    return words == (0, 0) ? nil : RequestKey(high: words.0, low: words.1)
  }
}

extension EngineHandle {
  fileprivate func timeout(_ milliseconds: UInt32) -> Int {
    milliseconds == 0 ? options.writeTurnTimeoutMilliseconds : Int(milliseconds)
  }
}

// MARK: Reads

/// What a `chroma_get_result` handle stands for.
final class GetResult {
  private let arena = Arena()
  let view: chroma_get_view

  init(_ records: RecordColumns) {
    view = chroma_get_view(
      struct_size: MemoryLayout<chroma_get_view>.size, record_count: records.ids.count,
      ids: arena.strings(records.ids), embeddings: records.embeddings.map(arena.copy),
      dimension: records.dimension, documents: records.documents.map(arena.strings),
      uris: records.uris.map(arena.strings), metadatas: records.metadatas.map(arena.metadatas))
  }
}

/// What a `chroma_query_result` handle stands for.
final class QueryResult {
  private let arena = Arena()
  let view: chroma_query_view

  init(_ answer: QueryAnswer) {
    let records = answer.records
    view = chroma_query_view(
      struct_size: MemoryLayout<chroma_query_view>.size, query_count: answer.rowOffsets.count - 1,
      row_offsets: arena.copy(answer.rowOffsets), ids: arena.strings(records.ids),
      distances: answer.distances.map(arena.copy),
      embeddings: records.embeddings.map(arena.copy), dimension: records.dimension,
      documents: records.documents.map(arena.strings), uris: records.uris.map(arena.strings),
      metadatas: records.metadatas.map(arena.metadatas))
  }
}

@c @implementation
public func chroma_collection_count(
  _ handle: OpaquePointer!, _ out_count: UnsafeMutablePointer<UInt64>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_count?.pointee = 0
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_count, "out_count")
    let (engine, id) = try collection(handle)
    out.pointee = UInt64(try engine.count(in: id))
  }
}

@c @implementation
public func chroma_collection_count_selected(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_count_options>!,
  _ out_count: UnsafeMutablePointer<UInt64>!, _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_count?.pointee = 0
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_count, "out_count")
    let options = try sized(options, initial: chroma_count_options(), "options")
    let (engine, id) = try collection(handle)
    out.pointee = UInt64(
      try engine.count(
        try options.selection.selection(), in: id, cancel: try cancelToken(options.cancel)))
  }
}

@c @implementation
public func chroma_collection_get(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_get_options>!,
  _ out_result: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_result?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_result, "out_result")
    var initial = chroma_get_options()
    initial.limit = .max
    let options = try sized(options, initial: initial, "options")
    let (engine, id) = try collection(handle)
    let records = try engine.get(
      try options.selection.selection(), from: id, limit: count(orAll: options.limit),
      offset: Int(clamping: options.offset), after: try options.after.text("after"),
      order: try options.order(), include: Include(rawValue: options.include),
      cancel: try cancelToken(options.cancel))
    out.pointee = HandleTable.give(GetResult(records))
  }
}

extension chroma_get_options {
  fileprivate func order() throws(ChromaError) -> RecordOrder? {
    let isDescending = descending != 0
    if let key = try order_by.text("order_by") {
      return RecordOrder(key: key, isDescending: isDescending)
    }
    guard !isDescending else {
      throw .invalidArgument("descending can only be specified when order_by is provided")
    }
    return nil
  }
}

@c @implementation
public func chroma_get_result_view(
  _ result: OpaquePointer!, _ out_view: UnsafeMutablePointer<chroma_get_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try store(try found(result, GetResult.self, "result").view, to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_get_result_free(_ result: OpaquePointer!) {
  HandleTable.end(result, GetResult.self)
}

@c @implementation
public func chroma_collection_query(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_query_options>!,
  _ out_result: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_result?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_result, "out_result")
    let query = try Query(options)
    guard let vectors = query.vectors else {
      throw .invalidArgument("embeddings must be given.")
    }
    let (engine, id) = try collection(handle)
    let answer = try engine.query(
      vectors, query.selection, in: id, resultCount: query.resultCount,
      maxDistance: query.maxDistance, include: query.include, isExact: query.isExact,
      cancel: query.cancel)
    out.pointee = HandleTable.give(QueryResult(answer))
  }
}

@c @implementation
public func chroma_query_result_view(
  _ result: OpaquePointer!, _ out_view: UnsafeMutablePointer<chroma_query_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try store(try found(result, QueryResult.self, "result").view, to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_query_result_free(_ result: OpaquePointer!) {
  HandleTable.end(result, QueryResult.self)
}
