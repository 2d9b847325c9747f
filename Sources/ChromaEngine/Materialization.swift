// What the log comes to: the rules by which writes become records, decided in log order by this one
// function, whoever reads.
//
//     operation   id exists        id is missing
//     add         ignored          inserted
//     update      changed          ignored
//     upsert      changed          inserted
//     delete      removed          ignored
//     replace     replaced         inserted
//
// A change replaces the embedding, the document and the uri where one is given, and merges metadata
// key by key: a value replaces, nil removes, keys that are not named stay. A record that is replaced
// keeps its id and its place in the order of insertion, and nothing else of what it was. Delete then
// add is a new record at the end. Inside a batch rows apply in order, so that of two equal ids the
// first add and the last upsert or replacement win.
//
// Applying a batch again changes nothing: a read that failed half-way through the log starts over.

package import ChromaBase

package enum Materialization {
  /// Applies one batch of the log.
  ///
  /// - Parameter firstPosition: The log position of the batch's first record.
  /// - Throws: `.corruption` if the batch does not fit what came before; `.resourceExhausted` if
  ///   there is no memory. Then the batch may stand half-applied, and is to be applied again.
  package static func apply(
    _ batch: RecordBatch, firstPosition: Int64, to table: inout RecordTable
  ) throws(ChromaError) {
    for row in 0..<batch.count {
      let id = batch.ids[row]
      switch (batch.operation, try table.slot(of: id)) {
      case (.add, nil), (.upsert, nil), (.replace, nil):
        try insert(row, of: batch, order: firstPosition &+ Int64(row), into: &table)
      case (.update, let slot?), (.upsert, let slot?):
        try change(
          slot, to: row, of: batch, position: firstPosition &+ Int64(row), in: &table)
      case (.replace, let slot?):
        try replace(
          slot, by: row, of: batch, position: firstPosition &+ Int64(row), in: &table)
      case (.delete, let slot?):
        try table.remove(slot)
      case (.add, .some), (.update, nil), (.delete, nil):
        break
      }
    }
  }

  private static func insert(
    _ row: Int, of batch: RecordBatch, order: Int64, into table: inout RecordTable
  ) throws(ChromaError) {
    let embeddings = try wholeVectors(row, of: batch)
    let metadata = merged(nil, with: batch.metadatas?[row])
    try embeddings.withRow(row) { (vector) throws(ChromaError) in
      try table.insert(
        id: batch.ids[row], order: order, vector: vector, document: batch.documents?[row],
        uri: batch.uris?[row], metadata: metadata)
    }
  }

  private static func replace(
    _ slot: UInt32, by row: Int, of batch: RecordBatch, position: Int64,
    in table: inout RecordTable
  ) throws(ChromaError) {
    try wholeVectors(row, of: batch).withRow(row) { (vector) throws(ChromaError) in
      try table.setVector(slot, to: vector, position: position)
    }
    try table.setDocument(slot, to: batch.documents?[row])
    try table.setURI(slot, to: batch.uris?[row])
    try table.setMetadata(slot, to: merged(nil, with: batch.metadatas?[row]))
  }

  /// The column in which a row that makes a record has its vector.
  private static func wholeVectors(
    _ row: Int, of batch: RecordBatch
  ) throws(ChromaError) -> VectorColumn {
    guard let embeddings = batch.embeddings, embeddings.present?[row] ?? true else {
      throw .corruption("The log inserts the record \(batch.ids[row]) without a vector.")
    }
    return embeddings
  }

  private static func change(
    _ slot: UInt32, to row: Int, of batch: RecordBatch, position: Int64,
    in table: inout RecordTable
  ) throws(ChromaError) {
    if let embeddings = batch.embeddings, embeddings.present?[row] ?? true {
      try embeddings.withRow(row) { (vector) throws(ChromaError) in
        try table.setVector(slot, to: vector, position: position)
      }
    }
    if let document = batch.documents?[row] { try table.setDocument(slot, to: document) }
    if let uri = batch.uris?[row] { try table.setURI(slot, to: uri) }
    if let change = batch.metadatas?[row] {
      try table.setMetadata(slot, to: merged(try table.metadata(slot), with: change))
    }
  }

  /// The metadata after a change; nil when nothing is left.
  package static func merged(_ old: Metadata?, with change: MetadataChange?) -> Metadata? {
    guard let change else { return old }
    let metadata = (old ?? Metadata()).merging(change)
    return metadata.isEmpty ? nil : metadata
  }
}

extension VectorColumn {
  /// The elements of one row.
  func withRow<R>(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    try values.withUnsafeBufferPointer { (values) throws(ChromaError) in
      try body(UnsafeBufferPointer(rebasing: values[row * dimension..<(row + 1) * dimension]))
    }
  }
}
