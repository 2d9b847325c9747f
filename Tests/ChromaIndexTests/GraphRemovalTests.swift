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
    _ = try again.remove(removed)
    #expect(again.difference(from: graph) == nil, "seed \(seed)")
    // In one go or one by one: no trace stays either way.
    var stepwise = before
    for slot in removed { _ = try stepwise.remove(Bitset([slot])) }
    #expect(stepwise.violation == nil && stepwise.members == graph.members, "seed \(seed)")
  }
}
