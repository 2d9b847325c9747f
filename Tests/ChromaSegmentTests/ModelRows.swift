import ChromaBase
import ChromaKernels
import ChromaSegment
import ChromaStorage
import ChromaTestSupport

/// Rows in plain arrays: what a segment is written from, and compared with.
struct ModelRows: SegmentSource {
  struct Row: Equatable {
    var id: Text
    var order: Int64
    /// How much newer the vector is.
    var vectorDelay: Int64 = 0
    var slot: UInt32
    var vector: [Float]
    var inverseNorm: Float = 0
    var document: Text?
    var uri: Text?
    var metadata: Metadata?
  }

  var rows: [Row]
  var dimension: Int
  var space: Space
  var vectorType = VectorType.f32

  var rowCount: Int { rows.count }
  func id(_ row: Int) -> Text { rows[row].id }
  func order(_ row: Int) -> Int64 { rows[row].order }
  func vectorPosition(_ row: Int) -> Int64 { rows[row].order + rows[row].vectorDelay }
  func slot(_ row: Int) -> UInt32 { rows[row].slot }
  func inverseNorm(_ row: Int) -> Float { rows[row].inverseNorm }
  func document(_ row: Int) -> Text? { rows[row].document }
  func uri(_ row: Int) -> Text? { rows[row].uri }
  func metadata(_ row: Int) -> Metadata? { rows[row].metadata }

  func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    try rows[row].vector.withUnsafeBufferPointer { (vector) throws(ChromaError) in
      try body(vector)
    }
  }

  static let description = SegmentDescription(
    collection: UUID(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF), version: 3,
    firstPosition: 1, lastPosition: .max,
    definition: CollectionDefinition(
      tenant: "default_tenant", database: "default_database", databaseID: .zero, name: "é",
      configuration: "{}", schema: "{\"a\": 1}", metadata: [1, 2, 3]))

  /// Everything that rows may have: holes in orders and slots, or none; columns that all rows have,
  /// some or none; keys of several kinds; empty texts.
  static func random(
    rowCount: Int, space: Space? = nil, vectorType: VectorType? = nil,
    using random: inout SeededRandom
  ) -> ModelRows {
    let dimension = random.element(of: [1, 2, 3, 15, 16, 33, 128])
    let space = space ?? random.element(of: Space.allCases)
    let vectorType = vectorType ?? random.element(of: VectorType.allCases)
    let orderGap = random.element(of: [1, 1, 2, 300, 1 << 40])
    var order = Int64(random.int(in: 0...1) * random.int(in: 0...1 << 40))
    var slots = (0..<UInt32(rowCount)).map { random.oneIn(2) ? $0 : $0 &* 7 }
    slots = Array(Set(slots)).sorted()
    while slots.count < rowCount { slots.append(slots[slots.count - 1] + 5) }
    if random.oneIn(2) { slots.shuffle(using: &random) }
    let texts = (documents: random.int(in: 0...2), uris: random.int(in: 0...2))
    let metadataRate = random.int(in: 0...3)
    let delayMax = random.element(of: [0, 0, 1, 300, 1 << 40])
    let rows = (0..<rowCount).map { row in
      order += Int64(random.int(in: 1...orderGap))
      return Row(
        id: Text(random.oneIn(50) ? "é\(row)\u{0}" : "id-\(row * 7)"), order: order,
        vectorDelay: random.oneIn(3) ? Int64(random.int(in: 0...delayMax)) : 0, slot: slots[row],
        vector: vector(of: vectorType, dimension, using: &random),
        inverseNorm: space == .cosine ? (random.oneIn(9) ? .nan : Float(row) / 3) : 0,
        document: text(rate: texts.documents, using: &random),
        uri: text(rate: texts.uris, using: &random),
        metadata: metadataRate == 0 ? nil : metadata(rate: metadataRate, using: &random))
    }
    return ModelRows(rows: rows, dimension: dimension, space: space, vectorType: vectorType)
  }

  /// Elements that the type holds as they are.
  private static func vector(
    of type: VectorType, _ dimension: Int, using random: inout SeededRandom
  ) -> [Float] {
    let vector = (0..<dimension).map { _ in Float(random.int(in: -1000...1000)) / 8 }
    return withUnsafeTemporaryAllocation(
      byteCount: type.rowByteCount(dimension: dimension), alignment: 4
    ) { row in
      let refused = vector.withUnsafeBufferPointer { type.encode($0, into: row.baseAddress!) }
      precondition(refused == nil)
      return type.withElements(row.baseAddress!, dimension: dimension) { Array($0) }
    }
  }

  /// - Parameter rate: 0 for none, 1 for some, 2 for all rows.
  private static func text(rate: Int, using random: inout SeededRandom) -> Text? {
    if rate == 0 || (rate == 1 && random.oneIn(2)) { return nil }
    let words = ["", "apple ", "水", "e\u{301}", "\u{0}", "lorem ipsum dolor sit amet "]
    let count = random.oneIn(40) ? 4_000 : random.int(in: 0...30)
    return Text((0..<count).map { _ in random.element(of: words) }.joined())
  }

  private static func metadata(rate: Int, using random: inout SeededRandom) -> Metadata? {
    if rate == 1 && random.oneIn(2) { return nil }
    var entries = [
      Metadata.Entry("year", .int(Int64(random.int(in: 1990...2030)))),
      Metadata.Entry("title", .string(text(rate: 2, using: &random) ?? "")),
    ]
    if rate == 3 {
      for _ in 0..<random.int(in: 0...4) {
        entries.append(.init(Text("k\(random.int(in: 0...9))"), value(using: &random)))
      }
    }
    return Metadata(entries)
  }

  private static func value(using random: inout SeededRandom) -> MetadataValue {
    let int = random.element(of: [0, 1, -1, Int64.max, Int64.min, 1 << 40])
    let float = random.element(of: [0.5, -0.0, 1e300, .leastNonzeroMagnitude])
    let count = random.int(in: 1...4)
    switch random.int(in: 1...8) {
    case 1: return .bool(random.oneIn(2))
    case 2: return .int(int)
    case 3: return .float(float)
    case 4: return .string(text(rate: 2, using: &random) ?? "")
    case 5: return .bools((0..<count).map { _ in random.oneIn(2) })
    case 6: return .ints([Int64](repeating: int, count: count))
    case 7: return .floats([Double](repeating: float, count: count))
    default: return .strings([Text](repeating: random.oneIn(2) ? "" : "x", count: count))
    }
  }
}

extension Segment {
  /// The first difference between what is read here and the rows, or nil.
  func firstDifference(from model: ModelRows) throws -> String? {
    guard rowCount == model.rowCount, dimension == model.dimension, space == model.space,
      vectorType == model.vectorType
    else { return "shape" }
    for (number, row) in model.rows.enumerated() {
      var vector: [Float] = []
      try withVector(number) { vector = Array($0) }
      let found = ModelRows.Row(
        id: try id(number), order: order(number),
        vectorDelay: vectorPosition(number) - order(number), slot: slot(number), vector: vector,
        inverseNorm: 0, document: try document(number), uri: try uri(number),
        metadata: try metadata(number))
      var expected = row
      expected.inverseNorm = 0
      if found != expected { return "row \(number): \(found), not \(expected)" }
      if space == .cosine, inverseNorm(number).bitPattern != row.inverseNorm.bitPattern {
        return "row \(number): the norm"
      }
      if try self.row(of: row.id) != number { return "the row of \(row.id)" }
    }
    return nil
  }
}
