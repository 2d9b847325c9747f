import ChromaBase
import ChromaIndex
import ChromaKernels
import ChromaTestSupport
import Testing

/// The scan finds the nearest by the definition of each space, computed here in double, among the
/// candidates alone; ties go by order; no finite vector, however large or small, gets a wrong
/// distance.
@Suite struct ExactScanTests {
  /// A table, its rows as they were stored, and an order that is not that of the slots.
  private struct Collection {
    let table: VectorTable
    let rows: [[Float]]
    let orders: [UInt64]

    init(_ rows: [[Float]], dimension: Int, space: Space, random: inout SeededRandom) throws {
      table = try VectorTable(dimension: dimension, space: space)
      self.rows = rows
      orders = (0..<UInt64(rows.count)).shuffled(using: &random)
      for (slot, row) in rows.enumerated() {
        try row.withUnsafeBufferPointer { row throws(ChromaError) in
          try table.set(UInt32(slot), to: row)
        }
      }
    }

    func nearest(
      _ count: Int, to query: [Float], among candidates: Bitset? = nil, kernels: Kernels = .best
    ) -> [Neighbor] {
      query.withUnsafeBufferPointer { query in
        ExactScan.nearest(
          count, to: query, in: table, among: candidates ?? Bitset(firstSlots: rows.count),
          order: { orders[Int($0)] }, kernels: kernels, poll: {})
      }
    }

    /// The distance by the definition, and the error that float arithmetic may make.
    func distance(_ query: [Float], _ slot: UInt32) -> (value: Double, tolerance: Double) {
      let pairs = zip(query, rows[Int(slot)]).map { (Double($0), Double($1)) }
      let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
      let norms = (pairs.reduce(0) { $0 + $1.0 * $1.0 } * pairs.reduce(0) { $0 + $1.1 * $1.1 })
        .squareRoot()
      switch table.space {
      case .l2:
        let value = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (value, 1e-6 * value)
      case .cosine: return (norms == 0 ? 1 : 1 - dot / norms, 1e-6)
      case .ip: return (1 - dot, 1e-6 * max(1, abs(1 - dot), norms))
      }
    }
  }

  private func rows(_ random: inout SeededRandom, count: Int, dimension: Int) -> [[Float]] {
    (0..<count).map { _ in
      random.oneIn(20)
        ? Array(repeating: 0, count: dimension)
        : (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
    }
  }

  @Test("distances are those of the definition", arguments: Kernels.compiled, Space.allCases)
  func distancesAreThoseOfTheDefinition(kernels: Kernels, space: Space) throws {
    guard kernels.isSupported else { try Test.cancel("This processor cannot run \(kernels.name).") }
    for seed in UInt64(1)...10 {
      var random = SeededRandom(seed)
      let dimension = random.element(of: [1, 2, 3, 16, 31, 100, 384])
      let count = random.element(of: [1, 10, 255, 256, 257, 700])
      let stored = rows(&random, count: count, dimension: dimension)
      let collection = try Collection(stored, dimension: dimension, space: space, random: &random)
      let query = random.oneIn(5) ? stored[0] : rows(&random, count: 1, dimension: dimension)[0]
      let found = collection.nearest(count + 5, to: query, kernels: kernels)
      #expect(Set(found.map(\.slot)).count == count, "seed \(seed)")
      for neighbor in found {
        let (value, tolerance) = collection.distance(query, neighbor.slot)
        #expect(abs(Double(neighbor.distance) - value) <= tolerance, "seed \(seed), \(neighbor)")
      }
    }
  }

  @Test("the nearest of the candidates come in order", arguments: UInt64(1)...20)
  func theNearestOfTheCandidatesComeInOrder(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let space = random.element(of: Space.allCases)
    let dimension = random.int(in: 1...4)
    // Few values, so that sums are exact and most distances are equal.
    let stored = (0..<700).map { _ in (0..<dimension).map { _ in Float(random.int(in: -1...1)) } }
    let collection = try Collection(stored, dimension: dimension, space: space, random: &random)
    let query = (0..<dimension).map { _ in Float(random.int(in: -2...2)) }
    let share = random.element(of: [1, 2, 50, 1000])
    let candidates = (0..<UInt32(700)).filter { _ in random.oneIn(share) }
    let all = collection.nearest(700, to: query)
    let ranks = Dictionary(uniqueKeysWithValues: all.map { ($0.slot, $0.distance) })
    let expected = candidates.sorted {
      let (a, b) = (ranks[$0]!, ranks[$1]!)
      return a != b ? a < b : collection.orders[Int($0)] < collection.orders[Int($1)]
    }
    for count in [0, 1, 5, 10, 100, candidates.count, candidates.count + 5] {
      let found = collection.nearest(count, to: query, among: Bitset(candidates))
      #expect(found.map(\.slot) == Array(expected.prefix(count)), "seed \(seed), \(count)")
    }
  }

  @Test func aZeroVectorIsAtDistanceOneFromEverythingByCosine() throws {
    var random = SeededRandom(30)
    let stored: [[Float]] = [[0, 0], [3, 4], [-1e-30, 1e30]]
    let collection = try Collection(stored, dimension: 2, space: .cosine, random: &random)
    #expect(collection.nearest(3, to: [0, 0]).map(\.distance) == [1, 1, 1])
    let found = collection.nearest(3, to: [1, 2])
    #expect(found.first { $0.slot == 0 }?.distance == 1)
  }

  /// Sums of their products leave the range of a float, below or above.
  @Test(
    "a table of narrow rows measures as one of floats with the same values",
    arguments: Kernels.compiled, VectorType.allCases)
  func narrowRowsMeasureAsFloats(kernels: Kernels, type: VectorType) throws {
    guard kernels.isSupported else { return }
    var random = SeededRandom(17)
    for space in Space.allCases {
      for dimension in [1, 7, 64, 129] {
        let narrow = try VectorTable(dimension: dimension, space: space, type: type)
        let plain = try VectorTable(dimension: dimension, space: space)
        let factors: ClosedRange<Float> = type == .f16 ? -100...100 : -1e25...1e25
        for (slot, row) in rows(&random, count: 300, dimension: dimension).enumerated() {
          let factor = random.oneIn(5) ? Float.random(in: factors, using: &random) : 1
          let row = rounded(row.map { $0 * factor }, type)
          for table in [narrow, plain] {
            try row.withUnsafeBufferPointer { row throws(ChromaError) in
              try table.set(UInt32(slot), to: row)
            }
          }
        }
        let query = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
        let answers = [narrow, plain].map { table in
          query.withUnsafeBufferPointer { query in
            ExactScan.nearest(
              300, to: query, in: table, among: Bitset(firstSlots: 300), order: { UInt64($0) },
              kernels: kernels, poll: {})
          }
        }
        #expect(answers[0] == answers[1], "seed 17, \(space), \(dimension)")
      }
    }
  }

  private func rounded(_ vector: [Float], _ type: VectorType) -> [Float] {
    var row = [UInt8](repeating: 0, count: type.rowByteCount(dimension: vector.count))
    return row.withUnsafeMutableBytes { row in
      let refused = vector.withUnsafeBufferPointer { type.encode($0, into: row.baseAddress!) }
      #expect(refused == nil)
      return type.withElements(row.baseAddress!, dimension: vector.count) { Array($0) }
    }
  }

  @Test("huge and tiny vectors have right distances", arguments: Kernels.compiled, Space.allCases)
  func hugeAndTinyVectorsHaveRightDistances(kernels: Kernels, space: Space) throws {
    guard kernels.isSupported else { try Test.cancel("This processor cannot run \(kernels.name).") }
    var random = SeededRandom(31)
    let scales: [Float] = [0x1p-140, 0x1p-110, 0x1p-70, 1, 0x1p70, 0x1p110, 0x1p126]
    let dimension = 40
    let stored = scales.flatMap { scale in
      (0..<6).map { _ in
        (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) * scale }
      }
    }
    let collection = try Collection(stored, dimension: dimension, space: space, random: &random)
    for query in stored {
      let found = collection.nearest(stored.count, to: query, kernels: kernels)
      #expect(found.count == stored.count)
      for neighbor in found {
        let (value, tolerance) = collection.distance(query, neighbor.slot)
        let nearest = Double(Float(value))
        let isRight =
          Double(neighbor.distance) == nearest
          || abs(Double(neighbor.distance) - value) <= tolerance + 0x1p-140
        #expect(isRight, "seed 31, \(neighbor) for \(value)")
      }
    }
  }

