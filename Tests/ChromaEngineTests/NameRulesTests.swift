import ChromaBase
import ChromaEngine
import Testing

/// Names and keys are accepted and refused as by official Chroma, in its words.
@Suite struct NameRulesTests {
  @Test func collectionNamesAnswerAsRecorded() throws {
    for (kind, columns) in try RecordedRules.lines(of: "name", "new_name") {
      let name = try #require(RecordedRules.text(columns[0]))
      let answer = RecordedRules.answer { () throws(ChromaError) in
        try NameRules.checkCollection(name, argument: kind.string)
        return .null
      }
      #expect(answer == columns[1], "\(kind) \(name)")
    }
  }

  @Test func tenantAndDatabaseNamesAnswerAsRecorded() throws {
    for (kind, columns) in try RecordedRules.lines(of: "tenant", "database") {
      let name = try #require(RecordedRules.text(columns[0]))
      let answer = RecordedRules.answer { () throws(ChromaError) in
        try kind == "tenant" ? NameRules.checkTenant(name) : NameRules.checkDatabase(name)
        return .null
      }
      #expect(answer == columns[1], "\(kind) \(name)")
    }
  }

  @Test func collectionMetadataAnswersAsRecorded() throws {
    for (kind, columns) in try RecordedRules.lines(of: "metadata", "new_metadata") {
      let metadata = try #require(RecordedRules.metadata(columns[0]))
      let answer = RecordedRules.answer { () throws(ChromaError) in
        try NameRules.checkCollectionMetadata(metadata, argument: kind.string)
        return .null
      }
      #expect(answer == columns[1], "\(kind) \(columns[0].text)")
    }
  }

  @Test(arguments: [.bools([true]), .ints([1]), .floats([1]), .strings(["a"])] as [MetadataValue])
  func listsAreRefusedInTheMetadataOfACollection(value: MetadataValue) throws {
    let error = #expect(throws: ChromaError.self) {
      try NameRules.checkCollectionMetadata(Metadata([Metadata.Entry("key", value)]))
    }
    #expect(error?.kind == .invalidArgument)
    #expect(try #require(error?.message).contains("'key'"))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func numbersThatAreNotFiniteAreRefusedInTheMetadataOfACollection(value: Double) throws {
    let error = #expect(throws: ChromaError.self) {
      try NameRules.checkCollectionMetadata(Metadata([Metadata.Entry("key", .float(value))]))
    }
    #expect(error?.kind == .invalidArgument)
    #expect(try #require(error?.message).contains("\"key\""))
  }

  @Test func keysOfRecordsMustNotBeEmptyNorLookLikeOperators() {
    for key in ["a", "chroma:x", "a#", " ", "é", "hnsw:space"] as [Text] {
      #expect(NameRules.isMetadataKey(key))
    }
    for key in ["", "#", "#a", "$", "$and"] as [Text] { #expect(!NameRules.isMetadataKey(key)) }
  }
}
