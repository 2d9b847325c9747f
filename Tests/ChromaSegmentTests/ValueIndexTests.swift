import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// An index changes no answer and no segment needs it: it is written the same whatever memory there
/// is, left out where it does not pay or nobody wants it, and absent when it is damaged. Method: bytes
/// compared; a byte spoilt in the index alone; and damage under checksums that hold, after which "no
/// trap, nothing outside" is asked.
@Suite final class ValueIndexTests {
  private let directory = TemporaryDirectory()
  private let cache = DocumentBlockCache(byteCountMax: 1 << 16)

  private func open(_ bytes: [UInt8]) throws(ChromaError) -> Segment {
    try Segment(inline: bytes, source: "segment under test", cache: cache)
  }

  private func encoded(
    _ rows: ModelRows, _ indexes: SegmentIndexes = SegmentIndexes(rowCountMin: 1),
    metadataByteCountMax: Int = 1 << 25
  ) throws -> [UInt8] {
    try #require(
      try SegmentWriter.encode(
        rows, ModelRows.description, byteCountMax: 1 << 30, indexes: indexes,
        metadataByteCountMax: metadataByteCountMax))
  }

  // MARK: Writing

  @Test("the same bytes are written however little memory there is")
  func boundedMemory() throws {
    for seed in 0..<5 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rows = ModelRows.random(rowCount: 70, using: &random)
      let bytes = try encoded(rows)
      for byteCountMax in [0, 1, 300, 3_000, 30_000] {
        let other = try encoded(rows, metadataByteCountMax: byteCountMax)
        #expect(bytes == other, "seed \(seed), \(byteCountMax) bytes")
      }
    }
  }

  @Test("what is small, or that nobody wants indexed, has no index")
  func leftOut() throws {
    let rows = ModelRows(
      rows: (0..<300).map { row in
        var entries = [Metadata.Entry("a", .int(Int64(row))), .init("s", .string("x"))]
        if row > 100 { entries.append(.init("few", .bool(true))) }
        return ModelRows.Row(
          id: Text("\(row)"), order: Int64(row + 1), slot: UInt32(row), vector: [0],
          metadata: Metadata(entries))
      }, dimension: 1, space: .l2)
    func isIndexed(_ indexes: SegmentIndexes) throws -> [Bool] {
      let segment = try open(try encoded(rows, indexes))
      try segment.verifyAll()
      return try ["a", "few", "s"].map { try #require(segment.columns(of: $0).first).isIndexed }
    }
    #expect(try isIndexed(.all) == [true, false, true])
    #expect(try isIndexed(SegmentIndexes(rowCountMin: 199)) == [true, true, true])
    #expect(try isIndexed(SegmentIndexes(rowCountMin: 301)) == [false, false, false])
    let kinds = SegmentIndexes(kinds: [.int, .bool])
    #expect(try isIndexed(kinds) == [true, false, false])
    let keys = SegmentIndexes(rowCountMin: 1, kindsByKey: ["a": [.string], "few": []])
    #expect(try isIndexed(keys) == [false, false, true])
    let bytes = try encoded(rows, SegmentIndexes(kinds: []))
    #expect(try encoded(rows, SegmentIndexes(rowCountMin: 301)) == bytes)
  }

  @Test("few values and values in order take few bytes")
  func byteCounts() throws {
    func byteCount(_ value: (Int) -> MetadataValue) throws -> Int {
      let rows = ValueColumnTests.rows(of: (0..<4_096).map { value($0) })
      return try encoded(rows).count - encoded(rows, SegmentIndexes(rowCountMin: .max)).count
    }
    // The entry in the directory, and what says where the parts end.
    let head = 12 + 32
    #expect(try byteCount { .int(1_700_000_000 + 60 * Int64($0)) } <= head)
    #expect(try byteCount { _ in .string("the same") } <= head)
    #expect(try byteCount { .bool($0 * 7 % 5 < 2) } <= head + 2 * 512)
    #expect(try byteCount { .int(Int64($0 * 7 % 13)) } <= head + 13 * 512 + 13 * 4)
    #expect(try byteCount { .float(Double($0 * 2_741 % 4_096)) } <= head + 2 * 4_096)
  }

  // MARK: Damage

  @Test("a damaged index is absent, and found by verification", arguments: [true, false])
  func damagedBlob(mapsFiles: Bool) throws {
    let store = BlobStore(
      fileSystem: directory.fileSystem, directory: "\(directory.path)/blobs",
      mapsFiles: mapsFiles)
    let rows = ValueColumnTests.rows(of: (0..<40_000).map { .int(Int64($0 * 7_919 % 40_009)) })
    let writer = try store.writer("a.segment")
    try SegmentWriter.write(rows, ModelRows.description, to: writer)
    try writer.finish()
    let path = store.path(of: "a.segment")
    #expect(try segment(in: store).columns(of: "k").first?.isIndexed == true)
    let file = try directory.fileSystem.open(path, .readWrite)
    // Of the index, 80,000 bytes at the end of the payload, before the blocks' checksums.
    let offset = UInt64(64 + writer.byteCount - 50_000)
    // More than a repair of one bit would mend.
    try file.write(Array("damage".utf8), at: offset)
    file.close()

    let damaged = try segment(in: store)
    let column = try #require(damaged.columns(of: "k").first)
    #expect(!column.isIndexed && column.distinctCount == 0)
    var next = 0
    try column.forEachValue { (row, value) in
      #expect(row == next && value == .int(Int64(row * 7_919 % 40_009)))
      next += 1
    }
    #expect(next == 40_000)
    #expect(throws: ChromaError.self) { try column.postingCount(0..<1) }
    let error = #expect(throws: ChromaError.self) { try damaged.verifyAll() }
    #expect(error?.kind == .corruption && error?.message.contains(path) == true)

    let opened = try directory.fileSystem.open(path, .readOnly)
    let blob = try #require(try BlobRescue(opened, name: "a.segment"))
    let rescue = try SegmentRescue(blob, source: "segment under test")
    let isWhole = rescue.isWhole
    #expect(!isWhole)
    for row in 0..<40_000 where row % 997 == 0 {
      let record = try #require(rescue.record(row))
      #expect(record.lostFields.isEmpty && record.metadata == rows.rows[row].metadata)
    }
  }

  private func segment(in store: BlobStore) throws -> Segment {
    try Segment(blob: try #require(try store.open("a.segment")), cache: cache)
  }

  @Test("an index that says what the column does not is found by verification")
  func wrong() throws {
    var count = 0
    for isList in [true, false] {
      let values = (0..<130).map { MetadataValue.int(Int64(isList ? $0 * 37 % 130 : $0 % 3)) }
      let bytes = try encoded(ValueColumnTests.rows(of: values))
      let section = try #require(SegmentForgery.section(15, of: bytes))
      for offset in section {
        var wrong = bytes
        wrong[offset] ^= 1
        SegmentForgery.sign(&wrong)
        let error = #expect(throws: ChromaError.self, "\(isList), byte \(offset)") {
          try open(wrong).verifyAll()
        }
        #expect(error?.kind == .corruption)
        count += 1
      }
    }
    #expect(count > 150)
  }

  @Test("damage under valid checksums never traps, and names no row that is not there")
  func hostile() throws {
    let count = getenv("CHROMA_TEST_LONG") == nil ? 300 : 100_000
    var random = SeededRandom(1)
    var segments: [[UInt8]] = []
    for _ in 0..<20 {
      let rowCount = random.element(of: [1, 5, 64, 100])
      segments.append(try encoded(ModelRows.random(rowCount: rowCount, using: &random)))
    }
    for seed in 0..<UInt64(count) {
      var random = SeededRandom(seed)
      var bytes = random.element(of: segments)
      guard let section = SegmentForgery.section(15, of: bytes) else { continue }
      for _ in 0..<random.int(in: 1...3) {
        // The heads of the integers that say where the parts end stand last, and hold what matters.
        let count = random.oneIn(3) ? min(24, section.count) : section.count
        let offset = section.upperBound - random.int(in: 1...count)
        bytes[offset] = random.element(of: [
          0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF, UInt8(random.int(in: 0...255)),
        ])
      }
      SegmentForgery.sign(&bytes)
      guard let segment = try? open(bytes) else { continue }
      for key in segment.columnKeys {
        for column in segment.columns(of: key) { use(column, of: segment, seed, using: &random) }
      }
      try? segment.verifyAll()
    }
  }

  /// Asks for everything, in range and not.
  private func use(
    _ column: ValueColumn, of segment: Segment, _ seed: UInt64, using random: inout SeededRandom
  ) {
    let count = column.distinctCount
    let numbers = [0, count - 1, random.int(in: 0...max(1, count)), .max - 1, -1]
    var rows = Bitset()
    var page: [UInt32] = []
    for number in numbers {
      _ = try? column.distinctValue(number)
      _ = try? column.postingCount(min(0, number)..<number.clamped + 1)
      for range in [number..<number.clamped + 1, min(0, number)..<max(0, number)] {
        try? column.insertRows(of: range, into: &rows)
      }
      for first in [0, random.int(in: 0...segment.rowCount), .max, .min] {
        try? column.appendRows(of: number, from: first, limit: 5, to: &page)
        try? column.appendRows(of: number, from: first, limit: .max, to: &page)
      }
    }
    _ = try? column.firstNumber { (value) in value == .int(1) }
    #expect(rows.allSatisfy { $0 < segment.rowCount }, "seed \(seed)")
    #expect(page.allSatisfy { $0 < segment.rowCount }, "seed \(seed)")
  }

  // MARK: Sizes

  @Test("ten thousand keys are found, each with its row")
  func manyKeys() throws {
    let rows = ModelRows(
      rows: (0..<40).map { row in
        let entries = (0..<250).map {
          Metadata.Entry(Text("key \(row * 250 + $0)"), .int(Int64($0)))
        }
        return ModelRows.Row(
          id: Text("\(row)"), order: Int64(row + 1), slot: UInt32(row), vector: [0],
          metadata: Metadata(entries))
      }, dimension: 1, space: .l2)
    let segment = try open(try encoded(rows))
    #expect(segment.columnKeys.count == 10_000)
    for number in stride(from: 0, to: 10_000, by: 77) {
      let columns = segment.columns(of: Text("key \(number)"))
      #expect(columns.count == 1)
      var rows = Bitset()
      try columns.first?.insertRows(of: 0..<1, into: &rows)
      #expect(Array(rows) == [UInt32(number / 250)])
      #expect(try columns.first?.distinctValue(0) == .int(Int64(number % 250)))
    }
  }

  @Test(
    "a million distinct values are each found",
    .enabled(if: getenv("CHROMA_TEST_LONG") != nil))
  func manyValues() throws {
    let count = 1_000_000
    // A prime to the count makes it a permutation.
    let values = (0..<count).map { MetadataValue.string(Text("value \($0 * 7_919 % count)")) }
    let segment = try open(try encoded(ValueColumnTests.rows(of: values)))
    let column = try #require(segment.columns(of: "k").first)
    #expect(column.distinctCount == count)
    var random = SeededRandom(3)
    for _ in 0..<1_000 {
      let row = random.int(in: 0...count - 1)
      let number = try column.firstNumber { (value) in
        guard case (.string(let other), .string(let wanted)) = (value, values[row]) else {
          return false
        }
        return wanted < other || wanted == other
      }
      var rows = Bitset()
      try column.insertRows(of: number..<number + 1, into: &rows)
      #expect(Array(rows) == [UInt32(row)])
    }
    try segment.verifyAll()
  }
}

extension Int {
  /// One below the largest at most, to add one to.
  fileprivate var clamped: Int { Swift.min(self, .max - 1) }
}
