// Compaction: the tail becomes a segment, segments become one.
//
//     step    inside the write turn: the log of a collection, and small segments with it, become one
//             segment; the log is pruned. Bounded by `CompactionLimits.tailByteCountMax`.
//     merge   outside the turn, under a lease: live rows of some segments of one version become one
//             segment. Inside the turn it is brought up to date with what died meanwhile.
//
// Invariants:
//   * A publication is one transaction on the version that it was made from. Whoever was faster
//     wins, the other's work is thrown away. The lease only makes that rare.
//   * Nothing is copied unverified: damage must not get a checksum that holds.
//   * What readers answer is the same before and after.

import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage

struct Compactor: Sendable {
  let catalog: any Catalog
  let blobs: BlobStore
  let clock: any Clock
  let random: any RandomSource
  let policy: CompactionPolicy
  /// Names this engine to others that would merge, too.
  let holder: UUID
  /// Removes what a publication leaves that fails in the middle.
  let sweep: BlobSweep

  // MARK: The step

  /// Turns a collection's log into a segment. To be called inside the write turn.
  ///
  /// - Parameter isWanted: Looks at the log and the records, and says whether to.
  /// - Returns: Whether anything was published.
  @discardableResult
  func step(
    _ state: CollectionState, cancel: CancelToken? = nil,
    if isWanted: (CollectionRow, RecordTable) -> Bool = { _, _ in true }
  ) throws(ChromaError) -> Bool {
    try state.read { (view) throws(ChromaError) in
      let (row, table, position) = (view.row, view.table, view.position)
      let version = table.version
      guard position > version.position, isWanted(row, table) else { return false }
      let publication: Publication
      do throws(ChromaError) {
        let absorbed = policy.absorbed(
          table.sizes, tailByteCount: row.logByteCount)
        publication = try stepPublication(row, table, position, absorbed, cancel)
      } catch {
        // A damaged segment is left as it is; the log must not grow because of it.
        guard error.kind == .corruption else { throw error }
        publication = try stepPublication(row, table, position, [], cancel)
      }
      return try publish(publication)
    }
  }

  private func stepPublication(
    _ row: CollectionRow, _ table: RecordTable, _ position: Int64, _ absorbed: [Int],
    _ cancel: CancelToken?
  ) throws(ChromaError) -> Publication {
    let version = table.version
    var slots = Array(table.slotsInTail)
    for index in absorbed { slots += table.slots(ofSegment: index) }
    let source = try TableSource(table, slots: slots)
    let added = try source.map { (source) throws(ChromaError) in
      let first = min(
        version.position + 1, Self.positions(of: version, absorbed)?.lowerBound ?? .max)
      return try write(source, row, first...position, to: UUID(random: random), cancel)
    }
    var deleted: [UUID: DeletedRows] = [:]
    let newlyDead = Dictionary(grouping: table.replaced, by: \.segment)
    for (index, locations) in newlyDead where !absorbed.contains(index) {
      let part = version.parts[index]
      let dead = part.dead.union(Bitset(locations.lazy.map { UInt32($0.row) }))
      deleted[part.id] = Self.deletedRows(dead, of: part.segment.rowCount)
    }
    return Publication(
      collection: row.id, expectedVersion: version.number, position: position,
      added: added.map { [$0] } ?? [], removed: absorbed.map { version.parts[$0].id },
      deleted: deleted, lease: nil)
  }

  // MARK: Merges

  /// What a merge is about to publish.
  private struct Merge {
    let version: CollectionVersion
    let inputs: [Int]
    let source: MergeSource?
    let added: SegmentReference?
    let lease: Lease
  }

