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
      try json.note(key, in: &seen)
      if try json.skipNull() { continue }
      switch key {
      case "hnsw": parts.hnsw = try hnsw()
      case "spann": parts.spannSpace = try spannSpace()
      case "vector_dtype": parts.vectorType = try vectorType()
      default: parts.embeddingFunction = try json.embeddingFunction()
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
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      switch field {
      case "space": settings.space = try json.space()
      case "ef_construction": settings.efConstruction = try json.unsigned()
      case "ef_search": settings.efSearch = try json.unsigned()
      case "max_neighbors": settings.maxNeighbors = try json.unsigned()
      case "num_threads": settings.threadCount = try json.unsigned()
      case "resize_factor": settings.resizeFactor = try json.float()
      case "sync_threshold": settings.syncThreshold = try json.unsigned()
      default: settings.batchSize = try json.unsigned()
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
    while let field = try json.nextField(of: fields, &seen) {
      if try json.skipNull() { continue }
      switch field {
      case "space": space = try json.space()
      case "ef_construction", "ef_search", "max_neighbors": _ = try json.unsigned()
      default: _ = try json.unsigned("u32", max: UInt64(UInt32.max))
      }
    }
    return space
  }

  private mutating func vectorType() throws(ChromaError) -> VectorType {
    let names = VectorType.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    guard try json.kind() == .string else { throw try json.mismatch("one of \(names)") }
    let name = try json.string()
    guard let type = VectorType(rawValue: name.string) else {
      throw json.errorHere("unknown vector_dtype `\(name)`, expected one of \(names)")
    }
    return type
  }

  // MARK: Fields

  private mutating func begin(_ type: String) throws(ChromaError) {
    try json.beginStruct((current == nil ? "" : "Update") + type)
  }
}
