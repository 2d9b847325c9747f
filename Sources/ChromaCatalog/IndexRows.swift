// The index of a collection: which blobs it is made of, and how one generation becomes the next.
//
// An index is a list of blobs: the first holds a whole graph, each further one what changed since the
// one before. It is derived from the vectors in segments, so whoever finds a blob damaged or gone may
// drop the index and build another.

package import ChromaBase

/// A part of an index.
package struct IndexBlob: Equatable, Sendable {
  package let name: Text
  /// At least 1.
  package let byteCount: Int

  package init(name: Text, byteCount: Int) {
    self.name = name
    self.byteCount = byteCount
  }
}

/// What a collection's index is.
package struct IndexManifest: Equatable, Sendable {
  /// Of a collection without an index.
  package static let absent = IndexManifest(generation: 0, position: 0, blobs: [])

  /// 0 for none. A blob never changes its bytes, so two manifests of which one's blobs begin with all
  /// of the other's share what those hold.
  package let generation: Int64
  /// It covers exactly the vectors in segments that were set up to and with this log position.
  package let position: Int64
  /// In the order in which they apply, the whole graph first.
  package let blobs: [IndexBlob]

  package init(generation: Int64, position: Int64, blobs: [IndexBlob]) {
    self.generation = generation
    self.position = position
    self.blobs = blobs
  }
}

/// A generation to take the place of another one.
package struct IndexPublication: Equatable, Sendable {
  package let collection: UUID
  /// The generation that it was made from, 0 for none. If it isn't current any more, nothing happens.
  package let expectedGeneration: Int64
  /// The last log position that the index then covers: at most the version's, and not before the
  /// former one unless the blobs replace all. 0 if the index is dropped.
  package let position: Int64
  /// Written and synced; they apply after those that stay. Empty with `replacesAll` to drop the
  /// index, without it if only the position moves on.
  package let added: [IndexBlob]
  /// Whether the first one that is added holds a whole graph, and the former blobs go.
  package let replacesAll: Bool
  /// A lease to release with it, or to renew.
  package let lease: UUID?
  /// Until when the lease is renewed, in wall nanoseconds; nil to release it.
  package let leaseDeadline: Int64?
  /// The blob that the renewed lease keeps: the one that its holder writes next.
  package let leasedBlobName: Text?

  package init(
    collection: UUID,
    expectedGeneration: Int64,
    position: Int64,
    added: [IndexBlob],
    replacesAll: Bool = false,
    lease: UUID? = nil,
    leaseDeadline: Int64? = nil,
    leasedBlobName: Text? = nil
  ) {
    self.collection = collection
    self.expectedGeneration = expectedGeneration
    self.position = position
    self.added = added
    self.replacesAll = replacesAll
    self.lease = lease
    self.leaseDeadline = leaseDeadline
    self.leasedBlobName = leasedBlobName
  }

  /// Drops the index of that generation.
  package static func dropping(_ generation: Int64, of collection: UUID) -> IndexPublication {
    IndexPublication(
      collection: collection, expectedGeneration: generation, position: 0, added: [],
      replacesAll: true)
  }
}
