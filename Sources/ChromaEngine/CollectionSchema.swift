// What of a collection's records is indexed for filters.
//
// A schema is settled when its collection is created. Filters by what it leaves unindexed are
// refused, as in official Chroma, and segments write nothing for them. What it says of the vectors
// becomes the collection's configuration, which alone is asked from then on.
//
// The catalog holds what a schema says beyond the standard one, in the form in which callers write
// it, so for most collections nothing:
//
//     {"defaults": {…}, "keys": {"#document": {…}, key: {…} …}, "cmek": {"gcp": "…"}}

package import ChromaBase
package import ChromaSegment

/// The schema of one collection.
package struct CollectionSchema: Equatable, Sendable {
  /// What it says of the values under one key: of the kinds in `settled`, those in `indexed` are.
  struct Key: Equatable, Sendable {
    let key: Text
    var settled: MetadataKinds = []
    var indexed: MetadataKinds = []
  }

  /// The kinds of values that are indexed unless `keys` says otherwise.
  private(set) var kinds = MetadataKinds.all
  /// In the order in which they were given.
  private(set) var keys: [Key] = []
  /// Whether documents are indexed.
  private(set) var hasTextIndex = true
  /// The name of a key to encrypt with, which means something to distributed Chroma alone.
  private(set) var cmek: Text?
  private let kindsByKey: [Text: MetadataKinds]

  /// That of a collection created without one: everything is indexed.
  package static let standard = CollectionSchema()

  private init() {
    kindsByKey = [:]
  }

  /// What is made of a schema that has been checked.
  init(_ parts: SchemaParts) {
    kinds = SchemaKind.all.reduce(into: .all) { kinds, kind in
      if parts.defaults.settings[kind.index]?.isEnabled == false { kinds.remove(kind.kind) }
    }
    var kindsByKey: [Text: MetadataKinds] = [:]
    for (key, types) in parts.keys {
      switch key {
      case Self.documentKey: hasTextIndex = types.settings[.text]?.isEnabled ?? true
      case Self.embeddingKey: break
      default:
        var entry = Key(key: key)
        for kind in SchemaKind.all {
          guard let setting = types.settings[kind.index] else { continue }
          entry.settled.insert(kind.kind)
          if setting.isEnabled { entry.indexed.insert(kind.kind) }
        }
        keys.append(entry)
        kindsByKey[key] = kinds.subtracting(entry.settled).union(entry.indexed)
      }
    }
    cmek = parts.cmek
    self.kindsByKey = kindsByKey
  }

  /// Reads back `stored`.
  ///
  /// - Throws: `corruption` if it is none.
  package init(stored: Text?) throws(ChromaError) {
    guard let stored else {
      self = .standard
      return
    }
    do throws(ChromaError) {
      self.init(try CollectionSchemaReader.read(stored))
    } catch {
      throw .corruption("The stored schema of a collection is damaged: \(error.message).")
    }
  }

  static let documentKey: Text = "#document"
  static let embeddingKey: Text = "#embedding"

  /// The kinds of values under a key that are indexed.
  func kinds(under key: Text) -> MetadataKinds {
    kindsByKey[key] ?? kinds
  }

  /// The indexes of the collection's segments.
  package func indexes(
    rowCountMin: Int = Limits.indexedSegmentRowCountMin
  ) -> SegmentIndexes {
    SegmentIndexes(
      rowCountMin: rowCountMin, hasTextIndex: hasTextIndex, kinds: kinds, kindsByKey: kindsByKey)
  }
}

/// A kind of metadata that a schema may leave unindexed.
struct SchemaKind: Equatable, Sendable {
  let kind: MetadataKinds
  let index: SchemaIndex
  /// What messages call it.
  let name: String

  static let string = SchemaKind(kind: .string, index: .string, name: "Str")
  static let int = SchemaKind(kind: .int, index: .int, name: "Int")
  static let float = SchemaKind(kind: .float, index: .float, name: "Float")
  static let bool = SchemaKind(kind: .bool, index: .bool, name: "Bool")
  static let all = [string, int, float, bool]
}

// MARK: As JSON

extension CollectionSchema {
  /// The form in the catalog; nil if it says nothing that the standard schema does not.
  package var stored: Text? {
    if self == .standard { return nil }
    let defaults = SchemaKind.all.filter { !kinds.contains($0.kind) }
      .map { Self.type(of: $0, isEnabled: false) }
    var keys = self.keys.map(Self.member)
    if !hasTextIndex { keys.append(documentMember) }
    return json(defaults: defaults, keys: keys)
  }

  /// The form that callers see: everything, with the vector index as the collection is configured.
  package func json(with configuration: CollectionConfiguration) -> Text {
    let vector = configuration.vectorIndexMembers
    let source = JSON.Member("source_key", .string(Self.documentKey))
    var defaults = SchemaKind.all.map { kind in
      Self.type(of: kind, isEnabled: kinds.contains(kind.kind))
    }
    defaults[0].value = .object([
      Self.index(.text, isEnabled: false),
      Self.index(.string, isEnabled: kinds.contains(.string)),
    ])
    defaults.append(Self.type(of: .vector, isEnabled: false, vector))
    let sparse: [JSON.Member] = [
      JSON.Member("embedding_function", ["type": "unknown"]), JSON.Member("bm25", false),
    ]
    defaults.append(Self.type(of: .sparse, isEnabled: false, sparse))
    let embedding = JSON.object([Self.type(of: .vector, isEnabled: true, vector + [source])])
    return json(
      defaults: defaults,
      keys: [documentMember, JSON.Member(Self.embeddingKey, embedding)] + keys.map(Self.member))
  }

  private func json(defaults: [JSON.Member], keys: [JSON.Member]) -> Text {
    var members = [
      JSON.Member("defaults", .object(defaults)), JSON.Member("keys", .object(keys)),
    ]
    if let cmek { members.append(JSON.Member("cmek", ["gcp": .string(cmek)])) }
    return JSON.object(members).text
  }

  private var documentMember: JSON.Member {
    let indexes = [
      Self.index(.text, isEnabled: hasTextIndex), Self.index(.string, isEnabled: false),
    ]
    return JSON.Member(
      Self.documentKey, .object([JSON.Member(Text(SchemaType.string.rawValue), .object(indexes))]))
  }

  private static func member(_ key: Key) -> JSON.Member {
    let types = SchemaKind.all.filter { key.settled.contains($0.kind) }
      .map { type(of: $0, isEnabled: key.indexed.contains($0.kind)) }
    return JSON.Member(key.key, .object(types))
  }

  private static func type(of kind: SchemaKind, isEnabled: Bool) -> JSON.Member {
    type(of: kind.index, isEnabled: isEnabled)
  }

  private static func type(
    of index: SchemaIndex, isEnabled: Bool, _ config: [JSON.Member] = []
  ) -> JSON.Member {
    JSON.Member(
      Text(index.type.rawValue), .object([Self.index(index, isEnabled: isEnabled, config)]))
  }

  private static func index(
    _ index: SchemaIndex, isEnabled: Bool, _ config: [JSON.Member] = []
  ) -> JSON.Member {
    JSON.Member(
      Text(index.rawValue), ["enabled": .bool(isEnabled), "config": .object(config)])
  }
}
