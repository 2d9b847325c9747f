// Taking nodes out of a graph without leaving holes.
//
// Whoever linked to a removed node is given others instead: of those that the removed node linked to,
// the nearest that lie in a direction of their own, as the heuristic of the build has it (Malkov and
// Yashunin, arXiv 1603.09320, algorithm 4; for removals Singh et al., arXiv 2105.09613). One pass over
// all lists finds them, however many are removed; what follows costs by the lists that it changes.
//
// Invariants:
//   * Each list is mended from lists as they were before: the order of the work has no bearing.
//   * A list takes no more others than it loses, but for what links back to it while it has room, and
//     for what it takes over from a twin: graphs that change for ever stay as large as new ones.
//   * Twins stay in their ring (see `GraphBuilder`).

package import ChromaBase
package import ChromaKernels

extension Graph {
  /// Takes the slots out, those that are nodes. They can be used again at once.
  ///
  /// Reads every list once. Nodes may be cut off by it: `connect` mends that.
  ///
  /// - Parameter poll: called now and then.
  /// - Returns: The nodes whose lists changed.
  /// - Throws: `.resourceExhausted`, and what `poll` throws; the graph is of no use then.
  package mutating func remove(
    _ slots: Bitset, threadCount: Int = 1, kernels: Kernels = .best,
    poll: () throws(ChromaError) -> Void = {}
  ) throws(ChromaError) -> Bitset {
    let removed = slots.intersection(members)
    if removed.isEmpty { return Bitset() }
    let before = self
    for slot in removed { removeMember(slot) }
    if let entry, removed.contains(entry) { setEntry(highestMember) }
    let gaps = before.gaps(of: members, without: removed)
    var changed = Bitset()
    var backLinks: [BackLink] = []
    let mending = ParallelMending(
      before, without: removed, threadCount: threadCount, kernels: kernels)
    for first in stride(from: 0, to: gaps.count, by: ParallelMending.blockCount) {
      try poll()
      let block = gaps[first..<min(gaps.count, first + ParallelMending.blockCount)]
      for (gap, list) in zip(block, mending.lists(for: block)) {
        try setLinks(gap.slot, level: gap.level, list.kept + list.added)
        changed.insert(gap.slot)
        for target in list.added {
          backLinks.append(BackLink(target: target, level: gap.level, source: gap.slot))
        }
      }
    }
    try linkBack(&backLinks, &changed)
    return changed
  }

  /// The lists of nodes that name removed ones.
  private func gaps(of nodes: Bitset, without removed: Bitset) -> [Gap] {
    let layout = layout
    return withExtendedLifetime(self) {
      var gaps: [Gap] = []
      for slot in nodes {
        for level in 0...level(of: slot)
        where layout.list(slot, level: level).contains(where: removed.contains) {
          gaps.append(Gap(slot: slot, level: level))
        }
      }
      return gaps
    }
  }

  private struct BackLink {
    let target: UInt32
    let level: Int
    let source: UInt32
  }

  /// Adds the source to the list of each target that has room, as when nodes are inserted. Without it
  /// lists would thin out from one removal to the next.
  private mutating func linkBack(
    _ links: inout [BackLink], _ changed: inout Bitset
  ) throws(ChromaError) {
    links.sort { ($0.target, $0.level, $0.source) < ($1.target, $1.level, $1.source) }
    for link in links {
      let list = neighbors(of: link.target, level: link.level)
      guard list.count < linkCountMax(level: link.level), !list.contains(link.source) else {
        continue
      }
      try setLinks(link.target, level: link.level, list + [link.source])
      changed.insert(link.target)
    }
  }

  /// The first of those nodes that no other is above.
  private var highestMember: UInt32? {
    var highest: (slot: UInt32, level: Int)?
    for slot in members {
      let level = level(of: slot)
      if highest.map({ level > $0.level }) ?? true { highest = (slot, level) }
    }
    return highest?.slot
  }
}

extension GraphBuilder {
  /// Takes the slots out of the graph, those that are nodes. They can be inserted again at once.
  ///
  /// Reads every list once, so many slots are better removed together.
  ///
  /// - Parameter poll: called now and then.
  /// - Throws: `ChromaError.resourceExhausted`, and what `poll` throws.
  package mutating func remove(
    _ slots: Bitset, poll: () throws(ChromaError) -> Void = {}
  ) throws(ChromaError) {
    changed.links.formUnion(
      try graph.remove(slots, threadCount: threadCount, kernels: kernels, poll: poll))
  }
}

/// A list that names a removed node.
private struct Gap {
  let slot: UInt32
  let level: Int
}

/// A list without removed nodes: what stays of it, and what comes instead.
private struct MendedList {
  var kept: [UInt32] = []
  var added: [UInt32] = []
}

/// Mends lists on several threads.
private final class ParallelMending {
  /// Lists mended between two looks at whether to go on.
  static let blockCount = 1024

  /// One for each thread.
  private let mendings: UnsafeMutableBufferPointer<GraphMending>

  init(_ graph: Graph, without removed: Bitset, threadCount: Int, kernels: Kernels) {
    mendings = .allocate(capacity: max(1, threadCount))
    for index in mendings.indices {
      mendings.initializeElement(
        at: index, to: GraphMending(graph, without: removed, kernels: kernels))
    }
  }

