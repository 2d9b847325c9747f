// Indexing: vectors of segments become nodes of the graph, generation after generation.
//
//     in the turn    take the lease
//     outside        open the graph, take out what was deleted, put in what is new, write a blob
//     in the turn    publish the generation, conditional on the one that it was made from
//
// Invariants:
//   * Only what stands in segments is indexed, in the order in which its vectors were set. So a
//     generation covers exactly the vectors up to one position, however early it was published.
//   * A slot whose record was deleted or changed since the view has no node, or one that the next
//     generation removes; until then its vector's position tells that the node is not its own.
//   * Nothing is indexed unverified.
//   * A publication is one transaction on the generation that it was made from. Whoever was faster
//     wins, the other's work is thrown away. The lease only makes that rare.

import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaStorage

struct Indexer: Sendable {
  typealias Exclusively = (
    @escaping () throws(ChromaError) -> Bool
  ) throws(ChromaError) -> Bool

  let catalog: any Catalog
  let blobs: BlobStore
  let clock: any Clock
  let random: any RandomSource
  let limits: IndexLimits
  /// Threads that build, the caller's among them.
  let threadCount: Int
  /// Names this engine to others that would index, too.
  let holder: UUID
  /// Removes what a publication leaves that fails in the middle.
  let sweep: BlobSweep

  /// Indexes as much as one publication holds. To be called outside the turn, by one thread at a time
  /// for each collection.
  ///
  /// - Parameter exclusively: Does something inside the write turn.
  /// - Returns: Whether anything was published: if not, there is nothing to do, or somebody else was
  ///   faster.
  /// - Throws: `.locked` if somebody else indexes the collection, or was killed doing so a moment ago.
  func advance(
    _ state: CollectionState, _ effort: IndexEffort, cancel: CancelToken?,
    exclusively: Exclusively
  ) throws(ChromaError) -> Bool {
    try state.readIndexed { (view) throws(ChromaError) in
      guard let plan = try state.plan(view, limits, effort) else { return nil }
      switch plan {
      case .nothing: return false
      case .drop(let index): return try drop(index, of: view.row.id, exclusively)
      case .build(let build):
        // Whoever has no time does not begin what it could not publish.
        if build.publishablePosition > 0, effort.isBounded { return false }
        return try run(build, view, state, effort, cancel, exclusively)
      }
    }
  }

  private func drop(
    _ index: IndexGeneration, of id: UUID, _ exclusively: Exclusively
  ) throws(ChromaError) -> Bool {
    try exclusively { () throws(ChromaError) in
      try publish(.dropping(index.manifest.generation, of: id)) != nil
    }
  }

  private func run(
    _ build: IndexPlan.Build, _ view: CollectionState.View, _ state: CollectionState,
    _ effort: IndexEffort, _ cancel: CancelToken?, _ exclusively: Exclusively
  ) throws(ChromaError) -> Bool {
    let name = Text("\(UUID(random: random)).index")
    var lease = Lease(
      id: UUID(random: random), collection: view.row.id, kind: .index, blobName: name,
      holder: Text("\(holder)"),
      deadline: deadline(byteCount: 0))
    let isLeased = try exclusively { [lease] () throws(ChromaError) in
      try catalog.acquireLease(lease)
    }
    guard isLeased else {
      throw ChromaError(
        .locked,
        "Another process indexes collection [\(view.row.id)]. Nothing is lost; try again later.")
    }
    var result: Result
    do throws(ChromaError) {
      result = try insert(build, view, effort, cancel, renewing: &lease, exclusively)
      let patch = patch(of: &result, build, view, effort)
      // A graph without nodes is still an index.
      if result.blobs.isEmpty || !patch.isEmpty {
        try renew(&lease, patch.byteCount, exclusively)
        try store(patch, as: name, &result, cancel)
      }
    } catch {
      release(lease, exclusively)
      throw error
    }
    return try publish(result, build, lease, state, cancel, exclusively)
  }

  // MARK: Building

  /// What is about to be published.
  private struct Result {
    var graph: Graph
    var changedCodes: Bitset
    var changedLinks: Bitset
    var position: Int64
    /// What the index is made of then.
    var blobs: [IndexBlob] = []
    var added: IndexBlob?
    var codeCount = 0
  }

