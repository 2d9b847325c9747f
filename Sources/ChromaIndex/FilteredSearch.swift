// Walking the graph towards a row among nodes that a filter lets through: the allowed ones.
//
// A walk begins as if there were no filter, but for keeping the allowed nodes that it comes by in a
// pool of their own, and ends when no node whose neighbors it has not seen is nearer than the pool's
// last: a sweep. It takes 1/share times as many steps as without a filter, so where the share of the
// allowed is small, the walk goes on in leaps: only allowed nodes are measured and followed up, and
// where a neighbor is none, its own neighbors stand in for it (ACORN-1: Patel et al., arXiv
// 2403.04871, §5.2), in a graph of the allowed that nobody had to build.
//
// Leaps miss much where the filter holds back just what is near the query: around such a hole lie
// many nodes at nearly one distance, on all sides, and no path along its rim. A sweep tells, as it
// comes by fewer allowed nodes than their share. It then goes on, across the hole, for as long as a
// scan would take.

import CChromaPlatform
import ChromaBase
import ChromaKernels

/// The nodes that a filter lets through.
struct AllowedNodes {
  private let nodes: Bitset
  /// Of all nodes.
  let share: Double

  init(_ nodes: Bitset, share: Double) {
    self.nodes = nodes
    self.share = share
  }

  @inline(__always)
  func contains(_ slot: UInt32) -> Bool {
    nodes.contains(slot)
  }
}

/// A walk under a filter, and what it has done so far.
struct FilteredWalk {
  /// From this share of the allowed on, a sweep is cheap enough.
  static let sweepShareMin = 1.0 / 3

  private let allowed: AllowedNodes
  private let limit: Int
  private let costs: SearchCosts
  private let visitCost: Double
  /// Nodes whose neighbors are still to be seen.
  private var frontier = KeyHeap()
  /// Allowed nodes in the pool.
  private var count = 0
  /// Codes compared with the query.
  private(set) var measuredCount = 0
  /// Lists read of nodes that the filter holds back.
  private(set) var passedCount = 0
  /// Whether the filter holds back what is near the query.
  private(set) var hasCrossedHole = false
  private var sweptCount = 0
  private var sweptAllowedCount = 0

  /// Nanoseconds that it would take to do the same again.
  private var cost: Double {
    Double(measuredCount) * visitCost + Double(passedCount) * costs.passage
  }

  init(_ allowed: AllowedNodes, limit: Int, costs: SearchCosts) {
    self.allowed = allowed
    self.limit = limit
    self.costs = costs
    visitCost = costs.visit(ef: limit)
  }

