import ChromaBase
import ChromaTestSupport
import Glibc
import Testing

@testable import ChromaIndex

/// Damaged patches are an error that names them: never a trap, a hang, a large allocation or a graph
/// that breaks a rule. Method: every bit and every length of small patches; then bytes forged under a
/// checksum that holds, after which a graph may come of it, but only one that holds every invariant.
@Suite struct GraphPatchDamageTests {
  /// A graph, what it was before, and the patches that make both.
  private struct Pair {
    let before: Graph
    let after: Graph
    let complete: [UInt8]
    let change: [UInt8]

    init(slotCount: Int, using random: inout SeededRandom) throws {
      var model = RandomGraph(slotCount: slotCount, using: &random)
      try model.change(slotCount, using: &random)
      before = model.graph
      (model.codes, model.links) = (Bitset(), Bitset())
      try model.change(slotCount / 2, using: &random)
      after = model.graph
      complete = try GraphPatchTests.bytes(
        of: GraphPatchEncoder(before, label: GraphPatchTests.label))
      change = try GraphPatchTests.bytes(
        of: GraphPatchEncoder(
          after, after: before, codes: model.codes, links: model.links,
          label: GraphPatchTests.label))
    }
  }

  @Test("every flipped bit and every length is found")
  func everyBit() throws {
    var random = SeededRandom(5)
    let pair = try Pair(slotCount: 12, using: &random)
    for (whole, previous) in [(pair.complete, nil), (pair.change, pair.before)] {
      var bytes = whole
      for offset in bytes.indices {
        for bit in 0..<8 {
          bytes[offset] ^= 1 << bit
          let error = #expect(throws: ChromaError.self, "byte \(offset), bit \(bit)") {
            try GraphPatchTests.graph(bytes, after: previous)
          }
          #expect(error?.kind == .corruption)
          #expect(error?.message.contains("patch under test") == true)
          bytes[offset] ^= 1 << bit
        }
        #expect(throws: ChromaError.self, "\(offset) bytes") {
          try GraphPatchTests.graph(Array(bytes[..<offset]), after: previous)
        }
      }
      #expect(throws: ChromaError.self) { try GraphPatchTests.graph(bytes + [0], after: previous) }
    }
  }

  @Test("forged patches give an error, or a graph that holds every rule")
  func forged() throws {
    let count = getenv("CHROMA_TEST_LONG") == nil ? 300 : 10_000
    for seed in 0..<UInt64(count) {
      var random = SeededRandom(seed)
      let pair = try Pair(slotCount: random.element(of: [3, 20, 150]), using: &random)
      for _ in 0..<40 {
        let isComplete = random.oneIn(2)
        let bytes = forge(isComplete ? pair.complete : pair.change, using: &random)
        do throws(ChromaError) {
          let graph = try GraphPatchTests.graph(bytes, after: isComplete ? nil : pair.before)
          #expect(graph.violation == nil, "seed \(seed)")
          #expect(graph.members.end < 512 * bytes.count + 8192, "seed \(seed)")
        } catch {
          #expect(error.kind == .corruption || error.kind == .unsupportedFormat, "seed \(seed)")
        }
      }
    }
  }

  /// Changes some bytes, preferably of the header, and makes the checksum hold.
  private func forge(_ whole: [UInt8], using random: inout SeededRandom) -> [UInt8] {
    var bytes = Array(whole.dropLast(4))
    for _ in 0..<random.int(in: 1...3) {
      let isHeader = random.oneIn(2)
      let end = isHeader ? min(PatchHeader.byteCount, bytes.count) : bytes.count
      let offset = random.int(in: (isHeader ? 40 : 0)...end - 1)
      switch random.int(in: 0...5) {
      case 0: bytes[offset] ^= 1 << UInt8(random.int(in: 0...7))
      case 1: bytes[offset] = random.element(of: [0, 1, 2, 127, 128, 255])
      case 2: bytes[offset] &+= 1
      case 3:
        // A count that is little wrong, or very.
        let number = random.element(of: [0, 1, 1 << 12, 1 << 31, .max, .max - 1] as [UInt32])
        let start = offset / 4 * 4
        for byte in 0..<4 where start + byte < bytes.count {
          bytes[start + byte] = UInt8(truncatingIfNeeded: number >> UInt32(8 * byte))
        }
      case 4 where offset > 92: bytes.removeSubrange(offset...)
      default: bytes.insert(UInt8(random.int(in: 0...255)), at: offset)
      }
    }
    return sealed(bytes)
  }

  private func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var checksum = ByteWriter()
    checksum.write(CRC32C.checksum(of: bytes))
    return bytes + checksum.bytes
  }

  @Test("a patch of another graph, or of none, is refused")
  func strangers() throws {
    var random = SeededRandom(9)
    let pair = try Pair(slotCount: 40, using: &random)
    let error = #expect(throws: ChromaError.self) {
      try GraphPatchTests.graph(pair.change, after: nil)
    }
    #expect(error?.message.contains("does not belong") == true)
    let other = Graph(quantizer: Quantizer(space: .l2, center: [1, 2]), maxNeighbors: 5)
    #expect(throws: ChromaError.self) { try GraphPatchTests.graph(pair.change, after: other) }
    let empty = Graph(quantizer: pair.before.quantizer, maxNeighbors: pair.before.maxNeighbors)
    #expect(throws: ChromaError.self) { try GraphPatchTests.graph(pair.change, after: empty) }
  }

  @Test("a newer format is refused as such")
  func newerFormat() throws {
    var random = SeededRandom(10)
    let pair = try Pair(slotCount: 5, using: &random)
    var bytes = Array(pair.complete.dropLast(4))
    bytes[4] = 2
    let error = #expect(throws: ChromaError.self) {
      try GraphPatchTests.graph(sealed(bytes), after: nil)
    }
    #expect(error?.kind == .unsupportedFormat)
  }

  @Test("a few bytes that speak of billions of slots are refused before memory is taken for them")
  func farSlots() throws {
    let quantizer = Quantizer(space: .ip, center: [0])
    let before = Graph(quantizer: quantizer, maxNeighbors: 2)
    var header = PatchHeader(
      label: GraphPatchTests.label, dimension: 1, space: .ip, isComplete: false, maxNeighbors: 2,
      slotCount: 1 << 31, memberCount: 1, entry: (1 << 31) - 1)
    header.coded = PatchHeader.SlotSet(count: 1, form: .numbers)
    (header.removed.form, header.linked.form) = (.numbers, .numbers)
    let slot: [UInt8] = [255, 255, 255, 127]
    let code = [UInt8](repeating: 0, count: 17)
    let bytes = sealed(header.encoded() + slot + code + [UInt8](repeating: 0, count: 8))
    let error = #expect(throws: ChromaError.self) {
      try GraphPatchTests.graph(bytes, after: before)
    }
    #expect(error?.message.contains("too many") == true)
  }
}
