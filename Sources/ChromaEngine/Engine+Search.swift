// Queries: which records are nearest, and how that was found.

package import ChromaBase
import ChromaCatalog
package import ChromaIndex

/// How a query is answered at one state of its collection.
package struct QueryExplanation: Sendable {
  package let version: Int64
  /// Of the index; 0 without one.
  package let generation: Int64
  /// The log position up to and with which the answer takes everything into account.
  package let position: Int64
  /// The log position up to and with which the index covers the vectors; 0 without one.
  package let indexedPosition: Int64
  package let recordCount: Int
  /// Records that ids and filters let through.
  package let candidateCount: Int
  /// Records that the index does not cover.
  package let unindexedCount: Int
  package let efSearch: Int
  /// How those were found; nil where neither ids nor filters say anything.
  package let filter: FilterReport?
  /// One for each query vector.
  package let queries: [SearchReport]
}

extension QueryExplanation {
  fileprivate init(
    _ view: CollectionState.View, _ index: IndexGeneration?, efSearch: Int, _ report: FilterReport,
    of selection: Selection, queries: [SearchReport]
  ) {
    version = view.table.version.number
    generation = index?.manifest.generation ?? 0
    position = view.position
    indexedPosition = index == nil ? 0 : view.table.indexedPosition
    recordCount = view.table.liveCount
    candidateCount = report.matchCount
    unindexedCount = index == nil ? view.table.liveCount : view.table.unindexedCount
    self.efSearch = efSearch
    filter = selection.isEverything ? nil : report
    self.queries = queries
  }
}

/// How far the index of a collection has come, in operations of its log.
package struct IndexingStatus: Equatable, Sendable {
  package let indexedCount: Int64
  package let unindexedCount: Int64
  package let totalCount: Int64

  /// 0 to 1; 1 where there is nothing to index.
  package var progress: Double {
    totalCount == 0 ? 1 : Double(indexedCount) / Double(totalCount)
  }
}

extension Engine {
  /// The `resultCount` selected records nearest to each query vector, nearest first; equal distances
  /// in the order of insertion. All of them if there are fewer.
  ///
  /// - Parameters:
  ///   - queries: Rows of one dimension.
  ///   - maxDistance: Leaves out what is farther, by the distance as it is returned; fewer may be
  ///     left. Nil or infinity for no bound.
  ///   - isExact: Whether to measure every selected record, whatever the index says.
  /// - Throws: `.invalidArgument` if the dimension is not the collection's, or the bound no number.
  package func query(
    _ queries: VectorColumn, _ selection: Selection, in id: UUID, resultCount: Int,
    maxDistance: Double? = nil, include: Include, isExact: Bool = false,
    cancel: CancelToken? = nil
  ) throws(ChromaError) -> QueryAnswer {
    guard maxDistance?.isNaN != true else {
      throw .invalidArgument("The largest distance must be a number, and not NaN.")
    }
    return try search(queries, in: id) { (view, search) throws(ChromaError) in
      try view.schema.check(selection)
      var answer = QueryAnswer(
        records: RecordColumns(include, dimension: view.dimension),
        distances: include.contains(.distances) ? [] : nil)
      guard let search else {
        answer.rowOffsets = Array(repeating: 0, count: queries.rowCount + 1)
        return answer
      }
      let candidates = try Selector(selection, in: view.table, cancel: cancel).slots()
      try search.run(candidates, resultCount, isExact: isExact, cancel) {
        (nearest, _) throws(ChromaError) in
        // Nearest first, and the distances are exact: what the bound lets through is the beginning.
        var neighbors = nearest
        if let maxDistance {
          neighbors = Array(nearest.prefix { Double($0.distance) <= maxDistance })
        }
        try answer.records.append(neighbors.map(\.slot), of: view.table)
        answer.distances?.append(contentsOf: neighbors.map(\.distance))
        answer.rowOffsets.append(answer.records.ids.count)
      }
      return answer
    }
  }

