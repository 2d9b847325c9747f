// The live records of one collection in memory: what its log comes to.
//
// A record has an order, its log position when it was inserted, which is never used again and fixes
// the order of `get` and of ties; and a slot, a small number into the columns, which is used again
// after the record is deleted.
//
// Invariants:
//   * `slotByID[ids[s]] == s` exactly for the live slots s.
//   * Every live slot has a row in `vectors`.
//   * `history` holds every live (order, slot) in ascending order, and stale pairs: those whose slot
//     is dead or has another order by now. At most half of it is stale, plus a few.
//   * The empty map is stored as nil: official Chroma does not tell them apart either.

package import ChromaBase
package import ChromaIndex

/// Belongs to a `CollectionState`, whose lock guards it.
package struct RecordTable {
  package let space: Space
  /// Nil before the first vector.
  package private(set) var vectors: VectorTable?
  package private(set) var live = Bitset()
  package private(set) var liveCount = 0

  package private(set) var ids: [Text] = []
  package private(set) var orders: [Int64] = []
  package private(set) var documents: [Text?] = []
  package private(set) var uris: [Text?] = []
  package private(set) var metadatas: [Metadata?] = []

  private var slotByID: [Text: UInt32] = [:]
  private var freeSlots: [UInt32] = []
  private var history: [(order: Int64, slot: UInt32)] = []

  package init(space: Space) {
    self.space = space
  }

  package func slot(of id: Text) -> UInt32? {
    slotByID[id]
  }

  /// The live slots in the order of insertion.
  package var slotsInOrder: some Sequence<UInt32> {
    history.lazy.filter { isCurrent($0) }.map(\.slot)
  }

  private func isCurrent(_ entry: (order: Int64, slot: UInt32)) -> Bool {
    live.contains(entry.slot) && orders[Int(entry.slot)] == entry.order
  }

  // MARK: Changes, decided by Materialization

  /// Adds a record at the end.
  ///
  /// - Parameter order: Larger than that of every record so far.
  mutating func insert(
    id: Text, order: Int64, vector: UnsafeBufferPointer<Float>, document: Text?, uri: Text?,
    metadata: Metadata?
  ) throws(ChromaError) {
    let slot = freeSlots.last ?? UInt32(ids.count)
    // First what can fail, so that a failure leaves the table whole.
    try setVector(slot, to: vector)
    if freeSlots.popLast() == nil {
      ids.append(id)
      orders.append(order)
      documents.append(document)
      uris.append(uri)
      metadatas.append(metadata)
    } else {
      ids[Int(slot)] = id
      orders[Int(slot)] = order
      documents[Int(slot)] = document
      uris[Int(slot)] = uri
      metadatas[Int(slot)] = metadata
    }
    slotByID[id] = slot
    live.insert(slot)
    liveCount += 1
    history.append((order, slot))
  }

  mutating func setVector(
    _ slot: UInt32, to vector: UnsafeBufferPointer<Float>
  ) throws(ChromaError) {
    let table = vectors ?? VectorTable(dimension: vector.count, space: space)
    guard table.dimension == vector.count else {
      throw .corruption(
        "A vector in the log has dimension \(vector.count), those before it \(table.dimension).")
    }
    try table.set(slot, to: vector)
    vectors = table
  }

  mutating func setDocument(_ slot: UInt32, to document: Text) {
    documents[Int(slot)] = document
  }

  mutating func setURI(_ slot: UInt32, to uri: Text) {
    uris[Int(slot)] = uri
  }

  mutating func setMetadata(_ slot: UInt32, to metadata: Metadata?) {
    metadatas[Int(slot)] = metadata
  }

  mutating func remove(_ slot: UInt32) {
    slotByID[ids[Int(slot)]] = nil
    live.remove(slot)
    liveCount -= 1
    documents[Int(slot)] = nil
    uris[Int(slot)] = nil
    metadatas[Int(slot)] = nil
    freeSlots.append(slot)
    // 64: small tables would be swept at every deletion.
    if history.count > 2 * liveCount + 64 {
      history = history.filter { isCurrent($0) }
    }
  }
}
