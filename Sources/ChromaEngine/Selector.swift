// Which records a call is about: ids and filters, as a set of slots.
//
// For now every candidate is looked at; columns and postings come with segments.

package import ChromaBase
import ChromaIndex
package import ChromaQuery

/// Records of the ids, if given, that match both filters, if given.
package struct Selection: Sendable {
  package let ids: [Text]?
  package let filter: Filter?
  package let documentFilter: DocumentFilter?

  /// - Throws: `.invalidArgument` if a filter does not parse.
  package init(
    ids: [Text]? = nil, whereJSON: Text? = nil, whereDocumentJSON: Text? = nil
  ) throws(ChromaError) {
    self.ids = ids
    filter = if let whereJSON { try Filter(json: whereJSON) } else { nil }
    documentFilter =
      if let whereDocumentJSON { try DocumentFilter(json: whereDocumentJSON) } else { nil }
  }

  package static let everything = Selection()

  private init() {
    ids = nil
    filter = nil
    documentFilter = nil
  }

  package var hasFilter: Bool { filter != nil || documentFilter != nil }
}

/// A selection over one table, under the collection's lock.
struct Selector {
  private let selection: Selection
  private let table: RecordTable
  private let cancel: CancelToken?

  init(_ selection: Selection, in table: RecordTable, cancel: CancelToken?) {
    self.selection = selection
    self.table = table
    self.cancel = cancel
  }

  /// The matching slots as a set.
  func slots() throws(ChromaError) -> Bitset {
    guard let ids = selection.ids else {
      if !selection.hasFilter { return table.live }
      var matches = Bitset()
      try forEachMatch(in: table.live) { slot in
        matches.insert(slot)
        return true
      }
      return matches
    }
    var matches = Bitset()
    try forEachMatch(in: ids.lazy.compactMap { table.slot(of: $0) }) { slot in
      matches.insert(slot)
      return true
    }
    return matches
  }

  /// The matching slots in the order of insertion, cut to a window.
  func slotsInOrder(offset: Int, limit: Int?) throws(ChromaError) -> [UInt32] {
    let end = limit.map { offset.addingReportingOverflow($0) }
    let endIndex = end.map { $0.overflow ? Int.max : $0.partialValue } ?? Int.max
    var window: [UInt32] = []
    if endIndex <= offset { return [] }
    var index = 0
    let take = { (slot: UInt32) -> Bool in
      if index >= offset { window.append(slot) }
      index += 1
      return index < endIndex
    }
    if let ids = selection.ids {
      // Few ids: sorting them by order beats walking the collection.
      let unique = Set(ids.lazy.compactMap { table.slot(of: $0) })
      let ordered = unique.sorted { table.orders[Int($0)] < table.orders[Int($1)] }
      try forEachMatch(in: ordered, take)
    } else {
      try forEachMatch(in: table.slotsInOrder, take)
    }
    return window
  }

  /// Visits the candidates that match until the visitor has enough.
  private func forEachMatch(
    in candidates: some Sequence<UInt32>, _ visit: (UInt32) -> Bool
  ) throws(ChromaError) {
    var visitedCount = 0
    for slot in candidates {
      // A document may take milliseconds to search; metadata never does.
      if visitedCount % Limits.cancellationRowInterval == 0 || selection.documentFilter != nil {
        try cancel?.check()
      }
      visitedCount += 1
      if matches(slot), !visit(slot) { return }
    }
  }

  private func matches(_ slot: UInt32) -> Bool {
    if !selection.hasFilter { return true }
    let record = FilteredRecord(
      metadata: table.metadatas[Int(slot)], document: table.documents[Int(slot)],
      uri: table.uris[Int(slot)])
    if let filter = selection.filter, !filter.matches(record) { return false }
    if let filter = selection.documentFilter, !filter.matches(record) { return false }
    return true
  }
}
