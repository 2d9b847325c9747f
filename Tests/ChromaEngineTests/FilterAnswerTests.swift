import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

@testable import ChromaEngine

/// A filter means the same wherever its records stand: in the log, in segments of every kind, before
/// and after merges, for whoever opened the directory when. Method: random filters of up to six levels
/// over records made to be hard, on engines that share a directory in memory, against a reference that
/// evaluates each filter record by record (`ModelFilter`).
@Suite struct FilterAnswerTests {
  static let isLong = getenv("CHROMA_TEST_LONG") != nil

  /// A directory in memory, whose engines compact only when they are told to.
  struct Setting {
    /// More than stages change, so that they decide when a step is taken.
    static let logRowCountMax = 150

    let files = MemoryFileSystem()
    private let limits: CompactionLimits

    /// - Parameter indexedSegmentRowCountMin: Nil for that of every day.
    init(indexedSegmentRowCountMin: Int? = nil) {
      var limits = CompactionLimits()
      if let indexedSegmentRowCountMin {
        limits.indexedSegmentRowCountMin = indexedSegmentRowCountMin
      }
      limits.logRowCountMax = Self.logRowCountMax
      // So that segments of a few records stay apart.
      if indexedSegmentRowCountMin != nil { limits.inlineSegmentByteCountMax = 2048 }
      limits.logByteCountMin = 64 * 1024 * 1024
      self.limits = limits
    }

    func open() throws(ChromaError) -> Engine {
      try Engine(
        EngineEnvironment(
          fileSystem: files, directory: "/db", clock: SystemClock(), random: SystemRandomSource(),
          isShared: true, compactionLimits: limits))
    }

    func create(in engine: Engine) throws(ChromaError) -> UUID {
      try engine.createCollection(
        CollectionRequest(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "filtered",
          configuration: nil, metadata: nil, getOrCreate: false)
      ).id
    }
  }

  /// What the random questions found: a generator whose filters match nothing, or everything, would
  /// prove nothing.
  private struct Tally {
    var questionCount = 0
    var emptyCount = 0
    var fullCount = 0
    var ways: Set<FilterReport.Way> = []
  }

  @Test(
    "every filter finds the same in the log, in segments, across steps and merges",
    arguments: 0...(isLong ? 100 : 4) as ClosedRange<UInt64>)
  func filtersFindTheSameWhereverRecordsStand(seed: UInt64) throws {
    // Some with the sizes of every day; most with small ones, at which more fit into the time.
    let scale = seed.isMultiple(of: 5) ? 5 : 1
    var random = SeededRandom(seed)
    var stage = try Stage(seed: seed, scale: scale)
    try stage.add(scale * random.int(in: 104...128))
    try stage.ask("in the log")
    try stage.move { try $0.flush($1) }
    try stage.askAgain("in one segment")
    try stage.add(scale * 30)
    try stage.move { try $0.flush($1) }
    try stage.ask("in two segments")
    try stage.change(scale * random.int(in: 12...24))
    try stage.ask("in a segment and the log")
    let deadRowCount = try stage.takeStep()
    #expect(deadRowCount > 0, "seed \(seed)")
    try stage.askAgain("in segments with dead rows")
    try stage.reopen()
    try stage.askAgain("in segments with dead rows, opened anew")
    try stage.add(scale * random.int(in: 54...60))
    try stage.move { try $0.flush($1) }
    try stage.add(random.int(in: 1...40))
    try stage.change(20)
    #expect(try stage.segmentCount() > 1, "seed \(seed)")
    try stage.ask("in segments large and small, and the log")
    try stage.move { try $0.compact($1) }
    try stage.askAgain("merged")
    try stage.reopen()
    try stage.askAgain("opened anew")
    try stage.deleteByFilters()
    try stage.ask("after deletions")
    try stage.move { try $0.compact($1) }
    try stage.askAgain("merged after deletions")
    #expect(stage.tally.emptyCount < stage.tally.questionCount * 2 / 3, "seed \(seed)")
    #expect(stage.tally.fullCount < stage.tally.questionCount / 4, "seed \(seed)")
    // The other two need what is rare here: few rows left of many, and conditions on uris.
    let ways: Set<FilterReport.Way> = [.postings, .columnScan, .grams, .documents]
    #expect(stage.tally.ways.isSuperset(of: ways), "seed \(seed)")
  }

