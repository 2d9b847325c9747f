import ChromaKernels
import ChromaTestSupport
import Testing

/// Products of codes are exact in every variant, whatever the length, the place in memory and the
/// values: an index built on one processor answers the same on another.
@Suite struct CodeKernelTests {
  private func definition(_ a: [Int8], _ b: [Int8]) -> Int32 {
    Int32(zip(a, b).reduce(0) { $0 + Int($1.0) * Int($1.1) })
  }

  private func dot(_ kernels: Kernels, _ a: [Int8], _ b: [Int8]) -> Int32 {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in dot(kernels, a, [b.baseAddress!])[0] }
    }
  }

  private func dot(
    _ kernels: Kernels, _ query: UnsafeBufferPointer<Int8>, _ rows: [UnsafePointer<Int8>]
  ) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: rows.count) { out, count in
      kernels.dotInt8(
        query.baseAddress!, dimension: query.count, rows, count: rows.count,
        into: out.baseAddress!)
      count = rows.count
    }
  }

  @Test("products of codes equal the definition for every length", arguments: Kernels.compiled)
  func productsEqualTheDefinition(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(11)
    for length in Array(1...260) + [383, 384, 385, 511, 512, 1535, 1536, 4095, 65_535, 65_536] {
      let a = random.code(length)
      let b = random.code(length)
      #expect(dot(kernels, a, b) == definition(a, b), "seed 11, length \(length)")
    }
  }

  @Test("the largest sums that a dimension allows are exact", arguments: Kernels.compiled)
  func theLargestSumsAreExact(kernels: Kernels) throws {
    try kernels.require()
    for length in Array(1...130) + [65_535, 65_536] {
      for (x, y) in [(127, 127), (-127, -127), (127, -127), (-127, 127), (0, -127), (-127, 0)] {
        let a = [Int8](repeating: Int8(x), count: length)
        let b = [Int8](repeating: Int8(y), count: length)
        #expect(dot(kernels, a, b) == Int32(length * x * y), "\(x) by \(y), length \(length)")
      }
    }
  }

  @Test("each pair of elements multiplies at each place", arguments: Kernels.compiled)
  func eachPairMultipliesAtEachPlace(kernels: Kernels) throws {
    try kernels.require()
    let values: [Int8] = [-127, -126, -64, -1, 0, 1, 2, 63, 64, 126, 127]
    for length in [1, 31, 64, 129] {
      for place in 0..<length {
        var a = [Int8](repeating: 0, count: length)
        var b = [Int8](repeating: 127, count: length)
        for x in values {
          for y in values {
            a[place] = x
            b[place] = y
            #expect(dot(kernels, a, b) == Int32(x) * Int32(y), "\(x) by \(y) at \(place)")
          }
        }
      }
    }
  }

  @Test("nothing outside a code counts or is read", arguments: Kernels.compiled)
  func nothingOutsideACodeCounts(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(12)
    for length in 1...130 {
      let a = random.code(length)
      let b = random.code(length)
      let expected = definition(a, b)
      for edge in GuardedRow<Int8>.Edge.allCases {
        let query = GuardedRow(a, at: edge)
        let row = GuardedRow(b, at: edge)
        let found = dot(kernels, UnsafeBufferPointer(query.elements), [row.row, row.row])
        #expect(found == [expected, expected], "seed 12, length \(length)")
      }
      let offset = random.int(in: 1...64)
      let stored = random.code(offset) + b + random.code(64)
      let found = stored.withUnsafeBufferPointer { stored in
        a.withUnsafeBufferPointer { dot(kernels, $0, [stored.baseAddress! + offset])[0] }
      }
      #expect(found == expected, "seed 12, length \(length) at \(offset)")
    }
  }

  @Test("a batch of codes answers row by row, in the caller's order", arguments: Kernels.compiled)
  func aBatchAnswersRowByRow(kernels: Kernels) throws {
    try kernels.require()
    var random = SeededRandom(13)
    for _ in 0..<200 {
      let length = random.int(in: 1...200)
      let query = random.code(length)
      let rows = (0..<random.int(in: 1...9)).map { _ in random.code(length) }
      let order = (0..<random.int(in: 0...40)).map { _ in random.int(in: 0...rows.count - 1) }
      let stored = rows.map { GuardedRow($0, at: .last) }
      let found = query.withUnsafeBufferPointer {
        dot(kernels, $0, order.map { stored[$0].row })
      }
      #expect(found == order.map { definition(query, rows[$0]) }, "seed 13, length \(length)")
    }
  }
}

extension SeededRandom {
  /// Elements from −127 to 127.
  mutating func code(_ count: Int) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: -127...127, using: &self) }
  }
}
