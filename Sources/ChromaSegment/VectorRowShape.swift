// How vectors stand in a segment: rows of one type, as `ChromaKernels` measures them, at equal
// distances.

package import ChromaBase
internal import ChromaKernels

/// The rows of a segment's vectors.
package struct VectorRowShape: Equatable, Sendable {
  package let type: VectorType
  package let dimension: Int
  /// From one row to the next, in elements of the type.
  let stride: Int

  /// Bytes from one row to the next.
  package var strideByteCount: Int { stride * type.elementByteCount }

  /// Bytes of a row, without what fills it up.
  package var rowByteCount: Int { type.rowByteCount(dimension: dimension) }

  private static let lineByteCount = 64

  init(type: VectorType, dimension: Int, stride: Int) {
    self.type = type
    self.dimension = dimension
    self.stride = stride
  }

  /// How vectors are written: in a blob in whole cache lines, where they add at most an eighth; else
  /// one close after the other, in whole floats, so that what follows is aligned.
  init(type: VectorType, dimension: Int, isInline: Bool) {
    let byteCount = type.rowByteCount(dimension: dimension)
    let padded = (byteCount + Self.lineByteCount - 1) / Self.lineByteCount * Self.lineByteCount
    let aligned = (byteCount + 3) / 4 * 4
    let isPadded = !isInline && padded - byteCount <= byteCount / 8
    self.init(
      type: type, dimension: dimension,
      stride: (isPadded ? padded : aligned) / type.elementByteCount)
  }

  /// Whether the stride is one that could be written.
  var isPossible: Bool {
    stride <= Int(UInt32.max)
      && (rowByteCount..<rowByteCount + Self.lineByteCount).contains(strideByteCount)
  }

  /// The number that stands for a type in a segment; nil where it is not said.
  static func number(of type: VectorType) -> UInt8? {
    switch type {
    case .f32: nil
    case .f16: 1
    case .bf16: 2
    case .int8: 3
    }
  }

  static func type(number: UInt8) -> VectorType? {
    VectorType.allCases.first { Self.number(of: $0) == number }
  }
}
