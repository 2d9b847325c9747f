// Vectors to search in, of every shape that makes an index wrong or slow, and the judge of what is
// found in them. A shape, its sizes and a seed give the same vectors on every platform.

package import ChromaBase
package import ChromaIndex

/// What the vectors of a set are like.
package enum VectorShape: String, CaseIterable, Sendable {
  /// Gaussian around the origin in a space of 16 dimensions, turned into all of them: what embeddings
  /// are like, whose intrinsic dimension is a few tens.
  case gaussian
  /// Gaussian in every dimension: no structure to follow.
  case unstructured
  /// Round clusters of 50 far apart from each other.
  case clustered
  /// Four of five vectors are copies of another.
  case duplicates
  /// A common offset a hundred times as long as the differences.
  case offset
  /// One vector a thousand times as far away as the others.
  case outlier
  /// Clusters of 150 whose members differ by less than a code of a byte a dimension tells.
  case tightClusters
  /// One vector, again and again.
  case equal
  /// All zeros, but for one vector in ten.
  case zeros
  /// Lengths from 2⁻⁷ to 2⁸, which ip and l2 see and cosine does not.
  case lengths
}

/// Vectors and queries like them, none of which is in the set.
package struct VectorSet: Sendable, CustomStringConvertible {
  package let shape: VectorShape
  package let seed: UInt64
  package let rows: [[Float]]
  package let queries: [[Float]]

  package init(
    _ shape: VectorShape, count: Int, queryCount: Int = 0, dimension: Int, seed: UInt64
  ) {
    self.shape = shape
    self.seed = seed
    var generator = Generator(shape, count: count, dimension: dimension, seed: seed)
    var rows: [[Float]] = []
    rows.reserveCapacity(count)
    for row in 0..<count {
      let isCopy = shape == .duplicates && row > 0 && !generator.random.oneIn(5)
      rows.append(isCopy ? generator.random.element(of: rows) : generator.vector())
    }
    if shape == .outlier, count > 0 {
      rows[count / 2] = rows[count / 2].map { $0 * 1000 }
    }
    self.rows = rows
    queries = (0..<queryCount).map { _ in generator.vector() }
  }

  package var description: String { "\(shape), seed \(seed), \(rows.count) vectors" }

  /// The rows in a table, row i in slot i.
  package func table(_ space: Space) throws(ChromaError) -> VectorTable {
    let table = try VectorTable(dimension: rows[0].count, space: space)
    for (slot, row) in rows.enumerated() {
      try row.withUnsafeBufferPointer { row throws(ChromaError) in
        try table.set(UInt32(slot), to: row)
      }
    }
    return table
  }
}

extension VectorSet {
  private struct Generator {
    let shape: VectorShape
    let dimension: Int
    var random: SeededRandom
    /// The images of the unit vectors of the space in which a Gaussian is drawn.
    let axes: [[Float]]
    let centers: [[Float]]

    init(_ shape: VectorShape, count: Int, dimension: Int, seed: UInt64) {
      self.shape = shape
      self.dimension = dimension
      random = SeededRandom(seed)
      let scale = 1 / Float(dimension).squareRoot()
      axes = gaussians(min(16, dimension), dimension, scale, &random)
      let centerCount =
        switch shape {
        case .clustered: max(1, count / 50)
        case .tightClusters: max(1, count / 150)
        default: 1
        }
      centers = gaussians(centerCount, dimension, shape == .offset ? 100 : 1, &random)
    }

    mutating func vector() -> [Float] {
      switch shape {
      case .gaussian, .duplicates, .outlier: return inner()
      case .unstructured: return noise(1)
      case .clustered: return plus(random.element(of: centers), noise(0.2))
      case .offset: return plus(centers[0], inner())
      case .tightClusters: return plus(random.element(of: centers), noise(0.001))
      case .equal: return centers[0]
      case .zeros: return random.oneIn(10) ? inner() : Array(repeating: 0, count: dimension)
      case .lengths:
        let length = Float(
          sign: .plus, exponent: random.int(in: -7...7),
          significand: Float.random(in: 1..<2, using: &random))
        return inner().map { $0 * length }
      }
    }

    private mutating func noise(_ scale: Float) -> [Float] {
      gaussians(1, dimension, scale, &random)[0]
    }

    private mutating func inner() -> [Float] {
      var vector = [Float](repeating: 0, count: dimension)
      for axis in axes {
        let weight = gaussian(&random)
        for index in vector.indices { vector[index] += weight * axis[index] }
      }
      return vector
    }

    private func plus(_ left: [Float], _ right: [Float]) -> [Float] {
      zip(left, right).map { $0 + $1 }
    }
  }
}

private func gaussians(
  _ count: Int, _ dimension: Int, _ scale: Float, _ random: inout SeededRandom
) -> [[Float]] {
  (0..<count).map { _ in (0..<dimension).map { _ in gaussian(&random) * scale } }
}

/// A number of the standard normal distribution, nearly: the sum of twelve uniform ones. It needs no
/// logarithm, whose last digit differs between libraries.
private func gaussian(_ random: inout SeededRandom) -> Float {
  let bits = (random.next(), random.next(), random.next())
  var sum: UInt64 = 0
  for word in [bits.0, bits.1, bits.2] {
    sum += (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + word >> 48
  }
  return Float(Int64(sum) - 6 * 0xFFFF) / 0x10000
}

/// Judges what a search found by the scan that measures everything.
package struct RecallJudge {
  private var hitCount = 0
  private var wantedCount = 0

  package init() {}

  /// The share of the wanted that was found, over all answers judged.
  package var recall: Double { wantedCount == 0 ? 1 : Double(hitCount) / Double(wantedCount) }

  /// Judges one answer to a query for the `count` nearest. Whatever is as near as the last of the
  /// true answer is a hit: which of equals is returned does not count.
  package mutating func judge(
    _ found: [Neighbor], _ count: Int, to query: [Float], in table: VectorTable,
    among candidates: Bitset
  ) {
    let nearest = query.withUnsafeBufferPointer { query in
      ExactScan.nearest(
        count, to: query, in: table, among: candidates, order: { UInt64($0) }, poll: {})
    }
    wantedCount += nearest.count
    guard let last = nearest.last else { return }
    let slots = Set(found.filter { $0.distance <= last.distance }.map(\.slot))
    hitCount += min(nearest.count, slots.filter { candidates.contains($0) }.count)
  }
}
