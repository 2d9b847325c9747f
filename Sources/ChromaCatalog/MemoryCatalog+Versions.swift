// The model of versions, indexes, leases and pins.

package import ChromaBase

extension MemoryCatalog {
  package func changes(
    in collection: UUID, after known: KnownState, byteCountMax: Int
  ) throws(ChromaError) -> CollectionChanges? {
    try transaction { (state) throws(ChromaError) in
      guard let found = state.collections[collection] else { return nil }
      let isSameVersion = found.row.version == known.version
      let position = isSameVersion ? known.position : found.row.compactedPosition
      let new = found.log.drop { $0.endPosition - 1 <= position }
      var byteCount = 0
      let rows = new.prefix { row in
        byteCount = byteCount.addingUpToMax(row.payload.byteCount)
        return row == new.first || byteCount <= byteCountMax
      }
      return CollectionChanges(
        row: found.row, manifest: isSameVersion ? nil : found.manifest,
        index: found.row.generation == known.generation ? nil : found.index, rows: Array(rows),
        isComplete: rows.count == new.count)
    }
  }

  package func manifest(
    of collection: UUID
  ) throws(ChromaError)
    -> (row: CollectionRow, manifest: VersionManifest, index: IndexManifest)?
  {
    try transaction { (state) throws(ChromaError) in
      state.collections[collection].map { ($0.row, $0.manifest, $0.index) }
    }
  }

  package func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      let id = publication.collection
      guard let found = state.collections[id] else { throw .collectionOfRecordsNotFound(id) }
      guard found.row.version == publication.expectedVersion else {
        return .superseded(version: found.row.version)
      }
      let ends = found.log.map { $0.endPosition - 1 } + [found.row.compactedPosition]
      try publication.check(
        row: found.row, current: found.manifest.segments,
        endsBatch: ends.contains(publication.position),
        isKnown: { (segment) throws(ChromaError) in
          found.segments.contains { $0.segment.reference.id == segment }
        })
      let pruned = found.log.filter { $0.firstPosition <= publication.position }
      state.lastVersion += 1
      state.collections[id] = found.replacing(with: publication, version: state.lastVersion)
      state.leases.removeAll { $0.id == publication.lease || $0.deadline <= now }
      let retired = state.retire(names(among: pruned.map(\.payload)), now, at: state.lastVersion)
      return .published(version: state.lastVersion, retiredBlobs: retired)
    }
  }

  package func publishIndex(
    _ publication: IndexPublication
  ) throws(ChromaError) -> PublishResult {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      let id = publication.collection
      guard let found = state.collections[id] else { throw .collectionOfRecordsNotFound(id) }
      guard found.row.generation == publication.expectedGeneration else {
        return .superseded(version: found.row.generation)
      }
      try publication.check(
        row: found.row,
        isKnown: { (name) throws(ChromaError) in
          found.indexBlobs.contains { $0.blob.name == name }
        })
      state.lastVersion += 1
      let next = found.replacingIndex(with: publication, number: state.lastVersion)
      state.collections[id] = next
      if let index = state.leases.firstIndex(where: { $0.id == publication.lease }) {
        let lease = state.leases.remove(at: index)
        if let deadline = publication.leaseDeadline {
          state.leases.append(
            lease.renewed(to: deadline, blobName: publication.leasedBlobName))
        }
      }
      state.leases.removeAll { $0.deadline <= now }
      return .published(version: next.row.generation, retiredBlobs: state.retire([], now))
    }
  }

  // MARK: Leases

  package func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      guard state.collections[lease.collection] != nil else {
        throw .collectionOfRecordsNotFound(lease.collection)
      }
      let isOfPlace = { (other: Lease) in
        other.collection == lease.collection && other.kind == lease.kind
      }
      if let holder = state.leases.first(where: isOfPlace), holder.id != lease.id,
        holder.deadline > now
      {
        return false
      }
      state.leases.removeAll { isOfPlace($0) || $0.id == lease.id }
      state.leases.append(lease)
      return true
    }
  }

  package func renewLease(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try transaction { (state) throws(ChromaError) in
      guard let index = state.leases.firstIndex(where: { $0.id == id }) else { return false }
      state.leases[index].deadline = deadline
      return true
    }
  }

  package func releaseLease(id: UUID) throws(ChromaError) {
    try transaction { (state) throws(ChromaError) in state.leases.removeAll { $0.id == id } }
  }

  // MARK: Pins

  package func pin(id: UUID, deadline: Int64) throws(ChromaError) {
    try transaction { (state) throws(ChromaError) in
      guard state.pins[id] == nil else { throw .pinExists(id) }
      state.pins[id] = (state.lastVersion, deadline)
    }
  }

  package func renewPin(id: UUID, deadline: Int64) throws(ChromaError) -> Bool {
    try transaction { (state) throws(ChromaError) in
      state.pins[id]?.deadline = deadline
      return state.pins[id] != nil
    }
  }

  package func unpin(id: UUID) throws(ChromaError) -> [Text] {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      state.pins[id] = nil
      return state.retire([], now)
    }
  }

  // MARK: Blobs and space

  package func referencedBlobs() throws(ChromaError) -> [Text] {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      let leased = state.leases.filter { $0.deadline > now }.compactMap(\.blobName)
      return state.blobsOfRows.union(leased).union(state.garbage.keys).sorted()
    }
  }

  package func isAnyBlobLeased() throws(ChromaError) -> Bool {
    let now = now
    return try transaction { (state) throws(ChromaError) in
      state.leases.contains { $0.deadline > now && $0.blobName != nil }
    }
  }

  /// Nothing deleted takes space.
  package func shrink() throws(ChromaError) {
    try transaction { (_) throws(ChromaError) in }
  }

  /// Nothing is on the way.
  package func foldBackAll() throws(ChromaError) -> Bool {
    try transaction { (_) throws(ChromaError) in true }
  }
}

