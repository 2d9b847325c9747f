import ChromaBase
import ChromaIndex
import ChromaTestSupport
import Testing

/// A table gives back, bit for bit, what was last stored in each slot, however it has grown since.
@Suite struct VectorTableTests {
  private func set(_ table: VectorTable, _ slot: UInt32, _ row: [Float]) throws {
    try row.withUnsafeBufferPointer { row throws(ChromaError) in try table.set(slot, to: row) }
  }

  @Test(
    "rows stay as they were stored", arguments: [1, 3, 16, 17, 384, 3000, 65_536], Space.allCases)
  func rowsStayAsTheyWereStored(dimension: Int, space: Space) throws {
    let seed = UInt64(dimension)
    var random = SeededRandom(seed)
    let table = VectorTable(dimension: dimension, space: space)
    var model: [UInt32: UInt32] = [:]
    /// A row that one number determines, so that the model need not hold the floats.
    func row(_ content: UInt32) -> [Float] {
      var random = SeededRandom(UInt64(content))
      return (0..<dimension).map { _ in
        Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      }
    }
    // Enough for several chunks of the large rows, and for the first chunk to grow with the small.
    let slotMax = dimension > 1000 ? 2_000_000 / dimension : 1500
    for _ in 0..<min(3000, 3 * slotMax) {
      let next = model.count
      let slot = UInt32(random.oneIn(3) ? random.int(in: 0...next) : min(next, slotMax))
      let content = UInt32(truncatingIfNeeded: random.next())
      try set(table, slot, row(content))
      model[slot] = content
    }
    for (slot, content) in model {
      let found = table.row(slot)
      let same = zip(found, row(content)).allSatisfy { $0.bitPattern == $1.bitPattern }
      #expect(same && found.count == dimension, "seed \(seed), slot \(slot)")
      #expect(UInt(bitPattern: found.baseAddress) % 64 == 0, "slot \(slot) is not aligned")
    }
  }

  @Test func slotsInBetweenReadAsZeros() throws {
    let table = VectorTable(dimension: 2, space: .l2)
    try set(table, 40_000, [1, 2])
    for slot: UInt32 in [0, 15, 16, 20_000, 39_999] {
      #expect(Array(table.row(slot)) == [0, 0])
    }
    #expect(Array(table.row(40_000)) == [1, 2])
  }

  @Test func aSmallCollectionTakesLittleMemory() throws {
    let table = VectorTable(dimension: 384, space: .cosine)
    #expect(table.byteCount == 0)
    for slot in 0..<UInt32(10) { try set(table, slot, Array(repeating: 1, count: 384)) }
    #expect(table.byteCount < 2 * 10 * 384 * 4)
  }

  @Test func memoryGrowsWithTheRows() throws {
    let table = VectorTable(dimension: 16, space: .l2)
    for slot in 0..<UInt32(100_000) { try set(table, slot, Array(repeating: 1, count: 16)) }
    let rowBytes = 100_000 * 16 * 4
    #expect((rowBytes...rowBytes + 1 << 20).contains(table.byteCount))
  }
}
