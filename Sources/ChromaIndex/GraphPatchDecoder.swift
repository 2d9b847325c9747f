// From patches to graphs. See `GraphPatch`.

package import ChromaBase

extension GraphPatch {
  /// Numbers of codes that would let estimates of distances leave the floats.
  private static let sideMax: Float = 0x1p62
  private static let biasMax: Float = 0x1p123
  private static let centerMax: Float = 0x1p60

  /// The graph that the patch makes.
  ///
  /// - Parameter previous: what it changes; not looked at by a complete one.
  /// - Throws: `.corruption`, also if the patch does not belong to that graph; `.resourceExhausted`.
  package func graph(after previous: Graph?) throws(ChromaError) -> Graph {
    var graph: Graph
    if isComplete {
      graph = try emptyGraph()
    } else {
      guard let previous, previous.quantizer.dimension == dimension,
        previous.quantizer.space == space, previous.maxNeighbors == maxNeighbors
      else { throw damage("it does not belong to the graph that it should change") }
      graph = previous
    }
    let slotCountMax = PatchHeader.slotCountMax(
      byteCount: bytes.count, previous: isComplete ? nil : previous)
    guard header.slotCount <= slotCountMax else {
      throw damage("its \(header.slotCount) slots are too many for its \(bytes.count) bytes")
    }
    try changeMembers(of: &graph)
    try readLists(into: &graph)
    return graph
  }

  private func emptyGraph() throws(ChromaError) -> Graph {
    var center: [Float] = []
    center.reserveCapacity(dimension)
    for index in 0..<dimension {
      let bits = bytes.loadUnaligned(
        fromByteOffset: PatchHeader.byteCount + 4 * index, as: UInt32.self)
      let number = Float(bitPattern: UInt32(littleEndian: bits))
      guard abs(number) <= Self.centerMax else { throw damage("its center is none") }
      center.append(number)
    }
    return Graph(quantizer: Quantizer(space: space, center: center), maxNeighbors: maxNeighbors)
  }

  // MARK: Nodes

  private func changeMembers(of graph: inout Graph) throws(ChromaError) {
    let entryBefore = graph.entry
    graph.setEntry(nil)
    for slot in removedSlots {
      guard graph.members.contains(slot) else { throw damage("it removes slot \(slot), no node") }
      graph.removeMember(slot)
    }
    try graph.reserve(slotCount: header.slotCount)
    try readCodes(into: &graph)
    guard graph.memberCount == memberCount else {
      throw damage("it makes a graph of \(graph.memberCount) nodes, not of \(memberCount)")
    }
    guard let entry = header.entry else { return }
    guard graph.members.contains(entry) else { throw damage("its entry is no node") }
    // The entry before was as high as any node then, so only where it is higher must others be asked.
    let level = graph.level(of: entry)
    let isLower = entryBefore.map { level < graph.level(of: $0) } ?? true
    for slot in codedSlots where graph.level(of: slot) > level {
      throw damage("its entry is lower than slot \(slot)")
    }
    if isLower {
      for slot in graph.members where graph.level(of: slot) > level {
        throw damage("its entry is lower than slot \(slot)")
      }
    }
    graph.setEntry(entry)
  }

  private func readCodes(into graph: inout Graph) throws(ChromaError) {
    let quantizer = graph.quantizer
    let row = UnsafeMutableRawBufferPointer.allocate(
      byteCount: quantizer.rowByteCount, alignment: 64)
    defer { row.deallocate() }
    row.initializeMemory(as: UInt8.self, repeating: 0)
    var offset = codesOffset
    for slot in codedSlots {
      let code = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + header.codeByteCount])
      row.copyMemory(from: UnsafeRawBufferPointer(rebasing: code[..<dimension]))
      let side = CodeSide(
        scale: Self.float(in: code, at: dimension), bias: Self.float(in: code, at: dimension + 4),
        error: Self.float(in: code, at: dimension + 8),
        norm: Self.float(in: code, at: dimension + 12))
      guard (0...Self.sideMax).contains(side.scale), abs(side.bias) <= Self.biasMax,
        (0...Self.sideMax).contains(side.error), (0...Self.sideMax).contains(side.norm),
        Self.isCode(UnsafeRawBufferPointer(row), byteCount: quantizer.codeByteCount)
      else { throw damage("the code of slot \(slot) is none") }
      row.storeBytes(of: side, toByteOffset: quantizer.codeByteCount, as: CodeSide.self)
      try graph.setCode(slot, from: UnsafeRawPointer(row.baseAddress!))
      try graph.insertMember(slot)
      offset += header.codeByteCount
    }
  }

  private static func float(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Float {
    Float(
      bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    )
  }

  /// Whether no byte is −128. The byte count is a multiple of 8. Eight bytes at once: taking ones from
  /// bytes of which one is zero borrows into its highest bit.
  private static func isCode(_ row: UnsafeRawBufferPointer, byteCount: Int) -> Bool {
    let (ones, highest) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
    guard let start = row.baseAddress else { return true }
    var found: UInt64 = 0
    for offset in stride(from: 0, to: byteCount, by: 8) {
      let bytes = start.load(fromByteOffset: offset, as: UInt64.self) ^ highest
      found |= (bytes &- ones) & ~bytes
    }
    return found & highest == 0
  }

  // MARK: Lists

  private func readLists(into graph: inout Graph) throws(ChromaError) {
    var lists = PatchListReader(self, graph)
    defer { lists.deallocate() }
    for slot in linkedSlots {
      guard graph.members.contains(slot) else { throw damage("it links slot \(slot), no node") }
      for level in 0...graph.level(of: slot) {
        let list = try lists.next(slot, level: level, in: graph)
        try graph.setLinks(slot, level: level, list)
      }
    }
    guard lists.isAtEnd else { throw damage("its lists are too few or too many for their bytes") }
    if !removedSlots.isEmpty { try lists.expectNodes(in: graph, except: Bitset(linkedSlots)) }
  }
}