  private struct Stage {
    let seed: UInt64
    let questionCount: Int
    let setting: Setting
    let collection: UUID
    var random: SeededRandom
    var writer: Engine
    var reader: Engine
    var model = ModelCollection()
    var tally = Tally()
    private var nextNumber = 0
    private var asked: [(question: FilterProbe.Question, answer: [ModelRecord])] = []

    init(seed: UInt64, scale: Int) throws {
      self.seed = seed
      questionCount = scale == 1 ? 80 : 40
      setting = Setting(indexedSegmentRowCountMin: scale == 1 ? 16 : nil)
      random = SeededRandom(seed &* 1_000_003)
      writer = try setting.open()
      reader = try setting.open()
      collection = try setting.create(in: writer)
    }

    mutating func write(_ batch: RecordBatch) throws {
      try writer.write(batch, to: collection)
      model.apply(batch)
    }

    mutating func add(_ count: Int) throws {
      let records = (nextNumber..<nextNumber + count).map {
        RandomRecords.record($0, using: &random)
      }
      nextNumber += count
      for start in stride(from: 0, to: count, by: 100) {
        try write(RecordBatch(.add, Array(records[start..<min(start + 100, count)])))
      }
    }

    /// Updates, replaces, deletes and adds again so many records.
    mutating func change(_ count: Int) throws {
      for _ in 0..<count {
        let number = random.int(in: 0...nextNumber - 1)
        var record = RandomRecords.record(number + 7, using: &random)
        record.id = Text("id-\(number)")
        switch random.int(in: 0...3) {
        case 0: try write(RecordBatch(operation: .delete, ids: [record.id]))
        case 1: try write(RecordBatch(.upsert, [record]))
        case 2: try write(RecordBatch(.update, [record]))
        default:
          let removed = record.metadata.keys.map { MetadataChange.Entry($0, nil) }
          try write(
            RecordBatch(
              operation: .update, ids: [record.id], metadatas: [MetadataChange(removed)]))
        }
      }
    }

    mutating func deleteByFilters() throws {
      for round in 0..<6 {
        let question = FilterProbe.Question.random(
          over: model.records, RandomFilters(over: model.records), &random)
        let limit = random.oneIn(2) ? random.int(in: 0...30) : 200
        let expected = question.answer(model.records).prefix(limit).map(\.id)
        let count = try writer.delete(try question.selection, from: collection, limit: limit)
        #expect(count == expected.count, "seed \(seed), deletion \(round): \(question.words)")
        model.apply(RecordBatch(operation: .delete, ids: expected))
        if model.records.count < 100 { try add(100) }
      }
    }

    /// Does what changes where records stand, and nothing else.
    func move(_ work: (Engine, UUID) throws -> Void) throws {
      try work(writer, collection)
    }

    /// Makes the log so long that its writer takes a step, which leaves dead rows behind.
    ///
    /// - Returns: How many.
    func takeStep() throws -> Int {
      for _ in 0...Setting.logRowCountMax {
        try writer.write(RecordBatch(operation: .delete, ids: ["nobody"]), to: collection)
      }
      return try writer.statistics(of: collection).deadRowCount
    }

    func segmentCount() throws -> Int {
      try writer.statistics(of: collection).segmentCount
    }

    mutating func reopen() throws {
      writer = try setting.open()
      reader = try setting.open()
    }

    mutating func ask(_ place: String) throws {
      let filters = RandomFilters(over: model.records)
      asked = (0..<questionCount).map { _ in
        let question = FilterProbe.Question.random(over: model.records, filters, &random)
        return (question, question.answer(model.records))
      }
      tally.questionCount += asked.count
      tally.emptyCount += asked.count { $0.answer.isEmpty }
      tally.fullCount += asked.count { $0.answer.count == model.records.count }
      try check(asked, place)
    }

    /// Nothing has been written since: the same questions have the same answers.
    mutating func askAgain(_ place: String) throws {
      try check(asked.filter { _ in random.oneIn(2) }, place)
    }

    private mutating func check(
      _ asked: [(question: FilterProbe.Question, answer: [ModelRecord])], _ place: String
    ) throws {
      let probe = FilterProbe(
        collection: collection, records: model.records, place: "seed \(seed), \(place)")
      for (index, (question, answer)) in asked.enumerated() {
        let engine = index.isMultiple(of: 2) ? writer : reader
        tally.ways.formUnion(try probe.check(question, answer, on: engine, &random))
      }
    }
  }
}
