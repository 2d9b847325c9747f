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

  /// Inserts records, and says how many ids it met; otherwise as `add`. Which ids exist is decided
  /// while nobody else writes.
  ///
  /// - Throws: Also `.alreadyExists`, if there are such ids and the policy is `error`.
  @discardableResult
  public func add(
    _ records: [Record], onConflict: ConflictPolicy
  ) async throws(ChromaError) -> InsertionCounts {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      InsertionCounts(
        try engine.current().insert(
          try RecordBatch(.add, records), onConflict: onConflict.stored, to: id))
    }
  }

  /// Changes records; what is nil stays, and unknown ids are ignored.
  public func update(_ records: [Record]) async throws(ChromaError) {
    try await write(.update, records)
  }

  /// Changes records and inserts the unknown ones.
  public func upsert(_ records: [Record]) async throws(ChromaError) {
    try await write(.upsert, records)
  }

  /// Merges metadata, key by key, into that of the records of the ids, if given, that match the
  /// filters, if given; nil removes a key. All or nothing.
  ///
  /// - Returns: The number of those records.
  /// - Throws: `.invalidArgument` if nothing says which records.
  @discardableResult
  public func update(
    metadata: [String: MetadataValue?], ids: [String]? = nil, where filter: Where? = nil,
    whereDocument: WhereDocument? = nil
  ) async throws(ChromaError) -> Int {
    try await inBackground { [self] (_) throws(ChromaBase.ChromaError) in
      try engine.current().update(
        try Selection(ids, filter, whereDocument),
        merging: MetadataChange(metadata.map { .init(Text($0.key), $0.value?.stored) }), in: id)
    }
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

  /// How many records there are, or how many match. Ends early when the task is cancelled.
  public func count(
    where filter: Where? = nil, whereDocument: WhereDocument? = nil
  ) async throws(ChromaError) -> Int {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      try engine.current().count(
        try Selection(nil, filter, whereDocument), in: id, cancel: cancel)
    }
  }

  /// The selected records, in the order of insertion or of a key's values. Ends early when the task
  /// is cancelled.
  ///
  /// Pages that each begin after the last record of the page before show every record once that stays
  /// as it is, whatever is inserted and deleted meanwhile:
  ///
  ///     var last: String?
  ///     repeat {
  ///       let page = try await notes.get(limit: 100, after: last, orderBy: "year")
  ///       last = page.last?.id
  ///     } while last != nil
  ///
  /// - Parameters:
  ///   - limit: At most so many.
  ///   - offset: How many to leave out first; behind `after`, if given.
  ///   - after: The id of a record: begins behind it. It need not be selected.
  ///   - orderBy: A key of metadata: bools, false first, then numbers by value, integers and floats
  ///     together, then strings by their UTF-8 bytes. Ties stand in the order of insertion; records
  ///     without such a value, or with an array, come last in that order.
  ///   - descending: Whether the greatest value comes first. The order of ties, and of the records
  ///     that come last, stays the same.
  /// - Throws: `.notFound` if `after` is the id of no record; `.invalidArgument`.
  public func get(
    ids: [String]? = nil, where filter: Where? = nil, whereDocument: WhereDocument? = nil,
    limit: Int? = nil, offset: Int = 0, after: String? = nil, orderBy: String? = nil,
    descending: Bool = false, include: Include = [.documents, .metadatas]
  ) async throws(ChromaError) -> [Record] {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard offset >= 0, limit ?? 0 >= 0 else {
        throw .invalidArgument("limit and offset must not be negative.")
      }
      guard orderBy != nil || !descending else {
        throw .invalidArgument("descending can only be specified when orderBy is provided")
      }
      return try engine.current().get(
        try Selection(ids, filter, whereDocument), from: id, limit: limit, offset: offset,
        after: after.map { Text($0) },
        order: orderBy.map { RecordOrder(key: Text($0), isDescending: descending) },
        include: include.columns, cancel: cancel
      ).records
    }
  }

  /// The values under a key of metadata in the records that match, each once, in the order that
  /// `get` has for `orderBy`: scalars, and the elements of arrays. Numbers that are equal are one
  /// value, an integer if one of them is. Ends early when the task is cancelled.
  ///
  /// - Parameter limit: At most so many, the first.
  public func distinct(
    _ key: String, where filter: Where? = nil, whereDocument: WhereDocument? = nil,
    limit: Int? = nil
  ) async throws(ChromaError) -> [DistinctValue] {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard limit ?? 0 >= 0 else { throw .invalidArgument("limit must not be negative.") }
      return try engine.current().distinct(
        Text(key), try Selection(nil, filter, whereDocument), in: id, limit: limit, cancel: cancel
      ).map { DistinctValue(value: MetadataValue($0.value), count: $0.count) }
    }
  }

  /// The selected records nearest to a vector, nearest first. Ends early when the task is cancelled.
  ///
  /// A collection of some thousand records or more has an index, which finds nearly all of the
  /// nearest: more of them with a larger `IndexSettings.efSearch`.
  ///
  /// - Parameters:
  ///   - maxDistance: Leaves out what is farther, by the distance as it is returned; fewer than
  ///     `resultCount` may be left.
  ///   - isExact: Whether all selected records are measured instead.
  /// - Throws: `.invalidArgument` if the dimension is not the collection's, or the bound is NaN.
  public func query(
    _ embedding: [Float], resultCount: Int = 10, where filter: Where? = nil,
    whereDocument: WhereDocument? = nil, include: Include = [.documents, .metadatas],
    maxDistance: Double? = nil, isExact: Bool = false
  ) async throws(ChromaError) -> [Neighbor] {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      guard resultCount >= 0 else {
        throw .invalidArgument("resultCount is \(resultCount); it must not be negative.")
      }
      let answer = try engine.current().query(
        VectorColumn(dimension: embedding.count, values: embedding),
        try Selection(nil, filter, whereDocument), in: id, resultCount: resultCount,
        maxDistance: maxDistance, include: include.columns.union(.distances), isExact: isExact,
        cancel: cancel)
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

  /// How the filters are evaluated, as for `get` and `count`, without a query.
  public func explain(
    where filter: Where? = nil, whereDocument: WhereDocument? = nil
  ) async throws(ChromaError) -> Explanation {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      Explanation(
        try engine.current().explain(
          nil, try Selection(nil, filter, whereDocument), in: id, resultCount: 0, cancel: cancel))
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
