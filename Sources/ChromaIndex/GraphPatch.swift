// Patches: how a graph stands in blobs. Each makes one generation of a graph out of the one before; the
// first one is complete. `docs/FORMAT.md` has the bytes:
//
//     | header | center | slots | codes | lists | 8 zeros | CRC-32C of all before |
//
// Invariants:
//   * A graph and what is read from its patches are equal to the bit, order of the links included: every
//     process walks the same graph, whoever built it.
//   * Equal graphs have equal complete patches.
//   * Nothing that is read is believed: what `graph(after:)` returns holds every invariant of `Graph`, so
//     that searches need no check.
//   * Memory is taken for what stands in the patch. No number alone makes it large: see
//     `PatchHeader.slotCountMax`.

package import ChromaBase

/// A patch of a graph in memory, checked on its own. Borrows the bytes: they must outlive it.
package struct GraphPatch {
  /// Where in the life of an index a patch belongs.
  package struct Label: Equatable, Sendable {
    package var collection: UUID
    /// The generation that it changes; 0 in a complete patch.
    package var previousGeneration: Int64
    /// The log position up to which the graph covers the collection's vectors.
    package var position: Int64

    package init(collection: UUID, previousGeneration: Int64, position: Int64) {
      self.collection = collection
      self.previousGeneration = previousGeneration
      self.position = position
    }
  }

  package var label: Label { header.label }
  /// Whether it needs no graph to begin with.
  package var isComplete: Bool { header.isComplete }
  /// Nodes of the graph that it makes.
  package var memberCount: Int { header.memberCount }
  /// Codes that stand in it, of nodes that later patches may remove or give other codes.
  package var codeCount: Int { header.coded.count }
  package var dimension: Int { header.dimension }
  package var space: Space { header.space }
  package var maxNeighbors: Int { header.maxNeighbors }

  let header: PatchHeader
  let bytes: UnsafeRawBufferPointer
  let source: String
  /// Offsets in the bytes: of the codes, and of the lists.
  let codesOffset: Int
  let listsOffset: Int
  let codedSlots: [UInt32]
  let removedSlots: [UInt32]
  let linkedSlots: [UInt32]

  /// - Parameters:
  ///   - bytes: the whole payload of an index blob.
  ///   - source: names it in errors: "index blob …".
  /// - Throws: `.corruption`; `.unsupportedFormat` for that of a newer release.
  package init(_ bytes: UnsafeRawBufferPointer, source: String) throws(ChromaError) {
    let header = try PatchHeader(bytes, source: source)
    let end = bytes.count - PatchHeader.tailByteCount
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<end]), source: source)
    _ = try reader.read(byteCount: PatchHeader.byteCount)
    if header.isComplete { _ = try reader.read(byteCount: 4 * header.dimension) }
    codedSlots = try Self.readSlots(header.coded, of: header, &reader)
    removedSlots = try Self.readSlots(header.removed, of: header, &reader)
    linkedSlots = try Self.readSlots(header.linked, of: header, &reader)
    codesOffset = reader.offset
    // No overflow: both are below 2^32.
    _ = try reader.read(byteCount: codedSlots.count * header.codeByteCount)
    listsOffset = reader.offset
    self.header = header
    self.bytes = bytes
    self.source = source
  }

  /// The error to throw when its bytes make no sense.
  func damage(_ what: String) -> ChromaError {
    .corruption("The \(source) is damaged: \(what).")
  }

  private static func readSlots(
    _ set: PatchHeader.SlotSet, of header: PatchHeader, _ reader: inout ByteReader
  ) throws(ChromaError) -> [UInt32] {
    let raw = try reader.read(
      byteCount: set.byteCount(slotCount: header.slotCount, width: header.slotWidth))
    var slots: [UInt32] = []
    // The bytes are there, and have at least one bit for each.
    guard set.count <= 8 * raw.count else { throw reader.damage("a set of slots is too short") }
    slots.reserveCapacity(set.count)
    switch set.form {
    case .bits:
      for (index, byte) in raw.enumerated() where byte != 0 {
        var rest = byte
        while rest != 0 {
          slots.append(UInt32(8 * index + rest.trailingZeroBitCount))
          rest &= rest - 1
        }
      }
      guard slots.count == set.count, slots.last.map({ Int($0) < header.slotCount }) ?? true else {
        throw reader.damage("a set of slots has not the \(set.count) that it should have")
      }
    case .numbers:
      var number: UInt64 = 0
      var bitCount = 0
      var next = 0
      for _ in 0..<set.count {
        while bitCount < header.slotWidth {
          number |= UInt64(raw[next]) << UInt64(bitCount)
          bitCount += 8
          next += 1
        }
        let slot = UInt32(truncatingIfNeeded: number & (1 << UInt64(header.slotWidth) - 1))
        number >>= UInt64(header.slotWidth)
        bitCount -= header.slotWidth
        guard slot < header.slotCount, slots.last.map({ $0 < slot }) ?? true else {
          throw reader.damage("a set of slots has \(slot) where it should not")
        }
        slots.append(slot)
      }
    }
    return slots
  }
}
