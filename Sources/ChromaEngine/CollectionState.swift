// One collection as this process knows it: a version and what the log came to since, up to a
// position, the index over it, and how to catch up.
//
// Invariants:
//   * `now` is what the collection held at one position of its log; nobody reads it half-way, and it
//     never goes back.
//   * Its index covers what `table.indexedPosition` says. An index that is older than the version does
//     no harm: it says less of the records, never anything wrong.
//   * Every read first catches up with what is committed when it begins, by whichever process.

import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage
import Synchronization

final class CollectionState: @unchecked Sendable {  // `now` is guarded by `lock`.
  let id: UUID
  private let catalog: any Catalog
  private let opener: SegmentOpener
  private let indexOpener: IndexOpener
  /// Held by the thread that indexes the collection: others would do the same work.
  let indexing = Mutex(())
  private let lock = Lock()
  private var now: Snapshot
  private let meter: MemoryMeter
  /// What `meter` counts for this collection; guarded by `lock`.
  private var meteredByteCount = 0
  private let use = Atomic<Int>(0)
  /// The configuration that was read last, which every query asks for.
  private let configurations = Mutex<(stored: Text, read: CollectionConfiguration)?>(nil)
  /// The schema, if it is not the standard one and has been read.
  private let schemas = Mutex<(stored: Text, read: CollectionSchema)?>(nil)

  /// The records at one position of the log, and an index of some of them.
  private struct Snapshot {
    var table: RecordTable
    var position: Int64
    var index: IndexGeneration?

    var known: KnownState {
      KnownState(
        version: table.version.number, position: position,
        generation: index?.manifest.generation ?? 0)
    }

    mutating func setIndex(_ generation: IndexGeneration?) {
      index = generation
      table.setIndexed(to: generation?.manifest.position ?? 0)
    }
  }

  /// What a read sees: one state, which nothing changes.
  struct View {
    let row: CollectionRow
    let schema: CollectionSchema
    let table: RecordTable
    /// The log position up to and with which the table holds everything.
    let position: Int64
    /// Nil without one; covers `table.indexedPosition`.
    let index: IndexGeneration?

    /// Nil before the first vector. The records may be newer than the row.
    var dimension: Int? { table.vectors?.dimension ?? row.dimension }
  }

  /// What became of another version.
  private enum Replacement {
    case taken
    /// It was itself replaced meanwhile.
    case again
    /// A blob of this name is gone; nothing changed.
    case gone(Text)
  }

  init(
    id: UUID, space: Space, vectorType: VectorType, catalog: any Catalog, opener: SegmentOpener,
    indexOpener: IndexOpener
  ) {
    self.id = id
    self.catalog = catalog
    self.opener = opener
    self.indexOpener = indexOpener
    meter = indexOpener.meter
    now = Snapshot(table: RecordTable(space: space, vectorType: vectorType), position: 0)
  }

  deinit {
    meter.add(-meteredByteCount)
  }

  /// When it was last asked for, in calls.
  var lastUse: Int {
    get { use.load(ordering: .relaxed) }
    set { use.store(newValue, ordering: .relaxed) }
  }

  /// To be called under the lock after every change.
  private func meterChange() {
    let byteCount = now.table.byteCount + (now.index?.memoryByteCount ?? 0)
    meter.add(byteCount - meteredByteCount)
    meteredByteCount = byteCount
  }

  /// Reads the records as they are when the call begins, or later. Nobody waits for the end of it.
  ///
  /// - Throws: `.notFound` if the collection is gone; `.corruption`, `.io` if it can't be read.
  func read<R>(_ body: (View) throws(ChromaError) -> R) throws(ChromaError) -> R {
    let row = try catchUp()
    let schema = try schema(of: row)
    // A copy of its own: what is written meanwhile changes another one.
    let seen = try lock.withLock { () throws(ChromaError) in now }
    // The addresses of vectors lead into the version's segments and the table's memory.
    return try withExtendedLifetime(seen) { () throws(ChromaError) in
      try body(
        View(
          row: row, schema: schema, table: seen.table, position: seen.position, index: seen.index))
    }
  }

