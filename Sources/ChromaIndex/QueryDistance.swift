// From a query to rows of a table: the one definition of distance that scan, graph and re-ranking
// share, so that a record's distance never depends on the path that found it.
//
// Kernels compute in float. Where that overflows although the vectors are finite (the sum of a
// product goes through ∞, or ∞ − ∞), the row is computed again in double, which no float
// overflows; so a distance is NaN only if a vector holds NaN or an infinity, and infinite only if
// the true one is too large for a float. Those rows are rare, and the check costs one comparison.
//
// In cosine space the query is first scaled by a power of two to a length from 1 to 2. That changes
// no digit of it, and leaves only the row's length to overflow or vanish: see `Norm.inverse`.

package import ChromaKernels

/// A query, made ready to be measured against the rows of one table.
///
/// Holds scratch memory: one thread at a time. The table must not be written while it is in use.
package struct QueryDistance: ~Copyable {
  /// Rows that one call of `measure` takes.
  package static let blockCountMax = 256

  private let table: VectorTable
  private let kernels: Kernels
  /// Aligned to a cache line, so that no load of it straddles two.
  private let query: UnsafeMutableBufferPointer<Float>
  private let queryNorm: Norm
  private let rows: UnsafeMutableBufferPointer<UnsafeRawPointer>

  /// Copies `query`, whose dimension is the table's.
  package init(
    _ query: UnsafeBufferPointer<Float>, to table: VectorTable, kernels: Kernels = .best
  ) {
    precondition(query.count == table.dimension)
    self.table = table
    self.kernels = kernels
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: query.count * MemoryLayout<Float>.stride, alignment: 64)
    self.query = memory.bindMemory(to: Float.self)
    _ = self.query.initialize(fromContentsOf: query)
    if table.space == .cosine {
      Self.scaleToUnitExponent(self.query)
    }
    queryNorm = Norm(of: UnsafeBufferPointer(self.query))
    rows = .allocate(capacity: Self.blockCountMax)
  }

  deinit {
    query.deallocate()
    rows.deallocate()
  }

  /// Writes the distance of each slot's row to the front of `distances`.
  ///
  /// - Parameter slots: at most `blockCountMax`, each one set in the table.
  package func measure(
    _ slots: UnsafeBufferPointer<UInt32>, into distances: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(slots.count <= Self.blockCountMax && slots.count <= distances.count)
    let layout = table.layout
    for (index, slot) in slots.enumerated() {
      rows.initializeElement(at: index, to: layout.row(slot))
    }
    let rows = UnsafeBufferPointer(rebasing: self.rows[..<slots.count])
    let query = UnsafeBufferPointer(self.query)
    switch table.space {
    case .l2:
      // A sum of squares cannot come to ∞ − ∞: it is right as it is.
      kernels.squaredL2(query, rows, of: table.type, into: distances)
    case .ip:
      kernels.dot(query, rows, of: table.type, into: distances)
      for index in rows.indices {
        let distance = 1 - distances[index]
        distances[index] = distance.isFinite ? distance : productInDouble(rows[index])
      }
    case .cosine:
      kernels.dot(query, rows, of: table.type, into: distances)
      let inverse = queryNorm.inverse
      for index in rows.indices {
        let distance = 1 - distances[index] * inverse * layout.inverseNorm(slots[index])
        distances[index] = distance.isFinite ? clamped(distance) : cosineInDouble(rows[index])
      }
    }
  }

  private func productInDouble(_ row: UnsafeRawPointer) -> Float {
    table.type.withElements(row, dimension: query.count) { row in
      Float(1 - Kernels.dotInDouble(UnsafeBufferPointer(query), row))
    }
  }

  private func cosineInDouble(_ row: UnsafeRawPointer) -> Float {
    table.type.withElements(row, dimension: query.count) { row in
      let norms = queryNorm.value * Norm(of: row).value
      if norms == 0 { return 1 }
      return clamped(Float(1 - Kernels.dotInDouble(UnsafeBufferPointer(query), row) / norms))
    }
  }

  /// Without the digits by which rounding leaves 0...2: an equal vector is not nearer than near.
  private func clamped(_ distance: Float) -> Float {
    if distance < 0 { return 0 }
    return distance > 2 ? 2 : distance
  }

  private static func scaleToUnitExponent(_ vector: UnsafeMutableBufferPointer<Float>) {
    let norm = Norm(of: UnsafeBufferPointer(vector)).value
    guard norm > 0, norm.isFinite else { return }
    let factor = Double(sign: .plus, exponent: -norm.exponent, significand: 1)
    for index in vector.indices {
      vector[index] = Float(Double(vector[index]) * factor)
    }
  }
}
