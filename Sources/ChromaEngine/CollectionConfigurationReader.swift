// Reading configurations, and changes of them:
//
//     {"hnsw": {…}|null, "spann": {…}|null, "embedding_function": {…}|null, "vector_dtype": "…"|null}
//
// Official Chroma reads them with serde_json straight into structs, and its errors (unknown and
// repeated fields, wrong types, each with the place) reach users. So this reader goes through the
// text in the same order and stops at the same places. Where serde takes a struct written as an array
// of its fields, this reader refuses. A field that is null is one that is not given. Of official
// Chroma's, `vector_dtype` is none: there it would be ignored as any unknown field is.

import ChromaBase

/// Reads one text, once.
struct CollectionConfigurationReader {
  /// What the text says; nil for what it leaves out.
  struct Parts {
    var hnsw: HNSWConfiguration?
    /// Of SPANN only the space has a meaning here.
    var spannSpace: Space?
    var embeddingFunction: JSON?
    var vectorType: VectorType?
  }

  private var json: JSONReader
  /// The settings before the change; nil if the configuration is a new collection's.
  private let current: HNSWConfiguration?

  private init(_ text: Text, changing current: HNSWConfiguration?) throws(ChromaError) {
    json = try JSONReader(text.bytes)
    self.current = current
  }

  /// Reads the configuration of a new collection or, given current settings, a change.
  ///
  /// - Throws: `invalidArgument` in official Chroma's words.
  static func read(
    _ text: Text, changing current: HNSWConfiguration? = nil
  ) throws(ChromaError) -> Parts {
    var reader = try CollectionConfigurationReader(text, changing: current)
    let parts = try reader.parts()
    try reader.json.end()
    if parts.hnsw != nil, parts.spannSpace != nil {
      throw .invalidArgument("Multiple vector index configurations provided")
    }
    return parts
  }

  private mutating func parts() throws(ChromaError) -> Parts {
    let fields: [Text] = ["hnsw", "spann", "embedding_function", "vector_dtype"]
    var parts = Parts()
    var seen: Set<Text> = []
    try begin("CollectionConfiguration")
    while let key = try json.nextKey() {
      guard fields.contains(key) else {
        _ = try json.value()
        continue
      }
      try note(key, in: &seen)
      if try skipNull() { continue }
      switch key {
      case "hnsw": parts.hnsw = try hnsw()
      case "spann": parts.spannSpace = try spannSpace()
      case "vector_dtype": parts.vectorType = try vectorType()
      default: parts.embeddingFunction = try embeddingFunction()
      }
    }
    return parts
  }

  private mutating func hnsw() throws(ChromaError) -> HNSWConfiguration {
    var fields: [Text] = [
      "ef_search", "max_neighbors", "num_threads", "resize_factor", "sync_threshold", "batch_size",
    ]
    if current == nil {
      fields = [
        "space", "ef_construction", "ef_search", "max_neighbors", "num_threads", "resize_factor",
        "sync_threshold", "batch_size",
      ]
    }
    var settings = current ?? HNSWConfiguration()
    var seen: Set<Text> = []
    try begin("HnswConfiguration")
    while let field = try nextField(of: fields, &seen) {
      if try skipNull() { continue }
      switch field {
      case "space": settings.space = try space()
      case "ef_construction": settings.efConstruction = try unsigned()
      case "ef_search": settings.efSearch = try unsigned()
      case "max_neighbors": settings.maxNeighbors = try unsigned()
      case "num_threads": settings.threadCount = try unsigned()
      case "resize_factor": settings.resizeFactor = try float()
      case "sync_threshold": settings.syncThreshold = try unsigned()
      default: settings.batchSize = try unsigned()
      }
    }
    return settings
  }

  private mutating func spannSpace() throws(ChromaError) -> Space {
    var fields: [Text] = ["search_nprobe", "ef_search"]
    if current == nil {
      fields = [
        "search_nprobe", "write_nprobe", "space", "ef_construction", "ef_search", "max_neighbors",
        "reassign_neighbor_count", "split_threshold", "merge_threshold",
      ]
    }
    var space = Space.l2
    var seen: Set<Text> = []
    try begin("SpannConfiguration")
    while let field = try nextField(of: fields, &seen) {
      if try skipNull() { continue }
      switch field {
      case "space": space = try self.space()
      case "ef_construction", "ef_search", "max_neighbors": _ = try unsigned()
      default: _ = try unsigned("u32", max: UInt64(UInt32.max))
      }
    }
    return space
  }