  /// As `read`, for who needs the graph.
  ///
  /// - Parameter body: Returns nil if a blob of the view's index is gone. That of an index which was
  ///   replaced since is: then a second look sees another one. Otherwise the index is damaged.
  func readIndexed<R>(
    _ body: (View) throws(ChromaError) -> R?
  ) throws(ChromaError) -> R {
    var last: Int64 = 0
    while true {
      let result = try read { (view) throws(ChromaError) in
        let generation = view.index?.manifest.generation ?? 0
        if generation == last { view.index?.setDamaged() }
        last = generation
        return try body(view)
      }
      if let result { return result }
    }
  }

  /// Takes over a batch that this process has just committed, if nothing is missing before it;
  /// otherwise the next read finds it in the log.
  func adopt(_ batch: RecordBatch, firstPosition: Int64) {
    try? lock.withLock { () throws(ChromaError) in
      guard now.position == firstPosition - 1 else { return }
      try Materialization.apply(batch, firstPosition: firstPosition, to: &now.table)
      now.position += Int64(batch.count)
      meterChange()
    }
  }

  // MARK: The index

  /// How many vectors in segments wait for an index, as far as this process knows.
  var indexableCount: Int {
    (try? lock.withLock { () throws(ChromaError) in now.table.indexableCount }) ?? 0
  }

  /// What the row says of how to index.
  func configuration(of row: CollectionRow) throws(ChromaError) -> CollectionConfiguration {
    if let known = configurations.withLock({ $0 }), known.stored == row.configuration {
      return known.read
    }
    let read = try CollectionConfiguration(stored: row.configuration)
    configurations.withLock { $0 = (row.configuration, read) }
    return read
  }

  private func schema(of row: CollectionRow) throws(ChromaError) -> CollectionSchema {
    guard let stored = row.schema else { return .standard }
    if let known = schemas.withLock({ $0 }), known.stored == stored { return known.read }
    let read = try CollectionSchema(stored: stored)
    schemas.withLock { $0 = (stored, read) }
    return read
  }

  func hasRoomForIndex(byteCount: Int) -> Bool {
    indexOpener.meter.hasRoom(for: byteCount)
  }

  /// The graph of a generation that a read saw.
  func open(_ generation: IndexGeneration) -> IndexGeneration.Opening {
    let before = generation.memoryByteCount
    let opening = generation.open(with: indexOpener)
    if generation.memoryByteCount != before {
      try? lock.withLock { () throws(ChromaError) in meterChange() }
    }
    return opening
  }

  /// Takes over a generation that this process has just published. Whoever was faster in reading it
  /// from the catalog has yet to open it.
  func adopt(_ generation: IndexGeneration, after previous: Int64) {
    try? lock.withLock { () throws(ChromaError) in
      let known = now.known.generation
      guard known == previous || known == generation.manifest.generation else { return }
      now.setIndex(generation)
      meterChange()
    }
  }

  /// The generation that changes name, if it is another one.
  private func generation(
    _ changes: CollectionChanges, after earlier: IndexGeneration?
  ) -> IndexGeneration?? {
    guard let manifest = changes.index else { return nil }
    if manifest.generation == 0 { return .some(nil) }
    return IndexGeneration(manifest, of: id, after: earlier)
  }

  // MARK: Catching up

  private func catchUp() throws(ChromaError) -> CollectionRow {
    // A blob that is gone belonged to a version or a log that was compacted away since the catalog
    // was read: then a second look sees another version.
    var missing: (name: Text, version: Int64)?
    while true {
      let known = try lock.withLock { () throws(ChromaError) in now.known }
      let changes = try changes(after: known)
      let gone: Text?
      if let manifest = changes.manifest {
        switch try replace(manifest, changes) {
        case .taken: return changes.row
        case .again: continue
        case .gone(let name): gone = name
        }
      } else {
        gone = try extend(changes, known)
      }
      if let gone {
        if let missing, missing == (gone, changes.row.version) {
          throw .corruption(
            "The blob \(opener.blobs.path(of: gone.string)) of collection \(id) is missing.")
        }
        missing = (gone, changes.row.version)
      } else if changes.isComplete {
        return changes.row
      }
    }
  }

  private func changes(after known: KnownState) throws(ChromaError) -> CollectionChanges {
    let changes = try catalog.changes(
      in: id, after: known, byteCountMax: Limits.catchUpByteCountMax)
    guard let changes else { throw Self.gone(id) }
    return changes
  }

