import ChromaBase
import ChromaCatalog
import Synchronization

/// The collections of one engine that were used in this process. Thread-safe.
final class KnownCollections: Sendable {
  private struct States {
    var byID: [UUID: CollectionState] = [:]
    /// Of collections that were written, which a state is not kept for.
    var vectorTypes: [UUID: VectorType] = [:]
    /// Since other processes' deletions were last looked for.
    var newCount = 0
  }

  private let catalog: any Catalog
  private let opener: SegmentOpener
  let indexOpener: IndexOpener
  var meter: MemoryMeter { indexOpener.meter }
  private let states = Mutex(States())

  init(catalog: any Catalog, opener: SegmentOpener, indexOpener: IndexOpener) {
    self.catalog = catalog
    self.opener = opener
    self.indexOpener = indexOpener
  }

  /// The state of a collection, which may not exist: its first read says.
  func state(of id: UUID) throws(ChromaError) -> CollectionState {
    if let state = knownState(of: id) {
      state.lastUse = meter.nextUse()
      return state
    }
    let configuration = try CollectionConfiguration(stored: try row(of: id).configuration)
    let fresh = CollectionState(
      id: id, space: configuration.space, vectorType: configuration.vectorType, catalog: catalog,
      opener: opener, indexOpener: indexOpener)
    forgetUnused()
    try forgetDeletedElsewhere()
    return states.withLock { states in
      let state = states.byID[id] ?? fresh
      states.byID[id] = state
      return state
    }
  }

  /// How a collection stores vectors, which never changes.
  func vectorType(of id: UUID) throws(ChromaError) -> VectorType {
    if let type = states.withLock({ $0.vectorTypes[id] }) { return type }
    let type = try CollectionConfiguration(stored: try row(of: id).configuration).vectorType
    states.withLock { states in
      // A process that writes for months must not keep every collection that ever was.
      if states.vectorTypes.count == Limits.vectorTypeCountMax { states.vectorTypes = [:] }
      states.vectorTypes[id] = type
    }
    return type
  }

  private func row(of id: UUID) throws(ChromaError) -> CollectionRow {
    do throws(ChromaError) {
      return try catalog.collection(id: id)
    } catch {
      throw error.kind == .notFound ? CollectionState.gone(id) : error
    }
  }

  func knownState(of id: UUID) -> CollectionState? {
    states.withLock { $0.byID[id] }
  }

  /// Forgets a collection that is gone.
  func forget(_ id: UUID) {
    states.withLock { states in
      states.byID[id] = nil
      states.vectorTypes[id] = nil
    }
  }

  func forgetAll() {
    states.withLock { states in
      states.byID = [:]
      states.vectorTypes = [:]
    }
  }

  /// Forgets the collections that were used longest ago, until the others take less than the limit
  /// with something to spare. They are read again when they are used again.
  ///
  /// - Parameter byteCount: What somebody is about to take.
  func forgetUnused(before byteCount: Int = 0) {
    guard meter.isOverLimit || !meter.hasRoom(for: byteCount) else { return }
    let target = meter.limit / 4 * 3 - min(byteCount, meter.limit / 4 * 3)
    let byAge = states.withLock { Array($0.byID.values) }.sorted { $0.lastUse < $1.lastUse }
    // The newest is in use.
    for state in byAge.dropLast() where meter.isOver(target) { forget(state.id) }
  }

  /// Forgets what other processes deleted: nobody may ask for it again, and a process that reads for
  /// months must not keep every collection that ever was. Looks at all that are known once an eighth
  /// of them is new, so that a new one costs no more than some looks.
  private func forgetDeletedElsewhere() throws(ChromaError) {
    let known = states.withLock { states -> [UUID] in
      states.newCount += 1
      guard states.newCount > states.byID.count / 8 else { return [] }
      states.newCount = 0
      return Array(states.byID.keys)
    }
    for id in known where try !catalog.hasCollection(id) {
      forget(id)
    }
  }
}