  /// How `query` would answer the same; without queries, how the selected records are found.
  package func explain(
    _ queries: VectorColumn?, _ selection: Selection, in id: UUID, resultCount: Int,
    isExact: Bool = false, cancel: CancelToken? = nil
  ) throws(ChromaError) -> QueryExplanation {
    guard let queries else {
      return try read(id) { (view) throws(ChromaError) in
        try view.schema.check(selection)
        let index = view.index?.isDamaged == true ? nil : view.index
        let settings = IndexSettings(try known.state(of: id).configuration(of: view.row).hnsw)
        let report = try Selector(selection, in: view.table, cancel: cancel)
          .explain(clock: environment.clock).report
        return QueryExplanation(
          view, index, efSearch: settings.efSearch, report, of: selection, queries: [])
      }
    }
    return try search(queries, in: id) { (view, search) throws(ChromaError) in
      try view.schema.check(selection)
      var reports: [SearchReport] = []
      let (candidates, report) = try Selector(selection, in: view.table, cancel: cancel)
        .explain(clock: environment.clock)
      try search?.run(candidates, resultCount, isExact: isExact, cancel) { _, report in
        reports.append(report)
      }
      // One that is damaged, or has no room in memory, counts for nothing.
      let index = search?.graph == nil ? nil : view.index
      return QueryExplanation(
        view, index, efSearch: search?.efSearch ?? 0, report, of: selection, queries: reports)
    }
  }

  /// How far the index of a collection has come. What is too little to be worth an index, or too new
  /// to stand in a segment, counts as indexed: it is as quick to search as it gets.
  package func indexingStatus(of id: UUID) throws(ChromaError) -> IndexingStatus {
    try read(id) { view in
      let table = view.table
      let isDamaged = view.index?.isDamaged == true
      let isWaiting =
        table.indexableCount > 0
        && (view.index != nil || table.version.liveCount > environment.indexLimits.recordCountMin)
      let indexedCount =
        isDamaged ? 0 : isWaiting ? table.indexedPosition : view.position
      return IndexingStatus(
        indexedCount: indexedCount, unindexedCount: view.position - indexedCount,
        totalCount: view.position)
    }
  }

  /// Calls the body with one state of the collection and what searches it; nil without a vector.
  private func search<R>(
    _ queries: VectorColumn, in id: UUID,
    _ body: (CollectionState.View, CollectionSearch?) throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    try BatchRules.checkFinite(queries)
    do throws(ChromaError) {
      let state = try known.state(of: id)
      let result = try readIndexed(id) { (view) throws(ChromaError) -> R? in
        if let dimension = view.dimension, dimension != queries.dimension {
          throw .dimensionMismatch(expected: dimension, actual: queries.dimension)
        }
        guard let vectors = view.table.vectors else { return try body(view, nil) }
        let graph: Graph?
        if let index = view.index {
          known.forgetUnused(before: index.isOpen ? 0 : index.byteCount)
          switch state.open(index) {
          case .open(let contents): graph = contents.graph
          case .gone: return nil
          case .damaged, .unavailable: graph = nil
          }
        } else {
          graph = nil
        }
        let settings = IndexSettings(try state.configuration(of: view.row).hnsw)
        return try body(
          view,
          CollectionSearch(
            table: view.table, vectors: vectors, graph: graph, queries: queries,
            settings: settings, scratches: scratches))
      }
      checkIndex(of: id, isWriting: false)
      return result
    } catch {
      throw Self.asOfficial(error, in: nil)
    }
  }
}

/// Queries of one collection at one state.
private struct CollectionSearch {
  let table: RecordTable
  let vectors: VectorTable
  let graph: Graph?
  let queries: VectorColumn
  let settings: IndexSettings
  let scratches: SearchScratches

  var efSearch: Int { settings.efSearch }

  /// Calls `take` with the answer to each query, one after another.
  func run(
    _ candidates: Bitset, _ resultCount: Int, isExact: Bool, _ cancel: CancelToken?,
    _ take: ([Neighbor], SearchReport) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    let search = IndexSearch(
      graph: graph, vectors: vectors, candidates: candidates, unindexed: table.unindexed,
      ef: min(efSearch, max(1, table.liveCount)), isExact: isExact)
    let threadCountMax = min(
      EngineEnvironment.processorCount, settings.threadCount ?? EngineEnvironment.processorCount)
    let answers = try search.answers(
      queries.rowCount, count: resultCount, threadCountMax: threadCountMax
    ) { row throws(ChromaError) in
      try scratches.withScratch { (scratch) throws(ChromaError) in
        try queries.withRow(row) { (query) throws(ChromaError) in
          try search.nearest(
            resultCount, to: query, scratch: scratch,
            order: { UInt64(bitPattern: table.order($0)) },
            verify: { (slots) throws(ChromaError) in try table.verifyVectors(of: slots) },
            poll: { () throws(ChromaError) in try cancel?.check() })
        }
      }
    }
    for (neighbors, report) in answers { try take(neighbors, report) }
  }
}

extension VectorColumn {
  fileprivate var rowCount: Int { values.count / dimension }
}
