// Vectors as bytes: what the graph compares instead of floats.
//
// With c the center of the collection's vectors and v' the vector (in cosine space v/‖v‖), r = v' − c
// is stored as whole numbers of −127...127 times a scale of its own:
//
//     | code: dimension × Int8 | zeros up to a multiple of 64 | CodeSide: 4 × Float | zeros |
//
// in rows of a multiple of 64 bytes, so that no two share a cache line and kernels need no tail.
//
// The distance of two vectors is estimated from the product of their codes,
//
//     K + bias(a) + bias(b) − w·scale(a)·scale(b)·Σ aᵢbᵢ
//
//     l2:          ‖a − b‖² = ‖ra‖² + ‖rb‖² − 2·ra·rb          K = 0       bias = ‖r‖²   w = 2
//     ip, cosine:  1 − a'·b' = 1 − c·c − c·ra − c·rb − ra·rb   K = 1 − c·c bias = −c·r   w = 1
//
// and is off by no more than a bound that the sides know, as |ra·rb − ca·cb| ≤ ‖ca‖·eb + ‖cb‖·ea +
// ea·eb by Cauchy and Schwarz, with ca the decoded code and ea its error. Whoever trusts nothing but
// exact distances can so tell which records cannot be among the best without reading their vectors.
//
// Invariants:
//   * The product is of integers and all else is computed here, in double and in one order: an
//     estimate has the same bits on every processor, and for (a, b) as for (b, a).
//   * Every estimate and every bound is a finite number: vectors for which it would not be are not
//     encoded, nor the zero vector in cosine space: as far from itself as from all, it cannot be found
//     by walking.

package import ChromaBase

/// What a row says of its code besides the code.
package struct CodeSide: Equatable, Sendable {
  /// What one step of the code stands for.
  package var scale: Float
  /// The part of every estimate that the row adds on its own.
  package var bias: Float
  /// The length of what the code leaves out, rounded up.
  package var error: Float
  /// The length of what the code stands for, rounded up.
  package var norm: Float

  package init(scale: Float, bias: Float, error: Float, norm: Float) {
    self.scale = scale
    self.bias = bias
    self.error = error
    self.norm = norm
  }
}

/// Turns the vectors of one collection into rows of bytes.
package struct Quantizer: Equatable, Sendable {
  /// Longer vectors have no codes: a product of longer ones would not fit a 32-bit integer with
  /// certainty.
  package static let dimensionMax = 65_536

  /// Longer vectors do not count for the center.
  private static let lengthMax = 0x1p60
  /// Vectors for which an estimate would be made of larger numbers are not encoded: four times as
  /// much is still a float.
  private static let squareMax = 0x1p122
  /// Differences below it are not encoded: their squares would lose digits as floats.
  private static let differenceMin = 0x1p-50

  package let dimension: Int
  package let space: Space
  /// As many as the dimension.
  package let center: [Float]
  /// How products of codes become distances.
  package let metric: CodeMetric

  /// Bytes of a code with its padding.
  package var codeByteCount: Int { (dimension + 63) / 64 * 64 }
  /// Bytes from one row to the next.
  package var rowByteCount: Int {
    (codeByteCount + MemoryLayout<CodeSide>.size + 63) / 64 * 64
  }

  /// - Parameter center: as many finite numbers as the dimension, which is 1 to `dimensionMax`.
  package init(space: Space, center: [Float]) {
    precondition((1...Self.dimensionMax).contains(center.count))
    dimension = center.count
    self.space = space
    self.center = center
    let square = center.reduce(0.0) { $0 + Double($1) * Double($1) }
    metric = CodeMetric(space: space, dimension: dimension, centerSquare: square)
  }

  /// The mean of the rows of some slots, in cosine space of the rows at length 1. Rows that cannot be
  /// encoded anyway do not count; of none at all the mean is zero.
  package static func center(
    of slots: some Sequence<UInt32>, in vectors: VectorTable
  ) -> [Float] {
    var sums = [Double](repeating: 0, count: vectors.dimension)
    var count = 0.0
    for slot in slots {
      vectors.withRow(slot) { row in
        let norm = Norm(of: row).value
        guard norm <= lengthMax else { return }
        let factor = vectors.space == .cosine ? (norm > 0 ? 1 / norm : 0) : 1
        for index in row.indices { sums[index] += Double(row[index]) * factor }
        count += 1
      }
    }
    return sums.map { count > 0 ? Float($0 / count) : 0 }
  }

  /// Writes a vector's code and side to a row of `rowByteCount` bytes, aligned to 64.
  ///
  /// - Returns: False if the vector's numbers are too large or too small to be estimated in floats,
  ///   or none, or if it has no direction, in cosine space: such a vector can only be measured
  ///   exactly. The row then holds nothing of use.
  package func encode(
    _ vector: UnsafeBufferPointer<Float>, into row: UnsafeMutableRawPointer
  ) -> Bool {
    precondition(vector.count == dimension)
    row.initializeMemory(as: UInt8.self, repeating: 0, count: rowByteCount)
    let length = Norm(of: vector).value
    guard length.isFinite else { return false }
    if space == .cosine, length == 0 { return false }
    let factor = space == .cosine ? 1 / length : 1
    return center.withUnsafeBufferPointer { encode(vector, factor: factor, center: $0, into: row) }
  }

  private func encode(
    _ vector: UnsafeBufferPointer<Float>, factor: Double, center: UnsafeBufferPointer<Float>,
    into row: UnsafeMutableRawPointer
  ) -> Bool {
    var largest = 0.0
    var square = 0.0
    var product = 0.0
    for index in 0..<dimension {
      let middle = Double(center[index])
      let difference = Double(vector[index]) * factor - middle
      largest = max(largest, abs(difference))
      square += difference * difference
      product += middle * difference
    }
    guard square <= Self.squareMax, abs(product) <= Self.squareMax,
      largest == 0 || largest >= Self.differenceMin
    else { return false }
    let scale = Float(largest / 127)
    let inverse = scale > 0 ? 1 / Double(scale) : 0
    let code = row.assumingMemoryBound(to: Int8.self)
    var errorSquare = 0.0
    var codeSquare = 0.0
    for index in 0..<dimension {
      let difference = Double(vector[index]) * factor - Double(center[index])
      // Leaves the nearest whole number in the lowest bits: `rounded()` is a call on older
      // processors. ±127 is kept, as the scale is off by less than half a step in 127.
      let shifted = difference * inverse + 0x1.8p52
      let steps = shifted - 0x1.8p52
      code[index] = Int8(truncatingIfNeeded: shifted.bitPattern)
      let decoded = steps * Double(scale)
      errorSquare += (difference - decoded) * (difference - decoded)
      codeSquare += decoded * decoded
    }
    let side = CodeSide(
      scale: scale, bias: Float(space == .l2 ? square : -product),
      error: Self.roundedUp(errorSquare.squareRoot()),
      norm: Self.roundedUp(codeSquare.squareRoot()))
    row.storeBytes(of: side, toByteOffset: codeByteCount, as: CodeSide.self)
    return true
  }

  /// A float that is no less, with room for the rounding of the sums that led to the number.
  private static func roundedUp(_ value: Double) -> Float {
    Float(value * (1 + 0x1p-22))
  }
}