  private func insert(
    _ build: IndexPlan.Build, _ view: CollectionState.View, _ effort: IndexEffort,
    _ cancel: CancelToken?, renewing lease: inout Lease, _ exclusively: Exclusively
  ) throws(ChromaError) -> Result {
    guard let vectors = view.table.vectors else {
      preconditionFailure("A plan to build is made where there are vectors.")
    }
    let start = clock.monotonicNanoseconds()
    let graph: Graph
    if let contents = build.contents {
      graph = contents.graph
    } else {
      graph = try emptyGraph(build, view.table, vectors)
    }
    var builder = GraphBuilder(
      graph, efConstruction: build.settings.efConstruction,
      threadCount: min(threadCount, build.settings.threadCount ?? threadCount))
    try builder.remove(build.removed) { () throws(ChromaError) in try cancel?.check() }
    var rest = build.slots
    var position = build.position
    while let first = rest.first {
      let insertedCount = rest.startIndex - build.slots.startIndex
      let reached = insertedCount > 0 ? build.slots[rest.startIndex - 1].position : 0
      let isPublishable = insertedCount > 0 && reached >= build.publishablePosition
      let isEnough = insertedCount >= effort.recordCountMax
      let isLate = { clock.monotonicNanoseconds() &- start >= effort.nanosecondsMax }
      if isPublishable, isEnough || isLate() {
        position = reached
        break
      }
      try cancel?.check()
      let slots = rest.prefix(effort.recordCountMax).map(\.slot)
      try view.table.verifyVectors(of: slots)
      // One batch at least: whoever has little time gets somewhere, too.
      var mayStop = insertedCount > 0
      let count = try builder.insert(slots, vectors: vectors) {
        defer { mayStop = first.position >= build.publishablePosition }
        return !(cancel?.isRequested ?? false) && !(mayStop && isLate())
      }
      rest = rest.dropFirst(count)
      try renew(&lease, 0, exclusively)
    }
    try builder.connect()
    return Result(
      graph: builder.graph, changedCodes: builder.changed.codes,
      changedLinks: builder.changed.links, position: position)
  }

  private func emptyGraph(
    _ build: IndexPlan.Build, _ table: RecordTable, _ vectors: VectorTable
  ) throws(ChromaError) -> Graph {
    // From all over the collection: the first ones may be alike.
    let step = max(1, build.slots.count / Self.centerSampleCount)
    let sample = stride(from: build.slots.startIndex, to: build.slots.endIndex, by: step)
      .map { build.slots[$0].slot }
    try table.verifyVectors(of: sample)
    let center = Quantizer.center(of: sample, in: vectors)
    return Graph(
      quantizer: Quantizer(space: vectors.space, center: center),
      maxNeighbors: build.settings.maxNeighbors)
  }

  /// Vectors whose mean stands for that of all.
  private static let centerSampleCount = 4096

  /// What is to be written, and with it what the index is made of.
  private func patch(
    of result: inout Result, _ build: IndexPlan.Build, _ view: CollectionState.View,
    _ effort: IndexEffort
  ) -> GraphPatchEncoder {
    let label = GraphPatch.Label(
      collection: view.row.id, previousGeneration: build.previousGeneration,
      position: result.position)
    let whole = GraphPatchEncoder(result.graph, label: label)
    if let contents = build.contents {
      let patch = GraphPatchEncoder(
        result.graph, after: contents.graph, codes: result.changedCodes,
        links: result.changedLinks, label: label)
      result.codeCount = contents.codeCount + patch.codeCount
      if !needsBase(result, contents, patch, whole, effort) {
        result.blobs = contents.blobs
        return patch
      }
    }
    result.codeCount = whole.codeCount
    return whole
  }

  /// Whether to write the whole graph instead of what changed: an index takes half as much again as
  /// it would if it were written whole, at most.
  private func needsBase(
    _ result: Result, _ contents: IndexGeneration.Contents, _ patch: GraphPatchEncoder,
    _ whole: GraphPatchEncoder, _ effort: IndexEffort
  ) -> Bool {
    if contents.blobs.count >= Limits.indexBlobCountMax { return true }
    if effort.dropsDeleted, result.codeCount > result.graph.memberCount { return true }
    let total = contents.blobs.reduce(patch.byteCount) { $0 + $1.byteCount }
    // The codes alone: counting the links of all nodes takes time.
    let codeByteCount = whole.codeCount * result.graph.quantizer.dimension
    if total <= codeByteCount + codeByteCount / 2 { return false }
    return total > whole.byteCount + whole.byteCount / 2
  }

