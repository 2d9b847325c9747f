// Which of the candidates near a node become its neighbors: algorithm 4 of arXiv 1603.09320.
//
// In the order of their distance, a candidate is taken unless one taken before is nearer to it than
// the node is. So neighbors lie in different directions, and a walk has somewhere to go from each.

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
    _ candidates: UnsafeBufferPointer<UInt64>, countMax: Int,
    into selected: UnsafeMutablePointer<UInt32>
  ) -> Int {
    var rest = candidates.count
    for index in 0..<rest {
      let slot = PoolKey.slot(candidates[index])
      slots[index] = slot
      rows[index] = layout.codeRow(slot)
      keys[index] = candidates[index] >> 32
    }
    var count = 0
    var first = 0
    while first < rest {
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
