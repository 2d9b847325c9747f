// Building a graph, batch by batch.
//
// A batch is inserted in two phases, so that the graph is the same for any number of threads (as
// ParlayANN does, arXiv 2305.04359). In the first, the graph stays as it is: each new node walks it,
// looks at all its mates of the batch as well, and selects its neighbors. In the second, the lists
// are written: those of the new nodes, and, grouped by target, those that a link back goes to.
//
// Nodes of equal codes would fill each other's lists and leave no link to anybody else; of thousands,
// most would be lost. So only the first one is linked to others. Each further one, a twin, stands
// with it in a ring on that level: the first neighbor of each is the next one of the ring.
//
// Invariants:
//   * Between calls the graph is whole: whoever stops early has a graph of fewer records.
//   * What is inserted depends on the graph and the order of the slots alone.

package import ChromaBase
package import ChromaKernels

/// Changes a graph of its own; copies of it are good for searches, whatever happens here.
///
/// One thread at a time. After an error the graph is of no use.
package struct GraphBuilder {
  package internal(set) var graph: Graph
  /// Slots whose code was written, and slots of which a list was, since the builder began or
  /// `forgetChanges`.
  package internal(set) var changed: (codes: Bitset, links: Bitset) = (Bitset(), Bitset())
  let efConstruction: Int
  let threadCount: Int
  let kernels: Kernels
  /// One for each thread.
  let scratches: [SearchScratch]

  /// Nodes inserted at once, at most: enough for each of 16 threads to be busy, and few enough for
  /// all to be compared with each other.
  static let batchCountMax = 256

  /// - Parameters:
  ///   - efConstruction: nodes that an insertion keeps in its pool; no fewer than the graph's
  ///     `maxNeighbors` in any case, as in hnswlib.
  ///   - threadCount: threads to build on, the calling one included; at least 1.
  package init(
    _ graph: Graph, efConstruction: Int, threadCount: Int, kernels: Kernels = .best
  ) {
    self.graph = graph
    self.efConstruction = max(efConstruction, graph.maxNeighbors)
    self.threadCount = max(1, threadCount)
    self.kernels = kernels
    scratches = (0..<max(1, threadCount)).map { _ in SearchScratch() }
  }

  /// Begins to note changes anew.
  package mutating func forgetChanges() {
    changed = (Bitset(), Bitset())
  }

  /// Inserts records that are no members yet, in the order given. Those whose vectors cannot be
  /// encoded do not become members.
  ///
  /// - Parameters:
  ///   - slots: each once, set in `vectors`.
  ///   - shouldGoOn: asked before each batch.
  /// - Returns: How many of the slots were seen to: all, or fewer if it should not go on.
  /// - Throws: `ChromaError.resourceExhausted` when there is no memory.
  package mutating func insert(
    _ slots: [UInt32], vectors: VectorTable, while shouldGoOn: () -> Bool = { true }
  ) throws(ChromaError) -> Int {
    var next = 0
    while next < slots.count, shouldGoOn() {
      let end = min(slots.count, next + batchCount)
      try insertBatch(Array(slots[next..<end]), vectors: vectors)
      next = end
    }
    return next
  }

  /// A batch sees less of the graph than its records would one by one; a small share does no harm.
  private var batchCount: Int {
    min(Self.batchCountMax, max(1, graph.memberCount / 16))
  }
}