  private func store(
    _ patch: GraphPatchEncoder, as name: Text, _ result: inout Result, _ cancel: CancelToken?
  ) throws(ChromaError) {
    let writer = try blobs.writer(name.string)
    do throws(ChromaError) {
      try patch.write { (bytes) throws(ChromaError) in
        try cancel?.check()
        try writer.append(bytes)
      }
      try writer.finish()
    } catch {
      writer.abandon()
      // A disk that fails may keep what was written so far.
      sweep.repeatAfterNextCommit()
      throw error
    }
    let blob = IndexBlob(name: name, byteCount: writer.byteCount)
    result.added = blob
    result.blobs.append(blob)
  }

  // MARK: Publishing

  /// What took long to make is worth waiting for: as long as the lease, unless the caller has no time.
  private func publish(
    _ result: Result, _ build: IndexPlan.Build, _ lease: Lease, _ state: CollectionState,
    _ cancel: CancelToken?, _ exclusively: Exclusively
  ) throws(ChromaError) -> Bool {
    while true {
      do throws(ChromaError) {
        return try exclusively { () throws(ChromaError) in
          try publish(result, build, lease, state)
        }
      } catch {
        let isCancelled = cancel?.isRequested ?? false
        if error.kind == .locked, !isCancelled, clock.wallNanoseconds() < lease.deadline {
          continue
        }
        // Without a turn, or without a collection, nothing was begun.
        if let added = result.added, error.kind == .locked || error.kind == .notFound {
          sweep.remove([added.name])
        } else {
          sweep.repeatAfterNextCommit()
        }
        release(lease, exclusively)
        throw error
      }
    }
  }

  /// Inside the turn.
  private func publish(
    _ result: Result, _ build: IndexPlan.Build, _ lease: Lease, _ state: CollectionState
  ) throws(ChromaError) -> Bool {
    guard result.added != nil || result.position > build.previousPosition else {
      try catalog.releaseLease(id: lease.id)
      return false
    }
    // The lease may have ended, and somebody may have swept the blob since.
    if let added = result.added, try !blobs.exists(added.name.string) {
      try catalog.releaseLease(id: lease.id)
      return false
    }
    let added = result.added.map { [$0] } ?? []
    let generation = try publish(
      IndexPublication(
        collection: state.id, expectedGeneration: build.previousGeneration,
        position: result.position, added: added, replacesAll: result.blobs == added,
        lease: lease.id))
    guard let generation else {
      try catalog.releaseLease(id: lease.id)
      return false
    }
    state.adopt(
      IndexGeneration(
        IndexManifest(generation: generation, position: result.position, blobs: result.blobs),
        of: state.id,
        contents: IndexGeneration.Contents(
          graph: result.graph, blobs: result.blobs, codeCount: result.codeCount)),
      after: build.previousGeneration)
    return true
  }

  /// - Returns: The number of the generation; nil if another one had come.
  private func publish(_ publication: IndexPublication) throws(ChromaError) -> Int64? {
    let result: PublishResult
    do throws(ChromaError) {
      result = try catalog.publishIndex(publication)
    } catch {
      // Whether a commit that failed happened is known only after reopening, so the blob stays.
      sweep.repeatAfterNextCommit()
      throw error
    }
    switch result {
    case .published(let generation, let retiredBlobs):
      sweep.remove(retiredBlobs)
      return generation
    case .superseded:
      sweep.remove(publication.added.map(\.name))
      return nil
    }
  }

  // MARK: The lease

  /// 16 MiB a second are written anywhere.
  private func deadline(byteCount: Int) -> Int64 {
    clock.wallNanoseconds() &+ Limits.indexLeaseNanoseconds
      &+ Limits.mergeLeaseNanoseconds * Int64(byteCount >> 24)
  }

  /// Keeps the lease of work that takes long.
  ///
  /// - Parameter byteCount: What is about to be written.
  private func renew(
    _ lease: inout Lease, _ byteCount: Int, _ exclusively: Exclusively
  ) throws(ChromaError) {
    let deadline = deadline(byteCount: byteCount)
    guard deadline &- Limits.indexLeaseNanoseconds / 2 > lease.deadline else { return }
    let isMine = try exclusively { [lease] () throws(ChromaError) in
      try catalog.renewLease(id: lease.id, deadline: deadline)
    }
    guard isMine else {
      throw ChromaError(.locked, "Another process took over the indexing of the collection.")
    }
    lease.deadline = deadline
  }

  /// Gives a lease back if that can be done; otherwise it ends by itself.
  private func release(_ lease: Lease, _ exclusively: Exclusively) {
    _ = try? exclusively { () throws(ChromaError) in
      try catalog.releaseLease(id: lease.id)
      return true
    }
  }
}
