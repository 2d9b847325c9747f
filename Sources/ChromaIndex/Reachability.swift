// Whether a walk can get from every node to every other one, and links that see to it.
//
// A list keeps only the best of those who would be in it, so nothing keeps a node from being left out
// of every one: copies of a vector displace each other, clusters far apart keep to themselves. A node
// that is in no list is never found, and from a group whose lists stay within it no walk gets out. So
// before a graph is handed on each level is made strongly connected: the entry reaches every node of
// the level, and every node the entry.
//
// Invariants:
//   * A link that a tree of paths from the entry consists of is never given up for another. As a tree
//     has one link fewer than nodes, and lists have room for two or more, some list always has room or a
//     link to spare.
//   * Everything is decided by slots and integers: equal graphs are mended alike.

package import ChromaBase
package import ChromaKernels

extension Graph {
  /// The nodes of a level that no walk from the entry comes to.
  package func unreachable(level: Int = 0) -> Bitset {
    guard let entry else { return Bitset() }
    return withExtendedLifetime(self) {
      nodes(of: level).subtracting(Paths.reached(from: entry, level, layout, slotCount: slotCount))
    }
  }

  /// The nodes of a level from which no walk comes to the entry.
  package func strays(level: Int = 0) -> Bitset {
    guard let entry else { return Bitset() }
    return withExtendedLifetime(self) {
      Paths.strays(among: nodes(of: level), entry: entry, level, layout, slotCount: slotCount)
        .strays
    }
  }

  /// Lets every node be reached from every other one, on each level.
  ///
  /// Looks at every link once or twice; costs more only where something is to be mended.
  ///
  /// - Returns: The nodes whose lists changed.
  /// - Throws: `.resourceExhausted`; the graph is of no use then.
  package mutating func connect(kernels: Kernels = .best) throws(ChromaError) -> Bitset {
    guard let entry else { return Bitset() }
    var changed = Bitset()
    for level in 0...level(of: entry) {
      let isWhole = unreachable(level: level).isEmpty && strays(level: level).isEmpty
      if isWhole { continue }
      var connection = LevelConnection(self, level, entry: entry, kernels: kernels)
      try connection.reachAll()
      try connection.returnAll()
      self = connection.graph
      changed.formUnion(connection.changed)
    }
    return changed
  }

  fileprivate func nodes(of level: Int) -> Bitset {
    level == 0 ? members : Bitset(members.filter { self.level(of: $0) >= level })
  }
}

extension GraphBuilder {
  /// Lets every node be reached from every other one: to be called before the graph is handed on.
  ///
  /// - Throws: `ChromaError.resourceExhausted`.
  package mutating func connect() throws(ChromaError) {
    changed.links.formUnion(try graph.connect(kernels: kernels))
  }
}

/// Walks that measure nothing. The graph of the layout must live on.
private enum Paths {
  /// The nodes that a node leads to, itself included.
  static func reached(
    from start: UInt32, _ level: Int, _ layout: Graph.Layout, slotCount: Int
  ) -> Bitset {
    var reached = [UInt64](repeating: 0, count: (slotCount + 63) / 64)
    var queue: [UInt32] = [start]
    reached[Int(start >> 6)] |= 1 << UInt64(start & 63)
    reached.withUnsafeMutableBufferPointer { reached in
      while let slot = queue.popLast() {
        for neighbor in layout.list(slot, level: level) {
          let bit: UInt64 = 1 << UInt64(neighbor & 63)
          if reached[Int(neighbor >> 6)] & bit != 0 { continue }
          reached[Int(neighbor >> 6)] |= bit
          queue.append(neighbor)
        }
      }
    }
    return Bitset(words: reached)
  }

