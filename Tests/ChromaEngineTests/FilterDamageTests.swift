import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// An index that went bad on the disk costs time and no answer, and `verifyAll` tells of it. Method: a
/// segment with indexes of many blocks; in every block that holds nothing but one of them a byte is
/// changed, so that its checksum fails.
@Suite struct FilterDamageTests {
  private static let recordCount = 2000

  /// Numbers of sections.
  enum Index: UInt16, CaseIterable {
    case ofMetadata = 15
    case ofDocuments = 16
  }

  private static func record(_ number: Int, _ random: inout SeededRandom) -> ModelRecord {
    var record = RandomRecords.record(number, using: &random)
    // Enough of both for indexes that fill blocks.
    for key in 0..<20 {
      record.metadata[Text("more-\(key)")] = .int(Int64(random.int(in: 0...1_000_000)))
    }
    let letters = (0..<80).map { _ in UInt8(ascii: "a") + UInt8(random.int(in: 0...15)) }
    record.document = Text(validating: letters)
    return record
  }

  @Test(arguments: Index.allCases)
  func aDamagedIndexChangesNoAnswer(index: Index) throws {
    var random = SeededRandom(UInt64(index.rawValue))
    let setting = FilterAnswerTests.Setting()
    var model = ModelCollection()
    let collection: UUID
    do {
      let engine = try setting.open()
      collection = try setting.create(in: engine)
      for start in stride(from: 0, to: Self.recordCount, by: 500) {
        let batch = RecordBatch(
          .add, (start..<start + 500).map { Self.record($0, &random) })
        try engine.write(batch, to: collection)
        model.apply(batch)
      }
      try engine.flush(collection)
    }
    let blobs = BlobStore(fileSystem: setting.files, directory: "/db/blobs")
    let name = try #require(try blobs.list().first { $0.hasSuffix(".segment") })
    #expect(try isWhole(name, in: blobs))
    try damage(index, of: name, in: blobs, setting.files)
    #expect(try !isWhole(name, in: blobs))

    let engine = try setting.open()
    let filters = RandomFilters(over: Array(model.records.prefix(200)), hasPatterns: false)
    let probe = FilterProbe(
      collection: collection, records: model.records, place: "index \(index) damaged")
    for _ in 0..<12 {
      let question = FilterProbe.Question(
        ids: nil, filter: filters.filter(using: &random),
        documentFilter: random.oneIn(2) ? filters.documentFilter(using: &random) : nil)
      try probe.check(question, question.answer(model.records), on: engine, &random)
    }
  }

  private func isWhole(_ name: String, in blobs: BlobStore) throws -> Bool {
    let blob = try #require(try blobs.open(name))
    do throws(ChromaError) {
      try Segment(blob: blob, cache: DocumentBlockCache(byteCountMax: 0)).verifyAll()
      return true
    } catch {
      #expect(error.kind == .corruption)
      return false
    }
  }

  private func damage(
    _ index: Index, of name: String, in blobs: BlobStore, _ files: MemoryFileSystem
  ) throws {
    let (headerByteCount, blockByteCount) = (64, 32 * 1024)
    let bytes = try #require(try blobs.read(name))
    let section = try #require(SegmentForgery.section(index.rawValue, of: bytes))
    let first = (section.lowerBound + blockByteCount - 1) / blockByteCount
    let blocks = first..<max(first, section.upperBound / blockByteCount)
    #expect(!blocks.isEmpty, "the index \(index) has only \(section.count) bytes")
    let file = try files.open("/db/blobs/\(name)", .readWrite)
    for block in blocks {
      let offset = UInt64(headerByteCount + block * blockByteCount + 77)
      let byte = try file.read(at: offset, byteCountMax: 1)
      try file.write([byte[0] ^ 1], at: offset)
    }
  }
}
