import ChromaBase
import ChromaIndex
import ChromaTestSupport
import Testing

/// An estimate and its bound say where the exact distance lies, for vectors of every magnitude; what
/// cannot be estimated is refused, and nothing is ever no number.
@Suite struct QuantizerTests {
  /// The key and the bound for two vectors; nil if one of them is refused.
  private func estimate(
    _ quantizer: Quantizer, _ a: [Float], _ b: [Float]
  ) -> (distance: Double, bound: Double, key: Float)? {
    let byteCount = quantizer.rowByteCount
    let rows = UnsafeMutableRawPointer.allocate(byteCount: 2 * byteCount, alignment: 64)
    defer { rows.deallocate() }
    guard a.withUnsafeBufferPointer({ quantizer.encode($0, into: rows) }),
      b.withUnsafeBufferPointer({ quantizer.encode($0, into: rows + byteCount) })
    else { return nil }
    func side(_ row: UnsafeMutableRawPointer) -> CodeSide {
      row.load(fromByteOffset: quantizer.codeByteCount, as: CodeSide.self)
    }
    var product: Int32 = 0
    for index in 0..<quantizer.codeByteCount {
      product +=
        Int32(rows.load(fromByteOffset: index, as: Int8.self))
        * Int32((rows + byteCount).load(fromByteOffset: index, as: Int8.self))
    }
    let key = quantizer.metric.key(side(rows), side(rows + byteCount), product: product)
    #expect(
      key == quantizer.metric.key(side(rows + byteCount), side(rows), product: product),
      "An estimate is the same in both directions.")
    return (
      Double(key) + quantizer.metric.constant,
      quantizer.metric.bound(side(rows), side(rows + byteCount)), key
    )
  }

  private func distance(_ a: [Float], _ b: [Float], space: Space) throws -> Float {
    let table = try VectorTable(dimension: a.count, space: space)
    try b.withUnsafeBufferPointer { row throws(ChromaError) in try table.set(0, to: row) }
    let found = a.withUnsafeBufferPointer { query in
      ExactScan.nearest(
        1, to: query, in: table, among: Bitset(firstSlots: 1), order: { UInt64($0) }, poll: {})
    }
    return try #require(found.first).distance
  }

  private func quantizer(_ rows: [[Float]], space: Space) throws(ChromaError) -> Quantizer {
    let table = try VectorTable(dimension: rows[0].count, space: space)
    for (slot, row) in rows.enumerated() {
      try row.withUnsafeBufferPointer { row throws(ChromaError) in
        try table.set(UInt32(slot), to: row)
      }
    }
    let center = Quantizer.center(of: 0..<UInt32(rows.count), in: table)
    return Quantizer(space: space, center: center)
  }

  @Test(
    "an estimate is off by no more than its bound", arguments: Space.allCases,
    [1, 3, 64, 100, 384])
  func boundsHold(space: Space, dimension: Int) throws {
    var random = SeededRandom(UInt64(dimension))
    for magnitude: Float in [1, 1e-10, 1e12] {
      let rows = (0..<24).map { _ in
        let shift = Float.random(in: -1...1, using: &random)
        return (0..<dimension).map { _ in
          magnitude * (shift + Float.random(in: -1...1, using: &random))
        }
      }
      let quantizer = try self.quantizer(rows, space: space)
      for a in rows {
        for b in rows {
          let estimate = try #require(self.estimate(quantizer, a, b))
          let exact = Double(try distance(a, b, space: space))
          #expect(abs(estimate.distance - exact) <= estimate.bound, "magnitude \(magnitude)")
        }
      }
    }
  }

  @Test("bounds are of use: a few hundredths of the vectors' lengths", arguments: Space.allCases)
  func boundsAreTight(space: Space) throws {
    var random = SeededRandom(5)
    let rows = (0..<10).map { _ in
      (0..<128).map { _ in Float.random(in: -1...1, using: &random) }
    }
    let quantizer = try self.quantizer(rows, space: space)
    let scale = space == .cosine ? 1.0 : 128 / 3
    for row in rows {
      let estimate = try #require(self.estimate(quantizer, row, rows[0]))
      #expect(estimate.bound < 0.05 * scale)
    }
  }

  @Test("whatever the numbers, an estimate is a number or refused", arguments: Space.allCases)
  func extremesAreSafe(space: Space) throws {
    let numbers: [Float] = [
      0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
      .leastNormalMagnitude, 1e18, 1e19, -1e30, 1e-20, .infinity, .nan,
    ]
    let rows = numbers.flatMap { first in numbers.map { [first, $0] } }
    let centers = [try quantizer(rows, space: space).center, [0, 0], [1, 1], [1e30, -1e30]]
    for center in centers {
      let quantizer = Quantizer(space: space, center: center)
      for row in rows {
        guard let estimate = self.estimate(quantizer, row, [1, 0.5]) else { continue }
        #expect(estimate.key.isFinite && estimate.bound.isFinite, "\(row) from \(center)")
      }
    }
    let isZeroRefused = estimate(Quantizer(space: space, center: [0, 0]), [0, 0], [0, 0]) == nil
    #expect(isZeroRefused == (space == .cosine), "In cosine space zero has no direction.")
  }

  @Test("the center of nothing, or of what cannot be encoded, is zero", arguments: Space.allCases)
  func centersAreFinite(space: Space) throws {
    let table = try VectorTable(dimension: 2, space: space)
    #expect(Quantizer.center(of: [], in: table) == [0, 0])
    #expect(try quantizer([[.nan, 1], [.infinity, 0]], space: space).center == [0, 0])
    #expect(try quantizer([[2, 4], [2, 4]], space: .l2).center == [2, 4])
  }
}
