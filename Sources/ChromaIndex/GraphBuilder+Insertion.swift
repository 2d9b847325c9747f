import ChromaBase

extension GraphBuilder {
  /// A record on its way into the graph.
  struct NewNode {
    let slot: UInt32
    let level: Int
    /// For each level the neighbors selected.
    var lists: [[UInt32]] = []
    /// For each level the node of an equal code whose twin it becomes, or `noSlot`.
    var twins: [UInt32] = []
  }

  /// A link back: to the target, from the node of this number in the batch.
  struct BackLink {
    let target: UInt32
    let level: Int
    let node: Int
  }

  mutating func insertBatch(_ slots: [UInt32], vectors: VectorTable) throws(ChromaError) {
    let batch = try encode(slots, vectors: vectors)
    guard !batch.isEmpty else { return }
    for scratch in scratches {
      scratch.prepare(
        for: graph, poolCount: max(efConstruction, 2 * graph.maxNeighbors + batch.count),
        blockCount: max(efConstruction, 2 * graph.maxNeighbors + batch.count))
    }
    let nodes = connect(batch)
    for node in nodes {
      try graph.insertMember(node.slot)
      changed.links.insert(node.slot)
    }
    for node in nodes { try writeLists(of: node) }
    for node in nodes { try joinTwins(node) }
    try linkBack(nodes)
    for node in nodes {
      let level = graph.entry.map(graph.level(of:)) ?? -1
      if node.level > level { graph.setEntry(node.slot) }
    }
  }

  /// Writes the codes of the slots. Returns those that have one.
  private mutating func encode(
    _ slots: [UInt32], vectors: VectorTable
  ) throws(ChromaError) -> [UInt32] {
    guard let last = slots.max() else { return [] }
    try graph.reserve(slotCount: Int(last) + 1)
    for slot in slots {
      precondition(!graph.members.contains(slot))
      try graph.makeCodeWritable(slot)
    }
    let (layout, quantizer) = (graph.layout, graph.quantizer)
    let isEncoded = UnsafeMutableBufferPointer<Bool>.allocate(capacity: slots.count)
    isEncoded.initialize(repeating: false)
    defer { isEncoded.deallocate() }
    parallelLoop(slots.count, threadCount: threadCount) { _, item in
      let slot = slots[item]
      isEncoded[item] = vectors.withRow(slot) {
        quantizer.encode($0, into: layout.mutableCodeRow(slot))
      }
    }
    let encoded = slots.indices.filter { isEncoded[$0] }.map { slots[$0] }
    for slot in encoded { changed.codes.insert(slot) }
    return encoded
  }

  // MARK: - First phase

  /// Selects the neighbors of each slot of a batch, in the graph as it is.
  private func connect(_ batch: [UInt32]) -> [NewNode] {
    let nodes = UnsafeMutableBufferPointer<NewNode>.allocate(capacity: batch.count)
    for (index, slot) in batch.enumerated() {
      nodes.initializeElement(at: index, to: NewNode(slot: slot, level: graph.level(of: slot)))
    }
    defer { nodes.deinitialize().deallocate() }
    let levelMax = nodes.reduce(0) { max($0, $1.level) }
    let matesByLevel = (0...levelMax).map { level in
      batch.filter { graph.level(of: $0) >= level }
    }
    parallelLoop(batch.count, threadCount: threadCount) { worker, item in
      connect(&nodes[item], mates: matesByLevel, scratch: scratches[worker])
    }
    return Array(nodes)
  }

  private func connect(_ node: inout NewNode, mates: [[UInt32]], scratch: SearchScratch) {
    let layout = graph.layout
    let row = layout.codeRow(node.slot)
    var lists = [[UInt32]](repeating: [], count: node.level + 1)
    var twins = [UInt32](repeating: Graph.noSlot, count: node.level + 1)
    var nearest: UInt64?
    let entryLevel = graph.entry.map(graph.level(of:)) ?? -1
    for level in stride(from: node.level, through: 0, by: -1) {
      let walk = GraphWalk(layout, to: row, scratch: scratch, kernels: kernels)
      var count = 0
      if let entry = graph.entry, level <= entryLevel {
        count = walk.begin(
          at: nearest ?? walk.descend(from: entry, level: entryLevel, to: level))
        count = walk.fill(level: level, count: count, limit: efConstruction, poll: {}).count
        nearest = walk.pool[0]
      }
      let others = mates[level].filter { $0 != node.slot }
      count = others.withUnsafeBufferPointer {
        walk.offer($0, count: count, limit: efConstruction)
      }
      twins[level] = takeTwins(of: node.slot, mates: mates[level], walk: walk, count: &count)
      if twins[level] == Graph.noSlot, count > 0 {
        lists[level] = select(
          UnsafeBufferPointer(start: walk.pool, count: count), near: node.slot,
          countMax: graph.linkCountMax(level: level), scratch: scratch)
      }
    }
    node.lists = lists
    node.twins = twins
  }

