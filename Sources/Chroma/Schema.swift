// The Swift door: what of a collection is indexed for filters.

import ChromaBase

/// A type of values in metadata. An array is of the type of its elements.
public enum MetadataType: String, CaseIterable, Sendable {
  case string, int, float, bool
}

/// What of a collection's records is indexed: by default everything. What is not takes no space and
/// no time, and filters by it are refused.
///
///     var schema = Schema()
///     schema.indexesDocuments = false
///     schema.setIndexed(false, .string, under: "body")
public struct Schema: Equatable, Sendable {
  /// The types of values that are indexed under keys for which nothing else is set.
  public var indexedTypes = Set(MetadataType.allCases)
  /// Whether documents are, for the filters that look into them.
  public var indexesDocuments = true
  private var keys: [String: [MetadataType: Bool]] = [:]

  public init() {}

  /// Sets whether the values of a type under one key are indexed.
  ///
  /// - Parameter key: Must not begin with `#`.
  public mutating func setIndexed(_ isIndexed: Bool, _ type: MetadataType, under key: String) {
    keys[key, default: [:]][type] = isIndexed
  }

  /// As the engine takes it, with the vectors' index, since one of the two has to say all.
  func json(space: Space, index: IndexSettings) -> String {
    let unindexed = MetadataType.allCases.filter { !indexedTypes.contains($0) }
    let defaults = Dictionary(uniqueKeysWithValues: unindexed.map { ($0, false) })
    var members = keys.sorted { $0.key < $1.key }.map { key, types in
      JSON.Member(Text(key), Self.json(types))
    }
    members.append(
      JSON.Member("#document", ["string": ["fts_index": Self.index(indexesDocuments)]]))
    let config: JSON = [
      "space": .string(Text(space.rawValue)), "source_key": "#document",
      "hnsw": [
        "max_neighbors": .int(Int64(index.maxNeighbors)),
        "ef_construction": .int(Int64(index.efConstruction)),
        "ef_search": .int(Int64(index.efSearch)),
      ],
    ]
    members.append(
      JSON.Member("#embedding", ["float_list": ["vector_index": Self.index(true, config)]]))
    let schema: JSON = ["defaults": Self.json(defaults), "keys": .object(members)]
    return schema.text.string
  }

  private static func json(_ types: [MetadataType: Bool]) -> JSON {
    .object(
      types.sorted { $0.key.rawValue < $1.key.rawValue }.map { type, isIndexed in
        let name = Text("\(type.rawValue)_inverted_index")
        return JSON.Member(Text(type.rawValue), .object([JSON.Member(name, index(isIndexed))]))
      })
  }

  private static func index(_ isEnabled: Bool, _ config: JSON = .object([])) -> JSON {
    ["enabled": .bool(isEnabled), "config": config]
  }
}
