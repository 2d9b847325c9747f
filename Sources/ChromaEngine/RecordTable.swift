// The live records of one collection: a version's segments, and over them the tail, which is what
// the log came to since.
//
// A record has an order, its log position when it was inserted, which is never used again and fixes
// the order of `get` and of ties; and a slot, a small number, which is used again after the record
// is deleted. Both stay as they are through updates and compactions.
//
// Invariants:
//   * `locations[s]` says where the live slot s has its newest state. A record that was updated since
//     the version stands in the tail, and refers there to the row that it replaced.
//   * Every live slot has a row in `vectors`.
//   * `inserted` holds every live (order, slot) of records inserted since the version in ascending
//     order, and stale pairs. At most half of it is stale, plus a few.
//   * `replaced` names each row of the version that no longer counts, once. `rowsThatCount` holds, for
//     each segment, the others that are not dead: those whose record has its newest state there.
//   * `slotsInTail` holds the live slots whose newest state stands in the tail, `updatedSlots` those
//     of them that replace a row of the version.
//   * `unindexed` holds every live slot whose vector was set after `indexedPosition`, and no other.
//   * The empty map is stored as nil: official Chroma does not tell them apart either.
//   * The table is a function of the version and of the log after it: every process has the same.

package import ChromaBase
package import ChromaIndex
import ChromaSegment

