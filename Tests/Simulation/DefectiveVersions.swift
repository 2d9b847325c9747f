// A catalog with a planted defect in what it does about versions, segments and leases.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Synchronization

enum VersionDefect: Sendable {
  /// A merge is published with the next publication after it, on whatever version there is then.
  case publishesLate
  /// A step does not say which rows of other segments have died.
  case forgetsDeletions
  /// A merge does not say which rows have died since it began.
  case forgetsDeathsDuringMerge
  /// The dead rows of one segment are those of another.
  case mistakesSegment
  /// A merge prunes the log by a batch that it does not hold.
  case prunesTooMuch
  /// What a publication retires goes before it is committed.
  case deletesBeforeCommit
  /// Whoever reads a new version gets the segments of the one before, with the log after the new.
  case readsTorn
  /// Nobody is told how long the log is.
  case hidesDebt
  /// Nobody is told what was retired.
  case hidesRetired
  /// One bit of a section, by its number, of segments in the catalog is wrong when they are written, so
  /// that their checksums hold.
  case misfilesSection(UInt16)
}

// @unchecked: as its superclass; what it adds is constants and a mutex.
final class DefectiveVersions: ForwardingCatalog, @unchecked Sendable {
  private struct State {
    var late: Publication?
    var segments: [UUID: [ManifestSegment]] = [:]
    var random = SeededRandom(15)
  }

  private let blobs: BlobStore
  private let defect: VersionDefect
  private let state = Mutex(State())

  init(_ base: any Catalog, _ fileSystem: any FileSystem, _ defect: VersionDefect) {
    self.defect = defect
    blobs = BlobStore(fileSystem: fileSystem, directory: "\(Player.directory)/blobs")
    super.init(base)
  }

  override func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
    let isMerge = publication.lease != nil
    var changed = publication
    switch defect {
    case .publishesLate:
      try publishLate()
      if isMerge {
        state.withLock { $0.late = publication }
        return .published(version: publication.expectedVersion, retiredBlobs: [])
      }
    case .forgetsDeletions where !isMerge, .forgetsDeathsDuringMerge where isMerge:
      changed = publication.with(deleted: [:])
    case .mistakesSegment:
      changed = try mistaken(publication)
    case .prunesTooMuch where isMerge:
      let known = KnownState(
        version: publication.expectedVersion, position: publication.position)
      let next = try base.changes(in: publication.collection, after: known, byteCountMax: 0)
      changed = publication.with(position: next?.rows.first.map { $0.endPosition - 1 })
    case .deletesBeforeCommit:
      for name in try retired(by: publication) { try blobs.delete(name.string) }
    case .misfilesSection(let kind):
      changed = publication.with(added: misfiled(publication.added, kind))
    default: break
    }
    let result = try base.publish(changed)
    if case .hidesRetired = defect, case .published(let version, _) = result {
      return .published(version: version, retiredBlobs: [])
    }
    return result
  }

  private func publishLate() throws(ChromaError) {
    let late = state.withLock { state in
      defer { state.late = nil }
      return state.late
    }
    guard let late, let row = try base.manifest(of: late.collection)?.row else { return }
    _ = try base.publish(late.with(expectedVersion: row.version))
  }

  private func mistaken(_ publication: Publication) throws(ChromaError) -> Publication {
    guard let (id, rows) = publication.deleted.first,
      let segments = try base.manifest(of: publication.collection)?.manifest.segments,
      let other = segments.map(\.reference).first(where: {
        $0.id != id && !publication.removed.contains($0.id) && $0.rowCount >= rows.count
      })
    else { return publication }
    return publication.with(deleted: [other.id: rows])
  }

  private func misfiled(_ segments: [SegmentReference], _ kind: UInt16) -> [SegmentReference] {
    segments.map { segment in
      guard case .inline(let bytes) = segment.payload,
        let forged = state.withLock({
          SegmentForgery.spoiling(section: kind, of: bytes, &$0.random)
        })
      else { return segment }
      return SegmentReference(
        id: segment.id, payload: .inline(forged), rowCount: segment.rowCount)
    }
  }

  /// The blobs that go with a publication.
  private func retired(by publication: Publication) throws(ChromaError) -> [Text] {
    let nothing = KnownState(version: -1, position: 0)
    let found = try base.changes(
      in: publication.collection, after: nothing, byteCountMax: .max)
    let segments = (found?.manifest?.segments ?? []).map(\.reference)
    let payloads =
      segments.filter { publication.removed.contains($0.id) }.map(\.payload)
      + (found?.rows ?? []).filter { $0.endPosition <= publication.position + 1 }.map(\.payload)
    return payloads.compactMap { payload in
      if case .blob(let name, _) = payload { name } else { nil }
    }
  }

  override func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    let results = try base.append(appends)
    guard case .hidesDebt = defect else { return results }
    return results.map { result in
      guard case .appended(let position, _) = result else { return result }
      return .appended(
        firstPosition: position, debt: LogDebt(rowCount: 0, recordCount: 0, byteCount: 0))
    }
  }

  override func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    let changes = try base.changes(in: collection, after: known, byteCountMax: byteCountMax)
    guard case .readsTorn = defect, let changes, let manifest = changes.manifest else {
      return changes
    }
    let segments = state.withLock { state in
      defer { state.segments[collection] = manifest.segments }
      return state.segments[collection] ?? manifest.segments
    }
    return CollectionChanges(
      row: changes.row,
      manifest: VersionManifest(
        version: manifest.version, position: manifest.position, segments: segments),
      index: changes.index, rows: changes.rows, isComplete: changes.isComplete)
  }
}

extension Publication {
  fileprivate func with(
    expectedVersion: Int64? = nil, position: Int64? = nil, added: [SegmentReference]? = nil,
    deleted: [UUID: DeletedRows]? = nil
  ) -> Publication {
    Publication(
      collection: collection, expectedVersion: expectedVersion ?? self.expectedVersion,
      position: position ?? self.position, added: added ?? self.added, removed: removed,
      deleted: deleted ?? self.deleted, lease: lease)
  }
}
