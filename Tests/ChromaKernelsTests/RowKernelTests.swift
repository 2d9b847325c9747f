import ChromaBase
import ChromaKernels
import ChromaTestSupport
import Testing

/// Rows of the narrow types are measured as the floats that they hold, bit for bit, in every
/// variant: what a query finds is exact for the stored values, and does not depend on how they are
/// stored.
@Suite struct RowKernelTests {
  private static let lengths = Array(1...140) + [383, 384, 385]

  private func row(_ type: VectorType, _ length: Int, _ random: inout SeededRandom) -> [UInt8] {
    type.row(of: random.floats(length, exponents: -12...3))!
  }

  private func measure(
    _ measure: Measure, _ kernels: Kernels, _ query: [Float], _ row: [UInt8], _ type: VectorType
  ) -> Float {
    query.withUnsafeBufferPointer { query in
      row.withUnsafeBytes { measure(kernels, query, [$0.baseAddress!], of: type)[0] }
    }
  }

  @Test(
    "a row answers as the floats that it holds", arguments: Kernels.compiled, VectorType.allCases)
  func aRowAnswersAsItsFloats(kernels: Kernels, type: VectorType) throws {
    try kernels.require()
    var random = SeededRandom(21)
    for length in Self.lengths {
      let query = random.floats(length)
      let row = row(type, length, &random)
      let floats = type.floats(of: row, length)
      for measure in Measure.allCases {
        let found = self.measure(measure, kernels, query, row, type)
        let expected = measure(kernels, query, floats)
        #expect(found == expected, "seed 21, \(measure), length \(length)")
        let own = self.measure(.squaredL2, kernels, floats, row, type)
        #expect(own == 0, "seed 21, length \(length)")
      }
    }
  }

  @Test(
    "every half answers as the float that it is", arguments: Kernels.compiled,
    [VectorType.f16, .bf16])
  func everyHalfAnswersAsItsFloat(kernels: Kernels, type: VectorType) throws {
    try kernels.require()
    let query: [Float] = (0..<31).map { $0 == 30 ? 1 : 0 }
    var wrong: [UInt16] = []
    var row = [UInt8](repeating: 0, count: 62)
    for half in UInt16.min...UInt16.max {
      row[60] = UInt8(truncatingIfNeeded: half)
      row[61] = UInt8(half >> 8)
      let found = measure(.dot, kernels, query, row, type)
      let expected = type.floats(of: row, 31)[30]
      if found != expected, !(found.isNaN && expected.isNaN) { wrong.append(half) }
    }
    #expect(wrong == [])
  }

  @Test(
    "nothing outside a row is read, at any alignment", arguments: Kernels.compiled,
    VectorType.allCases)
  func nothingOutsideARowIsRead(kernels: Kernels, type: VectorType) throws {
    try kernels.require()
    var random = SeededRandom(22)
    for length in Self.lengths {
      let query = random.floats(length)
      let row = row(type, length, &random)
      for edge in GuardedRow<UInt8>.Edge.allCases {
        let guarded = GuardedRow(row, at: edge)
        for measure in Measure.allCases {
          let found = query.withUnsafeBufferPointer {
            measure(kernels, $0, [guarded.bytes, guarded.bytes, guarded.bytes], of: type)
          }
          let expected = self.measure(measure, kernels, query, row, type)
          #expect(found == [expected, expected, expected], "seed 22, \(measure), \(length)")
        }
      }
    }
  }
}

extension VectorType {
  /// Nil if the type cannot hold them.
  func row(of floats: [Float]) -> [UInt8]? {
    var row = [UInt8](repeating: 0xEE, count: rowByteCount(dimension: floats.count))
    let refused = floats.withUnsafeBufferPointer { floats in
      row.withUnsafeMutableBytes { encode(floats, into: $0.baseAddress!) }
    }
    return refused == nil ? row : nil
  }

  func floats(of row: [UInt8], _ dimension: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: dimension) { floats, count in
      row.withUnsafeBytes { row in
        decode(row.baseAddress!, into: UnsafeMutableBufferPointer(rebasing: floats[..<dimension]))
      }
      count = dimension
    }
  }
}
