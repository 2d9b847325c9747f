// How queries are answered, instead of what they find.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine
import ChromaIndex

/// What a query asks for, and how.
struct Query {
  /// Nil where none were given.
  let vectors: VectorColumn?
  let selection: Selection
  let resultCount: Int
  let maxDistance: Double?
  let include: Include
  let isExact: Bool
  let cancel: CancelToken?

  init(_ options: UnsafePointer<chroma_query_options>?) throws(ChromaError) {
    var initial = chroma_query_options()
    initial.result_count = 10
    let options = try sized(options, initial: initial, "options")
    vectors = try options.embeddings.column(present: nil)
    selection = try options.selection.selection()
    resultCount = Int(clamping: options.result_count)
    maxDistance = options.max_distance?.pointee
    include = Include(rawValue: options.include)
    isExact = options.exact != 0
    cancel = try cancelToken(options.cancel)
  }
}

/// What a `chroma_explain_result` handle stands for.
final class ExplainResult {
  private let arena = Arena()
  let explanation: QueryExplanation
  let filter: chroma_string

  init(_ explanation: QueryExplanation) {
    self.explanation = explanation
    filter = arena.string(explanation.filter?.json.text)
  }
}

extension SearchReport.Strategy {
  fileprivate var constant: chroma_search_strategy {
    let constant: Int =
      switch self {
      case .exactScan: CHROMA_SEARCH_EXACT_SCAN
      case .codeScan: CHROMA_SEARCH_CODE_SCAN
      case .graph: CHROMA_SEARCH_GRAPH
      case .filteredGraph: CHROMA_SEARCH_FILTERED_GRAPH
      }
    return chroma_search_strategy(constant)
  }
}

@c @implementation
public func chroma_collection_explain(
  _ handle: OpaquePointer!, _ options: UnsafePointer<chroma_query_options>!,
  _ out_result: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_result?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_result, "out_result")
    let query = try Query(options)
    let (engine, id) = try collection(handle)
    let explanation = try engine.explain(
      query.vectors, query.selection, in: id, resultCount: query.resultCount,
      isExact: query.isExact, cancel: query.cancel)
    out.pointee = HandleTable.give(ExplainResult(explanation))
  }
}

@c @implementation
public func chroma_explain_result_view(
  _ result: OpaquePointer!, _ out_view: UnsafeMutablePointer<chroma_explain_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let found = try found(result, ExplainResult.self, "result").explanation
    try store(
      chroma_explain_view(
        struct_size: MemoryLayout<chroma_explain_view>.size, version: found.version,
        generation: found.generation, position: found.position,
        indexed_position: found.indexedPosition, record_count: UInt64(clamping: found.recordCount),
        candidate_count: UInt64(clamping: found.candidateCount),
        unindexed_count: UInt64(clamping: found.unindexedCount),
        ef_search: UInt64(clamping: found.efSearch), query_count: found.queries.count),
      to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_explain_result_search(
  _ result: OpaquePointer!, _ index: Int, _ out_view: UnsafeMutablePointer<chroma_search_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let reports = try found(result, ExplainResult.self, "result").explanation.queries
    guard reports.indices.contains(index) else {
      throw .invalidArgument(
        "The index \(UInt(bitPattern: index)) is out of range: there are \(reports.count) queries.")
    }
    let report = reports[index]
    try store(
      chroma_search_view(
        struct_size: MemoryLayout<chroma_search_view>.size, strategy: report.strategy.constant,
        has_switched: report.hasSwitched ? 1 : 0,
        scanned_count: UInt64(clamping: report.restCount),
        measured_count: UInt64(clamping: report.measuredCount),
        reranked_count: UInt64(clamping: report.rerankedCount)),
      to: out_view, "out_view")
  }
}

@c @implementation
public func chroma_explain_result_filter_json(_ result: OpaquePointer!) -> chroma_string {
  HandleTable.find(result, ExplainResult.self)?.filter ?? chroma_string(data: nil, length: 0)
}

@c @implementation
public func chroma_explain_result_free(_ result: OpaquePointer!) {
  HandleTable.end(result, ExplainResult.self)
}