  deinit {
    mendings.deinitialize().deallocate()
  }

  /// The lists in the place of those with gaps, `blockCount` at most.
  func lists(for gaps: ArraySlice<Gap>) -> [MendedList] {
    var lists = [MendedList](repeating: MendedList(), count: gaps.count)
    lists.withUnsafeMutableBufferPointer { lists in
      let lists = lists
      parallelLoop(gaps.count, threadCount: mendings.count) { worker, item in
        let gap = gaps[gaps.startIndex + item]
        lists[item] = mendings[worker].list(of: gap.slot, gap.level)
      }
    }
    return lists
  }
}

/// Makes the lists of a graph anew that name nodes which are gone.
private struct GraphMending: ~Copyable {
  /// With the removed nodes.
  private let graph: Graph
  private let layout: Graph.Layout
  private let removed: Bitset
  private var meter: CodeMeter
  /// For each slot the number of the list that considered it last; numbers are even.
  private let considered: UnsafeMutableBufferPointer<UInt32>
  private var listNumber: UInt32 = 0
  private var gone: [UInt32] = []
  private var candidates: [Candidate] = []
  private var slots: [UInt32] = []
  private var list: [UInt32] = []

  /// Candidates to have, and to look at, at least.
  private static let candidateCountMin = 32
  /// Removed nodes to go through for candidates, at most, for each neighbor that is lost.
  private static let goneCountFactor = 4

  private struct Candidate {
    let key: OrderedDistance
    let slot: UInt32

    static func < (left: Candidate, right: Candidate) -> Bool {
      left.key.key != right.key.key ? left.key.key < right.key.key : left.slot < right.slot
    }
  }

  init(_ graph: Graph, without removed: Bitset, kernels: Kernels) {
    self.graph = graph
    self.removed = removed
    layout = graph.layout
    meter = CodeMeter(kernels: kernels)
    considered = .allocate(capacity: max(1, graph.slotCount))
    considered.initialize(repeating: 0)
  }

  deinit {
    considered.deallocate()
  }

  /// The list without removed nodes: those that stay, and as many others at most as are lost.
  mutating func list(of slot: UInt32, _ level: Int) -> MendedList {
    listNumber &+= 2
    consider(slot)
    list.removeAll(keepingCapacity: true)
    gone.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
    let before = layout.list(slot, level: level)
    if let next = nextTwin(of: slot, level) {
      consider(next)
      list.append(next)
    }
    var countMax = before.count
    for neighbor in before where considered[Int(neighbor)] != listNumber {
      consider(neighbor)
      if !removed.contains(neighbor) {
        list.append(neighbor)
        continue
      }
      gone.append(neighbor)
      // Of twins only one has links to others. Another one is to have as many.
      if graph.hasEqualCodes(slot, neighbor) {
        countMax = max(countMax, layout.list(neighbor, level: level).count)
      }
    }
    let (keptCount, lostCount) = (list.count, gone.count)
    gather(level, lostCount: lostCount)
    sortCandidates(by: slot)
    for candidate in candidates.prefix(max(Self.candidateCountMin, 2 * lostCount)) {
      if list.count >= countMax { break }
      if isApart(candidate) { list.append(candidate.slot) }
    }
    return MendedList(kept: Array(list[..<keptCount]), added: Array(list[keptCount...]))
  }

  /// The next node of the ring of twins that a node stands in, which is its first neighbor: the first
  /// one that is not removed.
  private func nextTwin(of slot: UInt32, _ level: Int) -> UInt32? {
    var twin = slot
    repeat {
      guard let next = layout.list(twin, level: level).first, next != slot,
        considered[Int(next)] != listNumber &- 1, graph.hasEqualCodes(next, slot)
      else { return nil }
      // Comes by nobody twice, whatever the links are.
      considered[Int(next)] = listNumber &- 1
      twin = next
    } while removed.contains(twin)
    return twin
  }

  private func consider(_ slot: UInt32) {
    considered[Int(slot)] = listNumber
  }

  /// Fills `slots` with what lost neighbors link to; if that is little, with what those link to that
  /// are removed as well.
  private mutating func gather(_ level: Int, lostCount: Int) {
    var next = 0
    while next < gone.count, next < lostCount || slots.count < Self.candidateCountMin {
      for neighbor in layout.list(gone[next], level: level)
      where considered[Int(neighbor)] != listNumber {
        consider(neighbor)
        if !removed.contains(neighbor) {
          slots.append(neighbor)
        } else if gone.count < Self.goneCountFactor * lostCount {
          gone.append(neighbor)
        }
      }
      next += 1
    }
  }

  private mutating func sortCandidates(by slot: UInt32) {
    candidates.removeAll(keepingCapacity: true)
    let keys = meter.keys(of: slots, from: slot, layout)
    for index in slots.indices {
      candidates.append(Candidate(key: OrderedDistance(keys[index]), slot: slots[index]))
    }
    candidates.sort(by: <)
  }

  /// Whether a candidate is nearer to the node than to any neighbor of it.
  private mutating func isApart(_ candidate: Candidate) -> Bool {
    meter.keys(of: list, from: candidate.slot, layout)
      .allSatisfy { OrderedDistance($0).key >= candidate.key.key }
  }
}
