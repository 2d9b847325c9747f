import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaIndex

/// A removed node is in no list, and whoever linked to it has others instead. Method: graphs without
/// sense, changed at random; and small ones of which the right answer is plain.
@Suite struct GraphRemovalTests {
  @Test(
    "nobody links to a removed node, and what is said to be changed is",
    arguments: 0..<60 as Range<UInt64>)
  func randomGraphs(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let slotCount = random.int(in: 1...200)
    var model = RandomGraph(slotCount: slotCount, using: &random)
    for _ in 0..<3 { try model.change(slotCount, using: &random) }
    let before = model.graph
    let share = random.element(of: [0.0, 0.05, 0.5, 0.95, 1.0])
    let removed = Bitset(
      (0..<UInt32(slotCount)).filter { _ in Double.random(in: 0..<1, using: &random) < share })
    var graph = before
    let changed = try graph.remove(removed)
    #expect(graph.violation == nil, "seed \(seed)")
    #expect(graph.members == before.members.subtracting(removed), "seed \(seed)")
    #expect(changed.subtracting(graph.members).isEmpty, "seed \(seed)")
    for slot in graph.members {
      for level in 0...graph.level(of: slot) {
        let (list, old) = (
          graph.neighbors(of: slot, level: level), before.neighbors(of: slot, level: level)
        )
        // What makes a list longer are links back. With one dimension there are twins as well.
        let backLinkCount = list.count {
          !old.contains($0) && graph.neighbors(of: $0, level: level).contains(slot)
        }
        #expect(
          list.count - backLinkCount <= old.count || graph.quantizer.dimension == 1, "seed \(seed)")
        #expect(Set(list).isSuperset(of: old.filter { !removed.contains($0) }), "seed \(seed)")
        if !changed.contains(slot) { #expect(list == old, "seed \(seed)") }
      }
    }
    var again = before
    _ = try again.remove(removed, threadCount: 3)
    #expect(again.difference(from: graph) == nil, "seed \(seed)")
    // In one go or one by one: no trace stays either way.
    var stepwise = before
    for slot in removed { _ = try stepwise.remove(Bitset([slot])) }
    #expect(stepwise.violation == nil && stepwise.members == graph.members, "seed \(seed)")
  }

  /// The ring of twins that a node stands in on level 0, from itself on.
  private func ring(of slot: UInt32, in graph: Graph) -> [UInt32] {
    var ring = [slot]
    while let next = graph.neighbors(of: ring[ring.count - 1], level: 0).first, next != slot,
      !ring.contains(next), graph.hasEqualCodes(next, slot)
    {
      ring.append(next)
    }
    return ring
  }

  @Test(
    "copies of a vector stay in their ring, linked to others", arguments: 0..<6 as Range<UInt64>)
  func twins(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let set = VectorSet(.duplicates, count: 300, dimension: 12, seed: seed)
    let table = try set.table(.l2)
    var builder = GraphBuilder(
      Graph(quantizer: Quantizer(space: .l2, center: set.rows[7]), maxNeighbors: 8),
      efConstruction: 40, threadCount: 2)
    _ = try builder.insert(Array(0..<300), vectors: table)
    for _ in 0..<4 {
      let before = builder.graph
      try builder.remove(Bitset(before.members.filter { _ in random.oneIn(3) }))
      let graph = builder.graph
      #expect(graph.violation == nil, "seed \(seed)")
      for slot in graph.members {
        let rest = ring(of: slot, in: before).filter { graph.members.contains($0) }
        #expect(ring(of: slot, in: graph) == rest, "seed \(seed), slot \(slot)")
      }
      try builder.connect()
      #expect(builder.graph.unreachable().isEmpty && builder.graph.strays().isEmpty)
    }
  }

  @Test("a removal that is no longer wanted ends")
  func cancelled() throws {
    var random = SeededRandom(3)
    var model = RandomGraph(slotCount: 100, using: &random)
    for _ in 0..<3 { try model.change(100, using: &random) }
    let removed = Bitset(model.graph.members.filter { $0 % 2 == 0 })
    let error = #expect(throws: ChromaError.self) {
      try model.graph.remove(removed) { () throws(ChromaError) in
        throw ChromaError(.cancelled, "cancelled by the test")
      }
    }
    #expect(error?.kind == .cancelled)
  }
}