  /// The node whose twin a slot is to become: a member of an equal code or, if there is none, the
  /// first mate. Takes mates out of the pool that will become its own.
  private func takeTwins(
    of slot: UInt32, mates: [UInt32], walk: GraphWalk, count: inout Int
  ) -> UInt32 {
    let own = walk.key(of: slot) >> 32
    var equalMates: [UInt32] = []
    var kept = 0
    for index in 0..<count {
      let other = PoolKey.slot(walk.pool[index])
      if walk.pool[index] >> 32 == own, graph.hasEqualCodes(slot, other) {
        if graph.members.contains(other) { return other }
        equalMates.append(other)
      } else {
        walk.pool[kept] = walk.pool[index]
        kept += 1
      }
    }
    count = kept
    if equalMates.isEmpty { return Graph.noSlot }
    return mates.first { $0 == slot || equalMates.contains($0) }.flatMap { $0 == slot ? nil : $0 }
      ?? Graph.noSlot
  }

  private func select(
    _ candidates: UnsafeBufferPointer<UInt64>, near slot: UInt32, countMax: Int,
    scratch: SearchScratch
  ) -> [UInt32] {
    let selection = NeighborSelection(graph.layout, scratch: scratch, kernels: kernels)
    return Array(unsafeUninitializedCapacity: countMax) { list, count in
      guard let start = list.baseAddress else { return }
      count = selection.select(candidates, near: slot, countMax: countMax, into: start)
    }
  }

  // MARK: - Second phase

  private mutating func writeLists(of node: NewNode) throws(ChromaError) {
    for level in 0...node.level where node.twins[level] == Graph.noSlot {
      try graph.setLinks(node.slot, level: level, node.lists[level])
    }
  }

  /// Puts a twin into the ring of the node that it equals.
  private mutating func joinTwins(_ node: NewNode) throws(ChromaError) {
    for level in 0...node.level where node.twins[level] != Graph.noSlot {
      let twin = node.twins[level]
      var list = graph.neighbors(of: twin, level: level)
      if let next = list.first, graph.hasEqualCodes(next, twin) {
        try graph.setLinks(node.slot, level: level, [next, twin])
        list[0] = node.slot
      } else if list.count == graph.linkCountMax(level: level) {
        // Whoever loses a link to it can still be reached: through the new one.
        try graph.setLinks(node.slot, level: level, [twin, list.removeLast()])
        list.insert(node.slot, at: 0)
      } else {
        try graph.setLinks(node.slot, level: level, [twin])
        list.insert(node.slot, at: 0)
      }
      try graph.setLinks(twin, level: level, list)
      changed.links.insert(twin)
    }
  }

  /// Adds the new nodes to the lists of their neighbors, each list once.
  private mutating func linkBack(_ nodes: [NewNode]) throws(ChromaError) {
    var links: [BackLink] = []
    for (index, node) in nodes.enumerated() {
      for level in 0...node.level where node.twins[level] == Graph.noSlot {
        for target in node.lists[level] {
          links.append(BackLink(target: target, level: level, node: index))
        }
      }
    }
    links.sort {
      ($0.target, $0.level, $0.node) < ($1.target, $1.level, $1.node)
    }
    let starts = links.indices.filter {
      $0 == 0 || links[$0].target != links[$0 - 1].target || links[$0].level != links[$0 - 1].level
    }
    for start in starts {
      try graph.makeLinksWritable(links[start].target, level: links[start].level)
      changed.links.insert(links[start].target)
    }
    let (graph, layout) = (self.graph, self.graph.layout)
    parallelLoop(starts.count, threadCount: threadCount) { worker, item in
      let end = item + 1 < starts.count ? starts[item + 1] : links.count
      let first = links[starts[item]]
      let list = UnsafeMutableBufferPointer(
        start: layout.mutableLinks(first.target, level: first.level),
        count: layout.linkCountMax(level: first.level))
      let sources = links[starts[item]..<end].map { nodes[$0.node].slot }
      addLinks(sources, to: list, of: first.target, in: graph, scratch: scratches[worker])
    }
  }

  /// Adds nodes to a list; if it is too short for them, selects again among all.
  private func addLinks(
    _ sources: [UInt32], to list: UnsafeMutableBufferPointer<UInt32>, of target: UInt32,
    in graph: Graph, scratch: SearchScratch
  ) {
    var neighbors = Array(list.prefix { $0 != Graph.noSlot })
    for source in sources where !neighbors.contains(source) { neighbors.append(source) }
    if neighbors.count > list.count {
      let selection = NeighborSelection(graph.layout, scratch: scratch, kernels: kernels)
      var kept: [UInt32] = []
      if graph.hasEqualCodes(neighbors[0], target) { kept.append(neighbors.removeFirst()) }
      let candidates = neighbors.withUnsafeBufferPointer {
        selection.sorted($0, from: target, into: scratch.pool)
      }
      neighbors =
        kept
        + select(candidates, near: target, countMax: list.count - kept.count, scratch: scratch)
    }
    for index in list.indices {
      list[index] = index < neighbors.count ? neighbors[index] : Graph.noSlot
    }
  }
}
