// Writing patches, in bounded memory: what is written is counted first, then goes out as it is read.

package import ChromaBase

/// What of a graph goes into a patch.
package struct GraphPatchEncoder {
  private let graph: Graph
  private let previous: Graph?
  private let header: PatchHeader
  private let coded: Bitset
  private let removed: Bitset
  private let linked: Bitset

  /// The whole graph.
  ///
  /// - Parameter label: its `previousGeneration` is not looked at.
  package init(_ graph: Graph, label: GraphPatch.Label) {
    var label = label
    label.previousGeneration = 0
    self.init(
      graph, previous: nil, label: label, coded: graph.members, removed: Bitset(),
      linked: graph.members)
  }

  /// What has become of a graph.
  ///
  /// - Parameters:
  ///   - previous: as the patches before make it, with the same quantizer and `maxNeighbors`.
  ///   - codes: every slot whose code may have changed, new ones included.
  ///   - links: every slot of which some list may have changed, new ones included.
  package init(
    _ graph: Graph, after previous: Graph, codes: Bitset, links: Bitset, label: GraphPatch.Label
  ) {
    precondition(
      graph.quantizer == previous.quantizer && graph.maxNeighbors == previous.maxNeighbors)
    var coded = codes.intersection(graph.members)
    coded.formUnion(graph.members.subtracting(previous.members))
    var linked = Bitset()
    for slot in links.union(coded).intersection(graph.members)
    where PatchLists.differ(slot, in: graph, from: previous) {
      linked.insert(slot)
    }
    self.init(
      graph, previous: previous, label: label, coded: coded,
      removed: previous.members.subtracting(graph.members), linked: linked)
  }

  private init(
    _ graph: Graph, previous: Graph?, label: GraphPatch.Label, coded: Bitset, removed: Bitset,
    linked: Bitset
  ) {
    self.graph = graph
    self.previous = previous
    self.coded = coded
    self.removed = removed
    self.linked = linked
    let slotCount = max(graph.members.end, removed.end)
    var header = PatchHeader(
      label: label, dimension: graph.quantizer.dimension, space: graph.quantizer.space,
      isComplete: previous == nil, maxNeighbors: graph.maxNeighbors, slotCount: slotCount,
      memberCount: graph.memberCount, entry: graph.entry)
    header.coded = header.slotSet(of: coded.count)
    header.removed = header.slotSet(of: removed.count)
    header.linked = header.slotSet(of: linked.count)
    let codesByteCount = header.coded.count * header.codeByteCount
    if slotCount > PatchHeader.slotCountMax(byteCount: codesByteCount, previous: previous) {
      header.coded.form = .bits
    }
    self.header = header
  }

  /// Whether the graph is what it was.
  package var isEmpty: Bool {
    previous?.entry == graph.entry && coded.isEmpty && removed.isEmpty && linked.isEmpty
  }

  /// Codes that will stand in it.
  package var codeCount: Int { header.coded.count }

  /// The bytes that `write` will write. Looks at every list that it will.
  package var byteCount: Int {
    var lists = PatchLists(graph, after: previous, slotWidth: header.slotWidth)
    var bitCount = 0
    for slot in linked {
      for level in 0...graph.level(of: slot) { bitCount += lists.bitCount(slot, level) }
    }
    let center = previous == nil ? 4 * header.dimension : 0
    let slots = [header.coded, header.removed, header.linked].reduce(0) {
      $0 + $1.byteCount(slotCount: header.slotCount, width: header.slotWidth)
    }
    return PatchHeader.byteCount + center + slots + header.coded.count * header.codeByteCount
      + (bitCount + 7) / 8 + PatchHeader.tailByteCount
  }

  /// Writes the patch in pieces, each borrowed to `sink` for the call.
  ///
  /// - Returns: its bytes.
  @discardableResult
  package func write(
    to sink: @escaping (UnsafeRawBufferPointer) throws(ChromaError) -> Void
  ) throws(ChromaError) -> Int {
    var output = PatchOutput(to: sink)
    try output.write(header.encoded())
    if previous == nil { try writeCenter(to: &output) }
    try writeSlots(coded, header.coded, to: &output)
    try writeSlots(removed, header.removed, to: &output)
    try writeSlots(linked, header.linked, to: &output)
    try writeCodes(to: &output)
    var lists = PatchLists(graph, after: previous, slotWidth: header.slotWidth)
    for slot in linked {
      for level in 0...graph.level(of: slot) { try lists.write(slot, level, to: &output) }
    }
    output.endBits()
    try output.write([UInt8](repeating: 0, count: PatchHeader.tailByteCount - 4))
    try output.flush()
    var checksum = ByteWriter()
    checksum.write(output.checksum)
    try output.write(checksum.bytes)
    try output.flush()
    return output.byteCount
  }

  private func writeCenter(to output: inout PatchOutput) throws(ChromaError) {
    var center = ByteWriter(byteCountExpected: 4 * header.dimension)
    for number in graph.quantizer.center { center.write(number.bitPattern) }
    try output.write(center.bytes)
  }

  private func writeSlots(
    _ slots: Bitset, _ set: PatchHeader.SlotSet, to output: inout PatchOutput
  ) throws(ChromaError) {
    switch set.form {
    case .bits:
      var bytes = ByteWriter(byteCountExpected: slots.words.count * 8)
      for word in slots.words { bytes.write(word) }
      let byteCount = set.byteCount(slotCount: header.slotCount, width: header.slotWidth)
      let missing = max(0, byteCount - bytes.bytes.count)
      try output.write(Array(bytes.bytes.prefix(byteCount)) + [UInt8](repeating: 0, count: missing))
    case .numbers:
      for slot in slots { try output.writeBits(slot, header.slotWidth) }
      output.endBits()
    }
  }

  private func writeCodes(to output: inout PatchOutput) throws(ChromaError) {
    let layout = graph.layout
    for slot in coded {
      let row = UnsafeRawPointer(layout.codeRow(slot))
      try output.write(UnsafeRawBufferPointer(start: row, count: header.dimension))
      let side = layout.side(slot)
      for number in [side.scale, side.bias, side.error, side.norm] {
        try output.writeWord(number.bitPattern)
      }
    }
    withExtendedLifetime(graph) {}
  }
}

