import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaIndex

/// A graph is what its patches say, to the bit, whatever became of it between them. Method: graphs at
/// random, changed at random, written after every change and read back in a chain.
@Suite struct GraphPatchTests {
  static let label = GraphPatch.Label(
    collection: UUID(high: 0x0123_4567_89AB_CDEF, low: 42), previousGeneration: 7, position: 99)

  static func bytes(of encoder: GraphPatchEncoder) throws -> [UInt8] {
    final class Collected { var bytes: [UInt8] = [] }
    let collected = Collected()
    let count = try encoder.write { collected.bytes.append(contentsOf: $0) }
    #expect(count == collected.bytes.count && count == encoder.byteCount)
    return collected.bytes
  }

  static func graph(_ bytes: [UInt8], after previous: Graph?) throws(ChromaError) -> Graph {
    try bytes.withUnsafeBufferPointer { (bytes) throws(ChromaError) in
      try GraphPatch(UnsafeRawBufferPointer(bytes), source: "patch under test").graph(
        after: previous)
    }
  }

  @Test("a graph is what its patches say", arguments: 0..<60 as Range<UInt64>)
  func chain(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let slotCount = random.element(of: [1, 2, 3, 60, 700, 40_000])
    var model = RandomGraph(slotCount: slotCount, using: &random)
    try model.change(min(slotCount, 400), using: &random)
    var read = try Self.graph(
      try Self.bytes(of: GraphPatchEncoder(model.graph, label: Self.label)), after: nil)
    #expect(read.difference(from: model.graph) == nil, "seed \(seed)")
    for step in 0..<6 {
      let before = model.graph
      (model.codes, model.links) = (Bitset(), Bitset())
      try model.change(random.element(of: [0, 1, 5, 200]), using: &random)
      let encoder = GraphPatchEncoder(
        model.graph, after: before, codes: model.codes, links: model.links, label: Self.label)
      let bytes = try Self.bytes(of: encoder)
      let after = try Self.graph(bytes, after: read)
      #expect(after.difference(from: model.graph) == nil, "seed \(seed), step \(step)")
      #expect(after.violation == nil, "seed \(seed), step \(step)")
      #expect(encoder.isEmpty == (model.graph.difference(from: before) == nil), "seed \(seed)")
      #expect(read.difference(from: before) == nil, "the graph before has changed, seed \(seed)")
      read = after
    }
    let whole = GraphPatchEncoder(model.graph, label: Self.label)
    #expect(
      try Self.bytes(of: whole) == Self.bytes(of: GraphPatchEncoder(read, label: Self.label)))
  }

  @Test("a patch tells where it belongs before it is applied")
  func label() throws {
    var random = SeededRandom(1)
    var model = RandomGraph(slotCount: 50, using: &random)
    try model.change(50, using: &random)
    let before = model.graph
    try model.change(10, using: &random)
    let encoders = [
      GraphPatchEncoder(before, label: Self.label),
      GraphPatchEncoder(
        model.graph, after: before, codes: model.codes, links: model.links, label: Self.label),
    ]
    for (encoder, isComplete) in zip(encoders, [true, false]) {
      try Self.bytes(of: encoder).withUnsafeBytes { bytes in
        let patch = try GraphPatch(bytes, source: "patch under test")
        #expect(patch.isComplete == isComplete)
        #expect(patch.label.collection == Self.label.collection && patch.label.position == 99)
        #expect(patch.label.previousGeneration == (isComplete ? 0 : 7))
        #expect(patch.codeCount == encoder.codeCount)
        #expect(patch.memberCount == (isComplete ? before : model.graph).memberCount)
        #expect(patch.dimension == before.quantizer.dimension)
        #expect(patch.space == before.quantizer.space)
        #expect(patch.maxNeighbors == before.maxNeighbors)
      }
    }
  }

  @Test("a few nodes among millions of slots cost a few bytes, or no more than a bit a slot")
  func farSlots() throws {
    let quantizer = Quantizer(space: .l2, center: [0, 0])
    var graph = Graph(quantizer: quantizer, maxNeighbors: 2)
    for slot: UInt32 in [0, 5_000_000] {
      try graph.setCode(slot, from: [UInt8](repeating: 0, count: quantizer.rowByteCount))
      try graph.insertMember(slot)
    }
    graph.setEntry(graph.level(of: 0) < graph.level(of: 5_000_000) ? 5_000_000 : 0)
    let bytes = try Self.bytes(of: GraphPatchEncoder(graph, label: Self.label))
    #expect(bytes.count < 5_000_000 / 8 + 1000)
    #expect(try Self.graph(bytes, after: nil).difference(from: graph) == nil)
    var changed = graph
    try changed.setLinks(0, level: 0, [5_000_000])
    let patch = try Self.bytes(
      of: GraphPatchEncoder(
        changed, after: graph, codes: Bitset(), links: Bitset([0]), label: Self.label))
    #expect(try Self.graph(patch, after: graph).difference(from: changed) == nil)
  }
}
