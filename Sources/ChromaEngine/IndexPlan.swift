// What there is to do for an index: decided from one view of its collection, without doing anything.

import ChromaBase
import ChromaCatalog
import ChromaIndex

/// How thoroughly to index.
struct IndexEffort {
  /// Vectors after which to publish.
  var recordCountMax: Int
  /// Time after which to publish.
  var nanosecondsMax: UInt64
  /// Whether nothing may be left of deleted records, neither in the graph nor in its blobs.
  var dropsDeleted = false
  /// Whether the time counts more than getting anywhere.
  var isBounded = false
}

enum IndexPlan {
  /// All is well, or nothing can be done.
  case nothing
  /// The collection has become so small that an index costs more than it saves.
  case drop(IndexGeneration)
  case build(Build)

  struct Build {
    /// What to begin with; nil for an empty graph.
    var contents: IndexGeneration.Contents?
    var settings: IndexSettings
    /// Of the index that is replaced; 0 for none.
    var previousGeneration: Int64
    /// What that covers.
    var previousPosition: Int64
    /// Nodes that are no records any more, or not with these vectors.
    var removed: Bitset
    /// What to insert, in the order in which it was set.
    var slots: ArraySlice<(position: Int64, slot: UInt32)>
    /// What the index covers when all of them are in.
    var position: Int64
    /// How far to come before it is worth publishing: an index that is replaced serves until then.
    var publishablePosition: Int64
  }
}

/// What a collection's configuration says of its graph, within what a graph can be.
struct IndexSettings: Equatable {
  let maxNeighbors: Int
  let efConstruction: Int
  let efSearch: Int
  /// How many threads may build; nil for as many as the engine has.
  let threadCount: Int?

  /// Official Chroma takes any numbers; beyond these they change nothing but the memory needed.
  init(_ hnsw: HNSWConfiguration) {
    maxNeighbors = Int(min(max(hnsw.maxNeighbors, 2), 512))
    efConstruction = Int(min(max(hnsw.efConstruction, 1), 1 << 16))
    efSearch = Int(min(max(hnsw.efSearch, 1), 1 << 31))
    threadCount = hnsw.threadCount.map { Int(min(max($0, 1), 1 << 10)) }
  }
}

extension CollectionState {
  /// - Returns: Nil if a blob of the index is gone: see `readIndexed`.
  func plan(
    _ view: View, _ limits: IndexLimits, _ effort: IndexEffort
  ) throws(ChromaError) -> IndexPlan? {
    let version = view.table.version
    if let index = view.index, version.liveCount <= limits.recordCountMin / 2 {
      return .drop(index)
    }
    guard let vectors = view.table.vectors, vectors.dimension <= Quantizer.dimensionMax,
      view.index != nil || version.liveCount > limits.recordCountMin
    else { return .nothing }
    let settings = IndexSettings(try configuration(of: view.row).hnsw)
    guard let index = view.index else {
      return rebuild(view, settings, publishablePosition: 0)
    }
    if effort.isBounded, !index.isOpen, index.byteCount > Limits.boundedIndexByteCountMax {
      return .nothing
    }
    switch open(index) {
    case .gone: return nil
    case .unavailable: return .nothing
    case .damaged: return rebuild(view, settings, publishablePosition: 0)
    case .open(let contents):
      guard contents.graph.maxNeighbors == settings.maxNeighbors else {
        return rebuild(view, settings, publishablePosition: index.manifest.position)
      }
      return extend(contents, of: index, view, settings, effort)
    }
  }

  private func extend(
    _ contents: IndexGeneration.Contents, of index: IndexGeneration, _ view: View,
    _ settings: IndexSettings, _ effort: IndexEffort
  ) -> IndexPlan {
    let table = view.table
    let slots = table.indexableSlots()
    let graph = contents.graph
    let removed = graph.members.subtracting(table.live.subtracting(table.unindexed))
    // An eighth: walks pass through what is deleted, which costs them that much.
    let isDue =
      !slots.isEmpty || removed.count > graph.memberCount / 8
      || effort.dropsDeleted && (!removed.isEmpty || contents.codeCount > graph.memberCount)
    guard isDue else { return .nothing }
    return .build(
      IndexPlan.Build(
        contents: contents, settings: settings, previousGeneration: index.manifest.generation,
        previousPosition: index.manifest.position, removed: removed, slots: slots[...],
        position: max(table.version.position, table.indexedPosition), publishablePosition: 0))
  }

  private func rebuild(
    _ view: View, _ settings: IndexSettings, publishablePosition: Int64
  ) -> IndexPlan {
    var table = view.table
    table.setIndexed(to: 0)
    let slots = table.indexableSlots()
    // Codes and links: what a graph of them takes in memory, about.
    let rowByteCount = (table.vectors?.dimension ?? 0) + 8 * settings.maxNeighbors + 64
    guard !slots.isEmpty, hasRoomForIndex(byteCount: slots.count * rowByteCount) else {
      return .nothing
    }
    return .build(
      IndexPlan.Build(
        contents: nil, settings: settings,
        previousGeneration: view.index?.manifest.generation ?? 0,
        previousPosition: view.index?.manifest.position ?? 0, removed: Bitset(), slots: slots[...],
        position: table.version.position,
        publishablePosition: publishablePosition))
  }
}
