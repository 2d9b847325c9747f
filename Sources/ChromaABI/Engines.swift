// Engines, tenants, databases.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaCatalog
import ChromaEngine

/// What a `chroma_database_list` handle stands for.
final class DatabaseList {
  private let arena = Arena()
  let views: [chroma_database_view]

  init(_ rows: [DatabaseRow]) {
    views = rows.map { [arena] row in
      chroma_database_view(
        id: row.id.tuple, name: arena.string(row.name), tenant: arena.string(row.tenant))
    }
  }
}

func engine(_ handle: OpaquePointer?) throws(ChromaError) -> Engine {
  try found(handle, EngineHandle.self, "engine").current()
}

@c @implementation
public func chroma_engine_open(
  _ options: UnsafePointer<chroma_engine_options>!,
  _ out_engine: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_engine?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_engine, "out_engine")
    let options = try sized(options, initial: chroma_engine_options(), "options")
    let timeout = Int(options.write_turn_timeout_ms)
    out.pointee = HandleTable.give(
      try EngineHandle(
        EngineOptions(
          path: try options.path.text("path")?.string, allowsReset: options.allow_reset != 0,
          writeTurnTimeoutMilliseconds: timeout == 0
            ? Limits.writeTurnTimeoutMilliseconds : timeout,
          isReadOnly: options.read_only != 0,
          compactsInBackground: options.disable_background_compaction == 0,
          memoryByteCountMax: options.memory_limit_bytes == 0
            ? nil : Int(clamping: options.memory_limit_bytes),
          indexingThreadCount: options.indexing_threads == 0
            ? nil : Int(clamping: options.indexing_threads))))
  }
}

@c @implementation
public func chroma_engine_close(_ engine: OpaquePointer!) {
  HandleTable.end(engine, EngineHandle.self)?.close()
}

@c @implementation
public func chroma_engine_reset(
  _ engine: OpaquePointer!, _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let handle = try found(engine, EngineHandle.self, "engine")
    guard handle.options.allowsReset else {
      throw ChromaError(.permissionDenied, "Reset is disabled by config")
    }
    try handle.current().reset()
  }
}

@c @implementation
public func chroma_engine_heartbeat(
  _ handle: OpaquePointer!, _ out_nanoseconds: UnsafeMutablePointer<Int64>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let out = try required(out_nanoseconds, "out_nanoseconds")
    out.pointee = try engine(handle).heartbeatNanoseconds()
  }
}

@c @implementation
public func chroma_tenant_create(
  _ handle: OpaquePointer!, _ name: chroma_string,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try engine(handle).createTenant(try name.requiredText("name"))
  }
}

@c @implementation
public func chroma_tenant_get(
  _ handle: OpaquePointer!, _ name: chroma_string,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try engine(handle).requireTenant(try name.requiredText("name"))
  }
}

@c @implementation
public func chroma_database_create(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ name: chroma_string,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try engine(handle).createDatabase(
      tenant: try tenant.requiredText("tenant"), name: try name.requiredText("name"))
  }
}

@c @implementation
public func chroma_database_get(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ name: chroma_string,
  _ out_list: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_list?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_list, "out_list")
    let row = try engine(handle).database(
      tenant: try tenant.requiredText("tenant"), name: try name.requiredText("name"))
    out.pointee = HandleTable.give(DatabaseList([row]))
  }
}

@c @implementation
public func chroma_database_delete(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ name: chroma_string,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    try engine(handle).deleteDatabase(
      tenant: try tenant.requiredText("tenant"), name: try name.requiredText("name"))
  }
}

@c @implementation
public func chroma_database_list_all(
  _ handle: OpaquePointer!, _ tenant: chroma_string, _ limit: UInt64, _ offset: UInt64,
  _ out_list: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_list?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_list, "out_list")
    let rows = try engine(handle).databases(
      tenant: try tenant.requiredText("tenant"), limit: count(orAll: limit),
      offset: Int(clamping: offset))
    out.pointee = HandleTable.give(DatabaseList(rows))
  }
}

@c @implementation
public func chroma_database_list_count(_ list: OpaquePointer!) -> Int {
  HandleTable.find(list, DatabaseList.self)?.views.count ?? 0
}

@c @implementation
public func chroma_database_list_view(
  _ list: OpaquePointer!, _ index: Int, _ out_view: UnsafeMutablePointer<chroma_database_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let views = try found(list, DatabaseList.self, "list of databases").views
    guard views.indices.contains(index) else {
      throw .invalidArgument("The index \(index) is out of range: the list has \(views.count).")
    }
    try required(out_view, "out_view").pointee = views[index]
  }
}

@c @implementation
public func chroma_database_list_free(_ list: OpaquePointer!) {
  HandleTable.end(list, DatabaseList.self)
}

extension UUID {
  /// Sixteen bytes in C's shape.
  var tuple:
    (
      UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
      UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
    )
  {
    let words = (high.bigEndian, low.bigEndian)
    return withUnsafeBytes(of: words) { raw in
      raw.loadUnaligned(
        as: (
          UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
          UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
        ).self)
    }
  }
}
