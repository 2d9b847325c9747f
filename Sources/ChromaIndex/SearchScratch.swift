// What a search needs for itself, kept between searches: the pool of the best, who was visited, and
// the next rows to measure.

/// Memory of one search at a time. Grows to what the largest one needed.
package final class SearchScratch {
  /// For each slot the number of the search that visited it last.
  private(set) var visits: UnsafeMutablePointer<UInt16>
  private var visitCapacity = 0
  private(set) var epoch: UInt16 = 0
  /// The best, by ascending key; see `PoolKey`.
  private(set) var pool: UnsafeMutablePointer<UInt64>
  private var poolCapacity = 0
  /// Slots about to be measured, their rows, and what came of it.
  private(set) var slots: UnsafeMutablePointer<UInt32>
  private(set) var rows: UnsafeMutablePointer<UnsafePointer<Int8>>
  private(set) var products: UnsafeMutablePointer<Int32>
  /// Keys of the candidates among which neighbors are selected, as many.
  private(set) var candidates: UnsafeMutablePointer<UInt64>
  private var blockCapacity = 0
  /// A node that is looked at, and twins of it.
  let twins: UnsafeMutablePointer<UInt32>
  /// The pool with all twins.
  private var found: UnsafeMutablePointer<UInt64>
  private var foundCapacity = 0
  /// The query as a row of codes.
  package private(set) var query: UnsafeMutableRawPointer
  private var queryByteCount = 0

  private static let lineByteCount = 64
  /// Of a ring of twins, a walk looks at so many: most have no links but those of the ring.
  static let twinCountMax = 8
  /// And so many of it are measured exactly, if it is among the nearest.
  static let ringCountMax = 4096

  package init() {
    visits = .allocate(capacity: 0)
    pool = .allocate(capacity: 0)
    slots = .allocate(capacity: 0)
    rows = .allocate(capacity: 0)
    products = .allocate(capacity: 0)
    candidates = .allocate(capacity: 0)
    twins = .allocate(capacity: Self.twinCountMax)
    found = .allocate(capacity: 0)
    query = .allocate(byteCount: 0, alignment: Self.lineByteCount)
  }

  deinit {
    visits.deallocate()
    pool.deallocate()
    slots.deallocate()
    rows.deallocate()
    products.deallocate()
    candidates.deallocate()
    twins.deallocate()
    found.deallocate()
    query.deallocate()
  }

  /// Makes room for searches of the graph with pools of `poolCount` and blocks of `blockCount` rows.
  package func prepare(for graph: Graph, poolCount: Int, blockCount: Int) {
    if graph.slotCount > visitCapacity {
      visits.deallocate()
      visitCapacity = max(graph.slotCount, visitCapacity + visitCapacity / 2)
      visits = .allocate(capacity: visitCapacity)
      visits.initialize(repeating: 0, count: visitCapacity)
      epoch = 0
    }
    if poolCount > poolCapacity {
      pool.deallocate()
      poolCapacity = poolCount
      pool = .allocate(capacity: poolCount)
    }
    if blockCount > blockCapacity {
      slots.deallocate()
      rows.deallocate()
      products.deallocate()
      candidates.deallocate()
      blockCapacity = blockCount
      slots = .allocate(capacity: blockCount)
      rows = .allocate(capacity: blockCount)
      products = .allocate(capacity: blockCount)
      candidates = .allocate(capacity: blockCount)
    }
    if graph.quantizer.rowByteCount > queryByteCount {
      query.deallocate()
      queryByteCount = graph.quantizer.rowByteCount
      query = .allocate(byteCount: queryByteCount, alignment: Self.lineByteCount)
    }
  }

  /// Forgets who was visited.
  package func beginVisits() {
    if epoch == .max {
      visits.update(repeating: 0, count: visitCapacity)
      epoch = 0
    }
    epoch += 1
  }

  /// Makes room for so many keys with twins.
  func prepareFound(count: Int) -> UnsafeMutablePointer<UInt64> {
    if count > foundCapacity {
      found.deallocate()
      foundCapacity = count
      found = .allocate(capacity: count)
    }
    return found
  }

  /// Returns whether the slot, for which there is room, had not been visited.
  func visit(_ slot: UInt32) -> Bool {
    defer { visits[Int(slot)] = epoch }
    return visits[Int(slot)] != epoch
  }
}
