import ChromaBase
import ChromaEngine
import Testing

/// Configurations are read, shown, changed and refused as by official Chroma, and survive being
/// stored.
@Suite struct CollectionConfigurationTests {
  @Test func newConfigurationsAnswerAsRecorded() throws {
    for (_, columns) in try RecordedRules.lines(of: "create") {
      let answer = RecordedRules.answer { () throws(ChromaError) in
        let configuration = try CollectionConfiguration(
          json: RecordedRules.text(columns[0]), metadata: RecordedRules.metadata(columns[1]))
        return try shown(configuration)
      }
      #expect(sorted(answer) == sorted(columns[2]), "\(columns[0].text) \(columns[1].text)")
    }
  }

  @Test func changesAnswerAsRecorded() throws {
    for (_, columns) in try RecordedRules.lines(of: "update") {
      let answer = RecordedRules.answer { () throws(ChromaError) in
        try shown(
          try CollectionConfiguration(json: RecordedRules.text(columns[0]), metadata: nil)
            .updated(json: RecordedRules.text(columns[1]) ?? ""))
      }
      #expect(sorted(answer) == sorted(columns[2]), "\(columns[0].text) \(columns[1].text)")
    }
  }

  @Test func theDefaultsAreThoseOfOfficialChroma() throws {
    let configuration = try CollectionConfiguration(json: nil, metadata: nil)
    #expect(configuration.space == .l2)
    #expect(
      configuration.json.string
        == #"{"hnsw":{"space":"l2","ef_construction":100,"ef_search":100,"max_neighbors":16,"#
        + #""resize_factor":1.2,"sync_threshold":1000},"spann":null,"embedding_function":null}"#)
    #expect(configuration.hnsw.threadCount == nil)
    #expect(configuration.hnsw.batchSize == 100)
  }

  @Test func everyFieldSurvivesStoring() throws {
    let given: Text = """
      {"hnsw":{"space":"cosine","ef_construction":1,"ef_search":2,"max_neighbors":3,\
      "num_threads":4,"resize_factor":1.5,"sync_threshold":5,"batch_size":18446744073709551615},\
      "embedding_function":{"type":"known","name":"é","config":{"a":[1,1.0,null,{"b":"c"}]}}}
      """
    for json in [given, "{}", #"{"embedding_function":{"type":"legacy"}}"#] {
      let configuration = try CollectionConfiguration(json: json, metadata: nil)
      let stored = try CollectionConfiguration(stored: configuration.stored)
      #expect(stored == configuration)
      #expect(stored.json == configuration.json)
    }
    let hnsw = try CollectionConfiguration(json: given, metadata: nil).hnsw
    #expect(hnsw.space == .cosine)
    #expect(hnsw.efConstruction == 1)
    #expect(hnsw.efSearch == 2)
    #expect(hnsw.maxNeighbors == 3)
    #expect(hnsw.threadCount == 4)
    #expect(hnsw.resizeFactor == 1.5)
    #expect(hnsw.syncThreshold == 5)
    #expect(hnsw.batchSize == .max)
  }

  @Test func fieldsThatAreNotShownAreChangedToo() throws {
    let changed = try CollectionConfiguration(json: nil, metadata: nil)
      .updated(json: #"{"hnsw":{"num_threads":2,"batch_size":3}}"#)
    #expect(changed.hnsw.threadCount == 2)
    #expect(changed.hnsw.batchSize == 3)
    let legacy = try CollectionConfiguration(
      json: nil,
      metadata: Metadata([
        Metadata.Entry("hnsw:num_threads", .int(4)), Metadata.Entry("hnsw:batch_size", .int(5)),
      ]))
    #expect(legacy.hnsw.threadCount == 4)
    #expect(legacy.hnsw.batchSize == 5)
  }

  @Test(arguments: ["", "{", "null", #"{"hnsw":{"foo":1}}"#] as [Text])
  func aDamagedStoredConfigurationIsCorruption(stored: Text) {
    let error = #expect(throws: ChromaError.self) {
      try CollectionConfiguration(stored: stored)
    }
    #expect(error?.kind == .corruption)
  }

  @Test func listsInLegacyKeysAreRefused() {
    #expect(
      throws: ChromaError.invalidArgument("Failed to parse hnsw parameters from segment metadata")
    ) {
      try CollectionConfiguration(
        json: nil, metadata: Metadata([Metadata.Entry("hnsw:M", .ints([1]))]))
    }
  }

  @Test(arguments: [
    "[]", #"{"hnsw":[]}"#, #"{"spann":["l2"]}"#, #"{"embedding_function":["known"]}"#,
  ])
  func structsAsArraysAreRefused(json: String) throws {
    let error = #expect(throws: ChromaError.self) {
      try CollectionConfiguration(json: Text(json), metadata: nil)
    }
    let message = try #require(error?.message)
    #expect(message.hasPrefix("invalid type: sequence, expected "), "\(message)")
  }

  private func shown(_ configuration: CollectionConfiguration) throws(ChromaError) -> JSON {
    try JSON(parsing: configuration.json.bytes)
  }

  /// The value with the members of its objects in order: official Chroma's come in any.
  private func sorted(_ value: JSON) -> JSON {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let members):
      .object(
        members.sorted { $0.key < $1.key }.map { JSON.Member($0.key, sorted($0.value)) })
    default: value
    }
  }
}
