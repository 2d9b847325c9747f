// What a batch must be before anything is written. The doors have made its types right; this makes
// its contents right, and nothing behind it checks again.

import ChromaBase
import ChromaKernels

enum BatchRules {
  private static let documentKey: Text = "chroma:document"
  private static let uriKey: Text = "chroma:uri"

  /// The batch as it is to be written.
  ///
  /// - Throws: `.invalidArgument` in official Chroma's words.
  static func checked(_ batch: RecordBatch) throws(ChromaError) -> RecordBatch {
    try checkShape(batch)
    for id in batch.ids {
      guard !id.isEmpty else {
        throw .invalidArgument("Empty ID, ID must have at least one character")
      }
      try checkLength(of: id, what: "An id")
    }
    if let embeddings = batch.embeddings { try checkFinite(embeddings) }
    for case let document? in batch.documents ?? [] {
      try checkLength(of: document, what: "A document")
    }
    for case let uri? in batch.uris ?? [] { try checkLength(of: uri, what: "A uri") }
    for (row, change) in (batch.metadatas ?? []).enumerated() {
      for entry in change?.entries ?? [] {
        try check(entry, row: row, operation: batch.operation)
      }
    }
    return withReservedKeysMoved(batch)
  }

  static func checkFinite(_ vectors: VectorColumn) throws(ChromaError) {
    guard (1...Limits.dimensionMax).contains(vectors.dimension) else {
      throw .invalidArgument(
        "An embedding of dimension \(vectors.dimension) is not possible: 1 to "
          + "\(Limits.dimensionMax) are.")
    }
    guard vectors.values.allSatisfy(\.isFinite) else {
      throw .invalidArgument(
        "Validation error: embeddings: Embeddings must not contain NaN or Infinity values")
    }
  }

  /// The vectors as they read once they are stored.
  ///
  /// - Throws: `.invalidArgument` naming an element that is too large.
  static func rounded(
    _ vectors: VectorColumn, to type: VectorType
  ) throws(ChromaError) -> VectorColumn {
    var values = vectors.values
    let dimension = vectors.dimension
    let refused: Int? = values.withUnsafeMutableBufferPointer { values in
      withUnsafeTemporaryAllocation(
        byteCount: type.rowByteCount(dimension: dimension), alignment: 4
      ) { row in
        guard let row = row.baseAddress else { return nil }
        for start in stride(from: 0, to: values.count, by: dimension) {
          let vector = UnsafeMutableBufferPointer(rebasing: values[start..<start + dimension])
          if let index = type.encode(UnsafeBufferPointer(vector), into: row) {
            return start + index
          }
          type.decode(row, into: vector)
        }
        return nil
      }
    }
    if let refused {
      throw .invalidArgument(
        "The embedding at index \(refused / dimension) has the element \(values[refused]) at index "
          + "\(refused % dimension), which is too large for the vector_dtype of the collection: "
          + "\(type.rawValue) holds magnitudes up to \(type.magnitudeMax). Scale the embeddings, or "
          + "store them in a collection with another vector_dtype.")
    }
    return VectorColumn(dimension: dimension, values: values, present: vectors.present)
  }

  private static func checkShape(_ batch: RecordBatch) throws(ChromaError) {
    let count = batch.count
    guard count <= Limits.recordCountMax else {
      throw .invalidArgument(
        "\(count) records are more than the \(Limits.recordCountMax) of one write. "
          + "Write them in several calls.")
    }
    let columnCounts = [
      batch.embeddings.map { $0.values.count / max($0.dimension, 1) }, batch.documents?.count,
      batch.uris?.count, batch.metadatas?.count,
    ]
    guard columnCounts.allSatisfy({ $0 == nil || $0 == count }) else {
      throw .invalidArgument(
        "Inconsistent number of IDs, embeddings, documents, URIs and metadatas")
    }
    let needsEmbeddings = batch.operation.isWhole || batch.operation == .upsert
    if needsEmbeddings, count > 0, batch.embeddings == nil || batch.embeddings?.present != nil {
      throw .invalidArgument("Every record that is added or upserted needs an embedding.")
    }
  }

