// Random publications that fit whatever they meet, and some that do not.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport

/// Which version to publish of a collection, in numbers that mean something in any state: the same
/// choice is the same publication in the same state.
struct PublicationChoice: Sendable {
  let collection: UUID
  /// How many of the log's rows the version takes over; more than there are: all.
  let rowCount: Int
  let added: [SegmentReference]
  /// Places among the current segments, modulo their number.
  let removedPlaces: [Int]
  let deletedPlaces: [Int]
  let lease: UUID?
  /// Whether it is made from another version than the current one, or ends within a batch, or takes
  /// away what isn't there.
  let mistake: Mistake?

  enum Mistake: CaseIterable, Sendable {
    case otherVersion, otherPosition, unknownSegment, tooManyDead
  }

  /// - Returns: Nil if there is no such collection.
  func publication(in catalog: any Catalog) throws(ChromaError) -> Publication? {
    let known = KnownState(version: .min, position: 0)
    guard
      let changes = try catalog.changes(in: collection, after: known, byteCountMax: .max),
      let manifest = changes.manifest
    else { return nil }
    var position = changes.rows.prefix(rowCount).last.map { $0.endPosition - 1 }
    if mistake == .otherPosition { position = position.map { $0 &+ 2 } }
    let segments = manifest.segments
    var removed: [UUID] = []
    for place in removedPlaces where !segments.isEmpty {
      let id = segments[place % segments.count].reference.id
      if !removed.contains(id) { removed.append(id) }
    }
    if mistake == .unknownSegment { removed.append(.zero) }
    var deleted: [UUID: DeletedRows] = [:]
    for place in deletedPlaces where !segments.isEmpty {
      let segment = segments[place % segments.count]
      let count = segment.deletedCount &+ (mistake == .tooManyDead ? 100 : 1)
      guard !removed.contains(segment.reference.id) else { continue }
      deleted[segment.reference.id] = DeletedRows(
        bitmap: [UInt8(truncatingIfNeeded: count)], count: count)
    }
    return Publication(
      collection: collection,
      expectedVersion: manifest.version &+ (mistake == .otherVersion ? 1 : 0),
      position: position ?? manifest.position, added: added, removed: removed, deleted: deleted,
      lease: lease)
  }
}

extension PublicationChoice {
  init(
    collection: UUID, rowCount: Int, added: [SegmentReference], lease: UUID? = nil
  ) {
    self.collection = collection
    self.rowCount = rowCount
    self.added = added
    self.lease = lease
    removedPlaces = []
    deletedPlaces = []
    mistake = nil
  }

  init(collection: UUID, lease: UUID?, using random: inout SeededRandom) {
    self.collection = collection
    self.lease = lease
    rowCount = random.element(of: [0, 1, 3, 100, 100])
    added = (0..<random.element(of: [0, 1, 1, 2])).map { _ in
      let byteCount = random.oneIn(20) ? 20_000 : random.int(in: 0...4)
      let mark = UInt8(truncatingIfNeeded: random.next())
      let blob = StoredPayload.blob(
        name: Text("segment\(random.int(in: 1...30))"), byteCount: random.int(in: 0...1000))
      return SegmentReference(
        id: .numbered(random.next() % 200),
        payload: random.oneIn(2) ? blob : .inline(Array(repeating: mark, count: byteCount)),
        rowCount: random.int(in: 1...5))
    }
    removedPlaces = (0..<random.int(in: 0...2)).map { _ in random.int(in: 0...9) }
    deletedPlaces = (0..<random.int(in: 0...2)).map { _ in random.int(in: 0...9) }
    mistake = random.oneIn(8) ? random.element(of: Mistake.allCases) : nil
  }
}
