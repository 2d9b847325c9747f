package import ChromaBase
package import ChromaKernels

/// Search by measuring everything: the answer that every index is judged by, and the fastest one
/// for some thousand records or a filter that lets few through.
package enum ExactScan {
  /// The `count` candidates nearest to `query`, sorted by distance and, where that is equal, by
  /// `order`. Fewer only if there are fewer candidates. Reads every candidate's row once.
  ///
  /// - Parameters:
  ///   - query: as many elements as the table's dimension.
  ///   - candidates: slots that are set in the table.
  ///   - order: a unique number for each candidate, such as the position of its insertion.
  ///   - poll: called before every 256 rows; what it throws ends the scan.
  package static func nearest<Failure: Error>(
    _ count: Int, to query: UnsafeBufferPointer<Float>, in table: VectorTable,
    among candidates: Bitset, order: (UInt32) -> UInt64, kernels: Kernels = .best,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> [Neighbor] {
    let distance = QueryDistance(query, to: table, kernels: kernels)
    var best = TopK(limit: count, streamCount: candidates.count)
    try offer(
      candidates, to: &best, by: distance, order: order,
      verify: { (_) throws(Failure) in }, poll: poll)
    return best.neighbors()
  }

  /// Measures every candidate and offers it.
  ///
  /// - Parameter verify: called with the slots that are about to be measured, 256 at most.
  static func offer<Failure: Error>(
    _ candidates: Bitset, to best: inout TopK, by distance: borrowing QueryDistance,
    order: (UInt32) -> UInt64, verify: (UnsafeBufferPointer<UInt32>) throws(Failure) -> Void,
    poll: () throws(Failure) -> Void
  ) throws(Failure) {
    let blockCount = QueryDistance.blockCountMax
    let slots = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: blockCount)
    let distances = UnsafeMutableBufferPointer<Float>.allocate(capacity: blockCount)
    defer {
      slots.deallocate()
      distances.deallocate()
    }
    var rest = candidates.makeIterator()
    while true {
      try poll()
      var filled = 0
      while filled < blockCount, let slot = rest.next() {
        slots.initializeElement(at: filled, to: slot)
        filled += 1
      }
      if filled == 0 { return }
      let block = UnsafeBufferPointer(rebasing: slots[..<filled])
      try verify(block)
      distance.measure(block, into: distances)
      for index in 0..<filled {
        best.offer(block[index], distances[index], order: order)
      }
    }
  }
}
