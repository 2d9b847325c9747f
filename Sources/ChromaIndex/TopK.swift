// The k best of a stream.
//
// Candidates that beat the k-th best known gather behind the k best; when as many have gathered, one
// sort makes them the k best again. A sort of 2k elements for k new ones costs each candidate
// O(log k), like a heap, for any k and any order of arrival, and leaves nothing to sort at the end
// but the last batch.

/// A record near a query.
package struct Neighbor: Equatable, Sendable {
  package let slot: UInt32
  package let distance: Float

  package init(slot: UInt32, distance: Float) {
    self.slot = slot
    self.distance = distance
  }
}

/// Keeps the `limit` smallest by (distance, order).
///
/// Orders are unique, so the result does not depend on the order of arrival, and the best 5 are the
/// first of the best 10. Every NaN comes after every number.
package struct TopK {
  /// 16 bytes, compared as integers.
  private struct Candidate {
    let distance: OrderedDistance
    let slot: UInt32
    let order: UInt64

    @inline(__always)
    static func < (left: Candidate, right: Candidate) -> Bool {
      left.distance.key != right.distance.key
        ? left.distance.key < right.distance.key : left.order < right.order
    }
  }

  private let limit: Int
  /// How many may gather before they are sorted down to `limit`.
  private let gatherCountMax: Int
  private var candidates: [Candidate] = []
  /// The largest distance that can still be among the best.
  private(set) var distanceMax = OrderedDistance.last

  /// - Parameters:
  ///   - limit: how many to keep; 0 keeps none.
  ///   - streamCount: how many will be offered at most, which bounds the memory taken.
  package init(limit: Int, streamCount: Int) {
    self.limit = max(0, min(limit, streamCount))
    gatherCountMax = self.limit + max(self.limit, 32)
    candidates.reserveCapacity(min(gatherCountMax, streamCount))
  }

  /// Offers a record. `order` is asked only of those that may be among the best.
  @inline(__always)
  package mutating func offer(_ slot: UInt32, _ distance: Float, order: (UInt32) -> UInt64) {
    let distance = OrderedDistance(distance)
    guard distance.key <= distanceMax.key, limit > 0 else { return }
    candidates.append(Candidate(distance: distance, slot: slot, order: order(slot)))
    if candidates.count == gatherCountMax { keepBest() }
  }

  /// The best, nearest first.
  package consuming func neighbors() -> [Neighbor] {
    keepBest()
    return candidates.map { Neighbor(slot: $0.slot, distance: $0.distance.value) }
  }

  mutating func keepBest() {
    candidates.sort(by: <)
    guard candidates.count >= limit else { return }
    candidates.removeLast(candidates.count - limit)
    if let last = candidates.last { distanceMax = last.distance }
  }
}

/// A distance as an integer of the same order: negative ones first, NaN last, −0 as 0.
struct OrderedDistance: Equatable {
  let key: UInt32

  static let last = OrderedDistance(.nan)

  @inline(__always)
  init(_ distance: Float) {
    // Adding 0 turns −0 into 0. Flipping makes the bits of negative numbers, which grow with their
    // magnitude, fall with it, and puts them below the positive ones.
    let bits = (distance + 0).bitPattern
    if distance.isNaN {
      key = .max
    } else {
      key = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
    }
  }

  /// From the key of one.
  init(key: UInt32) {
    self.key = key
  }

  var value: Float {
    if key == .max { return .nan }
    return Float(bitPattern: key >> 31 == 1 ? key & 0x7FFF_FFFF : ~key)
  }
}
