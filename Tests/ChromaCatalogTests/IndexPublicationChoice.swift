// Random publications of indexes that fit whatever they meet, and some that do not.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport

/// Which generation to publish of a collection's index, in numbers that mean something in any state:
/// the same choice is the same publication in the same state.
struct IndexPublicationChoice: Sendable {
  enum Kind: CaseIterable, Sendable {
    case base, delta, move, drop
  }

  enum Mistake: CaseIterable, Sendable {
    case otherGeneration, positionAfterSegments, positionBeforeIndex, sameBlobTwice, emptyBlob
  }

  let collection: UUID
  /// What does not fit the state becomes what does: a delta to no index a base.
  let kind: Kind
  /// How much of what the segments hold the index then covers, from what it covers: 0 none, 4 all.
  let quarters: Int64
  let names: [Text]
  let lease: UUID?
  let leaseDeadline: Int64?
  let mistake: Mistake?

  /// - Returns: Nil if there is no such collection.
  func publication(in catalog: any Catalog) throws(ChromaError) -> IndexPublication? {
    guard let (row, _, index) = try catalog.manifest(of: collection) else { return nil }
    let isBase = kind == .base || row.generation == 0 && mistake == nil
    let isDrop = kind == .drop && !isBase
    let first = isBase ? 0 : row.indexedPosition
    var position = first + (row.compactedPosition - first) * quarters / 4
    if isDrop { position = 0 }
    if mistake == .positionAfterSegments { position = row.compactedPosition + 1 }
    if mistake == .positionBeforeIndex { position = row.indexedPosition - 1 }
    var added = names.map { IndexBlob(name: $0, byteCount: 1000) }
    if isDrop || kind == .move && !isBase { added = [] }
    if isBase && added.isEmpty { added = [IndexBlob(name: "base", byteCount: 1)] }
    if mistake == .sameBlobTwice { added += added + index.blobs.suffix(1) }
    if mistake == .emptyBlob { added.append(IndexBlob(name: "empty", byteCount: 0)) }
    return IndexPublication(
      collection: collection,
      expectedGeneration: row.generation + (mistake == .otherGeneration ? 1 : 0),
      position: position, added: added, replacesAll: isBase || isDrop, lease: lease,
      leaseDeadline: leaseDeadline, leasedBlobName: names.last)
  }
}

extension IndexPublicationChoice {
  /// What fits everywhere.
  init(_ kind: Kind, of collection: UUID, names: [Text], lease: UUID? = nil) {
    self.collection = collection
    self.kind = kind
    self.names = names
    self.lease = lease
    quarters = 4
    leaseDeadline = nil
    mistake = nil
  }

  init(
    collection: UUID, lease: UUID?, leaseDeadline: Int64?, using random: inout SeededRandom
  ) {
    self.collection = collection
    self.lease = lease
    self.leaseDeadline = leaseDeadline
    kind = random.element(of: [.base, .delta, .delta, .delta, .move, .drop])
    quarters = Int64(random.int(in: 0...4))
    // Few enough that one comes twice now and then, in one collection and in several.
    names = (0..<random.element(of: [0, 1, 1, 1, 2])).map { _ in
      Text("index\(random.int(in: 1...200))")
    }
    mistake = random.oneIn(8) ? random.element(of: Mistake.allCases) : nil
  }
}
