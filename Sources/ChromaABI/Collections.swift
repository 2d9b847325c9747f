// Collections.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine

/// What a `chroma_collection` handle stands for.
final class CollectionObject {
  let engine: EngineHandle
  let id: UUID

  init(_ engine: EngineHandle, _ id: UUID) {
    self.engine = engine
    self.id = id
  }
}

/// What a `chroma_collection_list` handle stands for.
final class CollectionList {
  private let arena = Arena()
  let views: [chroma_collection_view]

  init(_ descriptions: [CollectionDescription]) {
    views = descriptions.map { [arena] description in
      chroma_collection_view(
        struct_size: MemoryLayout<chroma_collection_view>.size, id: description.id.tuple,
        name: arena.string(description.name), tenant: arena.string(description.tenant),
        database: arena.string(description.database),
        configuration_json: arena.string(description.configuration),
        schema_json: arena.string(description.schema),
        metadata: arena.metadatas([description.metadata])[0],
        dimension: UInt64(description.dimension ?? 0))
    }
  }
}

/// The collection's engine and identifier, for one call.
func collection(_ handle: OpaquePointer?) throws(ChromaError) -> (Engine, UUID) {
  let object = try found(handle, CollectionObject.self, "collection")
  return (try object.engine.current(), object.id)
}

@c @implementation
public func chroma_collection_create(
  _ engine: OpaquePointer!, _ options: UnsafePointer<chroma_collection_options>!,
  _ out_collection: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_collection?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_collection, "out_collection")
    let handle = try found(engine, EngineHandle.self, "engine")
    let options = try sized(options, initial: chroma_collection_options(), "options")
    let description = try handle.current().createCollection(
      CollectionRequest(
        tenant: try options.tenant.requiredText("tenant"),
        database: try options.database.requiredText("database"),
        name: try options.name.requiredText("name"),
        configuration: try options.configuration_json.text("configuration_json"),
        schema: try options.schema_json.text("schema_json"),
        metadata: try options.metadata.wholeMap("metadata"),
        getOrCreate: options.get_or_create != 0))
    out.pointee = HandleTable.give(CollectionObject(handle, description.id))
  }
}

@c @implementation
public func chroma_collection_open(
  _ engine: OpaquePointer!, _ tenant: chroma_string, _ database: chroma_string,
  _ name: chroma_string, _ out_collection: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_collection?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_collection, "out_collection")
    let handle = try found(engine, EngineHandle.self, "engine")
    let description = try handle.current().collection(
      tenant: try tenant.requiredText("tenant"), database: try database.requiredText("database"),
      name: try name.requiredText("name"))
    out.pointee = HandleTable.give(CollectionObject(handle, description.id))
  }
}

@c @implementation
public func chroma_collection_open_by_id(
  _ engine: OpaquePointer!, _ id: chroma_string,
  _ out_collection: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_collection?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_collection, "out_collection")
    let handle = try found(engine, EngineHandle.self, "engine")
    guard let uuid = UUID(try id.requiredText("id").string) else {
      throw .invalidArgument(
        "Validation error: collection_id: Invalid collection ID format, expected UUID")
    }
    out.pointee = HandleTable.give(CollectionObject(handle, uuid))
  }
}

@c @implementation
public func chroma_collection_close(_ collection: OpaquePointer!) {
  HandleTable.end(collection, CollectionObject.self)
}

@c @implementation
public func chroma_collection_delete(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ database: chroma_string,
  _ name: chroma_string, _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try engine(handle).deleteCollection(
      tenant: try tenant.requiredText("tenant"), database: try database.requiredText("database"),
      name: try name.requiredText("name"))
  }
}

@c @implementation
public func chroma_collection_count_all(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ database: chroma_string,
  _ out_count: UnsafeMutablePointer<UInt64>!, _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_count?.pointee = 0
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_count, "out_count")
    out.pointee = UInt64(
      try engine(handle).collectionCount(
        tenant: try tenant.requiredText("tenant"), database: try database.requiredText("database")))
  }
}

@c @implementation
public func chroma_collection_describe(
  _ handle: OpaquePointer!, _ out_list: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_list?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_list, "out_list")
    let (engine, id) = try collection(handle)
    out.pointee = HandleTable.give(CollectionList([try engine.collection(id: id)]))
  }
}

@c @implementation
public func chroma_collection_list_all(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ database: chroma_string, _ limit: UInt64,
  _ offset: UInt64, _ out_list: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_list?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_list, "out_list")
    let descriptions = try engine(handle).collections(
      tenant: try tenant.requiredText("tenant"), database: try database.requiredText("database"),
      limit: count(orAll: limit), offset: Int(clamping: offset))
    out.pointee = HandleTable.give(CollectionList(descriptions))
  }
}

@c @implementation
public func chroma_collection_list_count(_ list: OpaquePointer!) -> Int {
  HandleTable.find(list, CollectionList.self)?.views.count ?? 0
}

@c @implementation
public func chroma_collection_list_view(
  _ list: OpaquePointer!, _ index: Int, _ out_view: UnsafeMutablePointer<chroma_collection_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let views = try found(list, CollectionList.self, "list of collections").views
    guard views.indices.contains(index) else {
      throw .invalidArgument("The index \(index) is out of range: the list has \(views.count).")
    }
    try store(views[index], to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_collection_list_free(_ list: OpaquePointer!) {
  HandleTable.end(list, CollectionList.self)
}

@c @implementation
public func chroma_collection_modify(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_modify_options>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let options = try sized(options, initial: chroma_modify_options(), "options")
    let (engine, id) = try collection(handle)
    try engine.modifyCollection(
      id: id, name: try options.name.text("name"),
      metadata: try options.metadata.change("metadata"),
      configuration: try options.configuration_json.text("configuration_json"))
  }
}

extension chroma_metadata {
  /// The metadata of a new collection: values only.
  fileprivate func wholeMap(_ name: String) throws(ChromaError) -> Metadata? {
    guard let change = try change(name) else { return nil }
    var entries: [Metadata.Entry] = []
    for entry in change.entries {
      guard let value = entry.value else {
        throw .invalidArgument("The key \"\(entry.key)\" of \(name) has no value. Leave it out.")
      }
      entries.append(Metadata.Entry(entry.key, value))
    }
    return Metadata(entries)
  }
}
