// The reference model of one collection: what it holds, said as plainly as possible. It judges the
// engine in unit tests, random histories, power cuts and kill loops.

package import ChromaBase

package struct ModelRecord: Equatable, Sendable {
  package var id: Text
  package var vector: [Float]
  package var document: Text?
  package var uri: Text?
  /// Sorted by key by the type itself; nil when nothing is stored.
  package var metadata: [Text: MetadataValue]

  package init(
    id: Text, vector: [Float], document: Text?, uri: Text?, metadata: [Text: MetadataValue]
  ) {
    self.id = id
    self.vector = vector
    self.document = document
    self.uri = uri
    self.metadata = metadata
  }
}

package struct ModelCollection: Equatable, Sendable {
  /// In the order of insertion.
  package private(set) var records: [ModelRecord] = []

  package init() {}

  package mutating func apply(_ batch: RecordBatch) {
    for row in 0..<batch.count {
      let place = records.firstIndex { $0.id == batch.ids[row] }
      switch (batch.operation, place) {
      case (.delete, let place?):
        records.remove(at: place)
      case (.add, nil), (.upsert, nil), (.replace, nil):
        records.append(
          ModelRecord(id: batch.ids[row], vector: [], document: nil, uri: nil, metadata: [:]))
        set(records.count - 1, to: row, of: batch)
      case (.update, let place?), (.upsert, let place?):
        set(place, to: row, of: batch)
      case (.replace, let place?):
        records[place] = ModelRecord(
          id: batch.ids[row], vector: [], document: nil, uri: nil, metadata: [:])
        set(place, to: row, of: batch)
      case (.add, .some), (.update, nil), (.delete, nil):
        break
      }
    }
  }

  private mutating func set(_ place: Int, to row: Int, of batch: RecordBatch) {
    if let column = batch.embeddings, column.present?[row] ?? true {
      records[place].vector = Array(
        column.values[row * column.dimension..<(row + 1) * column.dimension])
    }
    if let document = batch.documents?[row] { records[place].document = document }
    if let uri = batch.uris?[row] { records[place].uri = uri }
    for entry in batch.metadatas?[row]?.entries ?? [] {
      records[place].metadata[entry.key] = entry.value
    }
  }

  /// Distances in double precision: what any kernel's answer is measured against.
  package static func distance(_ left: [Float], _ right: [Float], _ space: Space) -> Double {
    let pairs = zip(left.map(Double.init), right.map(Double.init))
    let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    switch space {
    case .l2:
      return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    case .ip:
      return 1 - dot
    case .cosine:
      let norms = [left, right].map { vector in
        vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
      return norms.contains(0) ? 1 : 1 - dot / (norms[0] * norms[1])
    }
  }
}
