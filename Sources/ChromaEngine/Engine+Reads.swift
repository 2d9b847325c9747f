// Reads: count, get; query stands in `Engine+Search`. Each sees every write that was committed before it
// began.

package import ChromaBase

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
  /// How many records are selected.
  package func count(
    _ selection: Selection = .everything, in id: UUID, cancel: CancelToken? = nil
  ) throws(ChromaError) -> Int {
    try read(id) { (view) throws(ChromaError) in
      try view.schema.check(selection)
      return try Selector(selection, in: view.table, cancel: cancel).count()
    }
  }

  /// The selected records, in the order of insertion unless there is another.
  ///
  /// - Parameters:
  ///   - offset: Of the first, from `after` on.
  ///   - after: The record before, in the order as it is now. It need not be selected.
  /// - Throws: `.notFound` naming the record `after` if there is none; `.invalidArgument`.
  package func get(
    _ selection: Selection, from id: UUID, limit: Int?, offset: Int, after: Text? = nil,
    order: RecordOrder? = nil, include: Include, cancel: CancelToken? = nil
  ) throws(ChromaError) -> RecordColumns {
    let found = try read(id) { (view) throws(ChromaError) -> RecordColumns? in
      try view.schema.check(selection)
      if let order { try BatchRules.checkIsOfMetadata(order.key) }
      let table = view.table
      let start = try after.map { (id) throws(ChromaError) in try table.slot(of: id) }
      if case .some(.none) = start { return nil }
      let slots: [UInt32]
      if let order {
        slots = try OrderedSelection(selection, by: order, in: table, cancel: cancel)
          .window(after: start ?? nil, offset: offset, limit: limit)
      } else {
        slots = try Selector(selection, in: table, cancel: cancel).slotsInOrder(
          offset: offset, limit: limit, after: start.flatMap { $0 }.map { table.order($0) })
      }
      var columns = RecordColumns(include, dimension: view.dimension)
      try columns.append(slots, of: table)
      return columns
    }
    // Not thrown inside: the collection is there, and need not be looked for again.
    guard let found else {
      throw .notFound("The record '\(after ?? "")', after which to go on, does not exist.")
    }
    return found
  }

  /// Calls the body with what the collection holds now.
  func read<R>(
    _ id: UUID, _ body: (CollectionState.View) throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    try readIndexed(id) { (view) throws(ChromaError) -> R? in try body(view) }
  }

  /// See `CollectionState.readIndexed`.
  func readIndexed<R>(
    _ id: UUID, _ body: (CollectionState.View) throws(ChromaError) -> R?
  ) throws(ChromaError) -> R {
    do throws(ChromaError) {
      defer { known.forgetUnused() }
      return try known.state(of: id).readIndexed(body)
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
      if embeddings != nil, let vectors = table.vectors {
        vectors.withRow(slot) { embeddings?.append(contentsOf: $0) }
      }
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
