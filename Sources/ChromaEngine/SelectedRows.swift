// The records of a selection where they stand: for who goes through columns of values instead of
// through records.

import ChromaBase

/// Which rows of segments are selected, and which records of the tail. No record is in both.
struct SelectedRows {
  /// For each part of the version.
  private(set) var rows: [Bitset]
  /// Slots, in no order.
  private(set) var tail: [UInt32] = []

  init(_ selection: Selection, in table: RecordTable, cancel: CancelToken?) throws(ChromaError) {
    let selector = Selector(selection, in: table, cancel: cancel)
    if selection.ids != nil {
      rows = Array(repeating: Bitset(), count: table.version.parts.count)
      for slot in try selector.slots() {
        let location = table.locations[Int(slot)]
        if location.isInTail {
          tail.append(slot)
        } else {
          rows[location.segment].insert(UInt32(location.row))
        }
      }
      return
    }
    rows = table.rowsThatCount
    guard let plan = selector.plan else {
      tail = Array(table.slotsInTail)
      return
    }
    for (index, part) in table.version.parts.enumerated() where !rows[index].isEmpty {
      rows[index] = try selector.filter(part.segment, plan, in: rows[index]).rows()
    }
    for slot in table.slotsInTail where try selector.matches(slot) { tail.append(slot) }
  }
}
