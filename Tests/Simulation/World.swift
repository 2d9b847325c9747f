// What a whole database holds, said as plainly as possible, and what each call makes of it.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport

/// A collection's name, and the database that it is in. All are the default tenant's.
struct CollectionName: Hashable, Sendable, CustomStringConvertible {
  var database: Text
  var name: Text

  var description: String { "\(database)/\(name)" }
}

/// Which records a filter means.
enum Condition: Equatable, Sendable {
  /// The metadata key holds true.
  case isTrue(Text)
  case documentContains(Text)

  func matches(_ record: ModelRecord) -> Bool {
    switch self {
    case .isTrue(let key): record.metadata[key] == .bool(true)
    case .documentContains(let part):
      record.document.map { Self.contains($0.bytes, part.bytes) } ?? false
    }
  }

  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
  }
}

/// What changes where records stand, and nothing that a reader sees.
enum Maintenance: CaseIterable, Sendable {
  case flush, compact
  /// What an engine's background thread does.
  case tidy
}

/// One call.
enum Step: Sendable {
  case createTenant(Text)
  case createDatabase(Text)
  case deleteDatabase(Text)
  /// Get or create.
  case createCollection(CollectionName, Space, Metadata?)
  case modify(CollectionName, name: Text?, metadata: Metadata?)
  case deleteCollection(CollectionName)
  case reset
  case write(CollectionName, RecordBatch, RequestKey?)
  case deleteMatching(CollectionName, Condition, limit: Int?)
  /// Of one collection, or of all.
  case maintain(Maintenance, CollectionName?)
}

struct World: Equatable {
  struct Collection: Equatable {
    /// Nil while nobody was told: the call that created it was cut off.
    var id: UUID?
    var space: Space
    var dimension: Int?
    var metadata: Metadata?
    var contents = ModelCollection()
    var requests: Set<RequestKey> = []
  }

  var tenants: Set<Text> = [CatalogDefaults.tenant]
  var databases: Set<Text> = [CatalogDefaults.database]
  var collections: [CollectionName: Collection] = [:]

  /// What the call makes of this world, or how it is refused.
  func after(_ step: Step) -> Result<World, Refusal> {
    var next = self
    switch step {
    case .createTenant(let name):
      guard next.tenants.insert(name).inserted else { return .failure(.init(.alreadyExists)) }
    case .createDatabase(let name):
      guard next.databases.insert(name).inserted else { return .failure(.init(.alreadyExists)) }
    case .deleteDatabase(let name):
      guard next.databases.remove(name) != nil else { return .failure(.init(.notFound)) }
      next.collections = next.collections.filter { $0.key.database != name }
    case .createCollection(let name, let space, let metadata):
      guard databases.contains(name.database) else { return .failure(.init(.invalidArgument)) }
      if next.collections[name] == nil {
        next.collections[name] = Collection(space: space, metadata: metadata)
      }
    case .modify(let name, let newName, let metadata):
      guard var collection = next.collections.removeValue(forKey: name) else {
        return .failure(.init(.notFound))
      }
      let target = CollectionName(database: name.database, name: newName ?? name.name)
      guard next.collections[target] == nil else { return .failure(.init(.alreadyExists)) }
      if let metadata { collection.metadata = metadata }
      next.collections[target] = collection
    case .deleteCollection(let name):
      guard next.collections.removeValue(forKey: name) != nil else {
        return .failure(.init(.notFound))
      }
    case .reset:
      next = World()
    case .write(let name, let batch, let key):
      return after(batch, on: name, key)
    case .deleteMatching(let name, let condition, let limit):
      guard let collection = collections[name] else { return .failure(.init(.notFound)) }
      let ids = collection.contents.records.filter(condition.matches).map(\.id)
      next.collections[name]?.contents.apply(
        RecordBatch(operation: .delete, ids: Array(ids.prefix(limit ?? .max))))
    case .maintain(_, let name):
      if let name, collections[name] == nil { return .failure(.init(.notFound)) }
    }
    return .success(next)
  }

  private func after(
    _ batch: RecordBatch, on name: CollectionName, _ key: RequestKey?
  ) -> Result<World, Refusal> {
    guard var collection = collections[name] else { return .failure(.init(.notFound)) }
    if let key, !collection.requests.insert(key).inserted { return .success(self) }
    if let dimension = batch.embeddings?.dimension {
      guard collection.dimension ?? dimension == dimension else {
        return .failure(.init(.invalidArgument))
      }
      collection.dimension = dimension
    }
    collection.contents.apply(batch)
    var next = self
    next.collections[name] = collection
    return .success(next)
  }
}

/// How a call is to be refused.
struct Refusal: Error, Equatable {
  let kind: ChromaError.Kind

  init(_ kind: ChromaError.Kind) {
    self.kind = kind
  }
}