/// From products of codes to estimates of distances. Trivial: hot loops copy it out.
package struct CodeMetric: Equatable, Sendable {
  /// K: what an estimate needs besides its key to be a distance.
  package let constant: Double
  private let weight: Double
  let centerNorm: Double
  /// How much of the largest number that a distance is computed from may be lost to rounding, in an
  /// estimate and in an exact distance together.
  private let rounding: Double
  /// The largest number beside the vectors' own: 1 where distances are 1 less a product.
  private let unit: Double

  init(space: Space, dimension: Int, centerSquare: Double) {
    constant = space == .l2 ? 0 : 1 - centerSquare
    weight = space == .l2 ? 2 : 1
    centerNorm = space == .l2 ? 0 : centerSquare.squareRoot()
    // Kernels sum at least 8 floats side by side.
    rounding = Double(dimension / 8 + 64) * 0x1p-24
    unit = space == .l2 ? 0 : 1
  }

  /// The estimated distance less `constant`, which is the same for all: what graphs compare.
  @inline(__always)
  package func key(_ a: CodeSide, _ b: CodeSide, product: Int32) -> Float {
    Float(
      Double(a.bias) + Double(b.bias)
        - weight * (Double(a.scale) * Double(b.scale)) * Double(product))
  }

  /// Whether codes are as near to each other as those of one vector may be that was rounded in two
  /// ways: twice the errors that both have, from two codes with such a key.
  @inline(__always)
  func isNearlyEqual(_ a: CodeSide, _ b: CodeSide, key: Float) -> Bool {
    let product = (Double(a.bias) + Double(b.bias) - Double(key)) / weight
    let (normA, errorA) = (Double(a.norm), Double(a.error))
    let (normB, errorB) = (Double(b.norm), Double(b.error))
    return normA * normA + normB * normB - 2 * product
      <= 4 * (errorA * errorA + errorB * errorB)
  }

  /// How far the distance that is measured exactly can lie from the estimated one, at most.
  @inline(__always)
  package func bound(_ a: CodeSide, _ b: CodeSide) -> Double {
    let (normA, errorA) = (Double(a.norm), Double(a.error))
    let (normB, errorB) = (Double(b.norm), Double(b.error))
    let length = normA + errorA + normB + errorB + 2 * centerNorm
    return weight * (normA * errorB + normB * errorA + errorA * errorB)
      + rounding * (length * length + unit)
  }
}
