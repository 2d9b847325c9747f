import ChromaBase
import ChromaIndex
import ChromaTestSupport
import Testing

/// Candidates that are compared by their codes first give the answer of the scan that measures all,
/// to the last digit and tie, whatever the codes can tell apart.
@Suite struct CodeScanTests {
  /// A graph that knows codes of a table's rows, but no links.
  private func codes(
    of table: VectorTable, _ rows: [[Float]], _ members: some Sequence<UInt32>
  ) throws -> Graph {
    let center = Quantizer.center(of: rows.indices.prefix(500).map { UInt32($0) }, in: table)
    var graph = Graph(quantizer: Quantizer(space: table.space, center: center), maxNeighbors: 4)
    let row = UnsafeMutableRawPointer.allocate(
      byteCount: graph.quantizer.rowByteCount, alignment: 64)
    defer { row.deallocate() }
    let quantizer = graph.quantizer
    for slot in members where table.withRow(slot, { quantizer.encode($0, into: row) }) {
      try graph.setCode(slot, from: row)
      try graph.insertMember(slot)
    }
    return graph
  }

  @Test("a scan of codes finds what a scan of vectors finds", arguments: VectorShape.allCases)
  func aScanOfCodesFindsWhatAScanOfVectorsFinds(shape: VectorShape) throws {
    for seed in UInt64(1)...2 {
      var random = SeededRandom(seed)
      let dimension = random.element(of: [1, 2, 15, 64, 100, 200])
      let set = VectorSet(
        shape, count: random.element(of: [1, 300, 900]), queryCount: 4, dimension: dimension,
        seed: seed)
      for space in Space.allCases {
        let table = try set.table(space)
        let slots = UInt32(0)..<UInt32(set.rows.count)
        let graph = try codes(of: table, set.rows, slots.filter { _ in !random.oneIn(9) })
        let orders = (0..<UInt64(set.rows.count)).shuffled(using: &random)
        for query in set.queries + set.rows.prefix(2) {
          let share = random.element(of: [1, 2, 20])
          let candidates = Bitset(slots.filter { _ in random.oneIn(share) })
          let search = IndexSearch(
            graph: graph, vectors: table, candidates: candidates,
            unindexed: Bitset(slots.filter { _ in random.oneIn(10) }), ef: 10, isExact: false)
          for count in [0, 1, 10, 100, set.rows.count + 1] {
            let (found, expected) = query.withUnsafeBufferPointer { query in
              (
                search.nearest(
                  count, to: query, scratch: SearchScratch(), order: { orders[Int($0)] },
                  verify: { _ in }, poll: {}),
                ExactScan.nearest(
                  count, to: query, in: table, among: candidates, order: { orders[Int($0)] },
                  poll: {})
              )
            }
            #expect(found.neighbors == expected, "\(set), \(space), \(count)")
          }
        }
      }
    }
  }
}
