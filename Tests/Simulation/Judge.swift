// Compares everything that an engine answers with what it should.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaTestSupport

struct Judge {
  /// Names that were never there, or no longer are, must be missing.
  static let tenants: [Text] = [CatalogDefaults.tenant, "second_tenant"]
  static let everything: Include = [.documents, .embeddings, .metadatas, .uris]

  let engine: Engine

  /// The first difference between the engine and the world, in words; nil if there is none.
  func difference(from world: World) throws(ChromaError) -> String? {
    for tenant in Self.tenants where try isTenant(tenant) != world.tenants.contains(tenant) {
      return "tenant \(tenant): \(world.tenants.contains(tenant) ? "missing" : "there")"
    }
    let databases = try engine.databases(tenant: CatalogDefaults.tenant, limit: nil, offset: 0)
    guard databases.map(\.name) == world.databases.sorted() else {
      return "databases: \(databases.map(\.name)) instead of \(world.databases.sorted())"
    }
    for database in databases {
      let found = try engine.collections(
        tenant: CatalogDefaults.tenant, database: database.name, limit: nil, offset: 0)
      let names = world.collections.keys.filter { $0.database == database.name }.map(\.name)
      guard found.map(\.name).sorted() == names.sorted() else {
        return "collections of \(database.name): \(found.map(\.name)) instead of \(names)"
      }
      let count = try engine.collectionCount(
        tenant: CatalogDefaults.tenant, database: database.name)
      guard count == names.count else { return "\(count) collections instead of \(names.count)" }
      for description in found {
        let name = CollectionName(database: database.name, name: description.name)
        guard let expected = world.collections[name] else { continue }
        if let difference = try difference(description, from: expected) {
          return "collection \(name): \(difference)"
        }
      }
    }
    return nil
  }

  /// The world with the ids of collections whose creation was cut off.
  func named(_ world: World) throws(ChromaError) -> World {
    var named = world
    for (name, collection) in world.collections where collection.id == nil {
      named.collections[name]?.id = try engine.collection(
        tenant: CatalogDefaults.tenant, database: name.database, name: name.name
      ).id
    }
    return named
  }

  /// What contradicts what was seen before: versions and positions never go back.
  func steps(back seen: inout [UUID: Player.Seen], in world: World) throws(ChromaError) -> [String]
  {
    var sentences: [String] = []
    for (name, collection) in world.collections {
      guard let id = collection.id else { continue }
      let found = try engine.statistics(of: id)
      if let last = seen[id], found.version < last.version || found.position < last.position {
        sentences.append(
          "collection \(name) at version \(found.version), position \(found.position) after "
            + "version \(last.version), position \(last.position)")
      }
      seen[id] = Player.Seen(version: found.version, position: found.position)
    }
    return sentences
  }

  private func isTenant(_ name: Text) throws(ChromaError) -> Bool {
    do throws(ChromaError) {
      try engine.requireTenant(name)
      return true
    } catch {
      guard error.kind == .notFound else { throw error }
      return false
    }
  }

  private func difference(
    _ found: CollectionDescription, from expected: World.Collection
  ) throws(ChromaError) -> String? {
    if let id = expected.id, id != found.id { return "another id" }
    guard found.metadata == expected.metadata else { return "another metadata" }
    guard found.dimension == expected.dimension else {
      return "dimension \(found.dimension.map(String.init) ?? "nil")"
    }
    let records = expected.contents.records
    let count = try engine.count(in: found.id)
    guard count == records.count else { return "\(count) records instead of \(records.count)" }
    let got = try engine.get(
      .everything, from: found.id, limit: nil, offset: 0, include: Self.everything)
    guard try engine.statistics(of: found.id).recordCount == count else {
      return "statistics that count other records"
    }
    guard got.ids == records.map(\.id) else {
      return "ids \(got.ids) instead of \(records.map(\.id))"
    }
    guard got.documents == records.map(\.document) else { return "other documents" }
    guard got.uris == records.map(\.uri) else { return "other uris" }
    guard got.embeddings == records.flatMap(\.vector) else { return "other embeddings" }
    guard got.metadatas == records.map(Self.visibleMetadata) else { return "other metadatas" }
    if let difference = try filterDifference(found.id, records) { return difference }
    return try neighborDifference(found.id, expected)
  }

  /// What filters of every kind find, whatever answers them: columns, postings, or the log.
  private func filterDifference(
    _ id: UUID, _ records: [ModelRecord]
  ) throws(ChromaError) -> String? {
    if records.isEmpty { return nil }
    // The same world is always asked the same.
    var random = SeededRandom(UInt64(records.reduce(0) { $0 &+ $1.metadata.count } + records.count))
    let filters = RandomFilters(over: records, hasPatterns: false)
    let literal = ModelPattern.sequence([.scalars(["p", "p"]), .any, .scalars(["e"])])
    var asked: [ModelFilter] = [.documentMatches(literal, isNegated: random.oneIn(2))]
    for _ in 0..<8 { asked.append(filters.field(using: &random)) }
    for _ in 0..<3 {
      asked.append(filters.filter(using: &random))
      asked.append(filters.documentFilter(using: &random))
    }
    for filter in asked {
      let selection = try Selection(whereJSON: filter.json.text)
      let found = try engine.get(selection, from: id, limit: nil, offset: 0, include: []).ids
      let expected = zip(records, filter.answers(records)).filter(\.1).map(\.0.id)
      if found != expected {
        return "\(filter.json.text) finds \(found) instead of \(expected)"
      }
      let count = try engine.count(selection, in: id)
      if count != expected.count { return "\(filter.json.text) counts \(count)" }
    }
    return nil
  }

  private static func visibleMetadata(_ record: ModelRecord) -> Metadata? {
    let entries = record.metadata.map { Metadata.Entry($0.key, $0.value) }
    return entries.isEmpty && record.uri == nil ? nil : Metadata(entries)
  }

  /// Every record's vector, as a query for all records: each is found, at the model's distance.
  private func neighborDifference(
    _ id: UUID, _ expected: World.Collection
  ) throws(ChromaError) -> String? {
    let records = expected.contents.records
    guard let dimension = expected.dimension, !records.isEmpty else { return nil }
    let queries = VectorColumn(dimension: dimension, values: records.flatMap(\.vector))
    let answer = try engine.query(
      queries, .everything, in: id, resultCount: records.count, include: [.distances])
    let distances = answer.distances ?? []
    guard answer.rowOffsets == (0...records.count).map({ $0 * records.count }),
      distances.count == records.count * records.count
    else { return "a query that does not find every record" }
    let rowByID = Dictionary(uniqueKeysWithValues: zip(records.map(\.id), records.indices))
    for (query, record) in records.enumerated() {
      var last = (distance: -Double.infinity, row: -1)
      var seen: Set<Int> = []
      for rank in query * records.count..<(query + 1) * records.count {
        guard let row = rowByID[answer.records.ids[rank]] else {
          return "a neighbor that was never written"
        }
        let exact = ModelCollection.distance(records[row].vector, record.vector, expected.space)
        guard abs(Double(distances[rank]) - exact) <= 1e-5 * max(1, abs(exact)) else {
          return "a neighbor of \(record.id) at \(distances[rank]) instead of \(exact)"
        }
        // Rounding may part what is equal in cosine space only.
        let isOrdered =
          expected.space == .cosine
          ? last.distance <= exact + 1e-5 : (last.distance, last.row) < (exact, row)
        guard isOrdered, seen.insert(row).inserted else {
          return "neighbors of \(record.id) out of order"
        }
        last = (exact, row)
      }
    }
    return nil
  }
}
