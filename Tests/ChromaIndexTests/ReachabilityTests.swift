import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaIndex

/// After `connect` every node of a level is reached from every other one, whatever the graph was like
/// before. Method: graphs without sense or links, chains, and groups that only link among themselves,
/// judged by a plain search from every node.
@Suite struct ReachabilityTests {
  /// Whether each node of each level leads to each other one.
  private func isConnected(_ graph: Graph) -> Bool {
    guard let entry = graph.entry else { return true }
    return (0...graph.level(of: entry)).allSatisfy { level in
      let nodes = graph.members.filter { graph.level(of: $0) >= level }
      return nodes.allSatisfy { reached(from: $0, level, in: graph).count == nodes.count }
    }
  }

  private func reached(from slot: UInt32, _ level: Int, in graph: Graph) -> Set<UInt32> {
    var reached: Set = [slot]
    var rest = [slot]
    while let next = rest.popLast() {
      for neighbor in graph.neighbors(of: next, level: level)
      where reached.insert(neighbor).inserted {
        rest.append(neighbor)
      }
    }
    return reached
  }

  private func expectConnects(_ graph: Graph, _ comment: Comment) throws {
    var connected = graph
    let changed = try connected.connect()
    #expect(connected.violation == nil, comment)
    #expect(isConnected(connected), comment)
    #expect(connected.unreachable().isEmpty && connected.strays().isEmpty, comment)
    #expect(connected.members == graph.members && connected.entry == graph.entry, comment)
    for slot in graph.members where !changed.contains(slot) {
      for level in 0...graph.level(of: slot) {
        #expect(
          connected.neighbors(of: slot, level: level) == graph.neighbors(of: slot, level: level),
          comment)
      }
    }
    var again = graph
    #expect(try again.connect() == changed, comment)
    #expect(again.difference(from: connected) == nil, comment)
    #expect(try connected.connect().isEmpty, comment)
  }

  @Test("graphs without sense are connected", arguments: 0..<60 as Range<UInt64>)
  func randomGraphs(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let slotCount = random.int(in: 1...150)
    var model = RandomGraph(slotCount: slotCount, using: &random)
    for _ in 0..<3 { try model.change(slotCount, using: &random) }
    try expectConnects(model.graph, "seed \(seed)")
  }

  @Test(
    "what leads nowhere, or is led to by nobody, is found and linked",
    arguments: ["none", "chain", "back", "groups", "full groups", "sink", "source"])
  func shapes(shape: String) throws {
    for maxNeighbors in [2, 3, 8] {
      for nodeCount in [1, 2, 3, 40, 130] {
        var random = SeededRandom(UInt64(nodeCount))
        var graph = try graph(nodeCount, maxNeighbors, using: &random)
        for slot in graph.members {
          for level in 0...graph.level(of: slot) {
            let nodes = graph.members.filter { graph.level(of: $0) >= level }
            let place = nodes.firstIndex(of: slot)!
            let links = places(shape, place, nodes.count, graph.linkCountMax(level: level))
            try graph.setLinks(slot, level: level, links.map { nodes[$0] })
          }
        }
        try expectConnects(graph, "\(shape), \(nodeCount) nodes, M \(maxNeighbors)")
      }
    }
  }

  private func graph(
    _ nodeCount: Int, _ maxNeighbors: Int, using random: inout SeededRandom
  ) throws -> Graph {
    let quantizer = Quantizer(space: .l2, center: [0, 0, 0])
    var graph = Graph(quantizer: quantizer, maxNeighbors: maxNeighbors)
    let row = UnsafeMutableRawBufferPointer.allocate(
      byteCount: quantizer.rowByteCount, alignment: 64)
    defer { row.deallocate() }
    for slot in 0..<UInt32(nodeCount) {
      let vector = (0..<3).map { _ in Float.random(in: -1...1, using: &random) }
      _ = vector.withUnsafeBufferPointer { quantizer.encode($0, into: row.baseAddress!) }
      try graph.setCode(slot, from: row.baseAddress!)
      try graph.insertMember(slot)
    }
    graph.setEntry(graph.members.max { graph.level(of: $0) < graph.level(of: $1) })
    return graph
  }

  /// To which of so many nodes one of them links.
  private func places(_ shape: String, _ place: Int, _ count: Int, _ countMax: Int) -> [Int] {
    switch shape {
    case "chain": return place + 1 < count ? [place + 1] : []
    case "back": return place > 0 ? [place - 1] : []
    case "groups":
      return [place ^ 1].filter { $0 < count }
    case "full groups":
      let size = countMax + 1
      let group = place / size * size
      return (group..<min(count, group + size)).filter { $0 != place }
    case "sink":
      // All link to the first few, which link among themselves.
      return (0..<min(count, countMax)).filter { $0 != place }
    case "source":
      // The first few link to everybody else in turn, nobody to them.
      return place < 3 ? (3 * place + 3..<3 * place + 3 + countMax).filter { $0 < count } : []
    default: return []
    }
  }
}
