// The graph of a collection's vectors: hierarchical navigable small world (Malkov and Yashunin,
// arXiv 1603.09320) over codes.
//
// A node is a slot. Every member has a code and, on each level from 0 to its own, a list of
// neighbors: at most `maxNeighbors`, on level 0 twice as many, cut off by `Graph.noSlot` where it is
// not full. A slot's level follows from its number, so nothing has to remember it.
//
// The graph is a value. A search holds a copy and is not disturbed by what the builder does to
// another; copies share what they have in common (see GraphMemory).
//
// Invariants:
//   * Neighbors on a level are members whose level is at least that, none of them the node itself,
//     and each once.
//   * The entry is a member, of the highest level that any member has; there is none only if there
//     are no members.
//   * A member has a list, empty at least, on each of its levels.

package import ChromaBase
import Glibc

/// Unchecked because all that it refers to is written only by the value that holds it alone.
package struct Graph: @unchecked Sendable {
  /// What ends a list that is not full.
  package static let noSlot: UInt32 = .max
  /// Slots are below it.
  package static let slotEnd: UInt32 = 1 << 31
  /// Even in graphs of two neighbors a level: the share of the slots above it is one in 2¹⁶.
  package static let levelMax = 16

  package let quantizer: Quantizer
  /// M: neighbors of a node on the levels above 0, and links that a new node begins with.
  package let maxNeighbors: Int
  /// The slots that are nodes.
  package private(set) var members = Bitset()
  package private(set) var memberCount = 0
  /// Where searches begin.
  package private(set) var entry: UInt32?

  private var codes: GraphMemory
  private var links: GraphMemory
  /// The lists above level 0, in the order of their slots.
  private var upperLinks: GraphMemory
  /// The number of each slot's first list in `upperLinks`. Follows from the slot, so it is written
  /// once, when room is made.
  private var firstUpperLists = GraphMemory(rowByteCount: MemoryLayout<UInt32>.size)
  private var upperListCount = 0

  /// - Parameter maxNeighbors: 2 to 512.
  package init(quantizer: Quantizer, maxNeighbors: Int) {
    precondition((2...512).contains(maxNeighbors))
    self.quantizer = quantizer
    self.maxNeighbors = maxNeighbors
    let listByteCount = maxNeighbors * MemoryLayout<UInt32>.size
    codes = GraphMemory(rowByteCount: quantizer.rowByteCount)
    links = GraphMemory(rowByteCount: 2 * listByteCount)
    upperLinks = GraphMemory(rowByteCount: listByteCount)
  }

  /// Bytes of memory, shared ones included.
  package var byteCount: Int {
    codes.byteCount + links.byteCount + upperLinks.byteCount + firstUpperLists.byteCount
  }

  /// Slots below it have room; a slot at or past it is no member.
  package var slotCount: Int { min(codes.rowCount, links.rowCount, firstUpperLists.rowCount) }

  /// The highest level of a slot: l or more with probability maxNeighbors⁻ˡ, always the same for the
  /// same slot, so that a slot that is used again has the same lists.
  package static func level(of slot: UInt32, maxNeighbors: Int) -> Int {
    // The finalizer of MurmurHash3: every bit of the slot sways every bit.
    var hash = UInt64(slot) &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
    hash ^= hash >> 33
    var level = 0
    var threshold = UInt64.max / UInt64(maxNeighbors)
    while hash < threshold, level < levelMax {
      level += 1
      threshold /= UInt64(maxNeighbors)
    }
    return level
  }

  package func level(of slot: UInt32) -> Int {
    Self.level(of: slot, maxNeighbors: maxNeighbors)
  }

  /// How long a list on the level may be.
  package func linkCountMax(level: Int) -> Int {
    level == 0 ? 2 * maxNeighbors : maxNeighbors
  }
}

// MARK: - Reading

extension Graph {
  /// Where everything stands, for hot loops: trivial, so that they pay for no reference count and no
  /// check of exclusive access. Good while the graph it came from lives unchanged. Slots must be
  /// below the graph's `slotCount`, levels at most the slot's own: nothing is checked.
  package struct Layout {
    package let metric: CodeMetric
    package let codeByteCount: Int
    package let maxNeighbors: Int
    let codes: RowTable
    let links: RowTable
    let upperLinks: RowTable
    let firstUpperLists: RowTable

    /// The slot's code, its side behind it.
    @inline(__always)
    package func codeRow(_ slot: UInt32) -> UnsafePointer<Int8> {
      UnsafePointer(codes.row(slot).assumingMemoryBound(to: Int8.self))
    }

    /// Whether two slots have the same code and side.
    func hasEqualCodes(_ a: UInt32, _ b: UInt32) -> Bool {
      memcmp(codeRow(a), codeRow(b), codes.rowByteCount) == 0
    }

    @inline(__always)
    func mutableCodeRow(_ slot: UInt32) -> UnsafeMutableRawPointer {
      codes.row(slot)
    }

    @inline(__always)
    package func side(_ slot: UInt32) -> CodeSide {
      side(of: codeRow(slot))
    }

    /// The side of a row, of the graph or of a query.
    @inline(__always)
    package func side(of row: UnsafePointer<Int8>) -> CodeSide {
      UnsafeRawPointer(row).load(fromByteOffset: codeByteCount, as: CodeSide.self)
    }

    /// The slot's neighbors on a level: up to `linkCountMax(level:)`, ended by `noSlot` if fewer.
    @inline(__always)
    package func links(_ slot: UInt32, level: Int) -> UnsafePointer<UInt32> {
      UnsafePointer(mutableLinks(slot, level: level))
    }

    @inline(__always)
    package func linkCountMax(level: Int) -> Int {
      level == 0 ? 2 &* maxNeighbors : maxNeighbors
    }

    @inline(__always)
    func mutableLinks(_ slot: UInt32, level: Int) -> UnsafeMutablePointer<UInt32> {
      if level == 0 { return links.row(slot).assumingMemoryBound(to: UInt32.self) }
      return upperLinks.row(upperList(slot, level: level)).assumingMemoryBound(to: UInt32.self)
    }

    @inline(__always)
    func upperList(_ slot: UInt32, level: Int) -> UInt32 {
      firstUpperLists.row(slot).load(as: UInt32.self) &+ UInt32(truncatingIfNeeded: level &- 1)
    }
  }

