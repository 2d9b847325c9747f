import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// The order of records by a key, pages of it, and the distinct values under a key are the same
/// wherever records stand: in the log, in segments with and without indexes, before and after merges.
/// Method: random keys, selections and windows over records made to be hard, against a plain sort.
@Suite struct OrderTests {
  private static let keys: [Text] = [
    "number", "parity", "half", "name", "i", "f", "s", "any", "list", "rare", "\u{E9}", "absent",
  ]

  /// - Parameter rowCountMin: Rows from which a segment has indexes.
  private static func engine(rowCountMin: Int) throws(ChromaError) -> Engine {
    var limits = CompactionLimits()
    limits.logRowCountMax = 10_000
    limits.logByteCountMin = 64 * 1024 * 1024
    limits.indexedSegmentRowCountMin = rowCountMin
    return try Engine(
      EngineEnvironment(
        fileSystem: MemoryFileSystem(), directory: "/db", clock: SystemClock(),
        random: SystemRandomSource(), isShared: true, compactionLimits: limits))
  }

  @Test(
    "any key orders the records, and has the values, that a plain sort says, wherever they stand",
    arguments: 0...5 as ClosedRange<UInt64>)
  func anyKey(seed: UInt64) throws {
    var stage = try Stage(seed: seed, engine: Self.engine(rowCountMin: seed % 3 == 2 ? 256 : 1))
    try stage.add(150)
    try stage.check("in the log")
    try stage.engine.flush(stage.collection)
    try stage.check("in one segment")
    try stage.change(30)
    try stage.add(80)
    try stage.engine.flush(stage.collection)
    try stage.add(20)
    try stage.change(20)
    try stage.check("in segments and the log")
    try stage.engine.compact(stage.collection)
    try stage.check("merged")
  }

  private struct Stage {
    let seed: UInt64
    let engine: Engine
    let collection: UUID
    var random: SeededRandom
    var model = ModelCollection()
    private var nextNumber = 0

    init(seed: UInt64, engine: Engine) throws {
      self.seed = seed
      self.engine = engine
      random = SeededRandom(seed)
      collection = try engine.createCollection(
        CollectionRequest(
          tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "ordered",
          configuration: nil, metadata: nil, getOrCreate: false)
      ).id
    }

    private mutating func write(_ batch: RecordBatch) throws {
      try engine.write(batch, to: collection)
      model.apply(batch)
    }

    mutating func add(_ count: Int) throws {
      let numbers = nextNumber..<nextNumber + count
      nextNumber += count
      try write(
        RecordBatch(.add, numbers.map { RandomRecords.record($0, using: &random) }))
    }

    /// Updates, replaces and deletes so many records.
    mutating func change(_ count: Int) throws {
      for _ in 0..<count {
        let number = random.int(in: 0...nextNumber - 1)
        var record = RandomRecords.record(number + 7, using: &random)
        record.id = Text("id-\(number)")
        switch random.int(in: 0...2) {
        case 0: try write(RecordBatch(operation: .delete, ids: [record.id]))
        case 1: try write(RecordBatch(.upsert, [record]))
        default: try write(RecordBatch(.update, [record]))
        }
      }
    }

    mutating func check(_ place: String) throws {
      let filters = RandomFilters(over: model.records)
      for key in OrderTests.keys {
        for _ in 0..<3 {
          let question =
            random.oneIn(3)
            ? FilterProbe.Question(ids: nil, filter: nil, documentFilter: nil)
            : .random(over: model.records, filters, &random)
          let words: Comment = "seed \(seed), \(place), key \(key): \(question.words)"
          try checkWindow(question, key, words)
          try checkDistinct(question, key, words)
        }
      }
      try checkPages(place)
    }

    private mutating func checkWindow(
      _ question: FilterProbe.Question, _ key: Text, _ words: Comment
    ) throws {
      let isDescending = random.oneIn(2)
      let after = random.oneIn(2) ? random.element(of: model.records).id : nil
      let offset = random.oneIn(2) ? 0 : random.int(in: 0...40)
      let limit = random.element(of: [nil, 0, 1, 7, 100])
      let ids = Set(question.answer(model.records).map(\.id))
      var wanted = PlainSort.ordered(model.records, by: key, isDescending: isDescending)
      if let after, let last = wanted.firstIndex(of: after) { wanted.removeFirst(last + 1) }
      wanted = wanted.filter(ids.contains)
      let found = try engine.get(
        try question.selection, from: collection, limit: limit, offset: offset, after: after,
        order: RecordOrder(key: key, isDescending: isDescending), include: []
      ).ids
      #expect(
        found == Array(wanted.dropFirst(offset).prefix(limit ?? .max)),
        "\(words), descending \(isDescending), after \(after ?? "none"), \(offset), \(limit ?? -1)")
    }

