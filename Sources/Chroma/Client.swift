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
  /// - Throws: `.notFound` for an unknown tenant or database, `.io`, `.corruption`,
  ///   `.unsupportedFormat`.
  public init(
    path: String, tenant: String = "default_tenant", database: String = "default_database",
    allowsReset: Bool = false
  ) async throws(ChromaError) {
    try await self.init(
      EngineOptions(path: path, allowsReset: allowsReset), tenant: tenant, database: database)
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
  ///   - metadata: Not empty if given; no arrays.
  /// - Throws: `.alreadyExists`, `.invalidArgument`.
  public func createCollection(
    _ name: String, space: Space = .l2, metadata: [String: MetadataValue]? = nil
  ) async throws(ChromaError) -> Collection {
    try await create(name, space, metadata, getOrCreate: false)
  }

  /// The collection of that name, created if missing. An existing one stays as it is.
  public func getOrCreateCollection(
    _ name: String, space: Space = .l2, metadata: [String: MetadataValue]? = nil
  ) async throws(ChromaError) -> Collection {
    try await create(name, space, metadata, getOrCreate: true)
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

  private func create(
    _ name: String, _ space: Space, _ metadata: [String: MetadataValue]?, getOrCreate: Bool
  ) async throws(ChromaError) -> Collection {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      let description = try engine.current().createCollection(
        CollectionRequest(
          tenant: Text(tenant), database: Text(database), name: Text(name),
          configuration: Text(#"{"hnsw":{"space":"\#(space.rawValue)"}}"#),
          metadata: metadata.map { ChromaBase.Metadata($0) }, getOrCreate: getOrCreate))
      return Collection(engine, description)
    }
  }
}