extension MemoryCatalog.Collection {
  /// What its log, segments and indexes name, former ones too.
  fileprivate var blobs: Set<Text> {
    names(among: log.map(\.payload) + segments.map(\.segment.reference.payload))
      .union(indexBlobs.map(\.blob.name))
  }

  var manifest: VersionManifest {
    VersionManifest(
      version: row.version, position: row.compactedPosition,
      segments: segments.filter { $0.endVersion == nil }.map(\.segment))
  }

  var index: IndexManifest {
    IndexManifest(
      generation: row.generation, position: row.indexedPosition,
      blobs: indexBlobs.filter { $0.endGeneration == nil }.map(\.blob))
  }

  /// With the publication's generation in place of its own.
  func replacingIndex(
    with publication: IndexPublication, number: Int64
  ) -> MemoryCatalog.Collection {
    var next = self
    if publication.replacesAll {
      for index in next.indexBlobs.indices where next.indexBlobs[index].endGeneration == nil {
        next.indexBlobs[index].endGeneration = number
      }
    }
    next.indexBlobs += publication.added.map {
      MemoryCatalog.IndexedBlob(blob: $0, firstGeneration: number)
    }
    next.row.generation = publication.isDropping ? 0 : number
    next.row.indexedPosition = publication.position
    return next
  }

  /// With the publication's version in place of its own.
  func replacing(with publication: Publication, version: Int64) -> MemoryCatalog.Collection {
    var next = self
    for index in next.segments.indices where next.segments[index].endVersion == nil {
      if publication.removed.contains(next.segments[index].segment.reference.id) {
        next.segments[index].endVersion = version
      }
    }
    next.segments += publication.added.map {
      MemoryCatalog.Segment(segment: ManifestSegment(reference: $0), firstVersion: version)
    }
    for index in next.segments.indices where next.segments[index].endVersion == nil {
      let reference = next.segments[index].segment.reference
      if let rows = publication.deleted[reference.id] {
        next.segments[index].segment = ManifestSegment(reference: reference, deletedRows: rows)
      }
    }
    next.log.removeAll { $0.firstPosition <= publication.position }
    next.row.version = version
    next.row.compactedPosition = publication.position
    next.row.compactedByteCount = publication.compactedByteCount(after: row)
    next.row.logRowCount = next.log.count
    next.row.logByteCount = next.log.reduce(0) { $0 + $1.payload.byteCount }
    next.forgetOldRequests()
    return next
  }

  private mutating func forgetOldRequests() {
    let pruned = requests.values.filter { $0 <= row.compactedPosition }.sorted(by: >)
    let kept = Set(pruned.prefix(Limits.keptRequestKeyCountMax))
    requests = requests.filter { $0.value > row.compactedPosition || kept.contains($0.value) }
  }
}

extension MemoryCatalog.State {
  /// What logs, segments and indexes name, former ones too.
  var blobsOfRows: Set<Text> {
    collections.values.reduce(into: []) { $0.formUnion($1.blobs) }
  }

  /// Returns the blobs that nothing needs any more.
  mutating func removeCollections(
    _ now: Int64, where isDoomed: (MemoryCatalog.Collection) -> Bool
  ) -> [Text] {
    let doomed = collections.values.filter(isDoomed)
    for collection in doomed { collections[collection.row.id] = nil }
    leases.removeAll { collections[$0.collection] == nil }
    return retire(doomed.reduce(into: []) { $0.formUnion($1.blobs) }, now)
  }

  /// Drops expired pins, then whatever of former versions no pin keeps.
  ///
  /// - Parameters:
  ///   - candidates: Blobs whose rows this transaction has deleted.
  ///   - version: The transaction's number, if it has one.
  /// - Returns: The blobs that nothing needs any more, in order of their bytes.
  mutating func retire(_ candidates: Set<Text>, _ now: Int64, at version: Int64? = nil) -> [Text] {
    pins = pins.filter { $0.value.deadline > now }
    let pinned = pins.values.map(\.version)
    var retired = Set<Text>()
    for id in collections.keys {
      collections[id]?.segments.removeAll { segment in
        guard let end = segment.endVersion else { return false }
        let isPinned = pinned.contains { segment.firstVersion <= $0 && $0 < end }
        if !isPinned { retired.formUnion(names(among: [segment.segment.reference.payload])) }
        return !isPinned
      }
      collections[id]?.indexBlobs.removeAll { indexed in
        guard let end = indexed.endGeneration else { return false }
        let isPinned = pinned.contains { indexed.firstGeneration <= $0 && $0 < end }
        if !isPinned { retired.insert(indexed.blob.name) }
        return !isPinned
      }
    }
    for (name, end) in garbage where !pinned.contains(where: { $0 < end }) {
      garbage[name] = nil
      retired.insert(name)
    }
    if pinned.isEmpty {
      retired.formUnion(candidates)
    } else if !candidates.isEmpty {
      if version == nil { lastVersion += 1 }
      for name in candidates { garbage[name] = version ?? lastVersion }
    }
    return retired.subtracting(blobsOfRows).sorted()
  }
}

/// The blobs among payloads.
private func names(among payloads: [StoredPayload]) -> Set<Text> {
  Set(
    payloads.compactMap { payload in
      if case .blob(let name, _) = payload { name } else { nil }
    })
}