  package var layout: Layout {
    Layout(
      metric: quantizer.metric, codeByteCount: quantizer.codeByteCount, maxNeighbors: maxNeighbors,
      codes: codes.table, links: links.table, upperLinks: upperLinks.table,
      firstUpperLists: firstUpperLists.table)
  }

  /// The member's neighbors on one of its levels.
  package func neighbors(of slot: UInt32, level: Int) -> [UInt32] {
    precondition(members.contains(slot) && level <= self.level(of: slot))
    let list = layout.links(slot, level: level)
    return withExtendedLifetime(self) {
      Array(
        UnsafeBufferPointer(start: list, count: linkCountMax(level: level))
          .prefix { $0 != Self.noSlot })
    }
  }
}

extension Graph {
  /// Whether two slots have the same code and side.
  func hasEqualCodes(_ a: UInt32, _ b: UInt32) -> Bool {
    withExtendedLifetime(self) { layout.hasEqualCodes(a, b) }
  }
}

// MARK: - Changing

extension Graph {
  /// Makes room for the slots below `slotCount`, which is at most `slotEnd`.
  ///
  /// - Throws: `ChromaError.resourceExhausted` when there is no memory, as all changes do.
  package mutating func reserve(slotCount: Int) throws(ChromaError) {
    precondition(slotCount <= Int(Self.slotEnd))
    guard slotCount > self.slotCount else { return }
    let known = firstUpperLists.rowCount
    if slotCount > known {
      try firstUpperLists.reserve(rowCount: slotCount)
      // Whole chunks at once, so that none of them is written again when others share it.
      upperListCount = try numberUpperLists(from: known)
    }
    try upperLinks.reserve(rowCount: upperListCount)
    try links.reserve(rowCount: slotCount)
    try codes.reserve(rowCount: slotCount)
  }

  private mutating func numberUpperLists(from known: Int) throws(ChromaError) -> Int {
    let table = firstUpperLists.table
    var count = upperListCount
    for slot in UInt32(known)..<UInt32(firstUpperLists.rowCount) {
      table.row(slot).storeBytes(of: UInt32(count), as: UInt32.self)
      count += level(of: slot)
    }
    return count
  }

  /// Copies a row of the quantizer to the slot.
  package mutating func setCode(
    _ slot: UInt32, from row: UnsafeRawPointer
  ) throws(ChromaError) {
    try reserve(slotCount: Int(slot) + 1)
    try codes.makeWritable(slot)
    codes.table.row(slot).copyMemory(from: row, byteCount: quantizer.rowByteCount)
  }

  /// Replaces a list. The slot is a member, the level at most its own.
  package mutating func setLinks(
    _ slot: UInt32, level: Int, _ neighbors: some Collection<UInt32>
  ) throws(ChromaError) {
    let countMax = linkCountMax(level: level)
    precondition(members.contains(slot) && level <= self.level(of: slot))
    precondition(neighbors.count <= countMax)
    try makeLinksWritable(slot, level: level)
    let list = layout.mutableLinks(slot, level: level)
    var count = 0
    for neighbor in neighbors {
      list[count] = neighbor
      count += 1
    }
    while count < countMax {
      list[count] = Self.noSlot
      count += 1
    }
  }

  /// Makes a slot with a code a node, without neighbors so far. No entry follows from it.
  package mutating func insertMember(_ slot: UInt32) throws(ChromaError) {
    precondition(Int(slot) < slotCount)
    guard members.insert(slot) else { return }
    memberCount += 1
    for level in 0...level(of: slot) {
      try setLinks(slot, level: level, EmptyCollection())
    }
  }

  /// Makes a slot no node any more; nobody may link to it, nor may it be the entry.
  package mutating func removeMember(_ slot: UInt32) {
    if members.remove(slot) { memberCount -= 1 }
  }

  package mutating func setEntry(_ slot: UInt32?) {
    precondition(slot.map(members.contains) ?? true)
    entry = slot
  }

  /// Makes the row's memory this value's alone, so that `layout.mutableCodeRow` may be written to.
  mutating func makeCodeWritable(_ slot: UInt32) throws(ChromaError) {
    try codes.makeWritable(slot)
  }

  /// Makes the list's memory this value's alone, so that `layout.mutableLinks` may be written to.
  mutating func makeLinksWritable(_ slot: UInt32, level: Int) throws(ChromaError) {
    if level == 0 {
      try links.makeWritable(slot)
    } else {
      try upperLinks.makeWritable(layout.upperList(slot, level: level))
    }
  }
}
