import ChromaIndex
import ChromaTestSupport
import Testing

/// The k best of a stream are the first k of the sorted stream, whatever k, the order of arrival and
/// the ties.
@Suite struct TopKTests {
  struct Offer {
    let slot: UInt32
    let distance: Float
    let order: UInt64

    /// Numbers by size, −0 and 0 equal; then NaN; then by order.
    static func isBefore(_ a: Offer, _ b: Offer) -> Bool {
      if a.distance.isNaN != b.distance.isNaN { return b.distance.isNaN }
      if a.distance != b.distance && !a.distance.isNaN { return a.distance < b.distance }
      return a.order < b.order
    }
  }

  private func best(_ limit: Int, of offers: [Offer]) -> [Neighbor] {
    var best = TopK(limit: limit, streamCount: offers.count)
    for offer in offers {
      best.offer(offer.slot, offer.distance) { slot in
        precondition(slot == offer.slot)
        return offer.order
      }
    }
    return best.neighbors()
  }

  private func stream(_ random: inout SeededRandom, count: Int) -> [Offer] {
    let distinct = random.element(of: [1, 2, 5, count + 1])
    let specials: [Float] = [.nan, -.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude]
    let orders = (0..<UInt64(count)).map { $0 * 3 + 1 }.shuffled(using: &random)
    var offers = (0..<count).map { index in
      let special = random.oneIn(6)
      let plain = Float(random.int(in: -distinct...distinct)) / 4
      return Offer(
        slot: UInt32(index), distance: special ? random.element(of: specials) : plain,
        order: orders[index])
    }
    switch random.int(in: 0...3) {
    case 0: offers.sort(by: Offer.isBefore)
    case 1: offers.sort { Offer.isBefore($1, $0) }
    default: break
    }
    return offers
  }

  @Test("it keeps the first of the sorted stream", arguments: UInt64(1)...60)
  func itKeepsTheFirstOfTheSortedStream(seed: UInt64) {
    var random = SeededRandom(seed)
    let count = random.element(of: [0, 1, 2, 33, 64, 500, 3000])
    let offers = stream(&random, count: count)
    let sorted = offers.sorted(by: Offer.isBefore)
    for limit in [0, 1, 2, 10, 31, 32, 33, count / 2, count - 1, count, count + 5, .max] {
      let found = best(limit, of: offers)
      #expect(
        found.map(\.slot) == sorted.prefix(max(0, limit)).map(\.slot),
        "seed \(seed), \(limit) of \(count)")
      for (neighbor, offer) in zip(found, sorted) {
        #expect(
          neighbor.distance == offer.distance || neighbor.distance.isNaN && offer.distance.isNaN,
          "seed \(seed), \(limit) of \(count)")
      }
    }
  }

  @Test func theBestFiveAreTheFirstOfTheBestTen() {
    for seed in UInt64(100)...140 {
      var random = SeededRandom(seed)
      let offers = stream(&random, count: 200)
      let ten = best(10, of: offers).map(\.slot)
      #expect(best(5, of: offers.shuffled(using: &random)).map(\.slot) == Array(ten.prefix(5)))
    }
  }
}
