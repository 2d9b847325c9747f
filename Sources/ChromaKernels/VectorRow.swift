// From vectors to the rows in which they are stored, and back. `chroma_kernels.h` says what a row
// looks like.

import CChromaKernels
package import ChromaBase

extension VectorType {
  /// Bytes of a row.
  package func rowByteCount(dimension: Int) -> Int {
    chroma_row_byte_count(element, dimension)
  }

  /// Bytes of an element.
  package var elementByteCount: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .int8: 1
    }
  }

  /// The largest magnitude that is stored as a number.
  package var magnitudeMax: Float {
    switch self {
    case .f32: .greatestFiniteMagnitude
    case .f16: 65_504
    case .bf16: 0x1.FEp+127
    case .int8: 0x1.FFFFFp+127
    }
  }

  /// Writes the row that holds each element of a vector, or what is nearest to it. What `decode`
  /// read from a row becomes the same row again.
  ///
  /// - Parameter row: room for `rowByteCount(dimension: vector.count)`.
  /// - Returns: the index of the first element that the type cannot hold, if there is one; the row
  ///   is undefined then.
  package func encode(
    _ vector: UnsafeBufferPointer<Float>, into row: UnsafeMutableRawPointer
  ) -> Int? {
    guard let floats = vector.baseAddress else { return nil }
    let count = chroma_row_encode(element, floats, vector.count, row)
    return count == vector.count ? nil : count
  }

  /// Writes the elements of a row, as many as there is room for in `vector`, which is its dimension.
  package func decode(
    _ row: UnsafeRawPointer, into vector: UnsafeMutableBufferPointer<Float>
  ) {
    guard let floats = vector.baseAddress else { return }
    chroma_row_decode(element, row, vector.count, floats)
  }

  /// Calls the body with the elements of a row, which live as long as the call.
  package func withElements<Result, Failure: Error>(
    _ row: UnsafeRawPointer, dimension: Int,
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if self == .f32 {
      return try body(
        UnsafeBufferPointer(
          start: row.assumingMemoryBound(to: Float.self), count: dimension))
    }
    return try withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) {
      (vector) throws(Failure) in
      decode(row, into: vector)
      return try body(UnsafeBufferPointer(vector))
    }
  }

  var element: chroma_element {
    switch self {
    case .f32: CHROMA_ELEMENT_F32
    case .f16: CHROMA_ELEMENT_F16
    case .bf16: CHROMA_ELEMENT_BF16
    case .int8: CHROMA_ELEMENT_INT8
    }
  }
}
