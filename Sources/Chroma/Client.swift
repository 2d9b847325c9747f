// The Swift door: clients.

import ChromaBase
import ChromaEngine

/// A database directory, or a database in memory.
///
/// ```swift
/// let client = try await Client(path: "notes.chroma")
/// let notes = try await client.getOrCreateCollection("notes")
/// try await notes.upsert([Record(id: "1", embedding: [0.1, 0.2], document: "Hello")])
/// let answer = try await notes.query([0.1, 0.2], resultCount: 3)
/// ```
///
/// A value that is cheap to copy; copies share one engine, which closes with the last of them and of
/// their collections. Any number of processes may have one directory open. Calls may come from any
/// task; they work on threads of their own and never block the caller's.
public struct Client: Sendable {
  /// The tenant that the client works in.
  public let tenant: String
  /// The database that the client works in.
  public let database: String
  let engine: EngineHandle

  /// Opens a directory, created if missing.
  ///
  /// - Parameters:
  ///   - isReadOnly: Whether nothing in the directory, which must exist, may be made or changed;
  ///     calls that would throw `.permissionDenied`.
  ///   - memoryByteCountMax: Beyond so many bytes collections that are not in use are forgotten
  ///     until they are. The first client of a directory in a process decides.
  ///   - indexingThreadCount: How many threads index vectors, half of the cores if nil. The first
  ///     client of a directory in a process decides.
  /// - Throws: `.notFound` for an unknown tenant or database, `.invalidArgument`, `.io`,
  ///   `.corruption`, `.unsupportedFormat`.
  public init(
    path: String, tenant: String = "default_tenant", database: String = "default_database",
    allowsReset: Bool = false, isReadOnly: Bool = false, memoryByteCountMax: Int? = nil,
    indexingThreadCount: Int? = nil
  ) async throws(ChromaError) {
    guard memoryByteCountMax ?? 0 >= 0 else {
      throw ChromaError(.invalidArgument("memoryByteCountMax must not be negative."))
    }
    guard indexingThreadCount ?? 1 > 0 else {
      throw ChromaError(.invalidArgument("indexingThreadCount must not be less than 1."))
    }
    try await self.init(
      EngineOptions(
        path: path, allowsReset: allowsReset, isReadOnly: isReadOnly,
        memoryByteCountMax: memoryByteCountMax, indexingThreadCount: indexingThreadCount),
      tenant: tenant, database: database)
  }

  /// Opens a new, empty database that lives as long as the client.
  public static func inMemory() async throws(ChromaError) -> Client {
    try await Client(
      EngineOptions(path: nil, allowsReset: true), tenant: "default_tenant",
      database: "default_database")
  }

  private init(
    _ options: EngineOptions, tenant: String, database: String
  ) async throws(ChromaError) {
    self.tenant = tenant
    self.database = database
    engine = try await inBackground { (_) throws(ChromaBase.ChromaError) in
      let handle = try EngineHandle(options)
      try handle.current().requireTenant(Text(tenant))
      _ = try handle.current().database(tenant: Text(tenant), name: Text(database))
      return handle
    }
  }

  /// Creates a collection.
  ///
  /// - Parameters:
  ///   - name: 3 to 512 characters of `[a-zA-Z0-9._-]`.
  ///   - index: How its vectors are indexed, once they are some thousand.
  ///   - vectorType: How its vectors are stored.
  ///   - schema: What is indexed for filters.
  ///   - metadata: Not empty if given; no arrays.
  /// - Throws: `.alreadyExists`, `.invalidArgument`.
  public func createCollection(
    _ name: String, space: Space = .l2, index: IndexSettings = IndexSettings(),
    vectorType: VectorType = .f32, schema: Schema = Schema(),
    metadata: [String: MetadataValue]? = nil
  ) async throws(ChromaError) -> Collection {
    try await create(name, space, index, vectorType, schema, metadata, getOrCreate: false)
  }

  /// The collection of that name, created if missing. An existing one stays as it is.
  public func getOrCreateCollection(
    _ name: String, space: Space = .l2, index: IndexSettings = IndexSettings(),
    vectorType: VectorType = .f32, schema: Schema = Schema(),
    metadata: [String: MetadataValue]? = nil
  ) async throws(ChromaError) -> Collection {
    try await create(name, space, index, vectorType, schema, metadata, getOrCreate: true)
  }

  /// - Throws: `.notFound`.
  public func collection(_ name: String) async throws(ChromaError) -> Collection {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      let description = try engine.current().collection(
        tenant: Text(tenant), database: Text(database), name: Text(name))
      return Collection(engine, description)
    }
  }

  /// The database's collections, by identifier.
  public func collections() async throws(ChromaError) -> [Collection] {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      let descriptions = try engine.current().collections(
        tenant: Text(tenant), database: Text(database), limit: nil, offset: 0)
      return descriptions.map { Collection(engine, $0) }
    }
  }

  /// - Throws: `.notFound`.
  public func deleteCollection(_ name: String) async throws(ChromaError) {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().deleteCollection(
        tenant: Text(tenant), database: Text(database), name: Text(name))
    }
  }

  /// Removes every tenant, database, collection and record.
  ///
  /// - Throws: `.permissionDenied` unless the client was opened with `allowsReset`.
  public func reset() async throws(ChromaError) {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      guard engine.options.allowsReset else {
        throw ChromaBase.ChromaError(.permissionDenied, "Reset is disabled by config")
      }
      try engine.current().reset()
    }
  }

  /// Brings all collections, of all databases, to rest: what was written stands in segments and is
  /// indexed, and what was deleted or replaced before the call is in no file any more. It changes no
  /// answer, but for which of the nearest an index finds.
  ///
  /// Ends between two steps when the task is cancelled; what was done stays.
  ///
  /// - Parameter progress: Called with the thousandths of collections that are done, and of all, on
  ///   another thread.
  /// - Throws: `.locked`, `.io`, `.corruption`, `.outOfSpace`, `.permissionDenied` (read-only),
  ///   `.cancelled`.
  public func flush(
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws(ChromaError) {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      try engine.current().flush(cancel: cancel) {
        let (done, total) = $0.thousandths
        progress(done, total)
      }
    }
  }

  /// As `flush`; also merges the segments of each collection into as few as possible.
  public func compact(
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) async throws(ChromaError) {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      try engine.current().compact(cancel: cancel) {
        let (done, total) = $0.thousandths
        progress(done, total)
      }
    }
  }

  private func create(
    _ name: String, _ space: Space, _ index: IndexSettings, _ vectorType: VectorType,
    _ schema: Schema, _ metadata: [String: MetadataValue]?, getOrCreate: Bool
  ) async throws(ChromaError) -> Collection {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      let description = try engine.current().createCollection(
        CollectionRequest(
          tenant: Text(tenant), database: Text(database), name: Text(name),
          configuration: Text(#"{"vector_dtype":"\#(vectorType.rawValue)"}"#),
          schema: Text(schema.json(space: space, index: index)),
          metadata: metadata.map { ChromaBase.Metadata($0) }, getOrCreate: getOrCreate))
      return Collection(engine, description)
    }
  }
}