  /// The nodes that do not lead to the entry, and who of them links to whom of them.
  static func strays(
    among nodes: Bitset, entry: UInt32, _ level: Int, _ layout: Graph.Layout, slotCount: Int
  ) -> (strays: Bitset, links: LinkSources) {
    var rest = nodes
    rest.remove(entry)
    // Nearly every node leads there, and shows it as soon as one of its neighbors does.
    for pass in 0..<4 where !rest.isEmpty {
      let slots = pass % 2 == 0 ? Array(rest) : rest.reversed()
      for slot in slots
      where layout.list(slot, level: level).contains(where: { !rest.contains($0) }) {
        rest.remove(slot)
      }
    }
    let links = LinkSources(among: rest, level, layout)
    var queue = rest.filter { slot in
      layout.list(slot, level: level).contains { !rest.contains($0) }
    }
    for slot in queue { rest.remove(slot) }
    while let slot = queue.popLast() {
      for source in links.of(slot) where rest.remove(source) { queue.append(source) }
    }
    return (rest, links)
  }
}

/// For some nodes, which others of them link to them.
private struct LinkSources {
  /// Ascending pairs, the target above the source.
  private var pairs: [UInt64] = []

  init(among nodes: Bitset, _ level: Int, _ layout: Graph.Layout) {
    for slot in nodes {
      for neighbor in layout.list(slot, level: level) where nodes.contains(neighbor) {
        pairs.append(UInt64(neighbor) << 32 | UInt64(slot))
      }
    }
    pairs.sort()
  }

  func of(_ target: UInt32) -> some Sequence<UInt32> {
    var lower = 0
    var upper = pairs.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if pairs[middle] >> 32 < UInt64(target) { lower = middle + 1 } else { upper = middle }
    }
    return pairs[lower...].prefix { $0 >> 32 == UInt64(target) }
      .map { UInt32(truncatingIfNeeded: $0) }
  }
}

/// Mends one level of a graph.
private struct LevelConnection: ~Copyable {
  var graph: Graph
  var changed = Bitset()
  private let level: Int
  private let entry: UInt32
  private let kernels: Kernels
  /// The tree of paths from the entry: for each node the one before it. The entry's is itself, that of
  /// nodes not reached `Graph.noSlot`.
  private var parents: [UInt32]
  private let scratch = SearchScratch()
  private var meter: CodeMeter

  /// Nodes near one that is not reached, of which the nearest that can be made to link to it does.
  private static let nearCount = 64

  init(_ graph: Graph, _ level: Int, entry: UInt32, kernels: Kernels) {
    self.graph = graph
    self.level = level
    self.entry = entry
    self.kernels = kernels
    meter = CodeMeter(kernels: kernels)
    parents = Array(repeating: Graph.noSlot, count: graph.slotCount)
    parents[Int(entry)] = entry
    grow(from: entry)
  }

  // MARK: From the entry

  /// Makes every node one that the entry leads to.
  mutating func reachAll() throws(ChromaError) {
    for slot in graph.nodes(of: level) where parents[Int(slot)] == Graph.noSlot {
      let source = try link(to: slot)
      parents[Int(slot)] = source
      grow(from: slot)
    }
  }

  /// Takes into the tree what a node of it leads to.
  private mutating func grow(from start: UInt32) {
    let layout = graph.layout
    var queue = [start]
    var next = 0
    while next < queue.count {
      let slot = queue[next]
      next += 1
      for neighbor in layout.list(slot, level: level)
      where parents[Int(neighbor)] == Graph.noSlot {
        parents[Int(neighbor)] = slot
        queue.append(neighbor)
      }
    }
  }

  /// Lets a node of the tree link to one that is not in it. Returns that node.
  private mutating func link(to slot: UInt32) throws(ChromaError) -> UInt32 {
    for source in reachedNeighbors(of: slot) where try add(slot, to: source) { return source }
    for source in reachedNear(slot) where try add(slot, to: source) { return source }
    for source in graph.nodes(of: level) where parents[Int(source)] != Graph.noSlot {
      if try add(slot, to: source) { return source }
    }
    preconditionFailure("a tree has fewer links than lists have room for")
  }

