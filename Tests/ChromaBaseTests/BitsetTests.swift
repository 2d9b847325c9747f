import ChromaBase
import ChromaTestSupport
import Testing

/// A bitset is a set of numbers: whatever is done to it, a `Set` to which the same was done holds
/// the same members.
@Suite struct BitsetTests {
  /// Slots around word boundaries come often.
  private func slot(_ random: inout SeededRandom) -> UInt32 {
    let word = random.int(in: 0...9)
    let bit = random.oneIn(2) ? random.element(of: [0, 1, 62, 63]) : random.int(in: 0...63)
    return UInt32(word * 64 + bit)
  }

  private func slots(_ random: inout SeededRandom) -> Set<UInt32> {
    let count = random.int(in: 0...60)
    return Set((0..<count).map { _ in slot(&random) })
  }

  @Test("it holds what a set of numbers holds", arguments: UInt64(1)...15)
  func itHoldsWhatASetHolds(seed: UInt64) {
    var random = SeededRandom(seed)
    var model: Set<UInt32> = []
    var bitset = Bitset()
    for step in 0..<300 {
      switch random.int(in: 0...9) {
      case 0...3:
        let slot = slot(&random)
        #expect(bitset.insert(slot) == model.insert(slot).inserted)
      case 4...6:
        let slot = slot(&random)
        #expect(bitset.remove(slot) == (model.remove(slot) != nil))
      case 7:
        let other = slots(&random)
        bitset.formUnion(Bitset(other))
        model.formUnion(other)
      case 8:
        let other = slots(&random).union(model.filter { $0 % 3 != 0 })
        bitset.formIntersection(Bitset(other))
        model.formIntersection(other)
      default:
        let other = slots(&random)
        bitset.subtract(Bitset(other))
        model.subtract(other)
      }
      #expect(Array(bitset) == model.sorted(), "seed \(seed), step \(step)")
      #expect(bitset.count == model.count && bitset.isEmpty == model.isEmpty)
      #expect(bitset == Bitset(model), "seed \(seed), step \(step)")
      let probe = slot(&random)
      #expect(bitset.contains(probe) == model.contains(probe), "seed \(seed), step \(step)")
    }
  }

  @Test func combinationsLeaveTheirOperandsAlone() {
    var random = SeededRandom(50)
    for _ in 0..<200 {
      let (a, b) = (slots(&random), slots(&random))
      let (left, right) = (Bitset(a), Bitset(b))
      #expect(Array(left.union(right)) == a.union(b).sorted())
      #expect(Array(left.intersection(right)) == a.intersection(b).sorted())
      #expect(Array(left.subtracting(right)) == a.subtracting(b).sorted())
      #expect(Array(left) == a.sorted() && Array(right) == b.sorted())
      #expect((left == right) == (a == b))
    }
  }

  @Test func theFirstSlotsAreAllOfThemAndNoMore() {
    for count in 0...200 {
      #expect(Array(Bitset(firstSlots: count)) == (0..<UInt32(count)).map { $0 })
    }
  }

  @Test func slotsFarBeyondTheLastAreNotInTheSet() {
    var bitset = Bitset([3])
    #expect(!bitset.contains(.max))
    let wasThere = bitset.remove(.max)
    #expect(!wasThere)
    #expect(Array(bitset) == [3])
  }

  @Test func movingABitsetMovesEachSlot() {
    var random = SeededRandom(51)
    for _ in 0..<200 {
      let (a, b) = (slots(&random), slots(&random))
      let distance = random.element(of: [0, 1, 63, 64, 65, 127, 128, random.int(in: 0...400)])
      var moved = Bitset(a)
      moved.formUnion(Bitset(b), movedBy: distance)
      #expect(Array(moved) == a.union(b.map { $0 + UInt32(distance) }).sorted())
    }
  }

  @Test func rangesAreCountedCutAndSearched() {
    var random = SeededRandom(52)
    for _ in 0..<300 {
      let members = slots(&random)
      let bitset = Bitset(members)
      let lower = Int(slot(&random))
      let upper = max(lower, Int(slot(&random)))
      #expect(
        bitset.count(in: lower..<upper) == members.count { (lower..<upper).contains(Int($0)) })
      #expect(bitset.first(from: lower) == members.filter { $0 >= lower }.min().map(Int.init))
      var cut = bitset
      cut.removeSlots(below: lower)
      #expect(Array(cut) == members.filter { $0 >= lower }.sorted())
    }
  }
}
