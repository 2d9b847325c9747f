internal import ChromaKernels

/// The length of a vector, summed in double: right for every finite vector of floats.
package struct Norm {
  package let value: Double

  package init(of vector: UnsafeBufferPointer<Float>) {
    value = Kernels.dotInDouble(vector, vector).squareRoot()
  }

  /// The factor that makes a product with the vector a cosine: 1/‖vector‖, and 0 for the zero
  /// vector, so that its product with anything comes to the distance 1.
  ///
  /// NaN for vectors so short that their products with a query of length 1 to 2 near the end of a
  /// float's range, 2⁻¹⁴⁹, and lose digits there; it sends the row to the computation in double. Long
  /// ones need no such care: 1/‖vector‖ loses digits only where the product overflows or the cosine
  /// is small.
  package var inverse: Float {
    if value == 0 { return 0 }
    return value < 0x1p-100 ? .nan : Float(1 / value)
  }
}
