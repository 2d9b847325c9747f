// What every graph must hold, and graphs at random that hold it without being of use to any search.

import ChromaBase
import ChromaTestSupport

@testable import ChromaIndex

extension Graph {
  /// The first invariant that does not hold.
  var violation: String? {
    guard members.count == memberCount else { return "\(memberCount) members are counted" }
    guard (entry == nil) == members.isEmpty else {
      return "the entry is \(String(describing: entry))"
    }
    if let entry, !members.contains(entry) { return "the entry \(entry) is no member" }
    for slot in members {
      if let entry, level(of: slot) > level(of: entry) { return "\(slot) is above the entry" }
      for level in 0...level(of: slot) {
        let list = neighbors(of: slot, level: level)
        if Set(list).count != list.count || list.contains(slot) {
          return "\(slot) has the neighbors \(list)"
        }
        for neighbor in list {
          guard members.contains(neighbor), self.level(of: neighbor) >= level else {
            return "\(slot) has the neighbor \(neighbor) on level \(level)"
          }
        }
      }
    }
    return nil
  }

  /// The first difference to another graph.
  func difference(from other: Graph) -> String? {
    guard members == other.members, memberCount == other.memberCount else { return "members" }
    guard entry == other.entry else { return "entry" }
    guard quantizer == other.quantizer, maxNeighbors == other.maxNeighbors else { return "shape" }
    for slot in members {
      for level in 0...level(of: slot)
      where neighbors(of: slot, level: level) != other.neighbors(of: slot, level: level) {
        return "the neighbors of \(slot) on level \(level)"
      }
      if code(slot) != other.code(slot) { return "the code of \(slot)" }
    }
    return nil
  }

  private func code(_ slot: UInt32) -> [Int8] {
    withExtendedLifetime(self) {
      Array(UnsafeBufferPointer(start: layout.codeRow(slot), count: quantizer.rowByteCount))
    }
  }
}

/// A graph that changes at random, and what it says of its changes.
struct RandomGraph {
  var graph: Graph
  /// Since they were last emptied.
  var codes = Bitset()
  var links = Bitset()
  private let slotCount: Int

  init(slotCount: Int, using random: inout SeededRandom) {
    self.slotCount = slotCount
    let dimension = random.element(of: [1, 3, 8, 63, 64, 65])
    let center = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
    graph = Graph(
      quantizer: Quantizer(space: random.element(of: Space.allCases), center: center),
      maxNeighbors: random.element(of: [2, 3, 8, 16, 200]))
  }

  private func slots(_ count: Int, using random: inout SeededRandom) -> Bitset {
    Bitset((0..<count).map { _ in UInt32(random.int(in: 0...slotCount - 1)) })
  }

  /// Inserts some slots, removes some, gives some other codes, and some other neighbors.
  mutating func change(_ count: Int, using random: inout SeededRandom) throws {
    try remove(slots(random.int(in: 0...count), using: &random))
    for slot in slots(random.int(in: 0...count), using: &random) {
      try setCode(slot, using: &random)
    }
    let touched = slots(random.int(in: 0...count), using: &random).union(codes)
    for slot in touched.intersection(graph.members) {
      for level in 0...graph.level(of: slot) { try link(slot, level, using: &random) }
    }
    graph.setEntry(graph.members.max { graph.level(of: $0) < graph.level(of: $1) })
  }

  private mutating func setCode(_ slot: UInt32, using random: inout SeededRandom) throws {
    let row = UnsafeMutableRawBufferPointer.allocate(
      byteCount: graph.quantizer.rowByteCount, alignment: 64)
    defer { row.deallocate() }
    let vector = (0..<graph.quantizer.dimension).map { _ in Float.random(in: -1...1, using: &random)
    }
    let isCode = vector.withUnsafeBufferPointer {
      graph.quantizer.encode($0, into: row.baseAddress!)
    }
    precondition(isCode)
    try graph.setCode(slot, from: row.baseAddress!)
    try graph.insertMember(slot)
    codes.insert(slot)
  }

  private mutating func link(
    _ slot: UInt32, _ level: Int, using random: inout SeededRandom
  ) throws {
    var list = graph.neighbors(of: slot, level: level)
    // Mostly a change of a few neighbors, as builders make them.
    if random.oneIn(4) { list = [] }
    if random.oneIn(4) { list.shuffle(using: &random) }
    list.removeAll { _ in random.oneIn(8) }
    for _ in 0..<random.int(in: 0...graph.maxNeighbors) where random.oneIn(2) {
      let neighbor = UInt32(random.int(in: 0...slotCount - 1))
      guard graph.members.contains(neighbor), graph.level(of: neighbor) >= level,
        neighbor != slot, !list.contains(neighbor),
        list.count < graph.linkCountMax(level: level)
      else { continue }
      list.insert(neighbor, at: random.int(in: 0...list.count))
    }
    try graph.setLinks(slot, level: level, list)
    links.insert(slot)
  }

  private mutating func remove(_ slots: Bitset) throws {
    let removed = slots.intersection(graph.members)
    for slot in removed { graph.removeMember(slot) }
    for slot in graph.members {
      for level in 0...graph.level(of: slot) {
        let list = graph.neighbors(of: slot, level: level)
        let rest = list.filter { !removed.contains($0) }
        if rest == list { continue }
        try graph.setLinks(slot, level: level, rest)
        links.insert(slot)
      }
    }
    codes.formUnion(removed)
    links.formUnion(removed)
  }
}
