// Walking the graph towards a row.
//
// Above the level that is wanted, a walk goes to the nearest neighbor as long as one is nearer than
// where it stands. On it, it keeps the nearest nodes that it has seen in one pool, and looks at the
// neighbors of the nearest one whose neighbors it has not seen, until there is none in the pool.
//
// A key of the pool is one number, so that its order is that of integers:
//
//     | distance, as OrderedDistance: 32 bits | slot: 31 bits | whether its neighbors were seen: 1 |
//
// Invariants:
//   * The pool ascends, and holds no slot twice.
//   * Of twins, whose codes are equal (see `GraphBuilder`), only those are in it that somebody else
//     links to: thousands of them would leave no room for anybody who leads further. The others are
//     added when the walk is over.
//   * What is in it depends on the graph, the query's code and the limit alone: on no kernel, no
//     thread, no number of results wanted.

import CChromaPlatform
import ChromaBase
package import ChromaKernels

/// A node and its estimated distance, less the metric's constant: see `GraphSearch.swift`.
package enum PoolKey {
  static let isExpandedBit: UInt64 = 1

  @inline(__always)
  static func of(_ slot: UInt32, _ key: Float) -> UInt64 {
    UInt64(OrderedDistance(key).key) << 32 | UInt64(slot) << 1
  }

  @inline(__always)
  package static func slot(_ key: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: key) >> 1
  }

  package static func estimate(_ key: UInt64) -> Float {
    OrderedDistance(key: UInt32(truncatingIfNeeded: key >> 32)).value
  }
}

/// One walk: trivial, made of what hot loops need. The graph and the scratch that it comes from must
/// outlive it.
struct GraphWalk {
  let layout: Graph.Layout
  let kernels: Kernels
  let query: UnsafePointer<Int8>
  let side: CodeSide
  let visits: UnsafeMutablePointer<UInt16>
  let epoch: UInt16
  let pool: UnsafeMutablePointer<UInt64>
  let slots: UnsafeMutablePointer<UInt32>
  let rows: UnsafeMutablePointer<UnsafePointer<Int8>>
  let products: UnsafeMutablePointer<Int32>
  private let twins: UnsafeMutablePointer<UInt32>

  private static let lineByteCount = 64
  /// Of longer rows the rest follows by itself.
  private static let prefetchByteCountMax = 1024

  /// - Parameters:
  ///   - query: a row of the graph's quantizer.
  ///   - scratch: prepared for the graph; its visits begin anew.
  init(
    _ layout: Graph.Layout, to query: UnsafePointer<Int8>, scratch: SearchScratch,
    kernels: Kernels
  ) {
    self.layout = layout
    self.kernels = kernels
    self.query = query
    side = layout.side(of: query)
    scratch.beginVisits()
    visits = scratch.visits
    epoch = scratch.epoch
    pool = scratch.pool
    slots = scratch.slots
    rows = scratch.rows
    products = scratch.products
    twins = scratch.twins
  }

  /// Measures the first `count` of `slots`, with their `rows`, and hands on each key.
  @inline(__always)
  func measure(_ count: Int, _ body: (UInt64) -> Void) {
    kernels.dotInt8(
      query, dimension: layout.codeByteCount, rows, count: count, into: products)
    for index in 0..<count {
      let key = layout.metric.key(side, layout.side(of: rows[index]), product: products[index])
      body(PoolKey.of(slots[index], key))
    }
  }

  /// The key of one node.
  func key(of slot: UInt32) -> UInt64 {
    slots[0] = slot
    rows[0] = layout.codeRow(slot)
    var result: UInt64 = 0
    measure(1) { result = $0 }
    return result
  }

  /// Goes from a node down to the level, and as near to the query as the levels above it lead.
  func descend(from entry: UInt32, level: Int, to target: Int) -> UInt64 {
    var nearest = key(of: entry)
    var level = level
    while level > target {
      var isNearer = true
      while isNearer {
        let links = layout.links(PoolKey.slot(nearest), level: level)
        var count = 0
        while count < layout.maxNeighbors, links[count] != Graph.noSlot {
          slots[count] = links[count]
          rows[count] = layout.codeRow(links[count])
          count &+= 1
        }
        let start = nearest
        measure(count) { nearest = min(nearest, $0) }
        isNearer = nearest < start
      }
      level -= 1
    }
    return nearest
  }

