import ChromaKernels

/// The length of a vector, summed in double: right for every finite vector of floats.
struct Norm {
  let value: Double

  init(of vector: UnsafeBufferPointer<Float>) {
    value = Kernels.dotInDouble(vector, vector).squareRoot()
  }

  /// Norms between which 1/‖row‖, and the row's product with a query of length 1 to 2, keep a
  /// float's full precision: well inside the exponents −126 to 127.
  private static let plainRange = 0x1p-100...0x1p100

  /// The factor that makes a product with the vector a cosine: 1/‖vector‖; 0 for the zero vector,
  /// so that its product with anything comes to the distance 1; NaN where floats won't do, which
  /// sends the row to the computation in double.
  var inverse: Float {
    if value == 0 { return 0 }
    return Self.plainRange.contains(value) ? Float(1 / value) : .nan
  }
}
