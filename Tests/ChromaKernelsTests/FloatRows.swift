import ChromaBase
import ChromaKernels
import ChromaTestSupport

/// Which sum a kernel makes.
enum Measure: CaseIterable {
  case dot, squaredL2

  /// One query against rows, through the variant.
  func callAsFunction(
    _ kernels: Kernels, _ query: UnsafeBufferPointer<Float>, _ rows: [UnsafeRawPointer],
    of type: VectorType = .f32
  ) -> [Float] {
    var out = [Float](repeating: .signalingNaN, count: rows.count)
    rows.withUnsafeBufferPointer { rows in
      out.withUnsafeMutableBufferPointer { out in
        switch self {
        case .dot: kernels.dot(query, rows, of: type, into: out)
        case .squaredL2: kernels.squaredL2(query, rows, of: type, into: out)
        }
      }
    }
    return out
  }

  func callAsFunction(_ kernels: Kernels, _ a: [Float], _ b: [Float]) -> Float {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBytes { b in self(kernels, a, [b.baseAddress!])[0] }
    }
  }

  /// The sum by its definition, and the sum of the magnitudes of its terms, on which a float's
  /// rounding error depends.
  func definition(_ a: [Float], _ b: [Float]) -> (sum: Double, magnitude: Double) {
    var sum = 0.0
    var magnitude = 0.0
    for (x, y) in zip(a, b) {
      let difference = Double(x) - Double(y)
      let term = self == .dot ? Double(x) * Double(y) : difference * difference
      sum += term
      magnitude += term.magnitude
    }
    return (sum, magnitude)
  }
}

extension SeededRandom {
  /// Floats of both signs and of magnitudes 2^`exponents`.
  mutating func floats(_ count: Int, exponents: ClosedRange<Int> = -3...3) -> [Float] {
    (0..<count).map { _ in
      let significand = Float.random(in: 1..<2, using: &self)
      let sign: FloatingPointSign = oneIn(2) ? .plus : .minus
      return Float(sign: sign, exponent: int(in: exponents), significand: significand)
    }
  }
}