  /// Fills the scratch's pool with the nearest allowed nodes.
  ///
  /// - Parameters:
  ///   - scratch: holds the query's row; prepared for pools of `limit` and blocks of two lists.
  ///   - costMax: what another way to the same would cost.
  /// - Returns: nodes in the pool; nil if the walk was given up.
  mutating func fill<Failure: Error>(
    _ graph: Graph, scratch: SearchScratch, kernels: Kernels, costMax: Double,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> Int? {
    guard let entry = graph.entry else { return 0 }
    let query = UnsafePointer(scratch.query.assumingMemoryBound(to: Int8.self))
    let walk = GraphWalk(graph.layout, to: query, scratch: scratch, kernels: kernels)
    begin(walk, at: walk.descend(from: entry, level: graph.level(of: entry), to: 0))
    let patience =
      allowed.share < Self.sweepShareMin
      ? max(0.6, 4 / (allowed.share * Double(limit))) : 1.25 / allowed.share
    let sweepMax = costs.visitCount(ef: limit) * patience * visitCost
    if try sweep(walk, costMax: min(sweepMax, costMax), poll: poll) { return count }
    if Double(sweptAllowedCount) < 0.25 * allowed.share * Double(sweptCount) {
      hasCrossedHole = true
      return try sweep(walk, costMax: costMax / 4, poll: poll) ? count : nil
    }
    let leaps = GraphWalk(graph.layout, to: query, scratch: scratch, kernels: kernels)
    return try leap(leaps, costMax: cost + costMax, poll: poll) ? count : nil
  }

  private mutating func begin(_ walk: GraphWalk, at key: UInt64) {
    let slot = PoolKey.slot(key)
    if allowed.contains(slot) {
      count = walk.begin(at: key)
    } else {
      walk.visits[Int(slot)] = walk.epoch
    }
    frontier.insert(key)
  }

  /// Returns whether it came to an end.
  private mutating func sweep<Failure: Error>(
    _ walk: GraphWalk, costMax: Double, poll: () throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    let linkCountMax = walk.layout.linkCountMax(level: 0)
    while let key = frontier.first {
      if count == limit, key >> 32 >= walk.pool[count &- 1] >> 32 { return true }
      if cost > costMax { return false }
      frontier.removeFirst()
      if sweptCount & 63 == 0 { try poll() }
      let slot = PoolKey.slot(key)
      sweptCount &+= 1
      if allowed.contains(slot) { sweptAllowedCount &+= 1 }
      let block = walk.gather(walk.layout.links(slot, level: 0), countMax: linkCountMax)
      measuredCount &+= block
      if let next = frontier.first {
        chroma_prefetch(
          walk.layout.links(PoolKey.slot(next), level: 0),
          linkCountMax &* MemoryLayout<UInt32>.size)
      }
      walk.measure(block) { key in
        if count == limit, key >> 32 >= walk.pool[count &- 1] >> 32 { return }
        frontier.insert(key)
        guard allowed.contains(PoolKey.slot(key)) else { return }
        _ = walk.insert(key, before: min(count, limit &- 1))
        count = min(count &+ 1, limit)
      }
    }
    return true
  }

  /// Goes on from the pool through allowed nodes alone. Returns whether it came to an end.
  private mutating func leap<Failure: Error>(
    _ walk: GraphWalk, costMax: Double, poll: () throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    for index in 0..<count { walk.visits[Int(PoolKey.slot(walk.pool[index]))] = walk.epoch }
    var next = 0
    var listCount = 0
    while next < count {
      let key = walk.pool[next]
      if key & PoolKey.isExpandedBit != 0 {
        next &+= 1
        continue
      }
      if cost > costMax { return false }
      walk.pool[next] = key | PoolKey.isExpandedBit
      next &+= 1
      if listCount & 63 == 0 { try poll() }
      listCount &+= 1
      let block = gather(walk, around: PoolKey.slot(key))
      measuredCount &+= block
      walk.measure(block) { key in
        if count == limit, key >> 32 >= walk.pool[count &- 1] >> 32 { return }
        next = min(next, walk.insert(key, before: min(count, limit &- 1)))
        count = min(count &+ 1, limit)
      }
    }
    return true
  }

  /// Lists allowed nodes that have not been visited: neighbors first, then neighbors of those that
  /// are not allowed, until one and a half lists of allowed ones were seen. Returns how many.
  @inline(__always)
  private mutating func gather(_ walk: GraphWalk, around node: UInt32) -> Int {
    let (layout, visits, epoch) = (walk.layout, walk.visits, walk.epoch)
    let linkCountMax = layout.linkCountMax(level: 0)
    let seenMax = linkCountMax &+ linkCountMax / 2
    // Behind the block there is room for as many more.
    let passed = walk.slots + linkCountMax
    var passedCount = 0
    var block = 0
    var seenCount = 0
    func see(_ slot: UInt32) {
      seenCount &+= 1
      if visits[Int(slot)] == epoch { return }
      visits[Int(slot)] = epoch
      walk.slots[block] = slot
      walk.rows[block] = layout.codeRow(slot)
      chroma_prefetch(walk.rows[block], GraphWalk.prefetchByteCount(layout))
      block &+= 1
    }
    let links = layout.links(node, level: 0)
    for index in 0..<linkCountMax where links[index] != Graph.noSlot {
      let slot = links[index]
      if allowed.contains(slot) {
        see(slot)
      } else if visits[Int(slot)] != epoch {
        passed[passedCount] = slot
        passedCount &+= 1
        chroma_prefetch(
          layout.links(slot, level: 0), linkCountMax &* MemoryLayout<UInt32>.size)
      }
    }
    for index in 0..<passedCount where seenCount < seenMax {
      visits[Int(passed[index])] = epoch
      self.passedCount &+= 1
      let links = layout.links(passed[index], level: 0)
      for index in 0..<linkCountMax where block < linkCountMax {
        let slot = links[index]
        if slot == Graph.noSlot { break }
        if allowed.contains(slot) { see(slot) }
      }
    }
    return block
  }
}
