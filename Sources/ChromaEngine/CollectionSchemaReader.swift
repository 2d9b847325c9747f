// Reading schemas:
//
//     {"defaults": types, "keys": {key: types …}, "cmek": {"gcp": "…"}|null}
//     types   := {"string"|"float_list"|"sparse_vector"|"int"|"float"|"bool": {name: index …} …}
//     index   := {"enabled": bool, "config": {…}}
//
// Names have aliases from the time before official Chroma settled them. What a schema leaves out, or
// gives as null, is as it is without a schema. Unknown names are passed over outside configs.

import ChromaBase

/// An index that a schema speaks of.
enum SchemaIndex: String, CaseIterable {
  case text = "fts_index"
  case string = "string_inverted_index"
  case vector = "vector_index"
  case sparse = "sparse_vector_index"
  case int = "int_inverted_index"
  case float = "float_inverted_index"
  case bool = "bool_inverted_index"

  /// The type of the values that it is over.
  var type: SchemaType {
    switch self {
    case .text, .string: .string
    case .vector: .floatList
    case .sparse: .sparseVector
    case .int: .int
    case .float: .float
    case .bool: .bool
    }
  }

  /// What official Chroma's structs are called, less `Type` or `Config`.
  fileprivate var structName: String {
    switch self {
    case .text: "FtsIndex"
    case .string: "StringInvertedIndex"
    case .vector: "VectorIndex"
    case .sparse: "SparseVectorIndex"
    case .int: "IntInvertedIndex"
    case .float: "FloatInvertedIndex"
    case .bool: "BoolInvertedIndex"
    }
  }
}

/// A type of values that a schema speaks of.
enum SchemaType: String, CaseIterable {
  case string, int, float, bool
  case floatList = "float_list"
  case sparseVector = "sparse_vector"

  fileprivate var structName: String {
    switch self {
    case .string: "StringValueType"
    case .floatList: "FloatListValueType"
    case .sparseVector: "SparseVectorValueType"
    case .int: "IntValueType"
    case .float: "FloatValueType"
    case .bool: "BoolValueType"
    }
  }
}

/// What a schema says, before anything is made of it.
struct SchemaParts {
  var defaults = SchemaTypes()
  /// In the order in which they are given, each once.
  var keys: [(key: Text, types: SchemaTypes)] = []
  /// The name of a key that encrypts, at Google.
  var cmek: Text?
  /// A function that official Chroma alone may name.
  var attachedFunction: Text?
}

/// What a schema says of the values under one key, or under all.
struct SchemaTypes {
  /// Of these types it says something, if only nothing in particular.
  var types: Set<SchemaType> = []
  var settings: [SchemaIndex: SchemaSetting] = [:]
}

/// What a schema says of one index.
struct SchemaSetting {
  var isEnabled: Bool
  var config = Config.none

  enum Config {
    case none
    case vector(VectorIndexSettings)
    case sparse(SparseIndexSettings)
  }
}

/// How vectors are to be indexed; nil is for what is left out.
struct VectorIndexSettings {
  var space: Space?
  var embeddingFunction: JSON?
  /// The key whose values are embedded.
  var sourceKey: Text?
  var hnsw: HNSWConfiguration?
  /// Whether they are the usual settings of SPANN, none of which means anything here.
  var isUsualSPANN: Bool?
}

struct SparseIndexSettings {
  var sourceKey: Text?
  var embeddingFunction: JSON?
  var isBM25 = false
}

/// Reads one text, once.
struct CollectionSchemaReader {
  private var json: JSONReader

  /// - Throws: `invalidArgument` in official Chroma's words.
  static func read(_ text: Text) throws(ChromaError) -> SchemaParts {
    var reader = CollectionSchemaReader(json: try JSONReader(text.bytes))
    let parts = try reader.schema()
    try reader.json.end()
    return parts
  }