    private mutating func checkDistinct(
      _ question: FilterProbe.Question, _ key: Text, _ words: Comment
    ) throws {
      let limit = random.element(of: [nil, 0, 1, 5])
      let wanted = PlainSort.distinct(question.answer(model.records), key)
      let found = try engine.distinct(key, try question.selection, in: collection, limit: limit)
      #expect(
        found.map(\.value) == wanted.map(\.value).prefix(limit ?? .max).map { $0 }
          && found.map(\.count) == wanted.map(\.count).prefix(limit ?? .max).map { $0 }, words)
    }

    /// Every record once, page by page.
    private mutating func checkPages(_ place: String) throws {
      let key = random.element(of: OrderTests.keys)
      let size = random.int(in: 5...60)
      for order in [nil, RecordOrder(key: key, isDescending: random.oneIn(2))] {
        var ids: [Text] = []
        while true {
          let page = try engine.get(
            .everything, from: collection, limit: size, offset: 0, after: ids.last, order: order,
            include: [])
          if page.ids.isEmpty { break }
          ids += page.ids
          guard ids.count <= model.records.count else { break }
        }
        let wanted =
          order.map {
            PlainSort.ordered(model.records, by: key, isDescending: $0.isDescending)
          } ?? model.records.map(\.id)
        #expect(ids == wanted, "seed \(seed), \(place), pages of \(size) by \(order?.key ?? "-")")
      }
    }
  }

  @Test("a page goes on behind a record that exists, and names one that does not")
  func absent() throws {
    var stage = try Stage(seed: 1, engine: Self.engine(rowCountMin: 1))
    try stage.add(3)
    for order in [nil, RecordOrder(key: "number", isDescending: false)] {
      let error = #expect(throws: ChromaError.self) {
        try stage.engine.get(
          .everything, from: stage.collection, limit: nil, offset: 0, after: "nobody",
          order: order, include: [])
      }
      #expect(error?.kind == .notFound)
      #expect(error?.message.contains("'nobody'") == true)
    }
  }

  @Test("a cancelled read of an order or of distinct values ends")
  func cancelled() throws {
    var stage = try Stage(seed: 2, engine: Self.engine(rowCountMin: 1))
    try stage.add(20)
    try stage.engine.flush(stage.collection)
    let cancel = CancelToken()
    cancel.request()
    #expect(throws: ChromaError.self) {
      try stage.engine.distinct(
        "number", .everything, in: stage.collection, limit: nil, cancel: cancel)
    }
    #expect(throws: ChromaError.self) {
      try stage.engine.get(
        .everything, from: stage.collection, limit: nil, offset: 0,
        order: RecordOrder(key: "number", isDescending: false), include: [], cancel: cancel)
    }
  }
}

/// The rules in the plainest code that can say them, apart from the engine's.
private enum PlainSort {
  static func ordered(
    _ records: [ModelRecord], by key: Text, isDescending: Bool
  ) -> [Text] {
    let places = records.indices.map { (value: records[$0].metadata[key], row: $0) }
    let valued = places.filter { $0.value.map { rank($0) < 3 } ?? false }
    let valueless = places.filter { !($0.value.map { rank($0) < 3 } ?? false) }
    let sorted = valued.sorted { left, right in
      guard let one = left.value, let other = right.value else { return false }
      if isLess(one, other) { return !isDescending }
      if isLess(other, one) { return isDescending }
      return left.row < right.row
    }
    return (sorted + valueless).map { records[$0.row].id }
  }

  static func distinct(_ records: [ModelRecord], _ key: Text) -> [DistinctValue] {
    var all: [(value: MetadataValue, row: Int)] = []
    for (row, record) in records.enumerated() {
      for element in elements(record.metadata[key]) { all.append((element, row)) }
    }
    all.sort { isLess($0.value, $1.value) }
    var found: [DistinctValue] = []
    var rest = all[...]
    while let first = rest.first {
      let equal = rest.prefix { !isLess(first.value, $0.value) }
      rest = rest.dropFirst(equal.count)
      var shown = first.value
      for other in equal { if case .int = other.value { shown = other.value } }
      if case .float(0) = shown { shown = .float(0) }
      found.append(DistinctValue(value: shown, count: Set(equal.map(\.row)).count))
    }
    return found
  }

  private static func elements(_ value: MetadataValue?) -> [MetadataValue] {
    switch value {
    case nil: []
    case .bools(let elements): elements.map { .bool($0) }
    case .ints(let elements): elements.map { .int($0) }
    case .floats(let elements): elements.map { .float($0) }
    case .strings(let elements): elements.map { .string($0) }
    case let scalar?: [scalar]
    }
  }

  /// 3 for arrays.
  private static func rank(_ value: MetadataValue) -> Int {
    switch value {
    case .bool: 0
    case .int, .float: 1
    case .string: 2
    default: 3
    }
  }

  private static func isLess(_ left: MetadataValue, _ right: MetadataValue) -> Bool {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): return !left && right
    case (.string(let left), .string(let right)):
      return left.bytes.lexicographicallyPrecedes(right.bytes)
    case (.int(let left), .int(let right)): return left < right
    case (.float(let left), .float(let right)): return left < right
    case (.int(let int), .float(let float)): return difference(float, int) > 0
    case (.float(let float), .int(let int)): return difference(float, int) < 0
    default: return rank(left) < rank(right)
    }
  }

  /// The sign of a float without an integer, exactly.
  private static func difference(_ float: Double, _ int: Int64) -> Int {
    if float >= 0x1p63 { return 1 }
    if float < -0x1p63 { return -1 }
    let whole = Int64(float.rounded(.towardZero))
    if whole != int { return whole > int ? 1 : -1 }
    let rest = float - float.rounded(.towardZero)
    return rest > 0 ? 1 : rest < 0 ? -1 : 0
  }
}
