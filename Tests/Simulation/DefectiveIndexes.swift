// A catalog with a planted defect in what it does about indexes.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import Synchronization

enum IndexDefect: Sendable {
  /// An index is published with the next one after it, on whatever generation there is then.
  case publishesLate
  /// An index is said to cover everything in segments.
  case claimsTooMuch
  /// A delta takes the place of all blobs before it, and a base that of none.
  case mistakesBase
  /// What a publication retires goes before it is committed.
  case deletesBeforeCommit
  /// The first blob of an index goes when another one is added.
  case deletesBlobInUse
  /// Nobody is told what was retired.
  case hidesRetired
  /// Blobs of indexes are not among those in use.
  case overlooksBlobs
}

// @unchecked: as its superclass; what it adds is constants and a mutex.
final class DefectiveIndexes: ForwardingCatalog, @unchecked Sendable {
  private let blobs: BlobStore
  private let defect: IndexDefect
  private let late = Mutex<IndexPublication?>(nil)

  init(_ base: any Catalog, _ fileSystem: any FileSystem, _ defect: IndexDefect) {
    self.defect = defect
    blobs = BlobStore(fileSystem: fileSystem, directory: "\(Player.directory)/blobs")
    super.init(base)
  }

  override func publishIndex(
    _ publication: IndexPublication
  ) throws(ChromaError) -> PublishResult {
    var changed = publication
    switch defect {
    case .publishesLate:
      try publishLate()
      late.withLock { $0 = publication }
      if let lease = publication.lease { try base.releaseLease(id: lease) }
      return .published(version: publication.expectedGeneration, retiredBlobs: [])
    case .claimsTooMuch where !publication.added.isEmpty:
      let row = try base.collection(id: publication.collection)
      changed = publication.with(position: row.compactedPosition)
    case .mistakesBase where publication.expectedGeneration > 0 && !publication.added.isEmpty:
      changed = publication.with(replacesAll: !publication.replacesAll)
    case .deletesBeforeCommit where publication.replacesAll:
      let index = try base.manifest(of: publication.collection)?.index
      for blob in index?.blobs ?? [] { try blobs.delete(blob.name.string) }
    default: break
    }
    let result = try base.publishIndex(changed)
    switch (defect, result) {
    case (.hidesRetired, .published(let generation, _)):
      return .published(version: generation, retiredBlobs: [])
    case (.deletesBlobInUse, .published):
      let index = try base.manifest(of: publication.collection)?.index
      if let index, index.blobs.count > 1 { try blobs.delete(index.blobs[0].name.string) }
      return result
    default: return result
    }
  }

  private func publishLate() throws(ChromaError) {
    let publication = late.withLock { late in
      defer { late = nil }
      return late
    }
    guard let publication, let row = try base.manifest(of: publication.collection)?.row,
      row.generation > 0 || publication.replacesAll
    else { return }
    let position =
      publication.replacesAll
      ? publication.position : max(publication.position, row.indexedPosition)
    _ = try base.publishIndex(
      publication.with(expectedGeneration: row.generation, position: position))
  }

  override func referencedBlobs() throws(ChromaError) -> [Text] {
    let names = try base.referencedBlobs()
    guard case .overlooksBlobs = defect else { return names }
    var indexed: Set<Text> = []
    for id in try base.collectionIDs() {
      indexed.formUnion(try base.manifest(of: id)?.index.blobs.map(\.name) ?? [])
    }
    return names.filter { !indexed.contains($0) }
  }
}

extension IndexPublication {
  fileprivate func with(
    expectedGeneration: Int64? = nil, position: Int64? = nil, replacesAll: Bool? = nil
  ) -> IndexPublication {
    IndexPublication(
      collection: collection, expectedGeneration: expectedGeneration ?? self.expectedGeneration,
      position: position ?? self.position, added: added,
      replacesAll: replacesAll ?? self.replacesAll, lease: lease, leaseDeadline: leaseDeadline,
      leasedBlobName: leasedBlobName)
  }
}