  /// Those that the node links to, if they are in the tree, nearest first.
  private mutating func reachedNeighbors(of slot: UInt32) -> [UInt32] {
    sorted(
      graph.neighbors(of: slot, level: level).filter { parents[Int($0)] != Graph.noSlot }, by: slot)
  }

  /// What a walk from the entry finds near a node.
  private func reachedNear(_ slot: UInt32) -> [UInt32] {
    scratch.prepare(for: graph, poolCount: Self.nearCount, blockCount: 2 * graph.maxNeighbors)
    return withExtendedLifetime(graph) {
      let walk = GraphWalk(
        graph.layout, to: graph.layout.codeRow(slot), scratch: scratch, kernels: kernels)
      let start = walk.begin(at: walk.key(of: entry))
      let found = walk.fill(level: level, count: start, limit: Self.nearCount, poll: {})
      return (0..<found.count).map { PoolKey.slot(walk.pool[$0]) }
    }
  }

  private mutating func sorted(_ slots: [UInt32], by slot: UInt32) -> [UInt32] {
    let keys = meter.keys(of: slots, from: slot, graph.layout)
    return slots.indices.map { PoolKey.of(slots[$0], keys[$0]) }.sorted()
      .map { PoolKey.slot($0) }
  }

  /// Adds a neighbor to a node's list, if need be in the place of the one nearest to it that the tree
  /// does not need, which goes to the neighbor's own list if that has room.
  ///
  /// - Returns: Whether there was room.
  private mutating func add(_ target: UInt32, to source: UInt32) throws(ChromaError) -> Bool {
    var list = graph.neighbors(of: source, level: level)
    if list.count == graph.linkCountMax(level: level) {
      var spare = sorted(list.filter { parents[Int($0)] != source }, by: target)
      // The first one may hold a ring of twins together: see `GraphBuilder`.
      if spare.count > 1, graph.hasEqualCodes(source, list[0]) {
        spare.removeAll { $0 == list[0] }
      }
      guard let displaced = spare.first else { return false }
      list.removeAll { $0 == displaced }
      var others = graph.neighbors(of: target, level: level)
      if others.count < graph.linkCountMax(level: level), !others.contains(displaced),
        displaced != target
      {
        others.append(displaced)
        try set(target, others)
      }
    }
    try set(source, list + [target])
    return true
  }

  private mutating func set(_ slot: UInt32, _ list: [UInt32]) throws(ChromaError) {
    try graph.setLinks(slot, level: level, list)
    changed.insert(slot)
  }

  // MARK: To the entry

  /// Makes every node one that leads to the entry. All are in the tree.
  mutating func returnAll() throws(ChromaError) {
    let found = Paths.strays(
      among: graph.nodes(of: level), entry: entry, level, graph.layout,
      slotCount: graph.slotCount)
    var strays = found.strays
    for slot in found.strays where strays.contains(slot) {
      // A node that leads to the entry, and by the tree to this one.
      var target = parents[Int(slot)]
      while strays.contains(target) { target = parents[Int(target)] }
      var queue = [try linkBack(from: slot, to: target)]
      strays.remove(queue[0])
      while let next = queue.popLast() {
        for source in found.links.of(next) where strays.remove(source) { queue.append(source) }
      }
    }
  }

  /// Lets a stray, or else one that it leads to, link to a node. Returns who does.
  private mutating func linkBack(
    from slot: UInt32, to target: UInt32
  ) throws(ChromaError) -> UInt32 {
    var seen = Bitset([slot])
    var queue = [slot]
    var next = 0
    while next < queue.count {
      if try add(target, to: queue[next]) { return queue[next] }
      for neighbor in graph.neighbors(of: queue[next], level: level)
      where seen.insert(neighbor) {
        queue.append(neighbor)
      }
      next += 1
    }
    preconditionFailure("a tree has fewer links than lists have room for")
  }
}
