// How a collection is indexed, and which embedding function made its vectors.
//
// A configuration is settled when its collection is created: from the configuration that the caller
// gives, or, where that says nothing about HNSW, from `hnsw:` keys in the collection's metadata. It is
// stored as JSON in the catalog, in the form in which callers write it. A SPANN configuration
// belongs to the distributed Chroma; here it gives an HNSW collection of the same space.

package import ChromaBase

/// The configuration of one collection.
package struct CollectionConfiguration: Equatable, Sendable {
  package private(set) var hnsw: HNSWConfiguration
  /// The embedding function as the caller described it: an object with a `type`.
  private(set) var embeddingFunction: JSON?
  /// How vectors are stored. Settled for good: official Chroma has no such setting, so it is not
  /// shown where it is the default.
  package private(set) var vectorType = VectorType.f32

  package var space: Space { hnsw.space }

  /// The configuration of a new collection.
  ///
  /// - Parameters:
  ///   - json: What the caller gave, if anything.
  ///   - metadata: The collection's metadata.
  /// - Throws: `invalidArgument` in official Chroma's words.
  package init(json: Text?, metadata: Metadata?) throws(ChromaError) {
    var parts = CollectionConfigurationReader.Parts()
    if let json { parts = try CollectionConfigurationReader.read(json) }
    hnsw = parts.hnsw ?? HNSWConfiguration()
    embeddingFunction = parts.embeddingFunction
    vectorType = parts.vectorType ?? .f32
    if let space = parts.spannSpace {
      hnsw.space = space
    } else if let metadata {
      // The metadata is checked even where it has no effect, as in official Chroma.
      let legacy = try HNSWConfiguration(metadata: metadata)
      if hnsw == HNSWConfiguration() { hnsw = legacy }
    }
  }

  /// Reads back `stored`.
  ///
  /// - Throws: `corruption` if it is none.
  package init(stored: Text) throws(ChromaError) {
    do throws(ChromaError) {
      self = try CollectionConfiguration(json: stored, metadata: nil)
    } catch {
      throw .corruption("The stored configuration of a collection is damaged: \(error.message).")
    }
  }

  /// The configuration after a change by the caller, which names only what changes. A change of SPANN
  /// settings changes nothing.
  ///
  /// - Throws: `invalidArgument` in official Chroma's words.
  package func updated(json: Text) throws(ChromaError) -> CollectionConfiguration {
    let parts = try CollectionConfigurationReader.read(json, changing: hnsw)
    if let type = parts.vectorType, type != vectorType {
      throw .invalidArgument(
        "The vector_dtype of a collection cannot be changed: this one stores its vectors as "
          + "\(vectorType.rawValue). Create a collection with vector_dtype \(type.rawValue) and add "
          + "the records to it.")
    }
    var updated = self
    updated.hnsw = parts.hnsw ?? hnsw
    updated.embeddingFunction = parts.embeddingFunction ?? embeddingFunction
    return updated
  }

  /// The configuration with the index and the embedding function that a schema asks for.
  func with(_ settings: VectorIndexSettings) -> CollectionConfiguration {
    var changed = self
    changed.hnsw = settings.hnsw ?? HNSWConfiguration()
    changed.hnsw.space = settings.space ?? .l2
    changed.embeddingFunction = settings.embeddingFunction
    return changed
  }

  /// What a schema says of the vector index.
  var vectorIndexMembers: [JSON.Member] {
    var hnsw = hnsw
    hnsw.threadCount = hnsw.threadCount ?? UInt64(EngineEnvironment.processorCount)
    let isSpace = { (member: JSON.Member) in member.key == "space" }
    var members = hnsw.members.filter(isSpace)
    if let embeddingFunction {
      members.append(JSON.Member("embedding_function", embeddingFunction))
    }
    members.append(JSON.Member("hnsw", .object(hnsw.members.filter { !isSpace($0) })))
    return members
  }

  /// The form in the catalog: all fields.
  package var stored: Text {
    text(hnsw.members)
  }

  /// The form that callers see: official Chroma shows neither threads nor batch size.
  package var json: Text {
    let hidden: [Text] = ["num_threads", "batch_size"]
    return text(hnsw.members.filter { !hidden.contains($0.key) })
  }

  private func text(_ hnsw: [JSON.Member]) -> Text {
    var members = [
      JSON.Member("hnsw", .object(hnsw)), JSON.Member("spann", .null),
      JSON.Member("embedding_function", embeddingFunction ?? .null),
    ]
    if vectorType != .f32 {
      members.append(JSON.Member("vector_dtype", .string(Text(vectorType.rawValue))))
    }
    return JSON.object(members).text
  }
}

