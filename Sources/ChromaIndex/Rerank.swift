// From estimates to distances.
//
// The candidates are measured exactly in the order of their estimates, as long as one of those left
// may be among the best: an estimate less its bound is a distance that the exact one cannot be below.
// So the answer is the same as if all had been measured, whatever the number of results.

package enum Rerank {
  /// Candidates measured between two looks at what is left.
  private static let blockCount = 16

  /// The `count` nearest of the candidates, sorted by distance and, where that is equal, by `order`.
  ///
  /// - Parameters:
  ///   - keys: `PoolKey`s of the graph, ascending.
  ///   - graph: what the keys were estimated in.
  ///   - row: the query's row of codes.
  ///   - distance: from the same query.
  ///   - order: a unique number for each candidate.
  ///   - verify: called with slots before they are measured; what it throws ends it all.
  /// - Returns: Also how many were measured exactly.
  package static func nearest<Failure: Error>(
    _ count: Int, of keys: UnsafeBufferPointer<UInt64>, in graph: Graph, row: UnsafeRawPointer,
    distance: borrowing QueryDistance, order: (UInt32) -> UInt64,
    verify: (UnsafeBufferPointer<UInt32>) throws(Failure) -> Void
  ) throws(Failure) -> (neighbors: [Neighbor], measuredCount: Int) {
    var best = TopK(limit: count, streamCount: keys.count)
    guard count > 0, !keys.isEmpty else { return (best.neighbors(), 0) }
    let layout = graph.layout
    defer { withExtendedLifetime(graph) {} }
    let side = layout.side(of: row.assumingMemoryBound(to: Int8.self))
    let blockCountMax = QueryDistance.blockCountMax
    return try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: blockCountMax) {
      slots throws(Failure) in
      try withUnsafeTemporaryAllocation(of: Float.self, capacity: blockCountMax) {
        distances throws(Failure) in
        var next = 0
        var measuredCount = 0
        var limit = Double.infinity
        while next < keys.count {
          // As many as are wanted are measured in any case.
          let wanted = measuredCount < count ? count - measuredCount : blockCount
          var filled = 0
          while next < keys.count, filled < min(wanted, blockCountMax) {
            let key = keys[next]
            next += 1
            let slot = PoolKey.slot(key)
            let estimate = Double(PoolKey.estimate(key)) + layout.metric.constant
            if estimate - layout.metric.bound(side, layout.side(slot)) > limit { continue }
            slots[filled] = slot
            filled += 1
          }
          let block = UnsafeBufferPointer(rebasing: slots[..<filled])
          try verify(block)
          distance.measure(block, into: distances)
          for index in 0..<filled { best.offer(slots[index], distances[index], order: order) }
          measuredCount += filled
          if measuredCount >= count, next < keys.count {
            let farthest = Double(best.distanceLimit())
            limit = farthest.isNaN ? .infinity : farthest
          }
        }
        return (best.neighbors(), measuredCount)
      }
    }
  }
}
