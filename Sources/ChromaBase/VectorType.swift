/// What the elements of a collection's stored vectors are. The names are those of configurations.
package enum VectorType: String, CaseIterable, Sendable {
  case f32
  /// IEEE 754 binary16.
  case f16
  /// The upper half of an `f32`.
  case bf16
  /// Whole numbers of −127 to 127, times a scale of the vector's own.
  case int8
}