  /// The lengths are just above the one whose inverse overflows, where nothing but lost digits would
  /// tell that floats did not do.
  @Test func cosinesOfTinyVectorsKeepTheirDigits() throws {
    var random = SeededRandom(35)
    let dimension = 4096
    let stored = (0..<20).map { _ in
      (0..<dimension).map { _ in Float.random(in: -0x1p-132...0x1p-132, using: &random) }
    }
    let collection = try Collection(
      stored, dimension: dimension, space: .cosine, random: &random)
    for kernels in Kernels.compiled where kernels.isSupported {
      let found = collection.nearest(20, to: stored[0].map { $0 * 0x1p100 }, kernels: kernels)
      for neighbor in found {
        let (value, tolerance) = collection.distance(stored[0], neighbor.slot)
        #expect(abs(Double(neighbor.distance) - value) <= tolerance, "seed 35, \(neighbor)")
      }
    }
  }

  @Test("vectors that are not finite come last", arguments: Space.allCases)
  func vectorsThatAreNotFiniteComeLast(space: Space) throws {
    var random = SeededRandom(32)
    let stored: [[Float]] = [[.nan, 1], [1, 2], [1, .nan], [-3, 1]]
    let collection = try Collection(stored, dimension: 2, space: space, random: &random)
    let found = collection.nearest(4, to: [1, 1])
    #expect(Set(found.prefix(2).map(\.slot)) == [1, 3])
    #expect(found.suffix(2).allSatisfy { $0.distance.isNaN })
    let ordered = [UInt32(0), 2].sorted { collection.orders[Int($0)] < collection.orders[Int($1)] }
    #expect(found.suffix(2).map(\.slot) == ordered)
  }

  @Test func cosineDistancesStayBetweenZeroAndTwo() throws {
    var random = SeededRandom(33)
    let stored = (0..<300).map { _ in
      (0..<100).map { _ in Float.random(in: -1...1, using: &random) }
    }
    let collection = try Collection(stored, dimension: 100, space: .cosine, random: &random)
    for row in stored {
      #expect(collection.nearest(1, to: row)[0].distance >= 0)
      #expect(collection.nearest(300, to: row.map { -$0 })[299].distance <= 2)
    }
  }

  @Test func aScanEndsWhenThePollThrows() throws {
    struct Stop: Error {}
    var random = SeededRandom(34)
    let stored = rows(&random, count: 2000, dimension: 3)
    let collection = try Collection(stored, dimension: 3, space: .l2, random: &random)
    var pollCount = 0
    #expect(throws: Stop.self) {
      try [1, 2, 3].withUnsafeBufferPointer { query throws(Stop) in
        _ = try ExactScan.nearest(
          5, to: query, in: collection.table, among: Bitset(firstSlots: 2000),
          order: { collection.orders[Int($0)] },
          poll: { () throws(Stop) in
            pollCount += 1
            if pollCount == 3 { throw Stop() }
          })
      }
    }
    #expect(pollCount == 3)
  }
}