  private static func check(
    _ entry: MetadataChange.Entry, row: Int, operation: Operation
  ) throws(ChromaError) {
    guard NameRules.isMetadataKey(entry.key) else {
      throw .invalidArgument("Validation error: metadatas: Invalid metadata at index \(row)")
    }
    try checkLength(of: entry.key, what: "A metadata key")
    switch entry.value {
    case nil:
      guard !operation.isWhole else {
        throw .invalidArgument(
          "The metadata key \"\(entry.key)\" of record \(row) has no value. Leave it out: only "
            + "update and upsert remove keys.")
      }
    case .float(let value):
      try checkFinite(value, entry.key)
    case .floats(let values):
      try checkNotEmpty(values, entry.key)
      for value in values { try checkFinite(value, entry.key) }
    case .string(let text):
      try checkLength(of: text, what: "A metadata value")
    case .strings(let texts):
      try checkNotEmpty(texts, entry.key)
      for text in texts { try checkLength(of: text, what: "A metadata value") }
    case .bools(let values):
      try checkNotEmpty(values, entry.key)
    case .ints(let values):
      try checkNotEmpty(values, entry.key)
    case .bool, .int:
      break
    }
  }

  static func checkFinite(_ value: Double, _ key: Text) throws(ChromaError) {
    guard value.isFinite else {
      throw .invalidArgument(
        "The metadata value \(value) of key \"\(key)\" cannot be stored: it is not a finite "
          + "number. Leave the key out or store a string.")
    }
  }

  private static func checkNotEmpty(_ values: [some Any], _ key: Text) throws(ChromaError) {
    guard !values.isEmpty else {
      throw .invalidArgument("Expected metadata list value for key '\(key)' to be non-empty")
    }
  }

  private static func checkLength(of text: Text, what: String) throws(ChromaError) {
    guard text.byteCount <= Limits.textByteCountMax else {
      throw .invalidArgument(
        "\(what) of \(text.byteCount) bytes is longer than the \(Limits.textByteCountMax) bytes "
          + "that can be stored.")
    }
  }

  /// Refuses a key under which no record can have metadata: to answer as if none had would be taken
  /// for an answer.
  static func checkIsOfMetadata(_ key: Text) throws(ChromaError) {
    guard NameRules.isMetadataKey(key), key != documentKey, key != uriKey else {
      throw .invalidArgument(
        "The key '\(key)' is none of metadata: those are not empty, do not begin with '#' or '$', "
          + "and are neither '\(documentKey)' nor '\(uriKey)'.")
    }
  }

  /// Official Chroma keeps document and uri as the metadata keys chroma:document and chroma:uri, so
  /// that a caller who writes the key writes the document. Here they are columns.
  private static func withReservedKeysMoved(_ batch: RecordBatch) -> RecordBatch {
    guard let metadatas = batch.metadatas else { return batch }
    let isReserved = { (entry: MetadataChange.Entry) in
      entry.key == documentKey || entry.key == uriKey
    }
    guard metadatas.contains(where: { $0?.entries.contains(where: isReserved) ?? false }) else {
      return batch
    }
    var documents = batch.documents ?? Array(repeating: nil, count: batch.count)
    var uris = batch.uris ?? Array(repeating: nil, count: batch.count)
    var rest: [MetadataChange?] = []
    for (row, change) in metadatas.enumerated() {
      for case let entry in change?.entries ?? [] {
        guard case .string(let text) = entry.value else { continue }
        if entry.key == documentKey { documents[row] = documents[row] ?? text }
        if entry.key == uriKey { uris[row] = uris[row] ?? text }
      }
      rest.append(change.map { MetadataChange($0.entries.filter { !isReserved($0) }) })
    }
    return RecordBatch(
      operation: batch.operation, ids: batch.ids, embeddings: batch.embeddings,
      documents: documents, uris: uris, metadatas: rest)
  }
}
