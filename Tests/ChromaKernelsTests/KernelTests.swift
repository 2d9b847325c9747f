import ChromaKernels
import ChromaTestSupport
import Testing

/// Every variant computes what the definition says, whatever the length, the alignment and the
/// values, and reads nothing but the rows it was given. Each is run by name, so the result does not
/// depend on which one this machine would choose.
@Suite struct KernelTests {
  private static let lengths = 1...300

  @Test("sums equal the definition for every length", arguments: Kernels.compiled)
  func sumsEqualTheDefinition(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(1)
    for length in Self.lengths {
      let a = random.floats(length)
      let b = random.floats(length)
      for measure in Measure.allCases {
        let (sum, magnitude) = measure.definition(a, b)
        let error = abs(Double(measure(kernels, a, b)) - sum)
        #expect(error <= 1e-6 * magnitude, "seed 1, \(measure), length \(length)")
      }
    }
  }

  @Test("sums keep their precision in any range of a float", arguments: Kernels.compiled)
  func sumsKeepTheirPrecision(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(4)
    // Products of the smallest range are subnormal, those of the others nearly 0 and nearly ∞.
    for exponents in [-149 ... -127, -75 ... -70, -63 ... -60, 55...58] {
      for length in Self.lengths {
        let a = random.floats(length, exponents: exponents)
        let b = random.floats(length, exponents: exponents)
        for measure in Measure.allCases {
          let (sum, magnitude) = measure.definition(a, b)
          let error = abs(Double(measure(kernels, a, b)) - sum)
          // A subnormal sum is exact to half a unit at each of its steps.
          let limit = 1e-6 * magnitude + Double(length) * Double(Float.leastNonzeroMagnitude)
          #expect(error <= limit, "seed 4, \(measure), length \(length), exponents \(exponents)")
        }
      }
    }
  }

  @Test("nothing outside a row is read, at any alignment", arguments: Kernels.compiled)
  func nothingOutsideARowIsRead(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(5)
    for length in Self.lengths {
      let a = random.floats(length)
      let b = random.floats(length)
      for measure in Measure.allCases {
        let expected = measure(kernels, a, b)
        // The two edges put rows at multiples of a page and at every odd distance before one.
        for edge in GuardedRow<Float>.Edge.allCases {
          let query = GuardedRow(a, at: edge)
          let row = GuardedRow(b, at: edge)
          let found = measure(kernels, UnsafeBufferPointer(query.elements), [row.bytes, row.bytes])
          #expect(found == [expected, expected], "seed 5, \(measure), length \(length)")
        }
      }
    }
  }

  @Test("rows may start at any float", arguments: Kernels.compiled)
  func rowsMayStartAtAnyFloat(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(6)
    for length in [1, 7, 8, 15, 16, 17, 63, 64, 65, 300] {
      let a = random.floats(length)
      let b = random.floats(length)
      for offset in 0..<16 {
        let stored = [Float](repeating: .nan, count: offset) + b + [.nan]
        for measure in Measure.allCases {
          let found = stored.withUnsafeBytes { stored in
            a.withUnsafeBufferPointer {
              measure(kernels, $0, [stored.baseAddress! + 4 * offset])[0]
            }
          }
          #expect(found == measure(kernels, a, b), "seed 6, \(measure), \(length) at \(offset)")
        }
      }
    }
  }

  @Test("a batch answers row by row, in the caller's order", arguments: Kernels.compiled)
  func aBatchAnswersRowByRow(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(7)
    for _ in 0..<200 {
      let length = random.int(in: 1...100)
      let query = random.floats(length)
      let rows = (0..<random.int(in: 1...9)).map { _ in random.floats(length) }
      let order = (0..<random.int(in: 0...40)).map { _ in random.int(in: 0...rows.count - 1) }
      let stored = rows.map { GuardedRow($0, at: .last) }
      for measure in Measure.allCases {
        let found = query.withUnsafeBufferPointer {
          measure(kernels, $0, order.map { stored[$0].bytes })
        }
        #expect(found == order.map { measure(kernels, query, rows[$0]) }, "seed 7, \(measure)")
      }
    }
  }

  @Test("infinities and NaN come out as IEEE 754 has it", arguments: Kernels.compiled)
  func infinitiesAndNaNComeOut(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(8)
    let specials: [Float] = [.nan, .infinity, -.infinity, 0, -0.0]
    for length in 1...80 {
      for _ in 0..<20 {
        var a = random.floats(length)
        var b = random.floats(length)
        for _ in 0..<random.int(in: 1...2) {
          a[random.int(in: 0...length - 1)] = random.element(of: specials)
          b[random.int(in: 0...length - 1)] = random.element(of: specials)
        }
        for measure in Measure.allCases {
          let found = measure(kernels, a, b)
          let sum = measure.definition(a, b).sum
          if sum.isNaN {
            #expect(found.isNaN, "seed 8, \(measure) of \(a) and \(b)")
          } else if sum.isInfinite {
            #expect(Double(found) == sum, "seed 8, \(measure) of \(a) and \(b)")
          } else {
            #expect(found.isFinite, "seed 8, \(measure) of \(a) and \(b)")
          }
        }
      }
    }
  }

  @Test func onlyTheFrontOfTheOutputIsWritten() {
    let query: [Float] = [1, 2, 3]
    var out: [Float] = [7, 7, 7]
    query.withUnsafeBufferPointer { query in
      [UnsafeRawPointer(query.baseAddress!)].withUnsafeBufferPointer { rows in
        out.withUnsafeMutableBufferPointer { Kernels.best.dot(query, rows, of: .f32, into: $0) }
      }
    }
    #expect(out == [14, 7, 7])
  }

  @Test func theProductInDoubleNeitherOverflowsNorVanishes() {
    let huge: [Float] = [.greatestFiniteMagnitude, .greatestFiniteMagnitude]
    let tiny: [Float] = [.leastNonzeroMagnitude, .leastNonzeroMagnitude]
    for vector in [huge, tiny] {
      let product = vector.withUnsafeBufferPointer { Kernels.dotInDouble($0, $0) }
      #expect(product == 2 * Double(vector[0]) * Double(vector[0]))
    }
  }

  @Test func theBestIsTheLastThatTheProcessorSupports() {
    let supported = Kernels.compiled.filter(\.isSupported).map(\.name)
    #expect(supported.first == "scalar")
    #expect(Kernels.best.name == supported.last)
    for name in ["scalar", "avx2", "avx512", "avx512vnni", "neon"] where !supported.contains(name) {
      let isCompiled = Kernels.compiled.contains { $0.name == name }
      let reason = isCompiled ? "not supported by this processor" : "for another architecture"
      print("skipped: kernels \(name): \(reason). Features: \(Kernels.processorFeatures)")
    }
  }
}
