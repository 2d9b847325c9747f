// Search over codes that returns what a scan of the vectors themselves would.
//
// An estimate lies within a bound of the exact distance (see Quantizer.swift), so each candidate has
// a least and a greatest distance it can be at. Whatever is at least farther than the k-th least of
// the greatest cannot be among the k nearest. The others are measured exactly, in the order of the
// least distance they can be at, until the next one is farther than the k-th exact distance.

import CChromaPlatform
import ChromaBase
import ChromaKernels

/// A candidate and the least distance that it can be at.
struct BoundedCandidate {
  /// The distance, ordered as an integer, above the slot.
  private let key: UInt64

  /// - Parameter distanceMin: rounded down here, so that it still holds as a float.
  @inline(__always)
  init(slot: UInt32, distanceMin: Double) {
    let distance = OrderedDistance(Float(distanceMin).nextDown)
    key = UInt64(distance.key) << 32 | UInt64(slot)
  }

  @inline(__always) var slot: UInt32 { UInt32(truncatingIfNeeded: key) }

  @inline(__always) func canBeAt(_ distance: OrderedDistance) -> Bool {
    key >> 32 <= UInt64(distance.key)
  }

  @inline(__always)
  static func < (left: BoundedCandidate, right: BoundedCandidate) -> Bool {
    left.key < right.key
  }
}

/// Exact distances for as few candidates as it takes.
enum BoundedRanking {
  /// Rows measured between two looks at whether it is enough.
  private static let stepCount = 32

  /// Offers candidates with their exact distances, as many as it takes for the best to be the same as
  /// if all were offered.
  ///
  /// - Parameter verify: called with the slots that are about to be measured.
  /// - Returns: how many were measured.
  static func offer<Failure: Error>(
    _ candidates: consuming [BoundedCandidate], to best: inout TopK,
    by distance: borrowing QueryDistance, order: (UInt32) -> UInt64,
    verify: (UnsafeBufferPointer<UInt32>) throws(Failure) -> Void,
    poll: () throws(Failure) -> Void
  ) throws(Failure) -> Int {
    candidates.sort(by: <)
    let slots = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: stepCount)
    let distances = UnsafeMutableBufferPointer<Float>.allocate(capacity: stepCount)
    defer {
      slots.deallocate()
      distances.deallocate()
    }
    var measuredCount = 0
    while measuredCount < candidates.count {
      best.keepBest()
      var filled = 0
      while filled < stepCount, measuredCount < candidates.count,
        candidates[measuredCount].canBeAt(best.distanceMax)
      {
        slots.initializeElement(at: filled, to: candidates[measuredCount].slot)
        filled += 1
        measuredCount += 1
      }
      if filled == 0 { break }
      try poll()
      let step = UnsafeBufferPointer(rebasing: slots[..<filled])
      try verify(step)
      distance.measure(step, into: distances)
      for index in 0..<filled { best.offer(step[index], distances[index], order: order) }
    }
    return measuredCount
  }
}

/// Search by estimating every candidate from its code.
enum CodeScan {
  /// Rows that are measured at once. The scratch must have room for two blocks.
  static let blockCount = 64

  /// The candidates that may be among the `count` nearest, with the least distances that they can be
  /// at. Reads every candidate's code once.
  ///
  /// - Parameters:
  ///   - candidates: members of the graph, `candidateCount` of them.
  ///   - scratch: holds the query as a row of codes; prepared for two blocks.
  static func window<Failure: Error>(
    _ count: Int, in graph: Graph, among candidates: Bitset, candidateCount: Int, kernels: Kernels,
    scratch: SearchScratch, poll: () throws(Failure) -> Void
  ) throws(Failure) -> [BoundedCandidate] {
    let layout = graph.layout
    let query = UnsafePointer(scratch.query.assumingMemoryBound(to: Int8.self))
    let side = layout.side(of: query)
    var window = Window(count: count, streamCount: candidateCount)
    var rest = candidates.makeIterator()
    // Memory is asked for each block while the one before is measured.
    var (block, blockAfter) = (0, blockCount)
    var filled = gather(&rest, layout, scratch, at: block)
    while filled > 0 {
      try poll()
      let filledAfter = gather(&rest, layout, scratch, at: blockAfter)
      let (slots, rows) = (scratch.slots + block, scratch.rows + block)
      let products = scratch.products
      kernels.dotInt8(
        query, dimension: layout.codeByteCount, rows, count: filled, into: products)
      for index in 0..<filled {
        let other = layout.side(of: rows[index])
        let key = layout.metric.key(side, other, product: products[index])
        window.insert(
          slots[index], at: layout.metric.constant + Double(key),
          within: layout.metric.bound(side, other))
      }
      (block, blockAfter, filled) = (blockAfter, block, filledAfter)
    }
    return withExtendedLifetime(graph) { window.remaining() }
  }

  /// Lists the next candidates in the scratch, behind its first `start`. Returns how many.
  private static func gather(
    _ rest: inout Bitset.Iterator, _ layout: Graph.Layout, _ scratch: SearchScratch, at start: Int
  ) -> Int {
    let (slots, rows) = (scratch.slots + start, scratch.rows + start)
    let byteCount = GraphWalk.prefetchByteCount(layout)
    var filled = 0
    while filled < blockCount, let slot = rest.next() {
      slots[filled] = slot
      rows[filled] = layout.codeRow(slot)
      chroma_prefetch(rows[filled], byteCount)
      filled += 1
    }
    return filled
  }

  /// Those of a stream that can be among its `count` nearest.
  private struct Window {
    private var candidates: [BoundedCandidate] = []
    /// Those whose greatest distances are the least: as many as are wanted.
    private var nearest: TopK
    /// How many may gather before those that have turned out to be too far are dropped.
    private var gatherCountMax = 1024

    init(count: Int, streamCount: Int) {
      nearest = TopK(limit: count, streamCount: streamCount)
    }

    @inline(__always)
    mutating func insert(_ slot: UInt32, at distance: Double, within bound: Double) {
      let candidate = BoundedCandidate(slot: slot, distanceMin: distance - bound)
      guard candidate.canBeAt(nearest.distanceMax) else { return }
      candidates.append(candidate)
      nearest.offer(slot, Float(distance + bound).nextUp) { UInt64($0) }
      if candidates.count >= gatherCountMax {
        dropFar()
        gatherCountMax = max(gatherCountMax, 2 * candidates.count)
      }
    }

    mutating func dropFar() {
      nearest.keepBest()
      candidates.removeAll { [distanceMax = nearest.distanceMax] in !$0.canBeAt(distanceMax) }
    }

    consuming func remaining() -> [BoundedCandidate] {
      dropFar()
      return candidates
    }
  }
}