/// Reads lists and checks each.
private struct PatchListReader {
  private let patch: GraphPatch
  private let slotWidth: Int
  private var bits: PatchBits
  /// For each slot the number of the list that named it last; `noNode` if it is no node.
  private let lastLists: UnsafeMutableBufferPointer<UInt64>
  private var listNumber: UInt64 = 0
  /// The list that was read last.
  private let list: UnsafeMutableBufferPointer<UInt32>

  private static let noNode = UInt64.max

  init(_ patch: GraphPatch, _ graph: Graph) {
    self.patch = patch
    slotWidth = patch.header.slotWidth
    let byteCount = patch.bytes.count - PatchHeader.tailByteCount - patch.listsOffset
    // Behind the lists stand the eight bytes that may be read beyond them.
    bits = PatchBits(patch.bytes.baseAddress! + patch.listsOffset, byteCount: byteCount)
    lastLists = .allocate(capacity: max(1, graph.slotCount))
    lastLists.initialize(repeating: Self.noNode)
    for slot in graph.members { lastLists[Int(slot)] = 0 }
    list = .allocate(capacity: graph.linkCountMax(level: 0))
    list.initialize(repeating: Graph.noSlot)
  }

  func deallocate() {
    lastLists.deallocate()
    list.deallocate()
  }

  var isAtEnd: Bool { bits.isAtEnd() }

  /// The next list of the patch: that of a node at one of its levels.
  mutating func next(
    _ slot: UInt32, level: Int, in graph: Graph
  ) throws(ChromaError) -> Slice<UnsafeMutableBufferPointer<UInt32>> {
    let countMax = graph.linkCountMax(level: level)
    let countWidth = PatchHeader.bitCount(of: countMax)
    guard bits.has(1 + countWidth) else { throw cutShort }
    let count =
      bits.read(1) == 0
      ? try readWhole(countWidth, countMax)
      : try readChanged(
        graph.layout.list(slot, level: level), countWidth: countWidth, countMax: countMax)
    withExtendedLifetime(graph) {}
    listNumber += 1
    lastLists[Int(slot)] = listNumber
    for index in 0..<count {
      let neighbor = Int(list[index])
      // Smaller than this list's number: a node, and not named here before.
      guard neighbor < lastLists.count, lastLists[neighbor] < listNumber else {
        throw patch.damage("slot \(slot) has \(neighbor) as a neighbor, wrongly or twice")
      }
      lastLists[neighbor] = listNumber
      if level > 0, graph.level(of: list[index]) < level {
        throw patch.damage("slot \(slot) has \(neighbor) as a neighbor on level \(level)")
      }
    }
    return list[..<count]
  }

  private mutating func readWhole(
    _ countWidth: Int, _ countMax: Int
  ) throws(ChromaError) -> Int {
    let count = Int(bits.read(countWidth))
    guard count <= countMax, bits.has(count * slotWidth) else { throw cutShort }
    for index in 0..<count { list[index] = bits.read(slotWidth) }
    return count
  }

  private mutating func readChanged(
    _ before: UnsafeBufferPointer<UInt32>, countWidth: Int, countMax: Int
  ) throws(ChromaError) -> Int {
    guard bits.has(before.count + countWidth) else { throw cutShort }
    var keptCount = 0
    for neighbor in before where bits.read(1) == 0 {
      list[keptCount] = neighbor
      keptCount += 1
    }
    let addedCount = Int(bits.read(countWidth))
    if addedCount == 0 { return keptCount }
    let count = keptCount + addedCount
    guard count <= countMax, bits.has(count + addedCount * slotWidth) else { throw cutShort }
    // The places first, then the added ones: both are read at once.
    var places = bits
    bits.skip(count)
    return try spread(keptCount, addedCount, &places)
  }

  /// Puts kept and added neighbors at their places.
  private mutating func spread(
    _ keptCount: Int, _ addedCount: Int, _ places: inout PatchBits
  ) throws(ChromaError) -> Int {
    let count = keptCount + addedCount
    return try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(1, keptCount)) {
      (kept) throws(ChromaError) in
      for index in 0..<keptCount { kept.initializeElement(at: index, to: list[index]) }
      var next = 0
      for index in 0..<count {
        if places.read(1) == 1 {
          list[index] = bits.read(slotWidth)
        } else if next < keptCount {
          list[index] = kept[next]
          next += 1
        } else {
          throw patch.damage("a changed list has more places than neighbors")
        }
      }
      guard next == keptCount else {
        throw patch.damage("a changed list has more neighbors than places")
      }
      return count
    }
  }

  /// Checks that nobody links to what is no node any more.
  func expectNodes(in graph: Graph, except checked: Bitset) throws(ChromaError) {
    let layout = graph.layout
    for slot in graph.members where !checked.contains(slot) {
      for level in 0...graph.level(of: slot) {
        for neighbor in layout.list(slot, level: level)
        where lastLists[Int(neighbor)] == Self.noNode {
          throw patch.damage("slot \(slot) keeps \(neighbor), no node any more, as a neighbor")
        }
      }
    }
    withExtendedLifetime(graph) {}
  }

  private var cutShort: ChromaError { patch.damage("its lists are cut short") }
}
