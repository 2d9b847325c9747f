import ChromaBase
import ChromaQuery
import ChromaTestSupport
import Testing

/// Filters accept what official Chroma's engine accepts, find what it finds, and refuse the rest in
/// its words. Recorded by `Fixtures/record_filters.py`, which says what is left out and why.
@Suite struct RecordedFilterTests {
  private struct Recorded {
    let field: Text
    let text: Text
    let answer: JSON
  }

  private let records: [(id: Text, record: FilteredRecord)]
  private let filters: [Recorded]

  init() throws {
    let lines = try Fixture.lines("filters.jsonl").map { try JSON(parsing: Array($0.utf8)) }
    records = try Self.records(try #require(lines.first))
    filters = try lines.dropFirst().map { line in
      guard case .array(let columns) = line, columns.count == 3 else {
        throw ChromaError.invalidArgument("no filter: \(line.text)")
      }
      return Recorded(
        field: try #require(Self.text(columns[0])), text: try #require(Self.text(columns[1])),
        answer: columns[2])
    }
    try #require(filters.count > 2_000)
  }

  @Test func everyRecordedFilterAnswersAsRecorded() {
    for filter in filters {
      let answer = answer(filter.field, filter.text)
      #expect(answer == filter.answer, "\(filter.field): \(filter.text) found \(answer.text)")
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func damagedFiltersGiveAnAnswerOrAnError(seed: UInt64) {
    var random = SeededRandom(seed)
    var refusedCount = 0
    for _ in 0..<5_000 {
      let filter = random.element(of: filters)
      var bytes = filter.text.bytes
      for _ in 0..<random.int(in: 1...3) where !bytes.isEmpty {
        let start = random.int(in: 0...bytes.count - 1)
        let slice = bytes[start...].prefix(random.int(in: 1...8))
        switch random.int(in: 0...2) {
        case 0: bytes.removeSubrange(slice.indices)
        case 1: bytes.insert(contentsOf: slice, at: random.int(in: 0...bytes.count))
        default: bytes[start] = UInt8.random(in: 0x20...0x7E, using: &random)
        }
      }
      guard let damaged = Text(validating: bytes) else { continue }
      // An error other than an invalid argument fails in `answer`.
      if case .string = answer(filter.field, damaged) { refusedCount += 1 }
    }
    #expect((1_000...4_900).contains(refusedCount), "seed \(seed): \(refusedCount) refused")
  }

  /// The ids found, or the message of the error.
  private func answer(_ field: Text, _ text: Text) -> JSON {
    do throws(ChromaError) {
      var ids: [JSON] = []
      let filter: Filter =
        field == "where" ? try Filter(json: text) : .document(try DocumentFilter(json: text))
      for (id, record) in records where filter.matches(record) { ids.append(.string(id)) }
      return .array(ids)
    } catch {
      #expect(error.kind == .invalidArgument, "\(field): \(text)")
      return .string(Text(error.message))
    }
  }

  private static func records(_ list: JSON) throws -> [(id: Text, record: FilteredRecord)] {
    guard case .array(let elements) = list else { return [] }
    return try elements.map { element in
      let record = FilteredRecord(
        metadata: metadata(element["metadata"]), document: text(element["document"]),
        uri: text(element["uri"]))
      return (try #require(text(element["id"])), record)
    }
  }

  private static func text(_ value: JSON?) -> Text? {
    if case .string(let text) = value { text } else { nil }
  }

  private static func metadata(_ value: JSON?) -> Metadata? {
    guard case .object(let members) = value else { return nil }
    return Metadata(
      members.compactMap { member in
        scalarOrArray(member.value).map { Metadata.Entry(member.key, $0) }
      })
  }

  private static func scalarOrArray(_ value: JSON) -> MetadataValue? {
    switch value {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    case .string(let value): .string(value)
    case .array(let elements):
      switch elements.first {
      case .bool:
        .bools(elements.compactMap { if case .bool(let value) = $0 { value } else { nil } })
      case .int: .ints(elements.compactMap { if case .int(let value) = $0 { value } else { nil } })
      case .float:
        .floats(elements.compactMap { if case .float(let value) = $0 { value } else { nil } })
      default: .strings(elements.compactMap(text))
      }
    default: nil
    }
  }
}
