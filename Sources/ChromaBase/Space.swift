// How the distance between two vectors is measured.

/// The distance of a collection. Raw values are the names that users write.
package enum Space: String, CaseIterable, Sendable {
  /// The squared Euclidean distance, Σ(aᵢ − bᵢ)².
  case l2
  /// 1 − a·b ∕ (‖a‖‖b‖); 1 where a vector is all zeros.
  case cosine
  /// 1 − a·b; may be negative.
  case ip
}