  /// Reads the description of an embedding function, without fields that it does not have.
  private mutating func embeddingFunction() throws(ChromaError) -> JSON {
    guard try json.kind() == .object else {
      throw try mismatch("internally tagged enum EmbeddingFunctionConfiguration")
    }
    var type: Text?
    var name: JSON?
    var config: JSON?
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "type":
        if type != nil { throw json.errorHere("duplicate field `type`") }
        guard try json.kind() == .string else { throw try mismatch("variant identifier") }
        type = try variant(["legacy", "known", "unknown"])
      case "name": name = try json.value()
      case "config": config = try json.value()
      default: _ = try json.value()
      }
    }
    guard let type else { throw json.errorHere("missing field `type`") }
    guard type == "known" else { return ["type": .string(type)] }
    guard let name else { throw json.errorHere("missing field `name`") }
    guard case .string = name else { throw mismatch(of: name, "a string") }
    guard let config else { throw json.errorHere("missing field `config`") }
    return ["type": .string(type), "name": name, "config": config]
  }

  private mutating func vectorType() throws(ChromaError) -> VectorType {
    let names = VectorType.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    guard try json.kind() == .string else { throw try mismatch("one of \(names)") }
    let name = try json.string()
    guard let type = VectorType(rawValue: name.string) else {
      throw json.errorHere("unknown vector_dtype `\(name)`, expected one of \(names)")
    }
    return type
  }

  // MARK: Fields

  private mutating func begin(_ type: String) throws(ChromaError) {
    guard try json.kind() == .object else {
      throw try mismatch("struct " + (current == nil ? "" : "Update") + type)
    }
    try json.beginObject()
  }

  private mutating func nextField(
    of fields: [Text], _ seen: inout Set<Text>
  ) throws(ChromaError) -> Text? {
    guard let key = try json.nextKey() else { return nil }
    guard fields.contains(key) else {
      let names = fields.map { "`\($0)`" }
      let expected =
        names.count == 2
        ? names.joined(separator: " or ") : "one of " + names.joined(separator: ", ")
      throw json.errorHere("unknown field `\(key)`, expected \(expected)")
    }
    try note(key, in: &seen)
    return key
  }

  private func note(_ key: Text, in seen: inout Set<Text>) throws(ChromaError) {
    if !seen.insert(key).inserted { throw json.errorHere("duplicate field `\(key)`") }
  }

  // MARK: Values

  /// Whether the value was null, which has then been read.
  private mutating func skipNull() throws(ChromaError) -> Bool {
    guard try json.kind() == .null else { return false }
    _ = try json.value()
    return true
  }

  private mutating func space() throws(ChromaError) -> Space {
    guard try json.kind() == .string else { throw json.errorAtNext("expected value") }
    let name = try variant(Space.allCases.map { Text($0.rawValue) })
    return Space(rawValue: name.string) ?? .l2
  }

  private mutating func variant(_ variants: [Text]) throws(ChromaError) -> Text {
    let name = try json.string()
    guard variants.contains(name) else {
      let expected = variants.map { "`\($0)`" }.joined(separator: ", ")
      throw json.errorHere("unknown variant `\(name)`, expected one of \(expected)")
    }
    return name
  }

  private mutating func unsigned(
    _ type: String = "usize", max: UInt64 = .max
  ) throws(ChromaError) -> UInt64 {
    guard try json.kind() == .number else { throw try mismatch(type) }
    let number = try json.number()
    let value: UInt64? =
      switch number {
      case .int(let value): UInt64(exactly: value)
      case .unsigned(let value): value
      default: throw mismatch(of: number, type)
      }
    guard let value, value <= max else {
      throw json.errorHere("invalid value: integer `\(number.text)`, expected \(type)")
    }
    return value
  }

  private mutating func float() throws(ChromaError) -> Double {
    guard try json.kind() == .number else { throw try mismatch("f64") }
    return switch try json.number() {
    case .int(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .float(let value): value
    default: 0
    }
  }

  /// The error for the next value, which is of another type.
  private mutating func mismatch(_ expected: String) throws(ChromaError) -> ChromaError {
    switch try json.kind() {
    case .array: return json.errorHere("invalid type: sequence, expected \(expected)")
    case .object: return json.errorHere("invalid type: map, expected \(expected)")
    default:
      let value = try json.value()
      return mismatch(of: value, expected)
    }
  }

  /// The error for a value that has been read and is of another type.
  private func mismatch(of value: JSON, _ expected: String) -> ChromaError {
    let found =
      switch value {
      case .null: "null"
      case .bool: "boolean `\(value.text)`"
      case .int, .unsigned: "integer `\(value.text)`"
      case .float: "floating point `\(value.text)`"
      case .string: "string \(value.text)"
      case .array: "sequence"
      case .object: "map"
      }
    return json.errorHere("invalid type: \(found), expected \(expected)")
  }
}
