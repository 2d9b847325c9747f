// The Swift face of the C kernels: buffers in, distances out, counts checked.

import CChromaKernels
package import ChromaBase

/// The distance kernels of one instruction set.
///
/// Copy it out of `best` once a search, not once a row. Any thread, any number at once.
package struct Kernels: Sendable {
  // Sound: a constant of the library, immutable and never freed.
  private nonisolated(unsafe) let variant: UnsafePointer<chroma_kernels>

  private init(_ variant: UnsafePointer<chroma_kernels>) {
    self.variant = variant
  }

  /// The one to use on this processor.
  package static let best = Kernels(chroma_kernels_best())

  /// Plain sums in double: the truth that the others are tested against.
  package static var scalar: Kernels { compiled[0] }

  /// Every variant compiled in for this architecture, whether or not this processor supports it;
  /// the scalar one first, then each preferred to the one before.
  package static let compiled: [Kernels] = {
    var variants: [Kernels] = []
    while let variant = chroma_kernels_variant(variants.count) {
      variants.append(Kernels(variant))
    }
    return variants
  }()

  /// The processor's features that bear on kernels, as words: `avx2 fma f16c`.
  package static let processorFeatures = String(cString: chroma_kernels_cpu_features())

  /// `scalar`, `avx2`, `avx512`, `avx512vnni`, `neon`.
  package var name: String { String(cString: variant.pointee.name) }

  /// Whether this processor can run it. Running it where it cannot ends the process.
  package var isSupported: Bool { variant.pointee.is_supported() }

  /// Writes Σ queryᵢ·rowᵢ for each of `rows` to the front of `products`.
  ///
  /// Every row must hold as many elements as `query`, which is not empty.
  package func dot(
    _ query: UnsafeBufferPointer<Float>, _ rows: UnsafeBufferPointer<UnsafeRawPointer>,
    of type: VectorType, into products: UnsafeMutableBufferPointer<Float>
  ) {
    measure(kernels(of: type).dot, query, rows, products)
  }

  /// Writes Σ (queryᵢ−rowᵢ)² for each of `rows` to the front of `distances`.
  ///
  /// Every row must hold as many elements as `query`, which is not empty.
  package func squaredL2(
    _ query: UnsafeBufferPointer<Float>, _ rows: UnsafeBufferPointer<UnsafeRawPointer>,
    of type: VectorType, into distances: UnsafeMutableBufferPointer<Float>
  ) {
    measure(kernels(of: type).squared_l2, query, rows, distances)
  }

  /// Writes Σ queryᵢ·rowᵢ of codes, exactly, for each of `count` rows.
  ///
  /// - Parameters:
  ///   - query: `dimension` elements, −127 to 127, as in each row.
  ///   - dimension: 1 to 65,536, so that no product leaves 32 bits.
  ///   - products: room for `count`.
  @inline(__always)
  package func dotInt8(
    _ query: UnsafePointer<Int8>, dimension: Int, _ rows: UnsafePointer<UnsafePointer<Int8>>,
    count: Int, into products: UnsafeMutablePointer<Int32>
  ) {
    variant.pointee.dot_int8(query, dimension, rows, count, products)
  }

  /// Σ aᵢ·bᵢ in double, where no product of two floats overflows or vanishes.
  package static func dotInDouble(
    _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>
  ) -> Double {
    precondition(a.count == b.count)
    guard let left = a.baseAddress, let right = b.baseAddress else { return 0 }
    return chroma_dot_in_double(left, right, a.count)
  }

  private func kernels(of type: VectorType) -> chroma_row_kernels {
    variant.pointee.rows[Int(type.element.rawValue)]
  }

  private func measure(
    _ kernel: chroma_distance_kernel, _ query: UnsafeBufferPointer<Float>,
    _ rows: UnsafeBufferPointer<UnsafeRawPointer>, _ out: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(!query.isEmpty && rows.count <= out.count)
    guard let elements = query.baseAddress, let first = rows.baseAddress,
      let target = out.baseAddress
    else { return }
    kernel(elements, query.count, first, rows.count, target)
  }
}