  /// Turns some segments into one. To be called outside the turn.
  ///
  /// - Parameters:
  ///   - choose: The segments to merge, by index; none ends it.
  ///   - exclusively: Does something inside the write turn.
  /// - Returns: Whether anything was published: not if there was nothing to do, or somebody else was
  ///   faster.
  /// - Throws: `.locked` if somebody else merges the collection, or was killed doing so a moment ago.
  func merge(
    _ state: CollectionState, cancel: CancelToken?, choose: (CollectionVersion) -> [Int],
    exclusively: (@escaping () throws(ChromaError) -> Bool) throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Bool {
    let (row, version) = try state.read { ($0.row, $0.table.version) }
    let inputs = choose(version)
    if inputs.isEmpty { return false }
    let segment = UUID(random: random)
    let lease = Lease(
      id: UUID(random: random), collection: row.id, kind: .compaction,
      blobName: Text(Self.blobName(of: segment)), holder: Text("\(holder)"),
      deadline: clock.wallNanoseconds() &+ Self.leaseNanoseconds(of: version, inputs))
    let isLeased = try exclusively { () throws(ChromaError) in
      try catalog.acquireLease(lease)
    }
    guard isLeased else {
      throw ChromaError(
        .locked,
        "Another process compacts collection [\(row.id)]. Nothing is lost; try again later.")
    }
    let source: MergeSource?
    let added: SegmentReference?
    do throws(ChromaError) {
      source = try MergeSource(version, segments: inputs)
      // A segment whose description makes no sense stands for the whole log.
      let positions = Self.positions(of: version, inputs) ?? 1...max(1, version.position)
      added = try source.map { (source) throws(ChromaError) in
        try write(source, row, positions, to: segment, cancel)
      }
    } catch {
      release(lease, exclusively)
      throw error
    }
    let merge = Merge(
      version: version, inputs: inputs, source: source, added: added, lease: lease)
    return try publish(merge, state, cancel, exclusively)
  }

  /// What took long to make is worth waiting for: as long as the lease, unless the caller has no time.
  private func publish(
    _ merge: Merge, _ state: CollectionState, _ cancel: CancelToken?,
    _ exclusively: (@escaping () throws(ChromaError) -> Bool) throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Bool {
    while true {
      do throws(ChromaError) {
        return try exclusively { () throws(ChromaError) in try publish(merge, state) }
      } catch {
        let isCancelled = cancel?.isRequested ?? false
        if error.kind == .locked, !isCancelled, clock.wallNanoseconds() < merge.lease.deadline {
          continue
        }
        // Without a turn, or without a collection, nothing was begun.
        if let added = merge.added, error.kind == .locked || error.kind == .notFound {
          discard(added)
        } else {
          sweep.repeatAfterNextCommit()
        }
        if clock.wallNanoseconds() < merge.lease.deadline { release(merge.lease, exclusively) }
        throw error
      }
    }
  }

  /// Gives a lease back if that can be done; otherwise it ends by itself.
  private func release(
    _ lease: Lease,
    _ exclusively: (@escaping () throws(ChromaError) -> Bool) throws(ChromaError) -> Bool
  ) {
    _ = try? exclusively { () throws(ChromaError) in
      try catalog.releaseLease(id: lease.id)
      return true
    }
  }

  /// How long others wait for a merge whose process was killed: 16 MiB a second are written anywhere.
  private static func leaseNanoseconds(of version: CollectionVersion, _ inputs: [Int]) -> Int64 {
    let byteCount = inputs.reduce(0) { $0 + version.parts[$1].liveByteCount }
    return Limits.mergeLeaseNanoseconds * Int64(1 + byteCount >> 24)
  }

  /// The log positions that the segments stand for together.
  private static func positions(
    of version: CollectionVersion, _ inputs: [Int]
  ) -> ClosedRange<Int64>? {
    let descriptions = inputs.map { version.parts[$0].segment.description }
    guard let first = descriptions.map(\.firstPosition).min(),
      let last = descriptions.map(\.lastPosition).max(), first <= last
    else { return nil }
    return first...last
  }

  /// Inside the turn: rows that died since the merge began are dead in the new segment, too.
  private func publish(_ merge: Merge, _ state: CollectionState) throws(ChromaError) -> Bool {
    try state.read { (view) throws(ChromaError) in
      var dead = Bitset()
      let (row, now) = (view.row, view.table.version)
      for index in merge.inputs {
        let old = merge.version.parts[index]
        guard let part = now.parts.first(where: { $0.id == old.id }) else {
          return try abandon(merge)
        }
        for row in part.dead.subtracting(old.dead) {
          let location = RecordLocation(segment: index, row: Int(row))
          if let row = merge.source?.row(of: location) { dead.insert(UInt32(row)) }
        }
      }
      if case .blob(let name, _)? = merge.added?.payload, try !blobs.exists(name.string) {
        return try abandon(merge)
      }
      var deleted: [UUID: DeletedRows] = [:]
      if let added = merge.added, !dead.isEmpty {
        deleted[added.id] = Self.deletedRows(dead, of: added.rowCount)
      }
      return try publish(
        Publication(
          collection: row.id, expectedVersion: now.number, position: now.position,
          added: merge.added.map { [$0] } ?? [],
          removed: merge.inputs.map { merge.version.parts[$0].id }, deleted: deleted,
          lease: merge.lease.id))
    }
  }

  private func abandon(_ merge: Merge) throws(ChromaError) -> Bool {
    if let added = merge.added { discard(added) }
    try catalog.releaseLease(id: merge.lease.id)
    return false
  }

  // MARK: Both

  private func publish(_ publication: Publication) throws(ChromaError) -> Bool {
    let result: PublishResult
    do throws(ChromaError) {
      result = try catalog.publish(publication)
    } catch {
      // Whether a commit that failed happened is known only after reopening, so the blob stays.
      sweep.repeatAfterNextCommit()
      throw error
    }
    switch result {
    case .published(_, let retiredBlobs):
      sweep.remove(retiredBlobs)
      return true
    case .superseded:
      for added in publication.added { discard(added) }
      return false
    }
  }

  /// Removes a segment that was not published. One that stays is swept later.
  private func discard(_ reference: SegmentReference) {
    if case .blob(let name, _) = reference.payload { sweep.remove([name]) }
  }

  /// Stores a segment where its size belongs.
  ///
  /// - Parameter positions: The part of the log that it stands for.
  private func write(
    _ source: some SegmentSource, _ row: CollectionRow, _ positions: ClosedRange<Int64>,
    to id: UUID, _ cancel: CancelToken?
  ) throws(ChromaError) -> SegmentReference {
    var description = SegmentDescription(
      collection: row.id, version: row.version + 1, firstPosition: positions.lowerBound,
      lastPosition: positions.upperBound)
    let indexes = try CollectionSchema(stored: row.schema)
      .indexes(rowCountMin: policy.limits.indexedSegmentRowCountMin)
    let payload: StoredPayload
    if let bytes = try SegmentWriter.encode(
      source, description, byteCountMax: policy.limits.inlineSegmentByteCountMax,
      indexes: indexes, cancel: cancel)
    {
      payload = .inline(bytes)
    } else {
      // What a lost catalog is made again from.
      description.definition = CollectionDefinition(
        tenant: row.tenant, database: row.database,
        databaseID: try catalog.database(tenant: row.tenant, name: row.database).id,
        name: row.name, configuration: row.configuration, schema: row.schema,
        metadata: row.metadata)
      let name = Self.blobName(of: id)
      let writer = try blobs.writer(name)
      do throws(ChromaError) {
        try SegmentWriter.write(source, description, to: writer, indexes: indexes, cancel: cancel)
        try writer.finish()
      } catch {
        writer.abandon()
        // A disk that fails may keep what was written so far.
        sweep.repeatAfterNextCommit()
        throw error
      }
      payload = .blob(name: Text(name), byteCount: writer.byteCount)
    }
    return SegmentReference(id: id, payload: payload, rowCount: source.rowCount)
  }

  private static func blobName(of segment: UUID) -> String { "\(segment).segment" }

  private static func deletedRows(_ dead: Bitset, of rowCount: Int) -> DeletedRows {
    DeletedRows(bitmap: DeleteBitmap.encode(dead, rowCount: rowCount), count: dead.count)
  }
}

extension CollectionVersion {
  var sizes: [CompactionPolicy.Sizes] {
    parts.map { .init(byteCount: $0.byteCount, liveByteCount: $0.liveByteCount) }
  }
}