  /// Puts the first node into the pool. Returns how many are in it.
  func begin(at key: UInt64) -> Int {
    visits[Int(PoolKey.slot(key))] = epoch
    pool[0] = key & ~PoolKey.isExpandedBit
    return 1
  }

  /// Fills the pool with the nearest nodes of the level that the walk comes by.
  ///
  /// - Parameters:
  ///   - count: nodes in the pool, all visited.
  ///   - limit: the most that the pool keeps, at least 1.
  ///   - poll: called before every 64th list.
  /// - Returns: Nodes in the pool at the end, how many were measured, and whether twins of nodes in
  ///   the pool were left out of it.
  func fill<Failure: Error>(
    level: Int, count: Int, limit: Int, poll: () throws(Failure) -> Void
  ) throws(Failure) -> (count: Int, measuredCount: Int, hasTwins: Bool) {
    let linkCountMax = layout.linkCountMax(level: level)
    var count = count
    var measuredCount = 0
    var listCount = 0
    var next = 0
    var hasTwins = false
    while next < count {
      let key = pool[next]
      if key & PoolKey.isExpandedBit != 0 {
        next &+= 1
        continue
      }
      pool[next] = key | PoolKey.isExpandedBit
      if listCount & 63 == 0 { try poll() }
      listCount &+= 1
      next &+= 1
      // The node itself, and then some of its twins, if they are not in the pool.
      twins[0] = PoolKey.slot(key)
      var twinCount = 1
      var looked = 0
      while looked < twinCount {
        let slot = twins[looked]
        looked &+= 1
        let block = gather(layout.links(slot, level: level), countMax: linkCountMax)
        measuredCount &+= block
        prefetchLinks(after: next, count: count, level: level)
        if block == 0 { continue }
        measure(block) { other in
          if other >> 32 == key >> 32, layout.hasEqualCodes(PoolKey.slot(other), slot) {
            hasTwins = true
            if twinCount < SearchScratch.twinCountMax {
              twins[twinCount] = PoolKey.slot(other)
              twinCount &+= 1
            }
          } else if count < limit {
            next = min(next, insert(other, before: count))
            count &+= 1
          } else if other >> 32 < pool[count &- 1] >> 32 {
            next = min(next, insert(other, before: count &- 1))
          }
        }
      }
    }
    return (count, measuredCount, hasTwins)
  }

  /// Asks for the list that is looked at next, unless something nearer turns up.
  @inline(__always)
  func prefetchLinks(after first: Int, count: Int, level: Int) {
    var next = first
    while next < count, pool[next] & PoolKey.isExpandedBit != 0 { next &+= 1 }
    guard next < count else { return }
    chroma_prefetch(
      layout.links(PoolKey.slot(pool[next]), level: level),
      layout.linkCountMax(level: level) &* MemoryLayout<UInt32>.size)
  }

  /// Of a row, as much as is worth asking for.
  @inline(__always)
  static func prefetchByteCount(_ layout: Graph.Layout) -> Int {
    min(layout.codeByteCount &+ lineByteCount, prefetchByteCountMax)
  }

  /// Lists what has not been visited, and visits it. Returns how many.
  @inline(__always)
  func gather(_ links: UnsafePointer<UInt32>, countMax: Int) -> Int {
    var block = 0
    for index in 0..<countMax {
      let slot = links[index]
      if slot == Graph.noSlot { break }
      // Half of them were visited, which no processor can foresee: so there is nothing to foresee.
      slots[block] = slot
      block &+= visits[Int(slot)] == epoch ? 0 : 1
      visits[Int(slot)] = epoch
    }
    // The kernel asks for whole rows too, but only when it runs, and then waits for the first: to ask
    // here makes a search a fifth faster.
    let byteCount = Self.prefetchByteCount(layout)
    for index in 0..<block {
      rows[index] = layout.codeRow(slots[index])
      chroma_prefetch(rows[index], byteCount)
    }
    return block
  }