  private mutating func schema() throws(ChromaError) -> SchemaParts {
    var parts = SchemaParts()
    if try json.skipNull() { return parts }
    var seen: Set<Text> = []
    try json.beginStruct("Schema")
    while let name = try json.nextKey() {
      let field: Text = name == "key_overrides" ? "keys" : name
      switch field {
      case "defaults":
        try json.note(field, in: &seen)
        parts.defaults = try types()
      case "keys":
        try json.note(field, in: &seen)
        parts.keys = try keys()
      case "cmek":
        try json.note(field, in: &seen)
        if try !json.skipNull() { parts.cmek = try cmek() }
      case "source_attached_function_id":
        try json.note(field, in: &seen)
        if try !json.skipNull() { parts.attachedFunction = try json.text() }
      default: _ = try json.value()
      }
    }
    for field: Text in ["defaults", "keys"] where !seen.contains(field) {
      throw json.errorHere("missing field `\(field)`")
    }
    return parts
  }

  private mutating func keys() throws(ChromaError) -> [(key: Text, types: SchemaTypes)] {
    guard try json.kind() == .object else { throw try json.mismatch("a map") }
    var keys: [(key: Text, types: SchemaTypes)] = []
    var places: [Text: Int] = [:]
    try json.beginObject()
    while let key = try json.nextKey() {
      let types = try types()
      if let place = places[key] {
        keys[place].types = types
      } else {
        places[key] = keys.count
        keys.append((key, types))
      }
    }
    return keys
  }

  private mutating func cmek() throws(ChromaError) -> Text {
    switch try json.kind() {
    case .object: break
    case .string:
      _ = try json.string()
      throw json.errorAtNext("invalid type: unit variant, expected newtype variant")
    default: throw json.errorAtNext("expected value")
    }
    try json.beginObject()
    guard let provider = try json.nextKey() else { throw json.errorHere("expected value") }
    guard provider == "gcp" else {
      throw json.errorHere("unknown variant `\(provider)`, expected `gcp`")
    }
    let resource = try json.text()
    if try json.nextKey() != nil { throw json.errorHere("expected value") }
    return resource
  }

  // MARK: Types and indexes

  private mutating func types() throws(ChromaError) -> SchemaTypes {
    var types = SchemaTypes()
    var seen: Set<Text> = []
    try json.beginStruct("ValueTypes")
    while let name = try json.nextKey() {
      guard let type = SchemaType(rawValue: Self.canonical(name, alias: "#").string) else {
        _ = try json.value()
        continue
      }
      try json.note(Text(type.rawValue), in: &seen)
      if try json.skipNull() { continue }
      types.types.insert(type)
      try indexes(of: type, &types)
    }
    return types
  }

  private mutating func indexes(
    of type: SchemaType, _ types: inout SchemaTypes
  ) throws(ChromaError) {
    var seen: Set<Text> = []
    try json.beginStruct(type.structName)
    while let name = try json.nextKey() {
      guard let index = SchemaIndex(rawValue: Self.canonical(name, alias: "$").string),
        index.type == type
      else {
        _ = try json.value()
        continue
      }
      try json.note(Text(index.rawValue), in: &seen)
      if try json.skipNull() { continue }
      types.settings[index] = try setting(of: index)
    }
  }

  private static func canonical(_ name: Text, alias prefix: Text) -> Text {
    guard name.hasPrefix(prefix) else { return name }
    return Text(validating: Array(name.bytes.dropFirst(prefix.byteCount))) ?? name
  }

  private mutating func setting(of index: SchemaIndex) throws(ChromaError) -> SchemaSetting {
    var isEnabled: Bool?
    var config: SchemaSetting.Config?
    var seen: Set<Text> = []
    try json.beginStruct("\(index.structName)Type")
    while let field = try json.nextKey() {
      switch field {
      case "enabled":
        try json.note(field, in: &seen)
        isEnabled = try json.bool()
      case "config":
        try json.note(field, in: &seen)
        config = try self.config(of: index)
      default: _ = try json.value()
      }
    }
    guard let isEnabled else { throw json.errorHere("missing field `enabled`") }
    guard let config else { throw json.errorHere("missing field `config`") }
    return SchemaSetting(isEnabled: isEnabled, config: config)
  }

  // MARK: Configs

  private mutating func config(of index: SchemaIndex) throws(ChromaError) -> SchemaSetting.Config {
    var seen: Set<Text> = []
    try json.beginStruct("\(index.structName)Config")
    switch index {
    case .vector: return .vector(try vectorSettings())
    case .sparse: return .sparse(try sparseSettings())
    default:
      _ = try json.nextField(of: [], &seen)
      return .none
    }
  }

