// The index of a collection: whether its blobs make a graph, and the graph is that of the vectors.

import ChromaBase
import ChromaIndex
import ChromaSegment
import ChromaStorage

extension Verifier {
  /// - Parameter changed: Hashes of ids whose records may be others now than those in segments; nil if
  ///   that is not known.
  func verifyIndex(
    of collection: Collection, over segments: [VerifiedSegment], butFor changed: Set<UInt64>?
  ) throws(ChromaError) {
    let record = collection.record
    // What a row that cannot be read would have said is unknown.
    if damagedIndexes.contains(record.id) { return }
    if (record.generation > 0) == collection.index.isEmpty {
      return noteIndexDamage(
        DatabaseFiles.catalog, "row \(record.key) of collections", of: record,
        "Its index has generation \(record.generation) and \(collection.index.count) blobs.")
    }
    guard let graph = try graph(of: collection), let changed else { return }
    try verify(graph, of: collection, over: segments, butFor: changed)
  }

  func noteIndexDamage(
    _ file: String, _ place: String, of record: CollectionRecord, _ what: String
  ) {
    damagedIndexes.insert(record.id)
    findings.add(file, place, of: record.title, what)
  }

  private static func file(of row: IndexBlobRecord) -> String {
    "\(DatabaseFiles.blobs)/\(row.name)"
  }

  // MARK: The blobs

  /// - Returns: Nil if there is none, or it could not be made, of which the findings tell.
  private func graph(of collection: Collection) throws(ChromaError) -> Graph? {
    let record = collection.record
    var graph: Graph?
    var isUsable = true
    var previous: IndexBlobRecord?
    for row in collection.index {
      // Every blob is looked at, whatever the ones before are.
      let findingCount = findings.all.count
      guard let blob = try intactBlob(row.name.string, byteCount: row.byteCount, of: record.title)
      else {
        isUsable = false
        // It may also have been retired since.
        if findings.all.count > findingCount { damagedIndexes.insert(record.id) }
        continue
      }
      guard isUsable else { continue }
      do throws(ChromaError) {
        graph = try withExtendedLifetime(blob) { () throws(ChromaError) in
          let patch = try GraphPatch(
            try blob.bytes(0..<blob.byteCount), source: "index blob \(row.name)")
          if let contradiction = Self.contradiction(patch, row, after: previous, of: record) {
            throw .corruption("The index blob \(row.name) \(contradiction).")
          }
          return try patch.graph(after: graph)
        }
      } catch {
        isUsable = false
        // Too large to be looked at here; its bytes are as they were written.
        if error.kind == .resourceExhausted { continue }
        guard [.corruption, .unsupportedFormat].contains(error.kind) else { throw error }
        noteIndexDamage(Self.file(of: row), "", of: record, error.message)
      }
      previous = row
    }
    return isUsable ? graph : nil
  }

  /// What of a patch contradicts the catalog; nil if nothing does.
  private static func contradiction(
    _ patch: GraphPatch, _ row: IndexBlobRecord, after previous: IndexBlobRecord?,
    of record: CollectionRecord
  ) -> String? {
    if patch.label.collection != record.id {
      return "belongs to the collection \(patch.label.collection)"
    }
    if Int64(patch.dimension) != record.dimension {
      return "has codes of dimension \(patch.dimension), the collection's vectors have "
        + "\(record.dimension.map(String.init) ?? "none")"
    }
    if patch.isComplete != (previous == nil) {
      return patch.isComplete ? "begins anew, and is not the first" : "is the first, and no base"
    }
    if let previous {
      let expected = previous.firstGeneration..<max(previous.firstGeneration, row.firstGeneration)
      guard expected.contains(patch.label.previousGeneration) else {
        return "changes generation \(patch.label.previousGeneration), not "
          + "\(previous.firstGeneration)"
      }
    }
    if !(0...record.indexedPosition).contains(patch.label.position) {
      return "reaches to position \(patch.label.position), the collection says "
        + "\(record.indexedPosition)"
    }
    return nil
  }

  // MARK: The graph

  /// Whether the code of every live record that the index covers is that of its vector. A record that
  /// the log changes or deletes has none, if whoever published the index had seen that.
  private func verify(
    _ graph: Graph, of collection: Collection, over segments: [VerifiedSegment],
    butFor changed: Set<UInt64>
  ) throws(ChromaError) {
    let record = collection.record
    let quantizer = graph.quantizer
    let layout = graph.layout
    let row = UnsafeMutableRawPointer.allocate(byteCount: quantizer.rowByteCount, alignment: 64)
    defer { row.deallocate() }
    let code = row.assumingMemoryBound(to: Int8.self)
    for (segment, dead) in segments {
      guard segment.dimension == quantizer.dimension, segment.space == quantizer.space else {
        return noteIndexDamage(
          DatabaseFiles.catalog, "rows of index_blobs", of: record,
          "The index is not one over vectors as the segments have.")
      }
      for number in 0..<segment.rowCount
      where !dead.contains(UInt32(number))
        && segment.vectorPosition(number) <= record.indexedPosition
      {
        if number.isMultiple(of: Limits.cancellationRowInterval) { try meter.finish(0) }
        if !changed.isEmpty, changed.contains(IDHash.of(try segment.id(number))) { continue }
        let slot = segment.slot(number)
        var isRight = false
        try segment.withVector(number) { (vector) throws(ChromaError) in
          let isNode = quantizer.encode(vector, into: row)
          isRight = graph.members.contains(slot) == isNode
          if isNode, isRight {
            let stored = layout.codeRow(slot)
            isRight =
              layout.side(of: stored) == layout.side(of: code)
              && (0..<quantizer.dimension).allSatisfy { stored[$0] == code[$0] }
          }
        }
        guard isRight else {
          return noteIndexDamage(
            DatabaseFiles.catalog, "rows of index_blobs", of: record,
            "The index has another vector for the record in slot \(slot), or none.")
        }
      }
    }
  }
}