  /// Offers nodes from elsewhere, none of which is in the pool of `count`. Returns how many are in it
  /// then.
  func offer(_ others: UnsafeBufferPointer<UInt32>, count: Int, limit: Int) -> Int {
    for (index, slot) in others.enumerated() {
      slots[index] = slot
      rows[index] = layout.codeRow(slot)
    }
    var count = count
    measure(others.count) { key in
      if count < limit {
        _ = insert(key, before: count)
        count &+= 1
      } else if key >> 32 < pool[count &- 1] >> 32 {
        _ = insert(key, before: count &- 1)
      }
    }
    return count
  }

  /// Inserts a key where it belongs among the first `end`, moving the rest by one. Returns where.
  @inline(__always)
  func insert(_ key: UInt64, before end: Int) -> Int {
    var lower = 0
    var width = end
    // Without branches, as none of them could be foreseen.
    while width > 0 {
      let half = (width &+ 1) >> 1
      lower &+= pool[lower &+ half &- 1] < key ? half : 0
      width &-= half
    }
    (pool + (lower &+ 1)).update(from: pool + lower, count: end &- lower)
    pool[lower] = key
    return lower
  }
}

/// What a walk found: candidates by ascending estimate, in the scratch's memory until its next use.
package struct GraphCandidates {
  /// See `PoolKey`.
  package let keys: UnsafeBufferPointer<UInt64>
  /// The pool of the walk: the same less twins that stand only for themselves.
  let pool: UnsafeBufferPointer<UInt64>
  /// How many nodes were measured by their codes.
  package let measuredCount: Int
}

extension Graph {
  /// The `limit` nodes nearest to a query that a walk finds, by their codes.
  ///
  /// - Parameters:
  ///   - limit: ef, at least 1.
  ///   - scratch: prepared for the graph, a pool of `limit` and blocks of 2·`maxNeighbors`, with the
  ///     query's row in `query`.
  ///   - poll: called now and then; what it throws ends the walk.
  /// - Returns: More than `limit`, though the nearest, where thousands of codes are equal.
  package func candidates<Failure: Error>(
    limit: Int, scratch: SearchScratch, kernels: Kernels = .best,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> GraphCandidates {
    guard let entry else {
      let none = UnsafeBufferPointer<UInt64>(start: nil, count: 0)
      return GraphCandidates(keys: none, pool: none, measuredCount: 0)
    }
    let walk = GraphWalk(
      layout, to: UnsafePointer(scratch.query.assumingMemoryBound(to: Int8.self)),
      scratch: scratch, kernels: kernels)
    let start = walk.begin(at: walk.descend(from: entry, level: level(of: entry), to: 0))
    let found = try walk.fill(level: 0, count: start, limit: limit, poll: poll)
    return withExtendedLifetime(self) {
      let pool = UnsafeBufferPointer(start: scratch.pool, count: found.count)
      return GraphCandidates(
        keys: found.hasTwins ? withTwins(found.count, limit: limit, scratch: scratch) : pool,
        pool: pool, measuredCount: found.measuredCount)
    }
  }

  /// Puts the twins of the first `count` nodes in the pool behind them, until there are `limit` or
  /// somewhat more: of a ring, all or thousands.
  private func withTwins(
    _ count: Int, limit: Int, scratch: SearchScratch
  ) -> UnsafeBufferPointer<UInt64> {
    let layout = layout
    let found = scratch.prepareFound(count: limit + SearchScratch.ringCountMax)
    var foundCount = 0
    scratch.beginVisits()
    for index in 0..<count where foundCount < limit {
      let key = scratch.pool[index]
      var slot = PoolKey.slot(key)
      let end = foundCount + SearchScratch.ringCountMax
      while foundCount < end, scratch.visit(slot) {
        found[foundCount] = (key >> 32) << 32 | UInt64(slot) << 1
        foundCount += 1
        let next = layout.links(slot, level: 0)[0]
        guard next != Graph.noSlot, layout.hasEqualCodes(next, slot) else { break }
        slot = next
      }
    }
    return UnsafeBufferPointer(start: found, count: foundCount)
  }
}
