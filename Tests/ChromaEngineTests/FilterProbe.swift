import ChromaBase
import ChromaEngine
import ChromaTestSupport
import Testing

/// Asks an engine for what filters select, in every way there is, and compares with the model.
struct FilterProbe {
  let collection: UUID
  /// In the order of insertion.
  let records: [ModelRecord]
  /// Said of what fails: the seed, and where it stands.
  let place: String

  /// One question: ids, `where` and `where_document`, each perhaps not given.
  struct Question {
    let ids: [Text]?
    let filter: ModelFilter?
    let documentFilter: ModelFilter?

    var selection: Selection {
      get throws(ChromaError) {
        try Selection(
          ids: ids, whereJSON: filter?.json.text,
          whereDocumentJSON: documentFilter?.documentJSON.text)
      }
    }

    var words: String {
      "where \(filter?.json.text ?? "none"), where_document "
        + "\(documentFilter?.documentJSON.text ?? "none"), ids \(ids.map { "\($0.count)" } ?? "none")"
    }

    /// The records that it means.
    func answer(_ records: [ModelRecord]) -> [ModelRecord] {
      let ids = ids.map { Set($0) }
      let isMeant = filter?.answers(records)
      let isMeantByText = documentFilter?.answers(records)
      return records.indices.filter { row in
        (ids?.contains(records[row].id) ?? true) && (isMeant?[row] ?? true)
          && (isMeantByText?[row] ?? true)
      }.map { records[$0] }
    }

    static func random(
      over records: [ModelRecord], _ filters: RandomFilters, _ random: inout SeededRandom
    ) -> Question {
      let kind = random.int(in: 0...5)
      let ids: [Text]? =
        random.oneIn(8)
        ? (0..<random.int(in: 0...40)).map { _ in
          random.oneIn(10) ? "nobody" : random.element(of: records).id
        } : nil
      return Question(
        ids: ids, filter: kind < 5 ? filters.filter(using: &random) : nil,
        documentFilter: kind >= 4 ? filters.documentFilter(using: &random) : nil)
    }
  }

  /// Compares what `get` answers in full with the model, and something else: a window, a count, or the
  /// nearest.
  ///
  /// - Parameter expected: What `question` means here.
  /// - Returns: In which ways it was answered, where that was asked.
  @discardableResult
  func check(
    _ question: Question, _ expected: [ModelRecord], on engine: Engine,
    _ random: inout SeededRandom
  ) throws -> Set<FilterReport.Way> {
    let selection = try question.selection
    let words: Comment = "\(place): \(question.words)"
    let all = try engine.get(
      selection, from: collection, limit: nil, offset: 0, include: [.documents])
    let found = all.ids == expected.map(\.id) && all.documents == expected.map(\.document)
    #expect(found, "\(words): \(difference(all.ids, expected.map(\.id)))")

    switch random.int(in: 0...4) {
    case 0:
      let report = try engine.explain(nil, selection, in: collection, resultCount: 0).filter
      #expect(report?.matchCount == expected.count, words)
      return report?.plan.map(Self.ways) ?? []
    case 1:
      let offset = random.int(in: 0...max(1, expected.count))
      let limit = random.int(in: 0...max(3, expected.count / 2))
      let page = try engine.get(
        selection, from: collection, limit: limit, offset: offset, include: [])
      #expect(
        page.ids == expected.dropFirst(offset).prefix(limit).map(\.id),
        "\(words), from \(offset), \(limit) of them")
    case 2:
      #expect(try engine.count(selection, in: collection) == expected.count, words)
    default:
      try checkNearest(selection, expected, words, on: engine, &random)
    }
    return []
  }

  private static func ways(_ node: FilterReport.Node) -> Set<FilterReport.Way> {
    node.children.reduce(node.ways) { $0.union(ways($1)) }
  }

  private func checkNearest(
    _ selection: Selection, _ expected: [ModelRecord], _ words: Comment, on engine: Engine,
    _ random: inout SeededRandom
  ) throws {
    let query = (0..<RandomRecords.dimension).map { _ in Float(random.int(in: -3...3)) }
    let distances = expected.map { ModelCollection.distance($0.vector, query, .l2) }
    let count = random.element(of: [1, 10, records.count])
    let nearest = expected.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
    let isExact = random.oneIn(2)
    let answer = try engine.query(
      VectorColumn(dimension: RandomRecords.dimension, values: query), selection, in: collection,
      resultCount: count, include: [], isExact: isExact)
    #expect(
      answer.records.ids == nearest.prefix(count).map { expected[$0].id },
      "\(words), nearest \(count) of \(query), exact: \(isExact)")
  }

  private func difference(_ found: [Text], _ expected: [Text]) -> String {
    let missing = expected.filter { !found.contains($0) }.prefix(5)
    let extra = found.filter { !expected.contains($0) }.prefix(5)
    return "\(found.count) instead of \(expected.count), missing \(missing), extra \(extra)"
  }
}