/// The settings of an HNSW graph. Official Chroma bounds none of them.
package struct HNSWConfiguration: Equatable, Sendable {
  package internal(set) var space = Space.l2
  /// Candidates while a vector is inserted.
  package var efConstruction: UInt64 = 100
  /// Candidates of a search.
  package var efSearch: UInt64 = 100
  /// Links of a vector on each layer above the lowest.
  package var maxNeighbors: UInt64 = 16
  /// Nil: as many as there are processors.
  package var threadCount: UInt64?
  package var batchSize: UInt64 = 100
  package var syncThreshold: UInt64 = 1000
  package var resizeFactor = 1.2

  package init() {}

  /// The fields as callers write them.
  var members: [JSON.Member] {
    [
      JSON.Member("space", .string(Text(space.rawValue))),
      JSON.Member("ef_construction", JSON(efConstruction)),
      JSON.Member("ef_search", JSON(efSearch)),
      JSON.Member("max_neighbors", JSON(maxNeighbors)),
      JSON.Member("num_threads", threadCount.map(JSON.init) ?? .null),
      JSON.Member("resize_factor", .float(resizeFactor)),
      JSON.Member("sync_threshold", JSON(syncThreshold)),
      JSON.Member("batch_size", JSON(batchSize)),
    ]
  }
}

// The settings as metadata of the collection: how they were written before there were
// configurations.
extension HNSWConfiguration {
  /// Reads the keys that begin with `hnsw:`.
  ///
  /// - Throws: `invalidArgument` if one is unknown or has an impossible value.
  init(metadata: Metadata) throws(ChromaError) {
    for entry in metadata.entries where entry.key.hasPrefix("hnsw:") {
      switch (entry.key, entry.value) {
      case ("hnsw:space", .string(let name)):
        space = try Self.orThrow(Space(rawValue: name.string))
      case ("hnsw:construction_ef", .int(let value)): efConstruction = try Self.count(value)
      case ("hnsw:search_ef", .int(let value)): efSearch = try Self.count(value)
      case ("hnsw:M", .int(let value)): maxNeighbors = try Self.count(value)
      case ("hnsw:num_threads", .int(let value)): threadCount = try Self.count(value)
      case ("hnsw:batch_size", .int(let value)): batchSize = try Self.count(value, atLeast: 2)
      case ("hnsw:sync_threshold", .int(let value)):
        syncThreshold = try Self.count(value, atLeast: 2)
      case ("hnsw:resize_factor", .int(let value)): resizeFactor = Double(value)
      case ("hnsw:resize_factor", .float(let value)): resizeFactor = value
      default: _ = try Self.orThrow(nil as Never?)
      }
    }
  }

  private static func count(_ value: Int64, atLeast minimum: UInt64 = 0) throws(ChromaError)
    -> UInt64
  {
    try orThrow(UInt64(exactly: value).flatMap { $0 >= minimum ? $0 : nil })
  }

  private static func orThrow<Value>(_ value: Value?) throws(ChromaError) -> Value {
    guard let value else {
      throw .invalidArgument("Failed to parse hnsw parameters from segment metadata")
    }
    return value
  }
}

extension JSON {
  fileprivate init(_ value: UInt64) {
    self = Int64(exactly: value).map(JSON.int) ?? .unsigned(value)
  }
}