  private mutating func vectorSettings() throws(ChromaError) -> VectorIndexSettings {
    let fields: [Text] = ["space", "embedding_function", "source_key", "hnsw", "spann"]
    var settings = VectorIndexSettings()
    var seen: Set<Text> = []
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      switch field {
      case "space": settings.space = try json.space()
      case "embedding_function": settings.embeddingFunction = try json.embeddingFunction()
      case "source_key": settings.sourceKey = try json.text()
      case "hnsw": settings.hnsw = try hnsw()
      default: settings.isUsualSPANN = try spann()
      }
    }
    return settings
  }

  private mutating func sparseSettings() throws(ChromaError) -> SparseIndexSettings {
    let fields: [Text] = ["embedding_function", "source_key", "bm25", "algorithm"]
    var settings = SparseIndexSettings()
    var seen: Set<Text> = []
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      switch field {
      case "embedding_function": settings.embeddingFunction = try json.embeddingFunction()
      case "source_key": settings.sourceKey = try json.text()
      case "bm25": settings.isBM25 = try json.bool()
      default: _ = try json.value()
      }
    }
    return settings
  }

  private mutating func hnsw() throws(ChromaError) -> HNSWConfiguration {
    let fields: [Text] = [
      "ef_construction", "max_neighbors", "ef_search", "num_threads", "batch_size",
      "sync_threshold", "resize_factor",
    ]
    var settings = HNSWConfiguration()
    var seen: Set<Text> = []
    try json.beginStruct("HnswIndexConfig")
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      switch field {
      case "ef_construction": settings.efConstruction = try json.unsigned()
      case "max_neighbors": settings.maxNeighbors = try json.unsigned()
      case "ef_search": settings.efSearch = try json.unsigned()
      case "num_threads": settings.threadCount = try json.unsigned()
      case "batch_size": settings.batchSize = try json.unsigned()
      case "sync_threshold": settings.syncThreshold = try json.unsigned()
      default: settings.resizeFactor = try json.float()
      }
    }
    return settings
  }

  /// - Returns: Whether every setting is the usual one.
  private mutating func spann() throws(ChromaError) -> Bool {
    let fields: [Text] = [
      "search_nprobe", "search_rng_factor", "search_rng_epsilon", "nreplica_count",
      "write_rng_factor", "write_rng_epsilon", "split_threshold", "num_samples_kmeans",
      "initial_lambda", "reassign_neighbor_count", "merge_threshold", "num_centers_to_merge_to",
      "write_nprobe", "ef_construction", "ef_search", "max_neighbors", "center_drift_threshold",
      "quantize",
    ]
    let usual: [Text: Double] = [
      "search_nprobe": 64, "search_rng_factor": 1, "search_rng_epsilon": 10, "nreplica_count": 8,
      "write_rng_factor": 1, "write_rng_epsilon": 5, "split_threshold": 50,
      "num_samples_kmeans": 1000, "initial_lambda": 100, "reassign_neighbor_count": 64,
      "merge_threshold": 25, "num_centers_to_merge_to": 8, "write_nprobe": 32,
      "ef_construction": 200, "ef_search": 200, "max_neighbors": 64,
      "center_drift_threshold": 0.125,
    ]
    var isUsual = true
    var seen: Set<Text> = []
    try json.beginStruct("SpannIndexConfig")
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      let value: Double
      switch field {
      case "quantize":
        isUsual = try json.variant(["none", "four_bit_rabit_q_with_u_search"]) == "none" && isUsual
        continue
      case "ef_construction", "ef_search", "max_neighbors", "num_samples_kmeans":
        value = Double(try json.unsigned())
      case "search_rng_factor", "search_rng_epsilon", "write_rng_factor", "write_rng_epsilon",
        "initial_lambda", "center_drift_threshold":
        value = try json.float("f32")
      default:
        value = Double(try json.unsigned("u32", max: UInt64(UInt32.max)))
      }
      isUsual = isUsual && usual[field] == value
    }
    return isUsual
  }
}
