import ChromaBase
import ChromaKernels
import ChromaTestSupport
import Testing

/// A vector is stored as what is nearest to it, and is the same however often it is stored again:
/// in the log, in segments, and in those that they are merged into.
@Suite struct VectorRowTests {
  @Test func everyHalfIsTheFloatOfItsDefinition() {
    for bits in UInt16.min...UInt16.max {
      let row = [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
      let half = VectorType.f16.floats(of: row, 1)[0]
      let exponent = Int(bits >> 10 & 31)
      let significand = Double(bits & 0x3FF)
      let sign: Double = bits >> 15 == 0 ? 1 : -1
      switch exponent {
      case 31 where significand != 0: #expect(half.isNaN)
      case 31: #expect(half == Float(sign * .infinity))
      case 0: #expect(Double(half) == sign * significand * 0x1p-24)
      default:
        let power = Double(sign: .plus, exponent: exponent - 25, significand: 1)
        #expect(Double(half) == sign * (1024 + significand) * power, "the half \(bits)")
      }
      #expect(half.sign == (bits >> 15 == 0 ? .plus : .minus) || half.isNaN)
      let brainHalf = VectorType.bf16.floats(of: row, 1)[0]
      #expect(brainHalf.bitPattern == UInt32(bits) << 16)
    }
  }

  @Test("a float becomes the nearest half, ties to even", arguments: [VectorType.f16, .bf16])
  func aFloatBecomesTheNearestHalf(type: VectorType) {
    let infinity: UInt16 = type == .f16 ? 0x7C00 : 0x7F80
    func float(_ bits: UInt16) -> Float {
      type.floats(of: [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)], 1)[0]
    }
    func half(_ value: Float) -> UInt16? {
      type.row(of: [value]).map { UInt16($0[0]) | UInt16($0[1]) << 8 }
    }
    var wrong: [UInt16] = []
    for lower in 0..<infinity - 1 {
      let upper = lower + 1
      // Of floats as of halves, equal steps lie between neighbours; the middle is a float.
      let middle = Float((Double(float(lower)) + Double(float(upper))) / 2)
      for sign in [0, 0x8000 as UInt16] {
        func signed(_ value: Float) -> Float { sign == 0 ? value : -value }
        let found = [float(lower), middle, middle.nextDown, middle.nextUp].map { half(signed($0)) }
        let even = lower & 1 == 0 ? lower : upper
        if found != [lower, even, lower, upper].map({ $0 | sign }) { wrong.append(lower | sign) }
      }
    }
    #expect(wrong == [])
    let largest = float(infinity - 1)
    #expect(type.magnitudeMax == largest)
    #expect(half(largest.nextUp) == infinity - 1)
    #expect(half(.infinity) == infinity)
    #expect(half(-.infinity) == infinity | 0x8000)
    #expect(float(half(.nan)!).isNaN)
  }

  @Test("what a row holds becomes the same row again", arguments: VectorType.allCases)
  func whatARowHoldsBecomesTheSameRow(type: VectorType) throws {
    var random = SeededRandom(31)
    for _ in 0..<3000 {
      let range =
        switch type {
        case .f32, .bf16: -149...126
        case .f16: -26...14
        case .int8: -149...126
        }
      let exponent = random.int(in: range)
      let vector = random.floats(
        random.int(in: 1...40), exponents: max(range.lowerBound, exponent - 9)...exponent)
      let row = try #require(type.row(of: vector))
      let floats = type.floats(of: row, vector.count)
      #expect(type.row(of: floats) == row, "seed 31: \(vector)")
    }
  }

  @Test func codesAreNearestToTheirElements() throws {
    var random = SeededRandom(32)
    for _ in 0..<1000 {
      let vector = random.floats(random.int(in: 1...100), exponents: -10...10)
      let row = try #require(VectorType.int8.row(of: vector))
      let floats = VectorType.int8.floats(of: row, vector.count)
      let largest = vector.map(\.magnitude).max()!
      let step = Double(largest) / 127 * (1 + 0x1p-16)
      for (element, stored) in zip(vector, floats) {
        #expect(abs(Double(element) - Double(stored)) <= step / 2, "seed 32: \(vector)")
      }
    }
  }

  @Test func extremeVectorsHaveCodes() throws {
    let limit = VectorType.int8.magnitudeMax
    for vector: [Float] in [[0, 0, 0], [-0.0], [limit, -limit, 1], [.leastNonzeroMagnitude]] {
      let row = try #require(VectorType.int8.row(of: vector))
      let floats = VectorType.int8.floats(of: row, vector.count)
      for (element, stored) in zip(vector, floats) {
        let step = max(vector.map(\.magnitude).max()! / 127, .leastNormalMagnitude)
        #expect(abs(element / 2 - stored / 2) <= step / 4 * (1 + 0x1p-15))
      }
    }
  }

  @Test func whatATypeCannotHoldIsNamedByItsIndex() {
    let cases: [(VectorType, Float)] = [
      (.f16, 65_520), (.f16, -1e10), (.bf16, .greatestFiniteMagnitude),
      (.int8, .greatestFiniteMagnitude), (.int8, .infinity), (.int8, .nan),
    ]
    for (type, value) in cases {
      var row = [UInt8](repeating: 0, count: type.rowByteCount(dimension: 3))
      for index in 0..<3 {
        var vector: [Float] = [1, 2, 3]
        vector[index] = value
        let refused = vector.withUnsafeBufferPointer { vector in
          row.withUnsafeMutableBytes { type.encode(vector, into: $0.baseAddress!) }
        }
        #expect(refused == index, "\(type), \(value)")
      }
    }
  }
}