  /// Applies what the log holds beyond what is known.
  ///
  /// - Returns: The name of a blob that is gone, before which everything was applied.
  private func extend(
    _ changes: CollectionChanges, _ known: KnownState
  ) throws(ChromaError) -> Text? {
    if changes.rows.isEmpty && changes.index == nil { return nil }
    let (batches, gone) = try decode(changes.rows)
    try lock.withLock { () throws(ChromaError) in
      // Another thread may have taken over a newer one of both meanwhile.
      if now.known.generation == known.generation,
        let index = generation(changes, after: now.index)
      {
        now.setIndex(index)
      }
      if now.table.version.number == known.version {
        for (row, batch) in batches { try apply(row, batch, to: &now) }
      }
      meterChange()
    }
    return gone
  }

  /// Takes over another version and the log after it, at once: in between the records would go back.
  private func replace(
    _ manifest: VersionManifest, _ first: CollectionChanges
  ) throws(ChromaError) -> Replacement {
    let (old, space, vectorType, oldIndex) = try lock.withLock { () throws(ChromaError) in
      (now.table.version, now.table.space, now.table.vectorType, now.index)
    }
    let index = generation(first, after: oldIndex) ?? oldIndex
    if index?.manifest.generation ?? 0 != first.row.generation {
      // Another thread has taken over an index meanwhile.
      return .again
    }
    var gone: Text?
    let version = try CollectionVersion(manifest, reusing: old) {
      (reference) throws(ChromaError) in
      let segment = try opener.open(reference)
      if segment == nil, case .blob(let name, _) = reference.payload { gone = name }
      return segment
    }
    if let gone { return .gone(gone) }
    guard let version else { return .again }
    var fresh = Snapshot(
      table: try RecordTable(
        space: space, vectorType: vectorType, version: version,
        indexedPosition: index?.manifest.position ?? 0),
      position: version.position, index: index)
    var changes = first
    while true {
      let (batches, gone) = try decode(changes.rows)
      for (row, batch) in batches { try apply(row, batch, to: &fresh) }
      if let gone { return .gone(gone) }
      if changes.isComplete, let outcome = try take(fresh) { return outcome }
      changes = try self.changes(after: fresh.known)
      // A newer version came meanwhile: begin again with it.
      if changes.manifest != nil { return .again }
      if let newer = generation(changes, after: fresh.index) { fresh.setIndex(newer) }
    }
  }

  /// Puts a snapshot in the place of the present one; nil if that is ahead of it.
  private func take(_ fresh: Snapshot) throws(ChromaError) -> Replacement? {
    try lock.withLock { () throws(ChromaError) in
      let (old, new) = (now.known, fresh.known)
      if old.version > new.version { return .again }
      if old.version == new.version && old.position >= new.position { return .taken }
      guard new.position >= old.position else { return nil }
      now = fresh
      meterChange()
      return .taken
    }
  }

  private func apply(
    _ row: LogRow, _ batch: RecordBatch, to snapshot: inout Snapshot
  ) throws(ChromaError) {
    // Another thread may have applied it meanwhile.
    guard row.firstPosition > snapshot.position else { return }
    guard row.firstPosition == snapshot.position + 1 else {
      throw .corruption(
        "The log of collection \(id) goes on at position \(row.firstPosition), but position "
          + "\(snapshot.position + 1) is missing.")
    }
    try Materialization.apply(batch, firstPosition: row.firstPosition, to: &snapshot.table)
    snapshot.position = row.endPosition - 1
  }

  /// - Returns: The batches up to the first one whose blob is gone, and the name of that.
  private func decode(
    _ rows: [LogRow]
  ) throws(ChromaError) -> (batches: [(LogRow, RecordBatch)], gone: Text?) {
    var batches: [(LogRow, RecordBatch)] = []
    for row in rows {
      let source = "log of collection \(id) at position \(row.firstPosition)"
      let batch: RecordBatch
      switch row.payload {
      case .inline(let bytes):
        batch = try LogBatch.decode(bytes, source: source)
      case .blob(let name, _):
        guard let bytes = try opener.blobs.read(name.string) else {
          return (batches, name)
        }
        batch = try LogBatch.decode(bytes, source: "\(source), blob \(name)")
      }
      guard batch.count == row.recordCount else {
        throw .corruption(
          "The log of collection \(id) promises \(row.recordCount) records at position "
            + "\(row.firstPosition) and holds \(batch.count).")
      }
      batches.append((row, batch))
    }
    return (batches, nil)
  }

  static func gone(_ id: UUID) -> ChromaError {
    .notFound("Collection [\(id)] does not exist.")
  }
}
