import ChromaBase
import ChromaIndex
import ChromaKernels
import ChromaTestSupport
import Glibc
import Testing

/// A table gives back, bit for bit, what was last stored in each slot, however it has grown since.
@Suite struct VectorTableTests {
  private func row(_ table: VectorTable, _ slot: UInt32) -> [Float] {
    table.withRow(slot) { Array($0) }
  }

  private func set(_ table: VectorTable, _ slot: UInt32, _ row: [Float]) throws {
    try row.withUnsafeBufferPointer { row throws(ChromaError) in try table.set(slot, to: row) }
  }

  @Test("rows stay as they were stored", arguments: [1, 3, 16, 17, 384, 3000, 65_536])
  func rowsStayAsTheyWereStored(dimension: Int) throws {
    let seed = UInt64(dimension)
    var random = SeededRandom(seed)
    let table = try VectorTable(dimension: dimension, space: random.element(of: Space.allCases))
    /// A row that one number determines, so that the model need not hold the floats.
    func row(_ content: UInt32) -> [Float] {
      (0..<dimension).map {
        Float(bitPattern: content &+ UInt32(truncatingIfNeeded: $0) &* 2_654_435_761)
      }
    }
    var contents: [UInt32: UInt32] = [:]
    // Enough for several chunks of large rows, and for the first chunk to grow with small ones.
    let slotCount = dimension > 1000 ? 500_000 / dimension : 1000
    while contents.count < slotCount {
      let next = contents.count
      let slot = UInt32(random.oneIn(3) ? random.int(in: 0...next) : next)
      contents[slot] = UInt32(truncatingIfNeeded: random.next())
      try set(table, slot, row(contents[slot]!))
    }
    for (slot, content) in contents {
      table.withRow(slot) { found in
        let isSame = memcmp(found.baseAddress!, row(content), dimension * 4) == 0
        #expect(isSame && found.count == dimension, "seed \(seed), slot \(slot)")
        #expect(UInt(bitPattern: found.baseAddress) % 64 == 0, "slot \(slot) is not aligned")
      }
    }
  }

  @Test func slotsInBetweenReadAsZeros() throws {
    let table = try VectorTable(dimension: 2, space: .l2)
    try set(table, 40_000, [1, 2])
    for slot: UInt32 in [0, 15, 16, 20_000, 39_999] {
      #expect(row(table, slot) == [0, 0])
    }
    #expect(row(table, 40_000) == [1, 2])
  }

  @Test(
    "own, attached and cleared rows do not disturb each other", arguments: 0..<20 as Range<UInt64>)
  func attachedRows(seed: UInt64) throws {
    let dimension = 5
    var random = SeededRandom(seed)
    let foreign = UnsafeMutablePointer<Float>.allocate(capacity: 64 * 16)
    defer { foreign.deallocate() }
    for index in 0..<64 * 16 { foreign[index] = Float(index) }
    let table = try VectorTable(dimension: dimension, space: .cosine)
    var model: [UInt32: [Float]] = [:]
    for step in 0..<400 {
      let slot = UInt32(random.int(in: 0...99))
      switch random.int(in: 0...3) {
      case 0:
        table.clear(slot)
        model[slot] = nil
      case 1:
        let row = foreign + 16 * random.int(in: 0...63)
        table.attach(slot, to: row, inverseNorm: row[0])
        model[slot] = Array(UnsafeBufferPointer(start: row, count: dimension)) + [row[0]]
      default:
        let row = (0..<dimension).map { Float(step * 10 + $0) }
        try set(table, slot, row)
        let norm = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        model[slot] = row + [norm == 0 ? 0 : Float(1 / norm)]
      }
    }
    for (slot, expected) in model {
      let found = row(table, slot) + [table.inverseNorm(slot)]
      #expect(found == expected, "seed \(seed)")
    }
    // 100 slots, however often they changed hands.
    #expect(table.byteCount <= 2 * 100 * 64, "seed \(seed)")
  }

  @Test("a table stays as it is while a copy of it changes", arguments: 0..<20 as Range<UInt64>)
  func copies(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var table = try VectorTable(dimension: 3, space: .cosine)
    var rows: [UInt32: [Float]] = [:]
    var kept: [(table: VectorTable, rows: [UInt32: [Float]])] = []
    for _ in 0..<300 {
      if random.oneIn(10) {
        kept.append((table, rows))
        table = table.copy()
      }
      let slot = UInt32(random.int(in: 0...30))
      if random.oneIn(4) {
        table.clear(slot)
        rows[slot] = nil
      } else {
        let row = (0..<3).map { _ in Float(random.int(in: 1...9)) }
        try set(table, slot, row)
        rows[slot] = row
      }
    }
    for (table, rows) in kept + [(table, rows)] {
      for (slot, expected) in rows { #expect(row(table, slot) == expected, "seed \(seed)") }
    }
  }

  @Test("rows of narrow types read as what they hold", arguments: VectorType.allCases)
  func narrowRows(type: VectorType) throws {
    var random = SeededRandom(9)
    let table = try VectorTable(dimension: 33, space: .cosine, type: type)
    let foreign = UnsafeMutableRawPointer.allocate(
      byteCount: type.rowByteCount(dimension: 33), alignment: 4)
    defer { foreign.deallocate() }
    func rounded(_ vector: [Float]) -> [Float] {
      #expect(vector.withUnsafeBufferPointer { type.encode($0, into: foreign) } == nil)
      return type.withElements(foreign, dimension: 33) { Array($0) }
    }
    var model: [UInt32: [Float]] = [:]
    for _ in 0..<500 {
      let slot = UInt32(random.int(in: 0...60))
      model[slot] = rounded((0..<33).map { _ in Float.random(in: -9...9, using: &random) })
      try set(table, slot, model[slot]!)
    }
    model[99] = rounded([Float](repeating: 2, count: 33))
    table.attach(99, to: foreign, inverseNorm: 0.5)
    for (slot, expected) in model { #expect(row(table, slot) == expected) }
    #expect(table.byteCount <= 2 * 61 * (type.rowByteCount(dimension: 33) + 63))
    guard type != .f32 else { return }
    var large = [Float](repeating: 1, count: 33)
    large[32] = .greatestFiniteMagnitude
    #expect(throws: ChromaError.self) { try set(table, 5, large) }
    #expect(throws: ChromaError.self) { try set(table, 70, large) }
    #expect(row(table, 5) == [Float](repeating: 0, count: 33))
    model[5] = nil
    for (slot, expected) in model { #expect(row(table, slot) == expected) }
  }

  @Test func aSmallCollectionTakesLittleMemory() throws {
    let table = try VectorTable(dimension: 384, space: .cosine)
    #expect(table.byteCount == 0)
    for slot in 0..<UInt32(10) { try set(table, slot, Array(repeating: 1, count: 384)) }
    #expect(table.byteCount < 2 * 10 * 384 * 4)
  }

  @Test func memoryGrowsWithTheRows() throws {
    let table = try VectorTable(dimension: 16, space: .l2)
    for slot in 0..<UInt32(100_000) { try set(table, slot, Array(repeating: 1, count: 16)) }
    let rowBytes = 100_000 * 16 * 4
    #expect((rowBytes...rowBytes + 1 << 20).contains(table.byteCount))
  }
}
