import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

/// Decompressed blocks are kept up to a limit, whatever is read and by whom.
@Suite struct DocumentBlockCacheTests {
  /// Documents of some 300 bytes each: several blocks.
  private func rows(_ count: Int, of name: String) -> ModelRows {
    let rows = (0..<count).map { row in
      ModelRows.Row(
        id: Text("\(name)-\(row)"), order: Int64(row) + 1, slot: UInt32(row), vector: [0],
        document: Text(String(repeating: "\(name) \(row) ", count: 30)))
    }
    return ModelRows(rows: rows, dimension: 1, space: .l2)
  }

  private func segment(_ rows: ModelRows, _ cache: DocumentBlockCache) throws -> Segment {
    let bytes = try SegmentWriter.encode(rows, ModelRows.description, byteCountMax: 1 << 30)
    return try Segment(inline: try #require(bytes), source: "test", cache: cache)
  }

  @Test(
    "documents are right and the limit holds, whatever it is", arguments: [0, 100_000, 1 << 30])
  func limit(byteCountMax: Int) throws {
    let cache = DocumentBlockCache(byteCountMax: byteCountMax)
    let models = (0..<3).map { rows(1000, of: "segment-\($0)") }
    let segments = try models.map { try segment($0, cache) }
    var random = SeededRandom(1)
    for _ in 0..<500 {
      let number = random.int(in: 0...2)
      let row = random.int(in: 0...999)
      #expect(try segments[number].document(row) == models[number].rows[row].document)
      #expect(cache.byteCount <= byteCountMax)
    }
    if byteCountMax > 0 { #expect(cache.byteCount > 0) }
  }

  @Test("a segment that is closed leaves nothing behind")
  func closed() throws {
    let cache = DocumentBlockCache(byteCountMax: 1 << 30)
    let model = rows(500, of: "a")
    do {
      let segment = try segment(model, cache)
      for row in 0..<500 { _ = try segment.document(row) }
      #expect(cache.byteCount > 65_000)
    }
    #expect(cache.byteCount == 0)
  }

  @Test("a scan drives out nothing that is in use, and in the end what nobody asked for")
  func scan() throws {
    let cache = DocumentBlockCache(byteCountMax: 200_000)
    let (small, large) = try (
      segment(rows(300, of: "small"), cache), segment(rows(3000, of: "large"), cache)
    )
    let all = Bitset(firstSlots: 3000)
    for row in 0..<300 { _ = try small.document(row) }
    let whole = try large.forEachDocument(in: all) { _, _ in true }
    #expect(try small.forEachDocument(in: all) { _, _ in true } == 0)
    // What of it found room is there for the next scan.
    let again = try large.forEachDocument(in: all) { _, _ in true }
    #expect(again < whole)
    for _ in 0..<40 { try large.forEachDocument(in: all) { _, _ in true } }
    #expect(try small.forEachDocument(in: all) { _, _ in true } > 0)
    #expect(cache.byteCount <= 200_000)
  }

  @Test("threads that read at once get the right documents")
  func threads() throws {
    let cache = DocumentBlockCache(byteCountMax: 150_000)
    let model = rows(1500, of: "a")
    let segment = try segment(model, cache)
    let wrongCount = Atomic(0)
    onThreads(4) { thread in
      var random = SeededRandom(UInt64(thread))
      for _ in 0..<300 {
        let row = random.int(in: 0...1499)
        if (try? segment.document(row)) != model.rows[row].document {
          wrongCount.add(1, ordering: .relaxed)
        }
      }
    }
    #expect(wrongCount.load(ordering: .relaxed) == 0)
    #expect(cache.byteCount <= 150_000)
  }
}
