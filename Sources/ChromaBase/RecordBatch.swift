// A batch of writes, in columns, as it travels from a door to the log.

package enum Operation: UInt8, Sendable {
  /// Inserts; an existing id is left as it is.
  case add = 1
  /// Changes; a missing id is ignored.
  case update = 2
  /// Changes, or inserts what is missing.
  case upsert = 3
  /// Removes; a missing id is ignored.
  case delete = 4
  /// Makes the record exactly what is given, or inserts what is missing.
  case replace = 5

  /// Whether a record comes of every row, which then needs an embedding and can remove nothing.
  package var isWhole: Bool { self == .add || self == .replace }
}

/// Vectors of one dimension, row after row.
package struct VectorColumn: Equatable, Sendable {
  /// Elements in one vector; at least 1.
  package let dimension: Int
  /// `rowCount × dimension` finite values.
  package let values: [Float]
  /// For each row whether it holds a vector; nil when all do. Absent rows hold zeros.
  package let present: [Bool]?

  package init(dimension: Int, values: [Float], present: [Bool]? = nil) {
    self.dimension = dimension
    self.values = values
    self.present = present
  }

  fileprivate func selecting(_ rows: [Int]) -> VectorColumn {
    var selected: [Float] = []
    selected.reserveCapacity(rows.count * dimension)
    for row in rows { selected += values[row * dimension..<(row + 1) * dimension] }
    return VectorColumn(
      dimension: dimension, values: selected,
      present: present.map { flags in rows.map { flags[$0] } })
  }
}

/// What one call wants written: one operation on records of one collection, all or nothing.
///
/// Every column is nil (nothing given) or has one element for each id.
package struct RecordBatch: Equatable, Sendable {
  package let operation: Operation
  /// Not empty strings. The same id may occur again: rows apply in order.
  package let ids: [Text]
  package let embeddings: VectorColumn?
  /// Nil elements leave the document as it is.
  package let documents: [Text?]?
  package let uris: [Text?]?
  package let metadatas: [MetadataChange?]?

  package init(
    operation: Operation,
    ids: [Text],
    embeddings: VectorColumn? = nil,
    documents: [Text?]? = nil,
    uris: [Text?]? = nil,
    metadatas: [MetadataChange?]? = nil
  ) {
    self.operation = operation
    self.ids = ids
    self.embeddings = embeddings
    self.documents = documents
    self.uris = uris
    self.metadatas = metadatas
  }

  package var count: Int { ids.count }

  /// Some of its rows, in the order given.
  package func selecting(_ rows: [Int]) -> RecordBatch {
    RecordBatch(
      operation: operation, ids: rows.map { ids[$0] },
      embeddings: embeddings.map { $0.selecting(rows) },
      documents: documents.map { column in rows.map { column[$0] } },
      uris: uris.map { column in rows.map { column[$0] } },
      metadatas: metadatas.map { column in rows.map { column[$0] } })
  }
}
