// What a publication must be to be one. Every conformer asks before it changes anything.

import ChromaBase

extension Publication {
  /// Throws unless the publication can follow the state.
  ///
  /// - Parameters:
  ///   - row: The collection, whose version is the expected one.
  ///   - current: Its segments.
  ///   - endsBatch: Whether the position is that of the version, or the end of a log row.
  ///   - isKnown: Whether a segment of that id is one of the collection's, or was and is pinned.
  func check(
    row: CollectionRow, current: [ManifestSegment], endsBatch: Bool,
    isKnown: (UUID) throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    guard position >= row.compactedPosition, position < row.nextPosition, endsBatch else {
      throw impossible(
        "position \(position) is not the end of a batch from position \(row.compactedPosition) to "
          + "\(row.nextPosition - 1)")
    }
    var live: [UUID: (rowCount: Int, deletedCount: Int)] = [:]
    for segment in current {
      live[segment.reference.id] = (segment.reference.rowCount, segment.deletedCount)
    }
    for id in removed where live.removeValue(forKey: id) == nil {
      throw impossible("it has no segment \(id) to remove")
    }
    for segment in added {
      let isTaken = try isKnown(segment.id)
      guard live[segment.id] == nil, !isTaken else {
        throw impossible("it has a segment \(segment.id) already")
      }
      guard segment.rowCount >= 1, segment.payload.byteCount >= 0, !segment.isOversized else {
        throw impossible(
          "segment \(segment.id) has \(segment.rowCount) rows in \(segment.payload.byteCount) "
            + "bytes")
      }
      live[segment.id] = (segment.rowCount, 0)
    }
    for (id, rows) in sortedDeleted {
      guard let segment = live[id] else { throw impossible("it has no segment \(id)") }
      guard rows.count >= max(1, segment.deletedCount), rows.count <= segment.rowCount else {
        throw impossible(
          "\(rows.count) of \(segment.rowCount) rows of segment \(id) cannot be dead where "
            + "\(segment.deletedCount) were")
      }
    }
  }

  private func impossible(_ reason: String) -> ChromaError {
    .invalidArgument("No version of collection [\(collection)] can be published so: \(reason).")
  }

  /// In the same order everywhere, so that a seed replays.
  var sortedDeleted: [(id: UUID, rows: DeletedRows)] {
    deleted.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Bytes that the compaction has written, added to those before.
  func compactedByteCount(after row: CollectionRow) -> Int64 {
    added.reduce(row.compactedByteCount) { sum, segment in
      let (next, overflow) = sum.addingReportingOverflow(Int64(segment.payload.byteCount))
      return overflow ? .max : next
    }
  }
}

extension IndexPublication {
  /// Whether the collection then has no index.
  var isDropping: Bool { replacesAll && added.isEmpty }

  /// Throws unless the publication can follow the state.
  ///
  /// - Parameters:
  ///   - row: The collection, whose generation is the expected one.
  ///   - isKnown: Whether a blob of that name is one of the collection's index, or was and is pinned.
  func check(
    row: CollectionRow, isKnown: (Text) throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    guard row.generation > 0 || (replacesAll && !isDropping) else {
      throw impossible("it has none to extend or to drop")
    }
    let first = replacesAll ? 0 : row.indexedPosition
    let last = isDropping ? 0 : row.compactedPosition
    guard position >= first, position <= last else {
      throw impossible("position \(position) is not from \(first) to \(last)")
    }
    guard replacesAll || !added.isEmpty || position > first else {
      throw impossible("nothing would change")
    }
    var names = Set<Text>()
    for blob in added {
      guard blob.byteCount >= 1 else {
        throw impossible("blob \(blob.name) has \(blob.byteCount) bytes")
      }
      let isTaken = try isKnown(blob.name)
      guard names.insert(blob.name).inserted, !isTaken else {
        throw impossible("it has a blob \(blob.name) already")
      }
    }
  }

  private func impossible(_ reason: String) -> ChromaError {
    .invalidArgument("No index of collection [\(collection)] can be published so: \(reason).")
  }
}

extension SegmentReference {
  /// Whether it stands in its row and should not.
  fileprivate var isOversized: Bool {
    guard case .inline(let bytes) = payload else { return false }
    return bytes.count > Limits.inlineSegmentByteCountMax
  }
}
