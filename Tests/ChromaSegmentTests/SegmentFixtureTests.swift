import ChromaBase
import ChromaSegment
import Testing

/// Segments of format 1 are read for good. Method: the bytes of one that has every section, as they
/// were first written, against the rows that they are.
@Suite struct SegmentFixtureTests {
  private static let rows = ModelRows(
    rows: [
      ModelRows.Row(
        id: "a", order: 1, slot: 0, vector: [1, 0], inverseNorm: 1, document: "hello", uri: nil,
        metadata: Metadata([
          .init("b", .bool(true)), .init("f", .float(0.5)), .init("i", .int(-3)),
          .init("s", .string("x")),
        ])),
      ModelRows.Row(
        id: "é", order: 2, slot: 7, vector: [0, 0], inverseNorm: 0, document: nil, uri: "file:///u",
        metadata: nil),
      ModelRows.Row(
        id: "ccc", order: 5, slot: 3, vector: [3, -4], inverseNorm: 0.2, document: "", uri: "",
        metadata: Metadata([
          .init("b", .bools([true, false])), .init("f", .floats([1, -2])),
          .init("i", .int(1 << 40)), .init("j", .ints([5, 5])), .init("s", .strings(["", "yz"])),
        ])),
    ], dimension: 2, space: .cosine)

  private static let fixture = """
    0000803f00000000000000000000000000004040000080c00000803f00000000cdcc4c3e01010001000104010000
    00070361c3a96363630101000100020500000101000000962af87e44137d6ef2183ee797c1cdcb8f32402be248b8
    ff68656c6c6f020500010005010000000000000001000566696c653a2f2f2f750206010000000909010100000000
    0000e03f000000000000f03f00000000000000c00000780000797a08000000010000006201010000000000000100
    00006205010000000001000202000000000000000001000201000000660301000000000000010000006607010000
    00000100020200000000000000000100020100000069020200000000000102000108fd0300000000010000010000
    006a0601000000000100020200000000000000000100020101000501000000730401000000000000010000000000
    00000001000101000000730801000000000100020200000000000000000100020200000000000000010001020300
    00000101000400000501000000020406010304050700000101010001001800000000000000020001000c00000000
    000000030001000d0000000000000004000100060000000000000005000100260000000000000006000100050000
    00000000000700010011000000000000000800010009000000000000000900010008000000000000000a00010021
    000000000000000b000100e40000000000000089010000000000000300000002000000020000000b000200012345
    6789ab4def8123456789abcdef03000000000000000100000000000000ffffffffffffff7f010000002e55a73f2b
    0b9b4743534731
    """

  private var bytes: [UInt8] {
    let digits = Self.fixture.utf8.compactMap { Hexadecimal.value(of: $0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  @Test("a segment of format 1 is read as what was written")
  func read() throws {
    let segment = try Segment(
      inline: bytes, source: "fixture", cache: DocumentBlockCache(byteCountMax: 0))
    #expect(try segment.firstDifference(from: Self.rows) == nil)
    #expect(segment.description.collection == ModelRows.description.collection)
    try segment.verifyAll()
  }

  @Test("the same rows are written as the same bytes")
  func write() throws {
    let written = try SegmentWriter.encode(Self.rows, ModelRows.description) ?? []
    let text = written.map {
      "\(Hexadecimal.digits[Int($0 >> 4)])\(Hexadecimal.digits[Int($0 & 15)])"
    }
    #expect(written == bytes, "\(text.joined())")
  }
}
