import ChromaBase
import ChromaIndex
import ChromaTestSupport
import Testing

/// A graph is a value: what is done to a copy is not seen in the other, wherever it stands in memory.
@Suite struct GraphTests {
  private func row(_ quantizer: Quantizer, filledWith byte: UInt8) -> [UInt8] {
    Array(repeating: byte, count: quantizer.rowByteCount)
  }

  @Test("copies change alone, in every chunk of memory")
  func copiesChangeAlone() throws {
    let quantizer = Quantizer(space: .l2, center: [0, 0, 0])
    var graph = Graph(quantizer: quantizer, maxNeighbors: 4)
    // Rows of 128 bytes: the last slots stand in a second chunk.
    let slots: [UInt32] = [0, 63, 64, 5_000, 16_383, 16_384, 20_000]
    for slot in slots {
      try graph.setCode(slot, from: row(quantizer, filledWith: 1))
      try graph.insertMember(slot)
    }
    graph.setEntry(0)
    let before = graph
    for slot in slots {
      try graph.setCode(slot, from: row(quantizer, filledWith: 2))
      for level in 0...graph.level(of: slot) {
        try graph.setLinks(slot, level: level, slots.filter { $0 != slot }.prefix(4))
      }
    }
    graph.removeMember(63)
    graph.setEntry(64)
    withExtendedLifetime((before, graph)) {
      for slot in slots {
        #expect(before.layout.codeRow(slot)[0] == 1)
        #expect(graph.layout.codeRow(slot)[0] == 2)
        #expect(before.neighbors(of: slot, level: 0).isEmpty)
      }
      #expect(graph.neighbors(of: 20_000, level: 0) == [0, 63, 64, 5_000])
    }
    #expect(before.memberCount == 7 && graph.memberCount == 6)
    #expect(before.entry == 0 && graph.entry == 64)
  }

  @Test("upper lists do not overlap, and room for more slots keeps them", arguments: [2, 5, 16])
  func upperListsStandApart(maxNeighbors: Int) throws {
    let quantizer = Quantizer(space: .ip, center: [0])
    var graph = Graph(quantizer: quantizer, maxNeighbors: maxNeighbors)
    let slots = (0..<3_000).map(UInt32.init)
    for slot in slots {
      try graph.setCode(slot, from: row(quantizer, filledWith: 0))
      try graph.insertMember(slot)
      for level in 0...graph.level(of: slot) {
        try graph.setLinks(slot, level: level, [slot ^ 1, UInt32(level) &+ 10_000])
      }
    }
    for slot in slots {
      for level in 0...graph.level(of: slot) {
        #expect(graph.neighbors(of: slot, level: level) == [slot ^ 1, UInt32(level) &+ 10_000])
      }
    }
  }

  @Test("one slot in M rises a level", arguments: [2, 16, 512])
  func levelsAreGeometric(maxNeighbors: Int) {
    let count = 200_000
    var counts = [Int](repeating: 0, count: Graph.levelMax + 1)
    for slot in 0..<UInt32(count) {
      for level in 0...Graph.level(of: slot, maxNeighbors: maxNeighbors) { counts[level] += 1 }
    }
    #expect(counts[0] == count)
    let expected = Double(count) / Double(maxNeighbors)
    #expect(abs(Double(counts[1]) - expected) < 5 * expected.squareRoot())
  }
}
