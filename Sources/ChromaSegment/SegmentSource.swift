// What a segment is written from.

package import ChromaBase

/// Rows in ascending order, read at random: the tail, a segment, or several of them merged.
///
/// The writer makes a pass for each column, more where there is much metadata, so it buffers no more
/// than one column's index. Ids are unique, orders ascend from 1, slots are unique.
package protocol SegmentSource {
  /// 1 to `Limits.segmentRowCountMax`.
  var rowCount: Int { get }
  var dimension: Int { get }
  var space: Space { get }
  /// How vectors are stored; it holds their elements as they are.
  var vectorType: VectorType { get }

  func id(_ row: Int) throws(ChromaError) -> Text
  func order(_ row: Int) -> Int64
  /// The log position at which the row's vector was set: its order, or a later one.
  func vectorPosition(_ row: Int) -> Int64
  func slot(_ row: Int) -> UInt32
  /// Calls the body with the row's vector, of `dimension` floats, which lives as long as the call.
  func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError)
  /// Asked for in cosine space only.
  func inverseNorm(_ row: Int) -> Float
  func document(_ row: Int) throws(ChromaError) -> Text?
  func uri(_ row: Int) throws(ChromaError) -> Text?
  /// Nil rather than empty.
  func metadata(_ row: Int) throws(ChromaError) -> Metadata?
}