extension PatchHeader {
  /// The shorter way to write so many slots.
  fileprivate func slotSet(of count: Int) -> SlotSet {
    SlotSet(count: count, form: count * slotWidth < slotCount ? .numbers : .bits)
  }
}

/// Writes lists of a graph, as changes of those before where that is shorter.
private struct PatchLists {
  private let graph: Graph
  private let previous: Graph?
  private let layout: Graph.Layout
  private let previousLayout: Graph.Layout?
  private let slotWidth: Int
  /// For each neighbor of the list before, whether it is in the new one, and for each of the new one
  /// whether it is added.
  private var isDropped: [Bool]
  private var isAdded: [Bool]

  init(_ graph: Graph, after previous: Graph?, slotWidth: Int) {
    self.graph = graph
    self.previous = previous
    self.slotWidth = slotWidth
    layout = graph.layout
    previousLayout = previous?.layout
    isDropped = Array(repeating: true, count: graph.linkCountMax(level: 0))
    isAdded = Array(repeating: true, count: graph.linkCountMax(level: 0))
  }

  /// Whether some list of a node is another one than it was.
  static func differ(_ slot: UInt32, in graph: Graph, from previous: Graph) -> Bool {
    let (layout, previousLayout) = (graph.layout, previous.layout)
    let wasMember = previous.members.contains(slot)
    return withExtendedLifetime((graph, previous)) {
      (0...graph.level(of: slot)).contains { level in
        let list = layout.list(slot, level: level)
        return wasMember
          ? !list.elementsEqual(previousLayout.list(slot, level: level)) : !list.isEmpty
      }
    }
  }

  /// What a list takes when it is written.
  mutating func bitCount(_ slot: UInt32, _ level: Int) -> Int {
    let list = layout.list(slot, level: level)
    let countWidth = PatchHeader.bitCount(of: layout.linkCountMax(level: level))
    let change = change(of: list, slot, level)
    return 1 + countWidth + (change?.bitCount ?? list.count * slotWidth)
  }

  mutating func write(
    _ slot: UInt32, _ level: Int, to output: inout PatchOutput
  ) throws(ChromaError) {
    let list = layout.list(slot, level: level)
    let countWidth = PatchHeader.bitCount(of: layout.linkCountMax(level: level))
    guard let change = change(of: list, slot, level) else {
      try output.writeBits(0, 1)
      try output.writeBits(UInt32(list.count), countWidth)
      for neighbor in list { try output.writeBits(neighbor, slotWidth) }
      return
    }
    try output.writeBits(1, 1)
    for index in 0..<change.beforeCount { try output.writeBits(isDropped[index] ? 1 : 0, 1) }
    try output.writeBits(UInt32(change.addedCount), countWidth)
    if change.addedCount == 0 { return }
    for index in list.indices { try output.writeBits(isAdded[index] ? 1 : 0, 1) }
    for index in list.indices where isAdded[index] {
      try output.writeBits(list[index], slotWidth)
    }
  }

  /// What makes a list out of the one before, if that is shorter than the list.
  private mutating func change(
    of list: UnsafeBufferPointer<UInt32>, _ slot: UInt32, _ level: Int
  ) -> (bitCount: Int, beforeCount: Int, addedCount: Int)? {
    guard let previous, let previousLayout, previous.members.contains(slot) else { return nil }
    let before = previousLayout.list(slot, level: level)
    let addedCount = compare(before, list)
    let bitCount = before.count + (addedCount == 0 ? 0 : list.count + addedCount * slotWidth)
    return bitCount < list.count * slotWidth ? (bitCount, before.count, addedCount) : nil
  }

  /// Finds what of a list is in the new one, in the same order. Returns how many are added.
  private mutating func compare(
    _ before: UnsafeBufferPointer<UInt32>, _ list: UnsafeBufferPointer<UInt32>
  ) -> Int {
    for index in before.indices { isDropped[index] = true }
    var next = 0
    var addedCount = 0
    for (index, neighbor) in list.enumerated() {
      if let found = before[next...].firstIndex(of: neighbor) {
        isDropped[found] = false
        isAdded[index] = false
        next = found + 1
      } else {
        isAdded[index] = true
        addedCount += 1
      }
    }
    return addedCount
  }
}

extension Graph.Layout {
  /// The neighbors of a node on one of its levels.
  @inline(__always)
  func list(_ slot: UInt32, level: Int) -> UnsafeBufferPointer<UInt32> {
    let list = links(slot, level: level)
    let countMax = linkCountMax(level: level)
    var count = 0
    while count < countMax, list[count] != Graph.noSlot { count &+= 1 }
    return UnsafeBufferPointer(start: list, count: count)
  }
}
