// Which records a call is about: ids and filters, as a set of slots.
//
// For now every candidate is looked at; columns and postings come next.

package import ChromaBase
import ChromaIndex
package import ChromaQuery

/// Records of the ids, if given, that match both filters, if given.
package struct Selection: Sendable {
  package let ids: [Text]?
  package let filter: Filter?
  package let documentFilter: DocumentFilter?
  /// What `filter` looks at.
  let filterNeeds: FilteredRecord.Fields
  /// The keys of metadata that `filter` looks at; nil if they are so many that reading all of it costs
  /// less than looking for them.
  let filterKeys: [Text]?

  /// - Throws: `.invalidArgument` if a filter does not parse.
  package init(
    ids: [Text]? = nil, whereJSON: Text? = nil, whereDocumentJSON: Text? = nil
  ) throws(ChromaError) {
    self.ids = ids
    filter = if let whereJSON { try Filter(json: whereJSON) } else { nil }
    documentFilter =
      if let whereDocumentJSON { try DocumentFilter(json: whereDocumentJSON) } else { nil }
    filterNeeds = filter?.needs ?? []
    let keys = filter?.metadataKeys ?? []
    filterKeys = keys.count > 8 ? nil : keys
  }

  package static let everything = Selection()

  private init() {
    ids = nil
    filter = nil
    documentFilter = nil
    filterNeeds = []
    filterKeys = []
  }

  package var hasFilter: Bool { filter != nil || documentFilter != nil }
  var isEverything: Bool { ids == nil && !hasFilter }
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
    try forEachMatch(in: try slots(of: ids)) { slot in
      matches.insert(slot)
      return true
    }
    return matches
  }

  /// How many records match.
  func count() throws(ChromaError) -> Int {
    if selection.isEverything { return table.liveCount }
    return try slots().count
  }

  /// The matching slots, and how they were found.
  func explain() throws(ChromaError) -> (slots: Bitset, report: FilterReport) {
    let slots = try slots()
    var report = FilterReport()
    report.matchCount = slots.count
    return (slots, report)
  }

  /// The matching slots in the order of insertion, cut to a window.
  ///
  /// - Parameter after: The order after which to begin.
  func slotsInOrder(
    offset: Int, limit: Int?, after: Int64? = nil
  ) throws(ChromaError) -> [UInt32] {
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
      let unique = Set(try slots(of: ids))
      let ordered = unique.map { (order: table.order($0), slot: $0) }.sorted { $0 < $1 }
      try forEachMatch(in: ordered.lazy.filter { $0.order > after ?? 0 }.map(\.slot), take)
    } else {
      try forEachMatch(in: table.slotsInOrder.lazy.filter { table.order($0) > after ?? 0 }, take)
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
      if try matches(slot), !visit(slot) { return }
    }
  }

  private func slots(of ids: [Text]) throws(ChromaError) -> [UInt32] {
    var slots: [UInt32] = []
    slots.reserveCapacity(ids.count)
    for (index, id) in ids.enumerated() {
      if index % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      if let slot = try table.slot(of: id) { slots.append(slot) }
    }
    return slots
  }

  /// Reads of a record only what the filters look at: a document may have to be unpacked.
  private func matches(_ slot: UInt32) throws(ChromaError) -> Bool {
    if let filter = selection.filter {
      let needs = selection.filterNeeds
      let record = FilteredRecord(
        metadata: needs.contains(.metadata)
          ? try table.metadata(slot, keys: selection.filterKeys) : nil,
        document: needs.contains(.document) ? try table.document(slot) : nil,
        uri: needs.contains(.uri) ? try table.uri(slot) : nil)
      if !filter.matches(record) { return false }
    }
    if let filter = selection.documentFilter {
      let record = FilteredRecord(metadata: nil, document: try table.document(slot), uri: nil)
      if !filter.matches(record) { return false }
    }
    return true
  }
}
