// A schema that a caller gives for a new collection: what it may say, and what becomes of it together
// with a configuration.
//
// Official Chroma lets one of the two speak. Which one gives nothing beyond the usual gives way: so
// every client may send both.

import ChromaBase

extension CollectionSchema {
  /// The schema and the configuration of a new collection.
  ///
  /// - Parameters:
  ///   - json: The schema that the caller gave.
  ///   - configuration: What the caller gave beside it, by whatever way.
  /// - Throws: `invalidArgument` in official Chroma's words.
  static func settle(
    json: Text, with configuration: CollectionConfiguration
  ) throws(ChromaError) -> (CollectionSchema, CollectionConfiguration) {
    let parts = try CollectionSchemaReader.read(json)
    try parts.check()
    if parts.isUsual { return (.standard, configuration) }
    guard configuration.isUsual else {
      throw parts.irreconcilable("Cannot set both collection config and schema simultaneously")
    }
    for settings in [parts.defaults.vector, parts.embedding.vector] {
      try parts.checkBounds(of: settings?.hnsw)
    }
    if parts.keys.contains(where: { $0.types.settings[.sparse]?.isEnabled == true }) {
      throw parts.irreconcilable(
        "Invalid schema input: Sparse vector indexing is not enabled in local")
    }
    let schema = CollectionSchema(parts)
    var vector = parts.embedding.vector ?? VectorIndexSettings()
    vector.isUsualSPANN = nil
    // What it said beyond the usual may mean nothing here.
    if schema == .standard, vector.isUsual { return (schema, configuration) }
    return (schema, configuration.with(vector))
  }
}

// MARK: What a schema may say

extension SchemaParts {
  fileprivate var embedding: SchemaTypes {
    keys.first { $0.key == CollectionSchema.embeddingKey }?.types ?? SchemaTypes()
  }

  fileprivate func irreconcilable(_ why: String) -> ChromaError {
    .invalidArgument("Failed to reconcile schema: \(why)")
  }

  /// Official Chroma bounds these settings here, and nowhere else.
  fileprivate func checkBounds(of hnsw: HNSWConfiguration?) throws(ChromaError) {
    guard let hnsw else { return }
    let fields = [("sync_threshold", hnsw.syncThreshold), ("batch_size", hnsw.batchSize)]
    let faults = fields.filter { $0.1 < 2 }.map { name, value in
      #"\#(name): Validation error: range [{"value": Number(\#(value)), "min": Number(2)}]"#
    }
    guard faults.isEmpty else {
      throw irreconcilable("Invalid HNSW configuration: " + faults.joined(separator: "\n"))
    }
  }

  fileprivate func check() throws(ChromaError) {
    if attachedFunction != nil {
      throw Self.invalid(
        "Cannot set source_attached_function_id. This field is reserved for system use.")
    }
    try checkDefaults()
    let sparseKeys = keys.filter { $0.types.settings[.sparse]?.isEnabled == true }.map(\.key)
    if sparseKeys.count > 1 {
      throw Self.invalid(
        "At most one sparse vector index is allowed for the collection: "
          + JSON.array(sparseKeys.map(JSON.string)).text.string)
    }
    for (key, types) in keys { try Self.check(types, under: key) }
    if let cmek, !Self.isGoogleKey(cmek) {
      throw Self.invalid("CMEK does not match expected pattern: Gcp(\(Self.debugged(cmek)))")
    }
  }

  private func checkDefaults() throws(ChromaError) {
    if defaults.settings[.vector]?.isEnabled == true {
      throw Self.invalid(
        "Vector index cannot be enabled by default. It can only be enabled on #embedding field.")
    }
    if let vector = defaults.vector, vector.hnsw != nil, vector.isUsualSPANN != nil {
      throw Self.invalid("Both spann and hnsw config cannot be present at the same time.")
    }
    if defaults.settings[.sparse]?.isEnabled == true {
      throw Self.invalid(
        "Sparse vector index cannot be enabled by default. Please enable sparse vector index on "
          + "specific keys. At most one sparse vector index is allowed for the collection.")
    }
    if defaults.settings[.text]?.isEnabled == true {
      throw Self.invalid(
        "Full text search / regular expression index cannot be enabled by default. It can only be "
          + "enabled on #document field.")
    }
  }

