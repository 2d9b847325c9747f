import ChromaBase
import ChromaCatalog
import ChromaStorage
import Testing

@testable import ChromaEngine

/// A report says what the filter did: which ways it took, in what it was right, and what had to be read.
/// Method: one segment with indexes and a tail of three records, of which everything is known.
@Suite struct FilterReportTests {
  private static let segmentRowCount = 1000
  private static let tailRowCount = 3

  private let engine: Engine
  private let id: UUID

  init() throws {
    engine = try Engine(
      EngineEnvironment(
        fileSystem: MemoryFileSystem(), directory: "/db", clock: SystemClock(),
        random: SystemRandomSource(), isShared: true))
    id = try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "reports",
        configuration: nil, metadata: nil, getOrCreate: false)
    ).id
    try write(0..<Self.segmentRowCount)
    try engine.flush(id)
    try write(Self.segmentRowCount..<Self.segmentRowCount + Self.tailRowCount)
  }

  private func write(_ numbers: Range<Int>) throws {
    try engine.write(
      RecordBatch(
        operation: .add, ids: numbers.map { Text("id-\($0)") },
        embeddings: VectorColumn(dimension: 1, values: numbers.map { Float($0) }),
        documents: numbers.map { Text("document number \($0)") },
        metadatas: numbers.map {
          MetadataChange([
            .init("number", .int(Int64($0))), .init("part", .string(Text("part \($0 % 4)"))),
          ])
        }), to: id)
  }

  private func report(_ filter: Text?, _ documentFilter: Text? = nil) throws -> FilterReport {
    let selection = try Selection(whereJSON: filter, whereDocumentJSON: documentFilter)
    let explanation = try engine.explain(nil, selection, in: id, resultCount: 0)
    return try #require(explanation.filter)
  }

  @Test func aConditionOnMetadataIsAnsweredByPostings() throws {
    let report = try report(#"{"number": {"$gte": 990}}"#)
    let plan = try #require(report.plan)
    #expect(plan.name == "$gte" && plan.key == "number")
    #expect(plan.ways == [.postings] && plan.estimatedCount == 10 && plan.matchCount == 10)
    #expect(report.matchCount == 13)
    #expect(report.segmentCount == 1 && report.recordCount == Self.tailRowCount)
    #expect(report.verifiedDocumentCount == 0 && report.unpackedBlockCount == 0)
  }

  @Test func theValuesOfTheFewRowsThatAreLeftAreLookedAt() throws {
    let report = try report(#"{"$and": [{"part": {"$ne": "part 0"}}, {"number": {"$lt": 3}}]}"#)
    let plan = try #require(report.plan)
    #expect(plan.name == "$and" && plan.children.map(\.name) == ["$ne", "$lt"])
    #expect(plan.children.map(\.ways) == [[.values], [.postings]])
    #expect(report.matchCount == 2)
  }

  @Test func textsOfThreeBytesNeedNoDocuments() throws {
    let report = try report(nil, #"{"$contains": "777"}"#)
    #expect(report.plan?.ways == [.grams] && report.matchCount == 1)
    #expect(report.verifiedDocumentCount == 0)
  }

  @Test func longerTextsAreVerifiedWhereTheyMayBe() throws {
    let report = try report(#"{"part": "part 1"}"#, #"{"$contains": "number 77"}"#)
    #expect(report.plan?.children.map(\.name) == ["$eq", "$contains"])
    #expect(report.matchCount == 3)
    #expect((3...12).contains(report.verifiedDocumentCount))
  }

  @Test func whatRequiresNothingReadsEveryDocument() throws {
    let report = try report(nil, #"{"$not_regex": "[0-9]{4}$"}"#)
    #expect(report.plan?.name == "$not_regex" && report.plan?.ways == [.documents])
    #expect(report.matchCount == Self.segmentRowCount)
    #expect(report.verifiedDocumentCount == Self.segmentRowCount)
  }

  @Test func idsAreLookedAtOneByOne() throws {
    let selection = try Selection(ids: ["id-1", "id-1001", "nobody"], whereJSON: #"{"number": 1}"#)
    let report = try #require(
      try engine.explain(nil, selection, in: id, resultCount: 0).filter)
    #expect(report.matchCount == 1 && report.recordCount == 2 && report.segmentCount == 0)
  }

  @Test func theReportIsAnObjectForEveryDoor() throws {
    let json = try report(#"{"number": {"$gte": 990}}"#).json
    #expect(json["match_count"] == .int(13) && json["record_count"] == .int(3))
    #expect(json["plan"]?["operator"] == .string("$gte"))
    #expect(json["plan"]?["ways"] == .array([.string("postings")]))
  }
}
