// Which of the candidates near a node become its neighbors: algorithm 4 of arXiv 1603.09320.
//
// In the order of their distance, a candidate is taken unless one taken before is nearer to it than
// the node is. So neighbors lie in different directions, and a walk has somewhere to go from each.
//
// Candidates whose codes do not tell them from the node are no direction, and which of them is nearer
// is chance. They keep nobody else out, and of them, half as many as the list has room for are taken:
// by lot, since those in the middle of a cluster of near equals are the nearest to all, and the others
// would be in no list at all.

import ChromaKernels

/// Trivial, made of what hot loops need. The graph and the scratch must outlive it.
struct NeighborSelection {
  private let layout: Graph.Layout
  private let kernels: Kernels
  private let slots: UnsafeMutablePointer<UInt32>
  private let rows: UnsafeMutablePointer<UnsafePointer<Int8>>
  private let products: UnsafeMutablePointer<Int32>
  private let keys: UnsafeMutablePointer<UInt64>

  init(_ layout: Graph.Layout, scratch: SearchScratch, kernels: Kernels) {
    self.layout = layout
    self.kernels = kernels
    slots = scratch.slots
    rows = scratch.rows
    products = scratch.products
    keys = scratch.candidates
  }

  /// Chooses among the candidates of a node.
  ///
  /// - Parameters:
  ///   - candidates: `PoolKey`s by ascending distance from the node, itself not among them.
  ///   - selected: room for `countMax`, which is at least 1.
  /// - Returns: How many were chosen.
  func select(
    _ candidates: UnsafeBufferPointer<UInt64>, near slot: UInt32, countMax: Int,
    into selected: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let own = layout.side(slot)
    var rest = 0
    var equalStart = candidates.count
    for candidate in candidates {
      let other = PoolKey.slot(candidate)
      let row = layout.codeRow(other)
      if layout.metric.isNearlyEqual(own, layout.side(of: row), key: PoolKey.estimate(candidate)) {
        equalStart &-= 1
        keys[equalStart] = Self.lot(of: other, for: slot)
        continue
      }
      slots[rest] = other
      rows[rest] = row
      keys[rest] = candidate >> 32
      rest &+= 1
    }
    var equals = UnsafeMutableBufferPointer(
      start: keys + equalStart, count: candidates.count &- equalStart)
    if equals.count > 1 { equals.sort() }
    let count = min(equals.count, countMax / 2)
    for index in 0..<count { selected[index] = UInt32(truncatingIfNeeded: equals[index]) }
    return selectApart(rest, countMax: countMax, count: count, into: selected)
  }

  /// A number with the slot in its lower half and chance, the same every time, in the upper one.
  private static func lot(of slot: UInt32, for node: UInt32) -> UInt64 {
    let mixed = ((UInt64(slot) << 32) | UInt64(node)) &* 0x9E37_79B9_7F4A_7C15
    let hash = (mixed ^ (mixed >> 32)) &* 0xFF51_AFD7_ED55_8CCD
    return (hash & 0xFFFF_FFFF_0000_0000) | UInt64(slot)
  }

  /// Adds to so many selected of the first `end` candidates in `slots` those that are apart.
  private func selectApart(
    _ end: Int, countMax: Int, count: Int, into selected: UnsafeMutablePointer<UInt32>
  ) -> Int {
    var rest = end
    var count = count
    var first = 0
    while first < rest, count < countMax {
      let taken = rows[first]
      selected[count] = slots[first]
      count &+= 1
      first &+= 1
      if count == countMax || first == rest { break }
      let side = layout.side(of: taken)
      kernels.dotInt8(
        taken, dimension: layout.codeByteCount, rows + first, count: rest &- first,
        into: products + first)
      var kept = first
      for index in first..<rest {
        let key = layout.metric.key(
          side, layout.side(of: rows[index]), product: products[index])
        if UInt64(OrderedDistance(key).key) < keys[index] { continue }
        slots[kept] = slots[index]
        rows[kept] = rows[index]
        keys[kept] = keys[index]
        kept &+= 1
      }
      rest = kept
    }
    return count
  }

  /// Sorts nodes by their distance from one. Returns the keys, good until the scratch's next use.
  func sorted(
    _ neighbors: UnsafeBufferPointer<UInt32>, from slot: UInt32,
    into pool: UnsafeMutablePointer<UInt64>
  ) -> UnsafeBufferPointer<UInt64> {
    for (index, neighbor) in neighbors.enumerated() { rows[index] = layout.codeRow(neighbor) }
    let row = layout.codeRow(slot)
    let side = layout.side(of: row)
    kernels.dotInt8(
      row, dimension: layout.codeByteCount, rows, count: neighbors.count, into: products)
    for index in neighbors.indices {
      let key = layout.metric.key(side, layout.side(of: rows[index]), product: products[index])
      pool[index] = PoolKey.of(neighbors[index], key)
    }
    var keys = UnsafeMutableBufferPointer(start: pool, count: neighbors.count)
    keys.sort()
    return UnsafeBufferPointer(keys)
  }
}