  private static func check(_ types: SchemaTypes, under key: Text) throws(ChromaError) {
    let isEmbedding = key == CollectionSchema.embeddingKey
    let isDocument = key == CollectionSchema.documentKey
    if key.hasPrefix("#"), !isEmbedding, !isDocument {
      throw invalid(
        "key cannot begin with '#'. Keys starting with '#' are reserved for system use: \(key)")
    }
    if isEmbedding, !types.types.isSubset(of: [.floatList]) {
      throw invalid("Embedding field cannot have any value types other than float_list: \(key)")
    }
    if isDocument, !types.types.isSubset(of: [.string]) {
      throw invalid("Document field cannot have any value types other than string: \(key)")
    }
    if isDocument, types.settings[.string]?.isEnabled == true {
      throw invalid("String inverted index can not be enabled on #document key: \(key)")
    }
    if !isEmbedding, types.settings[.vector]?.isEnabled == true {
      throw invalid("Vector index can only be enabled on #embedding field: \(key)")
    }
    if !isDocument, types.settings[.text]?.isEnabled == true {
      throw invalid(
        "Full text search / regular expression index can only be enabled on #document field: "
          + "\(key)")
    }
    if let source = types.vector?.sourceKey, source != CollectionSchema.documentKey {
      throw invalid("Vector index can only source from #document")
    }
    if let sparse = types.sparse, sparse.sourceKey != nil, sparse.embeddingFunction == nil {
      throw invalid(
        "If source_key is provided then embedding_function must also be provided since there is no "
          + "default embedding function.")
    }
  }

  private static func invalid(_ why: String) -> ChromaError {
    .invalidArgument("Validation error: schema: \(why)")
  }

  /// Whether it has the form projects/…/locations/…/keyRings/…/cryptoKeys/…
  private static func isGoogleKey(_ name: Text) -> Bool {
    guard name.hasPrefix("projects/"), !name.bytes.contains(UInt8(ascii: "\n")) else {
      return false
    }
    var rest = name.bytes.dropFirst("projects/".utf8.count)
    for word in ["/locations/", "/keyRings/", "/cryptoKeys/"] {
      // Each name between two words has a byte at least.
      guard let place = rest.dropFirst().firstRange(of: Array(word.utf8)) else { return false }
      rest = rest[place.upperBound...]
    }
    return !rest.isEmpty
  }

  /// A text as Rust shows it to programmers.
  private static func debugged(_ text: Text) -> String {
    var shown = "\""
    for scalar in text.string.unicodeScalars {
      switch scalar {
      case "\"": shown += "\\\""
      case "\\": shown += "\\\\"
      case "\n": shown += "\\n"
      case "\r": shown += "\\r"
      case "\t": shown += "\\t"
      case "\0": shown += "\\0"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        shown += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown + "\""
  }
}

// MARK: What is usual

extension SchemaTypes {
  fileprivate var vector: VectorIndexSettings? {
    if case .vector(let settings)? = settings[.vector]?.config { settings } else { nil }
  }

  fileprivate var sparse: SparseIndexSettings? {
    if case .sparse(let settings)? = settings[.sparse]?.config { settings } else { nil }
  }
}

extension SchemaParts {
  /// Whether it says nothing that a collection without a schema would not be.
  fileprivate var isUsual: Bool {
    guard cmek == nil else { return false }
    for (index, setting) in defaults.settings {
      let isUsuallyEnabled = SchemaKind.all.contains { $0.index == index }
      if setting.isEnabled != isUsuallyEnabled { return false }
    }
    if let vector = defaults.vector, vector.sourceKey != nil || !vector.isUsual { return false }
    if let sparse = defaults.sparse, !sparse.isUsual { return false }
    for (key, types) in keys {
      switch key {
      case CollectionSchema.documentKey:
        if types.settings[.text]?.isEnabled == false { return false }
      case CollectionSchema.embeddingKey:
        if types.settings[.vector]?.isEnabled == false { return false }
        guard let vector = types.vector else { continue }
        if vector.sourceKey == nil || !vector.isUsual { return false }
      default: return false
      }
    }
    return true
  }
}

extension VectorIndexSettings {
  fileprivate var isUsual: Bool {
    space ?? .l2 == .l2 && CollectionConfiguration.isUsual(embeddingFunction)
      && hnsw?.isUsual ?? true && isUsualSPANN ?? true
  }
}

extension SparseIndexSettings {
  fileprivate var isUsual: Bool {
    sourceKey == nil && !isBM25 && (embeddingFunction ?? Self.unknown) == Self.unknown
  }

  private static let unknown: JSON = ["type": "unknown"]
}

extension CollectionConfiguration {
  /// Whether a caller who gives it asks for nothing in particular. Official Chroma knows no
  /// `vector_dtype`.
  fileprivate var isUsual: Bool {
    hnsw.isUsual && Self.isUsual(embeddingFunction)
  }

  fileprivate static func isUsual(_ function: JSON?) -> Bool {
    guard let function else { return true }
    return switch function["type"] {
    case "unknown": true
    case "known": function["name"] == "default"
    default: false
    }
  }
}

extension HNSWConfiguration {
  fileprivate var isUsual: Bool {
    var usual = HNSWConfiguration()
    if threadCount == UInt64(EngineEnvironment.processorCount) { usual.threadCount = threadCount }
    return self == usual
  }
}