/// A value: whoever reads a copy is not disturbed by changes to another one. A change costs a copy of
/// the columns where there is such a reader, some 24 bytes a record.
package struct RecordTable {
  package let space: Space
  package let vectorType: VectorType
  let version: CollectionVersion
  /// Nil before the first vector.
  package private(set) var vectors: VectorTable?
  package private(set) var live = Bitset()
  package private(set) var liveCount = 0

  private(set) var locations: [RecordLocation] = []
  private(set) var tail: [TailRecord] = []
  private var freeTailRows: [Int] = []
  /// Of records inserted since the version; others keep their slot.
  private var slotByID: [Text: UInt32] = [:]
  private var freeSlots: [UInt32] = []
  private var inserted: [(order: Int64, slot: UInt32)] = []
  private(set) var replaced: [RecordLocation] = []
  private(set) var rowsThatCount: [Bitset] = []
  private(set) var slotsInTail = Bitset()
  private(set) var updatedSlots = Bitset()
  /// About the bytes that `tail` takes, without vectors.
  private var tailByteCount = 0
  /// Live records whose vector stands in the tail.
  private var tailVectorCount = 0

  /// The log position up to and with which an index covers the vectors; 0 without one.
  private(set) var indexedPosition: Int64
  /// Live slots whose node in the index, if they have one, is not theirs.
  package private(set) var unindexed = Bitset()
  private(set) var unindexedCount = 0

  /// An empty collection.
  package init(space: Space, vectorType: VectorType) {
    self.space = space
    self.vectorType = vectorType
    version = .empty
    indexedPosition = 0
  }

  /// The records of a version.
  ///
  /// - Throws: `.corruption` if its segments contradict each other; `.resourceExhausted`.
  init(
    space: Space, vectorType: VectorType, version: CollectionVersion, indexedPosition: Int64 = 0
  ) throws(ChromaError) {
    self.space = space
    self.vectorType = vectorType
    self.version = version
    self.indexedPosition = indexedPosition
    for index in version.parts.indices { try load(index) }
    // From the top, so that the smallest is taken first.
    for slot in locations.indices.reversed() where !live.contains(UInt32(slot)) {
      freeSlots.append(UInt32(slot))
    }
  }

  private mutating func load(_ index: Int) throws(ChromaError) {
    let part = version.parts[index]
    let segment = part.segment
    rowsThatCount.append(Bitset(firstSlots: segment.rowCount).subtracting(part.dead))
    guard part.liveCount > 0 else { return }
    guard segment.space == space else {
      throw contradiction(part, "measures by \(segment.space.rawValue) and not \(space.rawValue)")
    }
    guard segment.vectorType == vectorType else {
      throw contradiction(
        part, "stores vectors as \(segment.vectorType.rawValue) and not \(vectorType.rawValue)")
    }
    let table = try vectorTable(dimension: segment.dimension)
    for row in 0..<segment.rowCount where !part.dead.contains(UInt32(row)) {
      let slot = segment.slot(row)
      // A slot is given out only when no smaller one is free: there are fewer than positions.
      guard Int64(slot) < version.position, segment.order(row) <= version.position,
        live.insert(slot)
      else {
        throw contradiction(part, "has a record in slot \(slot), which another one has or none can")
      }
      if Int(slot) >= locations.count {
        let missing = Int(slot) + 1 - locations.count
        locations.append(
          contentsOf: repeatElement(RecordLocation(segment: 0, row: 0), count: missing))
      }
      locations[Int(slot)] = RecordLocation(segment: index, row: row)
      let inverseNorm = space == .cosine ? segment.inverseNorm(row) : 0
      table.attach(slot, to: segment.vectorRow(row), inverseNorm: inverseNorm)
      if segment.vectorPosition(row) > indexedPosition { addUnindexed(slot) }
    }
    liveCount += part.liveCount
  }

  private func contradiction(_ part: CollectionVersion.Part, _ what: String) -> ChromaError {
    .corruption("The segment \(part.blobName ?? Text("\(part.id) in the catalog")) \(what).")
  }

  /// About the bytes that the table takes in memory; mapped segments are the operating system's.
  var byteCount: Int {
    // 24: what each slot has in `locations` and in the vectors' layout.
    tailMemoryByteCount + version.memoryByteCount + 24 * locations.count
  }

  /// About the bytes of that which become a segment's when the log is compacted.
  var tailMemoryByteCount: Int {
    tailByteCount + (vectors?.byteCount ?? 0) + 16 * inserted.count
  }

  // MARK: Indexing

  /// Says that another index covers the vectors, up to and with a position; 0 for none.
  mutating func setIndexed(to position: Int64) {
    guard position != indexedPosition else { return }
    // A vector is never set earlier than it was.
    let doubtful = position > indexedPosition ? unindexed : live
    indexedPosition = position
    unindexed = Bitset()
    unindexedCount = 0
    for slot in doubtful where vectorPosition(slot) > position { addUnindexed(slot) }
  }

  private mutating func addUnindexed(_ slot: UInt32) {
    if unindexed.insert(slot) { unindexedCount += 1 }
  }

  /// How many of the unindexed vectors stand in segments, where an index may take them from.
  var indexableCount: Int { unindexedCount - tailVectorCount }

  /// Those of them, in the order in which they were set.
  func indexableSlots() -> [(position: Int64, slot: UInt32)] {
    if indexableCount == 0 { return [] }
    var slots: [(position: Int64, slot: UInt32)] = []
    slots.reserveCapacity(indexableCount)
    for slot in unindexed {
      let position = vectorPosition(slot)
      if position <= version.position { slots.append((position, slot)) }
    }
    return slots.sorted { $0 < $1 }
  }

  // MARK: Reading

  package func slot(of id: Text) throws(ChromaError) -> UInt32? {
    if let slot = slotByID[id] { return slot }
    guard let location = try version.location(of: id) else { return nil }
    let slot = version.slot(at: location)
    return isCurrent(location, in: slot) ? slot : nil
  }

  /// Whether a row of the version still counts: as it is, or as what a tail record goes back to.
  private func isCurrent(_ location: RecordLocation, in slot: UInt32) -> Bool {
    guard live.contains(slot) else { return false }
    let now = locations[Int(slot)]
    return now == location || now.isInTail && tail[now.row].replaced == location
  }

  package func id(_ slot: UInt32) throws(ChromaError) -> Text {
    let location = locations[Int(slot)]
    if location.isInTail { return tail[location.row].id }
    return try version.parts[location.segment].segment.id(location.row)
  }

  package func order(_ slot: UInt32) -> Int64 {
    let location = locations[Int(slot)]
    return location.isInTail ? tail[location.row].order : version.order(at: location)
  }

  /// The log position at which the slot's vector was set.
  package func vectorPosition(_ slot: UInt32) -> Int64 {
    var location = locations[Int(slot)]
    if location.isInTail {
      let record = tail[location.row]
      guard record.vectorPosition == nil, let replaced = record.replaced else {
        return record.vectorPosition ?? record.order
      }
      location = replaced
    }
    return version.vectorPosition(at: location)
  }

  package func document(_ slot: UInt32) throws(ChromaError) -> Text? {
    try field(of: slot, \.document) { (segment, row) throws(ChromaError) in
      try segment.document(row)
    }
  }

  package func uri(_ slot: UInt32) throws(ChromaError) -> Text? {
    try field(of: slot, \.uri) { (segment, row) throws(ChromaError) in try segment.uri(row) }
  }

  /// A record's metadata, of which what stands under other keys than those given may be left out.
  package func metadata(
    _ slot: UInt32, keys: [Text]? = nil
  ) throws(ChromaError) -> Metadata? {
    try field(of: slot, \.metadata) { (segment, row) throws(ChromaError) in
      try segment.metadata(row, keys: keys)
    }
  }

  /// A field as the tail says it, or as the segment does that the tail record goes back to.
  private func field<Value>(
    of slot: UInt32, _ changed: (TailRecord) -> TailRecord.Field<Value>,
    _ stored: (Segment, Int) throws(ChromaError) -> Value?
  ) throws(ChromaError) -> Value? {
    var location = locations[Int(slot)]
    if location.isInTail {
      let record = tail[location.row]
      if case .changed(let value) = changed(record) { return value }
      guard let replaced = record.replaced else { return nil }
      location = replaced
    }
    return try stored(version.parts[location.segment].segment, location.row)
  }

  // MARK: Order of insertion

  /// The records that replace a row of the version, in the order in which they were inserted.
  ///
  /// - Parameter last: The order after which to begin.
  func updatedInOrder(after last: Int64?) -> [(order: Int64, slot: UInt32)] {
    var updated = updatedSlots.map { (order: order($0), slot: $0) }
    if let last { updated.removeAll { $0.order <= last } }
    return updated.sorted { $0 < $1 }
  }

  /// The records that were inserted since the version: each was later than all that are in it.
  func insertedInOrder(after last: Int64?) -> some Sequence<UInt32> {
    var (first, end) = (0, last == nil ? 0 : inserted.count)
    while first < end {
      let middle = (first + end) / 2
      if inserted[middle].order <= last ?? 0 { first = middle + 1 } else { end = middle }
    }
    return inserted[first...].lazy.filter { isCurrent($0) }.map(\.slot)
  }

  private func isCurrent(_ entry: (order: Int64, slot: UInt32)) -> Bool {
    guard live.contains(entry.slot) else { return false }
    let location = locations[Int(entry.slot)]
    return location.isInTail && tail[location.row].order == entry.order
  }

  /// About the bytes of segments and of a log of so many bytes that hold nothing any more, because
  /// the log replaced or deleted it.
  func wastedByteCount(logByteCount: Int) -> Int {
    let vectorByteCount = (vectors?.dimension ?? 0) * MemoryLayout<Float>.stride
    let inUse = tailByteCount + slotsInTail.count * vectorByteCount
    return replaced.reduce(max(0, logByteCount - inUse)) { total, location in
      let part = version.parts[location.segment]
      return total + part.byteCount / max(1, part.segment.rowCount)
    }
  }

  /// What the version's segments take, and what of it is not dead by now.
  var sizes: [CompactionPolicy.Sizes] {
    var replacedCounts = Array(repeating: 0, count: version.parts.count)
    for location in replaced { replacedCounts[location.segment] += 1 }
    return zip(version.parts, replacedCounts).map { part, count in
      .init(
        byteCount: part.byteCount,
        liveByteCount: count == 0
          ? part.liveByteCount
          : part.byteCount / max(1, part.segment.rowCount) * (part.liveCount - count))
    }
  }

  /// The live slots whose newest state is a row of a segment, in the order of the rows.
  func slots(ofSegment index: Int) -> [UInt32] {
    rowsThatCount[index].map { version.parts[index].segment.slot(Int($0)) }
  }

  /// Adds the slots of some rows of a segment.
  func insertSlots(ofSegment index: Int, rows: Bitset, into slots: inout Bitset) {
    let segment = version.parts[index].segment
    if let first = segment.firstSlotOfRun {
      slots.formUnion(rows, movedBy: Int(first))
    } else {
      for row in rows { slots.insert(segment.slot(Int(row))) }
    }
  }

  /// Checks the vectors of slots that stand in segments: to be called before they are measured.
  ///
  /// - Throws: `.corruption` naming the blob.
  package func verifyVectors(of slots: some Sequence<UInt32>) throws(ChromaError) {
    let doubtful = version.parts.map { !$0.segment.areVectorsVerified }
    guard doubtful.contains(true) else { return }
    for slot in slots { try verifyVector(slot, doubtful) }
  }

  private func verifyVector(_ slot: UInt32, _ doubtful: [Bool]) throws(ChromaError) {
    var location = locations[Int(slot)]
    if location.isInTail {
      let record = tail[location.row]
      guard record.vectorPosition == nil, let replaced = record.replaced else { return }
      location = replaced
    }
    guard doubtful[location.segment] else { return }
    try version.parts[location.segment].segment.verifyVectors(rows: location.row..<location.row + 1)
  }

  // MARK: Changes, decided by Materialization

  /// Adds a record at the end.
  ///
  /// - Parameter order: Larger than that of every record so far.
  mutating func insert(
    id: Text, order: Int64, vector: UnsafeBufferPointer<Float>, document: Text?, uri: Text?,
    metadata: Metadata?
  ) throws(ChromaError) {
    let slot = freeSlots.last ?? UInt32(locations.count)
    // First what can fail, so that a failure leaves the table whole.
    let table = try vectorTable(dimension: vector.count)
    try table.set(slot, to: vector)
    let row = append(
      TailRecord(
        id: id, order: order, replaced: nil, document: .changed(document), uri: .changed(uri),
        metadata: .changed(metadata), vectorPosition: order))
    if freeSlots.popLast() == nil {
      locations.append(RecordLocation(tailRow: row))
    } else {
      locations[Int(slot)] = RecordLocation(tailRow: row)
    }
    slotByID[id] = slot
    live.insert(slot)
    liveCount += 1
    slotsInTail.insert(slot)
    tailVectorCount += 1
    addUnindexed(slot)
    inserted.append((order, slot))
  }

  mutating func setVector(
    _ slot: UInt32, to vector: UnsafeBufferPointer<Float>, position: Int64
  ) throws(ChromaError) {
    let table = try vectorTable(dimension: vector.count)
    let row = try tailRow(of: slot)
    try table.set(slot, to: vector)
    if tail[row].vectorPosition == nil { tailVectorCount += 1 }
    tail[row].vectorPosition = position
    addUnindexed(slot)
  }

  mutating func setDocument(_ slot: UInt32, to document: Text?) throws(ChromaError) {
    try change(slot) { $0.document = .changed(document) }
  }

  mutating func setURI(_ slot: UInt32, to uri: Text?) throws(ChromaError) {
    try change(slot) { $0.uri = .changed(uri) }
  }

  mutating func setMetadata(_ slot: UInt32, to metadata: Metadata?) throws(ChromaError) {
    try change(slot) { $0.metadata = .changed(metadata) }
  }

  mutating func remove(_ slot: UInt32) throws(ChromaError) {
    let location = locations[Int(slot)]
    if location.isInTail {
      let record = tail[location.row]
      if record.replaced == nil { slotByID[record.id] = nil }
      if record.vectorPosition != nil { tailVectorCount -= 1 }
      tailByteCount -= record.byteCount
      freeTailRows.append(location.row)
      slotsInTail.remove(slot)
      updatedSlots.remove(slot)
    } else {
      replace(location)
    }
    live.remove(slot)
    liveCount -= 1
    if unindexed.remove(slot) { unindexedCount -= 1 }
    if !isKnownUniquelyReferenced(&vectors) { vectors = vectors?.copy() }
    vectors?.clear(slot)
    freeSlots.append(slot)
    // 64: small tables would be swept at every deletion.
    if inserted.count > 2 * slotByID.count + 64 {
      inserted = inserted.filter { isCurrent($0) }
    }
  }

  private mutating func change(
    _ slot: UInt32, _ body: (inout TailRecord) -> Void
  ) throws(ChromaError) {
    let row = try tailRow(of: slot)
    tailByteCount -= tail[row].byteCount
    body(&tail[row])
    tailByteCount += tail[row].byteCount
  }

  /// The slot's row of the tail, where it is to be changed.
  private mutating func tailRow(of slot: UInt32) throws(ChromaError) -> Int {
    let location = locations[Int(slot)]
    if location.isInTail { return location.row }
    let row = append(
      TailRecord(
        id: try version.parts[location.segment].segment.id(location.row),
        order: version.order(at: location), replaced: location, document: .inherited,
        uri: .inherited, metadata: .inherited, vectorPosition: nil))
    replace(location)
    locations[Int(slot)] = RecordLocation(tailRow: row)
    slotsInTail.insert(slot)
    updatedSlots.insert(slot)
    return row
  }

  private mutating func replace(_ location: RecordLocation) {
    replaced.append(location)
    rowsThatCount[location.segment].remove(UInt32(location.row))
  }

  private mutating func append(_ record: TailRecord) -> Int {
    tailByteCount += record.byteCount
    if let row = freeTailRows.popLast() {
      tail[row] = record
      return row
    }
    tail.append(record)
    return tail.count - 1
  }

  private mutating func vectorTable(dimension: Int) throws(ChromaError) -> VectorTable {
    // Somebody may still be reading a copy of this table, whose vectors must stay as they are.
    if !isKnownUniquelyReferenced(&vectors) { vectors = vectors?.copy() }
    let table: VectorTable
    if let vectors {
      table = vectors
    } else {
      table = try VectorTable(dimension: dimension, space: space, type: vectorType)
    }
    guard table.dimension == dimension else {
      throw .corruption(
        "A vector of the collection has dimension \(dimension), those before it "
          + "\(table.dimension).")
    }
    vectors = table
    return table
  }
}
