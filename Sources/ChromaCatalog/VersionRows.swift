// Versions of a collection: which segments hold its records, and how one version becomes the next.

package import ChromaBase

/// A segment and where its bytes stand.
package struct SegmentReference: Equatable, Sendable {
  package let id: UUID
  package let payload: StoredPayload
  /// Rows of the segment, dead ones included; at least 1.
  package let rowCount: Int

  package init(id: UUID, payload: StoredPayload, rowCount: Int) {
    self.id = id
    self.payload = payload
    self.rowCount = rowCount
  }
}

/// Which rows of a segment are dead.
package struct DeletedRows: Equatable, Sendable {
  /// Bytes that the catalog doesn't look into.
  package let bitmap: [UInt8]
  /// How many rows the bitmap names; at least 1.
  package let count: Int

  package init(bitmap: [UInt8], count: Int) {
    self.bitmap = bitmap
    self.count = count
  }
}

/// A segment as part of a version.
package struct ManifestSegment: Equatable, Sendable {
  package let reference: SegmentReference
  /// Nil while every row lives.
  package let deletedRows: DeletedRows?

  package init(reference: SegmentReference, deletedRows: DeletedRows? = nil) {
    self.reference = reference
    self.deletedRows = deletedRows
  }

  package var deleted: [UInt8]? { deletedRows?.bitmap }
  package var deletedCount: Int { deletedRows?.count ?? 0 }
}

/// What a collection's records are, but for the log after `position`.
package struct VersionManifest: Equatable, Sendable {
  /// 0 for a collection that was never compacted.
  package let version: Int64
  /// The last log position that the segments hold.
  package let position: Int64
  /// In order of publication.
  package let segments: [ManifestSegment]

  package init(version: Int64, position: Int64, segments: [ManifestSegment]) {
    self.version = version
    self.position = position
    self.segments = segments
  }
}

/// A version to take the place of another one.
package struct Publication: Equatable, Sendable {
  package let collection: UUID
  /// The version that it was made from. If it isn't current any more, nothing happens.
  package let expectedVersion: Int64
  /// The last log position that the segments then hold: the end of a batch, not before the one that
  /// they hold now. Log rows up to it go.
  package let position: Int64
  /// Whose blobs are written and synced.
  package let added: [SegmentReference]
  package let removed: [UUID]
  /// Of segments that stay or are added: the dead rows from now on, in place of those before.
  package let deleted: [UUID: DeletedRows]
  /// A lease to release with it.
  package let lease: UUID?

  package init(
    collection: UUID,
    expectedVersion: Int64,
    position: Int64,
    added: [SegmentReference] = [],
    removed: [UUID] = [],
    deleted: [UUID: DeletedRows] = [:],
    lease: UUID? = nil
  ) {
    self.collection = collection
    self.expectedVersion = expectedVersion
    self.position = position
    self.added = added
    self.removed = removed
    self.deleted = deleted
    self.lease = lease
  }
}

/// What became of a `Publication` or an `IndexPublication`.
package enum PublishResult: Equatable, Sendable {
  /// Its version, or generation, is current. The blobs are those that nothing refers to any more, in
  /// order of their bytes: they may be removed now, not before.
  case published(version: Int64, retiredBlobs: [Text])
  /// Another version, or generation, had come; this is the current one. Nothing happened.
  case superseded(version: Int64)
}

/// What a lease is for. A collection has one of each kind at most.
package enum LeaseKind: Int64, Sendable {
  case compaction = 1
  case index = 2
}

/// The word of one process to all others that it is at long work on a collection. It saves double
/// work and keeps the blob that is being written; nothing is right or wrong by it.
package struct Lease: Equatable, Sendable {
  package let id: UUID
  package let collection: UUID
  package let kind: LeaseKind
  /// The blob that is being written, which no row names yet.
  package let blobName: Text?
  /// Who holds it, for people.
  package let holder: Text
  /// Wall nanoseconds from which the lease counts no more.
  package var deadline: Int64

  package init(
    id: UUID, collection: UUID, kind: LeaseKind, blobName: Text?, holder: Text, deadline: Int64
  ) {
    self.id = id
    self.collection = collection
    self.kind = kind
    self.blobName = blobName
    self.holder = holder
    self.deadline = deadline
  }

  /// With another deadline, and another blob that is being written.
  func renewed(to deadline: Int64, blobName: Text?) -> Lease {
    Lease(
      id: id, collection: collection, kind: kind, blobName: blobName, holder: holder,
      deadline: deadline)
  }
}
