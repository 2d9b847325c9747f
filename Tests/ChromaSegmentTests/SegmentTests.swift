import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Testing

/// What is written as a segment is read back the same: in the catalog's form and in a blob, mapped
/// and not. Method: random rows of every shape, compared value by value.
@Suite final class SegmentTests {
  enum Form: CaseIterable {
    case inline, mapped, read
  }

  private let directory = TemporaryDirectory()
  private let cache = DocumentBlockCache(byteCountMax: 1 << 20)

  private func open(_ rows: ModelRows, as form: Form) throws -> Segment {
    if form == .inline {
      let bytes = try SegmentWriter.encode(rows, ModelRows.description, byteCountMax: 1 << 30)
      return try Segment(inline: try #require(bytes), source: "segment under test", cache: cache)
    }
    let store = BlobStore(
      fileSystem: directory.fileSystem, directory: "\(directory.path)/blobs",
      mapsFiles: form == .mapped)
    try store.delete("a.segment")
    let writer = try store.writer("a.segment")
    try SegmentWriter.write(rows, ModelRows.description, to: writer)
    try writer.finish()
    return try Segment(blob: try #require(try store.open("a.segment")), cache: cache)
  }

  @Test("rows are read back as they were written", arguments: Form.allCases)
  func roundTrip(form: Form) throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rowCount = random.element(of: [1, 2, 3, 10, 100, 500])
      let rows = ModelRows.random(rowCount: rowCount, using: &random)
      let segment = try open(rows, as: form)
      let difference = try segment.firstDifference(from: rows)
      #expect(difference == nil, "seed \(seed)")
      for id in ["", "id", "id-1", Text("id-\(7 * rowCount)"), "zzz"] as [Text] {
        #expect(try segment.row(of: id) == rows.rows.firstIndex { $0.id == id }, "seed \(seed)")
      }
      var expected = ModelRows.description
      if form == .inline { expected.definition = nil }
      #expect(segment.description == expected)
      #expect(UInt(bitPattern: segment.vectors) % 64 == 0)
    }
  }

  @Test("metadata under some keys is that part of all of it", arguments: Form.allCases)
  func metadataByKey(form: Form) throws {
    for seed in 0..<20 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rows = ModelRows.random(rowCount: 50, using: &random)
      let segment = try open(rows, as: form)
      let all = Set(rows.rows.flatMap { ($0.metadata?.entries ?? []).map(\.key) })
      let keys = all.sorted().filter { _ in random.oneIn(3) } + ["no such key"]
      for row in 0..<50 {
        let whole = try segment.metadata(row)
        let part = try segment.metadata(row, keys: keys)
        #expect((whole == nil) == (part == nil), "seed \(seed)")
        let expected = (whole?.entries ?? []).filter { keys.contains($0.key) }
        #expect((part?.entries ?? []) == expected, "seed \(seed)")
      }
    }
  }

  @Test("equal rows are equal bytes, and a segment written from a segment is the same")
  func deterministic() throws {
    for seed in 0..<20 as Range<UInt64> {
      var random = SeededRandom(seed)
      let rows = ModelRows.random(rowCount: 60, using: &random)
      let segment = try open(rows, as: .inline)
      let first = try SegmentWriter.encode(rows, ModelRows.description, byteCountMax: 1 << 30)
      let second = try SegmentWriter.encode(segment, ModelRows.description, byteCountMax: 1 << 30)
      #expect(first == second, "seed \(seed)")
    }
  }

  @Test("a small segment costs little beyond its payload")
  func smallOverhead() throws {
    let rows = ModelRows(
      rows: (0..<10).map {
        ModelRows.Row(
          id: Text("id-\($0)"), order: Int64($0 + 1), slot: UInt32($0), vector: [1, 2, 3],
          inverseNorm: 1, document: "some text", uri: "file:///a",
          metadata: Metadata([.init("year", .int(2000)), .init("title", .string("a title"))]))
      }, dimension: 3, space: .cosine)
    let payload = 10 * (4 + 12 + 9 + 9 + 8 + 7) + 9
    let bytes = try #require(try SegmentWriter.encode(rows, ModelRows.description))
    #expect(bytes.count - payload < 400)
  }

  @Test("a segment that exceeds the catalog's limit is refused before it is encoded whole")
  func tooLarge() throws {
    var random = SeededRandom(1)
    let rows = ModelRows.random(rowCount: 500, using: &random)
    #expect(try SegmentWriter.encode(rows, ModelRows.description, byteCountMax: 1000) == nil)
  }

  @Test("metadata beyond what is held at once is written the same", arguments: [1, 30])
  func muchMetadata(rowsWithAll: Int) throws {
    let long = Text(String(repeating: "x", count: 1 << 20))
    let rows = (0..<30).map { row in
      var entries = [Metadata.Entry("a", .int(Int64(row))), .init("b", .string(long))]
      if row < rowsWithAll { entries.append(.init("c", .strings([long, Text("\(row)")]))) }
      if row % 2 == 0 { entries.append(.init("d", .bool(true))) }
      return ModelRows.Row(
        id: Text("\(row)"), order: Int64(row) + 1, slot: UInt32(row), vector: [0],
        metadata: row == 7 ? nil : Metadata(entries))
    }
    let model = ModelRows(rows: rows, dimension: 1, space: .l2)
    #expect(try open(model, as: .mapped).firstDifference(from: model) == nil)
  }
}
