// Reads: count, get, query. Each sees every write that was committed before it began.

package import ChromaBase
import ChromaIndex

/// What a read returns beside ids.
package struct Include: OptionSet, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  package static let documents = Include(rawValue: 1)
  package static let embeddings = Include(rawValue: 2)
  package static let metadatas = Include(rawValue: 4)
  package static let distances = Include(rawValue: 8)
  package static let uris = Include(rawValue: 16)
}

/// Records in columns. A column that was not included is nil.
package struct RecordColumns: Sendable {
  package var ids: [Text] = []
  /// Rows of `dimension` elements.
  package var embeddings: [Float]?
  package var dimension = 0
  package var documents: [Text?]?
  package var uris: [Text?]?
  /// As users see them: without hidden keys. See `VisibleMetadata`.
  package var metadatas: [Metadata?]?
}

/// Neighbours of query q are rows `rowOffsets[q]..<rowOffsets[q + 1]`.
package struct QueryAnswer: Sendable {
  package var rowOffsets: [Int] = [0]
  package var records: RecordColumns
  package var distances: [Float]?
}

extension Engine {
  package func count(_ id: UUID) throws(ChromaError) -> Int {
    try read(id) { (_, table) in table.liveCount }
  }

  /// The selected records in the order of insertion.
  package func get(
    _ selection: Selection, from id: UUID, limit: Int?, offset: Int, include: Include,
    cancel: CancelToken? = nil
  ) throws(ChromaError) -> RecordColumns {
    try read(id) { (dimension, table) throws(ChromaError) in
      let slots = try Selector(selection, in: table, cancel: cancel)
        .slotsInOrder(offset: offset, limit: limit)
      var columns = RecordColumns(include, dimension: dimension)
      try columns.append(slots, of: table)
      return columns
    }
  }

  /// The `resultCount` selected records nearest to each query vector, nearest first; equal distances
  /// in the order of insertion. All of them, exactly, if there are fewer.
  ///
  /// - Parameter queries: Rows of one dimension.
  /// - Throws: `.invalidArgument` if the dimension is not the collection's.
  package func query(
    _ queries: VectorColumn, _ selection: Selection, in id: UUID, resultCount: Int,
    include: Include, cancel: CancelToken? = nil
  ) throws(ChromaError) -> QueryAnswer {
    try BatchRules.checkFinite(queries)
    do throws(ChromaError) {
      return try nearest(queries, selection, in: id, resultCount, include, cancel)
    } catch {
      throw Self.asOfficial(error, in: nil)
    }
  }

  private func nearest(
    _ queries: VectorColumn, _ selection: Selection, in id: UUID, _ resultCount: Int,
    _ include: Include, _ cancel: CancelToken?
  ) throws(ChromaError) -> QueryAnswer {
    try read(id) { (dimension, table) throws(ChromaError) in
      var answer = QueryAnswer(
        records: RecordColumns(include, dimension: dimension),
        distances: include.contains(.distances) ? [] : nil)
      let queryCount = queries.values.count / queries.dimension
      if let dimension, dimension != queries.dimension {
        throw .invalidArgument(
          "Collection expecting embedding with dimension of \(dimension), "
            + "got \(queries.dimension)")
      }
      guard let vectors = table.vectors else {
        answer.rowOffsets = Array(repeating: 0, count: queryCount + 1)
        return answer
      }
      let candidates = try Selector(selection, in: table, cancel: cancel).slots()
      try table.verifyVectors(of: candidates)
      for row in 0..<queryCount {
        let neighbors = try queries.withRow(row) { (query) throws(ChromaError) in
          try ExactScan.nearest(
            resultCount, to: query, in: vectors, among: candidates,
            order: { UInt64(bitPattern: table.order($0)) },
            poll: { () throws(ChromaError) in try cancel?.check() })
        }
        try answer.records.append(neighbors.map(\.slot), of: table)
        answer.distances?.append(contentsOf: neighbors.map(\.distance))
        answer.rowOffsets.append(answer.records.ids.count)
      }
      return answer
    }
  }

  private func read<R>(
    _ id: UUID, _ body: (_ dimension: Int?, RecordTable) throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    do throws(ChromaError) {
      defer { known.forgetUnused() }
      return try known.state(of: id).read { (row, table, _) throws(ChromaError) in
        // The records may be newer than the row: the first vectors may just have come.
        try body(table.vectors?.dimension ?? row.dimension, table)
      }
    } catch {
      if error.kind == .notFound { known.forget(id) }
      throw error
    }
  }
}

extension RecordColumns {
  init(_ include: Include, dimension: Int?) {
    self.dimension = dimension ?? 0
    embeddings = include.contains(.embeddings) ? [] : nil
    documents = include.contains(.documents) ? [] : nil
    uris = include.contains(.uris) ? [] : nil
    metadatas = include.contains(.metadatas) ? [] : nil
  }

  /// Appends the rows of live slots.
  mutating func append(_ slots: [UInt32], of table: RecordTable) throws(ChromaError) {
    ids.reserveCapacity(ids.count + slots.count)
    let elementCount = ids.count * dimension + slots.count * dimension
    embeddings?.reserveCapacity(elementCount)
    if embeddings != nil { try table.verifyVectors(of: slots) }
    for slot in slots {
      ids.append(try table.id(slot))
      if let vectors = table.vectors { embeddings?.append(contentsOf: vectors.row(slot)) }
      if documents != nil { documents?.append(try table.document(slot)) }
      let uri = uris != nil || metadatas != nil ? try table.uri(slot) : nil
      uris?.append(uri)
      if metadatas != nil {
        metadatas?.append(VisibleMetadata.of(try table.metadata(slot), hasURI: uri != nil))
      }
    }
  }
}

/// What users see of a record's metadata.
package enum VisibleMetadata {
  private static let hiddenPrefix: Text = "chroma:"

  /// Without keys that begin with "chroma:". Official Chroma keeps uris among them, so where only
  /// hidden keys are left the map is empty, and nil only where there was nothing at all.
  package static func of(_ stored: Metadata?, hasURI: Bool) -> Metadata? {
    guard let stored else { return hasURI ? Metadata() : nil }
    guard stored.entries.contains(where: { $0.key.hasPrefix(hiddenPrefix) }) else { return stored }
    return Metadata(stored.entries.filter { !$0.key.hasPrefix(hiddenPrefix) })
  }
}
