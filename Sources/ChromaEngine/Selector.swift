// Which records a call is about: ids and filters, as a set of slots.
//
// Segments are filtered as a whole (`SegmentFilter`), in rows that then become slots. Records of the
// tail, which are few, and records whose ids were given are looked at one by one: what a filter means
// there is what `Filter.matches` says, and segments agree with it.

package import ChromaBase
package import ChromaQuery
import ChromaSegment

/// Records of the ids, if given, that match both filters, if given.
package struct Selection: Sendable {
  package let ids: [Text]?
  package let filter: Filter?
  package let documentFilter: DocumentFilter?
  /// Both filters, as segments answer them; nil without any.
  let plan: FilterPlan?
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
    plan = FilterPlan(filter, documentFilter)
    filterNeeds = filter?.needs ?? []
    let keys = filter?.metadataKeys ?? []
    filterKeys = keys.count > 8 ? nil : keys
  }

  package static let everything = Selection()

  private init() {
    ids = nil
    filter = nil
    documentFilter = nil
    plan = nil
    filterNeeds = []
    filterKeys = []
  }

  package var hasFilter: Bool { filter != nil || documentFilter != nil }
  var isEverything: Bool { ids == nil && !hasFilter }
}

/// A selection over one table, which nothing changes meanwhile.
struct Selector {
  let table: RecordTable
  let cancel: CancelToken?
  private let selection: Selection
  private let recorder: FilterRecorder?

  init(_ selection: Selection, in table: RecordTable, cancel: CancelToken?) {
    self.init(selection, in: table, cancel: cancel, recorder: nil)
  }

  private init(
    _ selection: Selection, in table: RecordTable, cancel: CancelToken?, recorder: FilterRecorder?
  ) {
    self.selection = selection
    self.table = table
    self.cancel = cancel
    self.recorder = recorder
  }

  /// Nil if all records are selected.
  var plan: FilterPlan? { selection.plan }

  /// The matching slots as a set.
  func slots() throws(ChromaError) -> Bitset {
    if selection.isEverything { return table.live }
    var matches = Bitset()
    if let ids = selection.ids {
      for slot in try slots(of: ids) where try self.matches(slot) { matches.insert(slot) }
      return matches
    }
    try forEachSegment { (index, filter) throws(ChromaError) in
      table.insertSlots(ofSegment: index, rows: try filter.rows(), into: &matches)
    }
    for slot in table.slotsInTail where try self.matches(slot) { matches.insert(slot) }
    return matches
  }

  /// How many records match.
  func count() throws(ChromaError) -> Int {
    if selection.isEverything { return table.liveCount }
    if selection.ids != nil { return try slots().count }
    var count = 0
    try forEachSegment { (_, filter) throws(ChromaError) in
      count += try filter.rows().count
    }
    for slot in table.slotsInTail where try self.matches(slot) { count += 1 }
    return count
  }

  /// The matching slots, and how they were found.
  func explain(clock: any Clock) throws(ChromaError) -> (slots: Bitset, report: FilterReport) {
    let start = clock.monotonicNanoseconds()
    let recorder = FilterRecorder(nodeCount: plan?.nodeCount ?? 0)
    let slots = try Selector(selection, in: table, cancel: cancel, recorder: recorder).slots()
    let nanoseconds = clock.monotonicNanoseconds() - start
    return (slots, recorder.report(of: plan, matchCount: slots.count, nanoseconds: nanoseconds))
  }

  /// The matching slots in the order of insertion, cut to a window.
  ///
  /// - Parameter last: The order after which to begin.
  func slotsInOrder(
    offset: Int, limit: Int?, after last: Int64? = nil
  ) throws(ChromaError) -> [UInt32] {
    guard let ids = selection.ids else {
      return try walk(offset: offset, limit: limit, after: last)
    }
    // Few ids: sorting them by order beats walking the collection.
    let ordered = Set(try slots(of: ids)).map { (order: table.order($0), slot: $0) }
      .sorted { $0 < $1 }
    var window = MatchWindow(offset: offset, limit: limit)
    for (order, slot) in ordered where order > last ?? 0 {
      if window.isFull { break }
      if try matches(slot) { window.append(slot) }
    }
    return window.slots
  }

  /// A filter over the rows of a segment that count, or some of them.
  func filter(
    _ segment: Segment, _ plan: FilterPlan, in rows: Bitset
  ) throws(ChromaError) -> SegmentFilter {
    recorder?.countSegment()
    return try SegmentFilter(plan, over: segment, in: rows, cancel: cancel, recorder: recorder)
  }

  private func forEachSegment(
    _ body: (_ index: Int, SegmentFilter) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    guard let plan else { return }
    for (index, rows) in table.rowsThatCount.enumerated() where !rows.isEmpty {
      try body(index, try filter(table.version.parts[index].segment, plan, in: rows))
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

  /// Whether one record matches. Reads of it only what the filters look at: a document may have to be
  /// unpacked, and may take milliseconds to search.
  func matches(_ slot: UInt32) throws(ChromaError) -> Bool {
    try cancel?.check()
    recorder?.countRecord()
    if let filter = selection.filter {
      let needs = selection.filterNeeds
      let record = FilteredRecord(
        metadata: needs.contains(.metadata)
          ? try table.metadata(slot, keys: selection.filterKeys) : nil,
        document: needs.contains(.document) ? try table.document(slot) : nil,
        uri: needs.contains(.uri) ? try table.uri(slot) : nil)
      if try !filter.matches(record, cancel: cancel) { return false }
    }
    if let filter = selection.documentFilter {
      let record = FilteredRecord(metadata: nil, document: try table.document(slot), uri: nil)
      if try !filter.matches(record, cancel: cancel) { return false }
    }
    return true
  }
}
