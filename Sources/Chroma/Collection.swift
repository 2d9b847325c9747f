// The Swift door: collections.

import ChromaBase
import ChromaEngine

/// Records with vectors of one dimension. Cheap to copy; copies are the same collection.
public struct Collection: Sendable {
  public let name: String
  public let metadata: [String: MetadataValue]?
  let id: ChromaBase.UUID
  private let engine: EngineHandle

  init(_ engine: EngineHandle, _ description: CollectionDescription) {
    self.engine = engine
    id = description.id
    name = description.name.string
    metadata = description.metadata.map { $0.dictionary }
  }

  // MARK: Writes

  /// Inserts records; those whose id exists are left as they are. All are durable on return, or none
  /// was written. Every record needs an embedding.
  ///
  /// - Throws: `.invalidArgument`, `.notFound`, `.locked`, `.io`, `.outOfSpace`.
  public func add(_ records: [Record]) async throws(ChromaError) {
    try await write(.add, records)
  }

  /// Changes records; what is nil stays, and unknown ids are ignored.
  public func update(_ records: [Record]) async throws(ChromaError) {
    try await write(.update, records)
  }

  /// Changes records and inserts the unknown ones.
  public func upsert(_ records: [Record]) async throws(ChromaError) {
    try await write(.upsert, records)
  }

  /// Deletes the records of the ids, if given, that match the filters, if given.
  ///
  /// - Returns: Without a filter the number of ids given, else the number of matches.
  /// - Throws: `.invalidArgument` if nothing is given.
  @discardableResult
  public func delete(
    ids: [String]? = nil, where filter: Where? = nil, whereDocument: WhereDocument? = nil
  ) async throws(ChromaError) -> Int {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().delete(
        try Selection(ids, filter, whereDocument), from: id, limit: nil)
    }
  }

  private func write(
    _ operation: ChromaBase.Operation, _ records: [Record]
  ) async throws(ChromaError) {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().write(try RecordBatch(operation, records), to: id)
    }
  }

  // MARK: Reads

  public func count() async throws(ChromaError) -> Int {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().count(in: id)
    }
  }

  /// The selected records in the order of insertion. Ends early when the task is cancelled.
  public func get(
    ids: [String]? = nil, where filter: Where? = nil, whereDocument: WhereDocument? = nil,
    limit: Int? = nil, offset: Int = 0, include: Include = [.documents, .metadatas]
  ) async throws(ChromaError) -> [Record] {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard offset >= 0, limit ?? 0 >= 0 else {
        throw .invalidArgument("limit and offset must not be negative.")
      }
      return try engine.current().get(
        try Selection(ids, filter, whereDocument), from: id, limit: limit, offset: offset,
        include: include.columns, cancel: cancel
      ).records
    }
  }

  /// The selected records nearest to a vector, nearest first. Ends early when the task is cancelled.
  ///
  /// A collection of some thousand records or more has an index, which finds nearly all of the
  /// nearest: more of them with a larger `IndexSettings.efSearch`.
  ///
  /// - Parameter isExact: Whether all selected records are measured instead.
  /// - Throws: `.invalidArgument` if the dimension is not the collection's.
  public func query(
    _ embedding: [Float], resultCount: Int = 10, where filter: Where? = nil,
    whereDocument: WhereDocument? = nil, include: Include = [.documents, .metadatas],
    isExact: Bool = false
  ) async throws(ChromaError) -> [Neighbor] {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard resultCount >= 0 else {
        throw .invalidArgument("resultCount is \(resultCount); it must not be negative.")
      }
      let answer = try engine.current().query(
        VectorColumn(dimension: embedding.count, values: embedding),
        try Selection(nil, filter, whereDocument), in: id, resultCount: resultCount,
        include: include.columns.union(.distances), isExact: isExact, cancel: cancel)
      return zip(answer.records.records, answer.distances ?? []).map {
        Neighbor(record: $0, distance: $1)
      }
    }
  }

  /// Runs a query and says how it was answered.
  public func explain(
    _ embedding: [Float], resultCount: Int = 10, where filter: Where? = nil,
    whereDocument: WhereDocument? = nil, isExact: Bool = false
  ) async throws(ChromaError) -> Explanation {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard resultCount >= 0 else {
        throw .invalidArgument("resultCount is \(resultCount); it must not be negative.")
      }
      return Explanation(
        try engine.current().explain(
          VectorColumn(dimension: embedding.count, values: embedding),
          try Selection(nil, filter, whereDocument), in: id, resultCount: resultCount,
          isExact: isExact, cancel: cancel))
    }
  }

  // MARK: Index

  /// Changes how thoroughly queries search the index, from the next one on, in every process.
  ///
  /// - Parameter efSearch: See `IndexSettings.efSearch`.
  public func modify(efSearch: Int) async throws(ChromaError) {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().modifyCollection(
        id: id, name: nil, metadata: nil,
        configuration: Text(#"{"hnsw":{"ef_search":\#(efSearch)}}"#))
    }
  }

  /// How many of the operations on the collection its index knows.
  ///
  /// - Throws: `.notFound` if it was deleted.
  public func indexingStatus() async throws(ChromaError) -> IndexingStatus {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      IndexingStatus(try engine.current().indexingStatus(of: id))
    }
  }

  // MARK: Space and speed

  /// Brings the collection to rest, all of it indexed; see `Client.flush`.
  public func flush() async throws(ChromaError) {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      try engine.current().flush(id, cancel: cancel)
    }
  }

  /// Merges the collection's segments into as few as possible; see `Client.compact`.
  public func compact() async throws(ChromaError) {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      try engine.current().compact(id, cancel: cancel)
    }
  }

  /// - Throws: `.notFound` if it was deleted.
  public func statistics() async throws(ChromaError) -> CollectionStatistics {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      CollectionStatistics(try engine.current().statistics(of: id))
    }
  }
}

extension Selection {
  fileprivate init(
    _ ids: [String]?, _ filter: Where?, _ whereDocument: WhereDocument?
  ) throws(ChromaBase.ChromaError) {
    try self.init(
      ids: ids?.map { Text($0) }, whereJSON: filter.map { $0.json.text },
      whereDocumentJSON: whereDocument.map { $0.json.text })
  }
}
