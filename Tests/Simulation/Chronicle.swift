// What several processes did and saw, and what must be true of it.
//
// Records that are only ever added: every read is a prefix of the final log at the end of a batch,
// holds what was acknowledged before it began, and nothing that began after it ended; batches stand
// in the log in the order of their calls, whole.
//
// Records that one thread writes over and deletes: every read finds what the last call before it
// left, or a call that was in progress; never what an earlier read had already found replaced; and
// of one call all or nothing.

import ChromaBase
import ChromaEngine

/// What a read of the shared collection found.
struct SharedRecords {
  static let registerPrefix = "own-"

  /// Of records that are only added, in the order of insertion.
  var added: [Text] = []
  /// Of records that are written over: by id, the number of the call that wrote them.
  var own: [Text: Int] = [:]

  init(in id: UUID, of engine: Engine) throws(ChromaError) {
    let found = try engine.get(
      .everything, from: id, limit: nil, offset: 0, include: [.documents])
    for (id, document) in zip(found.ids, found.documents ?? []) {
      if id.string.hasPrefix(Self.registerPrefix) {
        let number = document?.string.split(separator: " ").first.flatMap { Int($0) }
        own[id] = number ?? -1
      } else {
        added.append(id)
      }
    }
  }
}

/// What a process did, between which calls of the disk.
struct Event {
  enum Kind {
    case add(ids: [Text], isAcknowledged: Bool)
    /// Writes records over, or deletes them. The number is the call's own.
    case set(Set<Text>, value: Int, isDeletion: Bool, isAcknowledged: Bool)
    case read(SharedRecords)
  }

  let kind: Kind
  let start: Int
  let end: Int
}

/// What all processes did, against the log that was found in the end.
struct Chronicle {
  let events: [Event]

  /// What had been seen after so many calls of the disk.
  func until(_ moment: Int) -> Chronicle {
    Chronicle(
      events: events.filter { $0.start <= moment }.compactMap { event in
        if event.end <= moment { return event }
        let kind: Event.Kind
        switch event.kind {
        case .add(let ids, _): kind = .add(ids: ids, isAcknowledged: false)
        case .set(let ids, let value, let isDeletion, _):
          kind = .set(ids, value: value, isDeletion: isDeletion, isAcknowledged: false)
        case .read: return nil
        }
        return Event(kind: kind, start: event.start, end: event.end)
      })
  }

  /// - Parameter last: What was found after all of it.
  func check(_ last: SharedRecords) throws(Finding) {
    try checkAdded(last.added)
    try checkOwn(last)
  }

  // MARK: Records that are written over

  /// A call on a record that is written over.
  private struct Setting {
    let value: Int?
    let number: Int
    let others: Set<Text>
    let isAcknowledged: Bool
    let start: Int
    let end: Int
  }

  private func checkOwn(_ last: SharedRecords) throws(Finding) {
    var settings: [Text: [Setting]] = [:]
    for event in events.sorted(by: { $0.start < $1.start }) {
      guard case .set(let ids, let value, let isDeletion, let isAcknowledged) = event.kind else {
        continue
      }
      for id in ids {
        settings[id, default: []].append(
          Setting(
            value: isDeletion ? nil : value, number: value, others: ids,
            isAcknowledged: isAcknowledged, start: event.start, end: event.end))
      }
    }
    var reads = events.compactMap { event in
      if case .read(let found) = event.kind { (found, event.start, event.end) } else { nil }
    }.sorted { $0.2 < $1.2 }
    reads.append((last, .max, .max))
    if let stray = reads.lazy.flatMap(\.0.own.keys).first(where: { settings[$0] == nil }) {
      throw Finding("\(stray), which nobody wrote")
    }
    for (id, calls) in settings {
      /// From when on no read finds less.
      var floors: [(end: Int, number: Int)] = []
      for (found, start, end) in reads {
        let floor = floors.lazy.filter { $0.end <= start }.map(\.number).max() ?? 0
        let numbers = Self.numbers(found.own[id], among: calls, start, end).filter { $0 >= floor }
        guard let number = numbers.first, let greatest = numbers.last else {
          throw Finding(
            "read \(found.own[id].map(String.init) ?? "nothing") as \(id), after call \(floor) "
              + "had been read, where the calls were \(calls)")
        }
        floors.append((end, number))
        try checkWhole(id, greatest, found, settings, start, end)
      }
    }
  }

  /// The numbers of the calls that may have left what was read, ascending; 0 before all.
  private static func numbers(
    _ value: Int?, among calls: [Setting], _ start: Int, _ end: Int
  ) -> [Int] {
    let floor = calls.last { $0.isAcknowledged && $0.end <= start }?.number ?? 0
    let numbers = calls.filter { $0.value == value && $0.start <= end }.map(\.number)
    return ((value == nil ? [0] : []) + numbers).filter { $0 >= floor }
  }

  /// Whoever finds a record of a call finds the others of it, or newer ones.
  private func checkWhole(
    _ id: Text, _ number: Int, _ found: SharedRecords, _ settings: [Text: [Setting]],
    _ start: Int, _ end: Int
  ) throws(Finding) {
    guard found.own[id] != nil, let call = settings[id]?.first(where: { $0.number == number })
    else { return }
    for other in call.others {
      let numbers = Self.numbers(found.own[other], among: settings[other] ?? [], start, end)
      if numbers.allSatisfy({ $0 < number }) {
        throw Finding("read \(id) of a call, and \(other) from before it")
      }
    }
  }

  // MARK: Records that are only added

  private func checkAdded(_ log: [Text]) throws(Finding) {
    let places = Dictionary(
      log.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard places.count == log.count else { throw Finding("an id stands twice in \(log)") }
    /// The added batches that are in the log, by place.
    var added: [(range: Range<Int>, event: Event)] = []
    for event in events {
      guard case .add(let ids, let isAcknowledged) = event.kind else { continue }
      let found = ids.compactMap { places[$0] }
      if found.isEmpty, !isAcknowledged { continue }
      guard found.count == ids.count, found == Array(found[0]..<found[0] + ids.count) else {
        throw Finding("\(found.count) of \(ids.count) records of a batch, at \(found)")
      }
      added.append((found[0]..<found[0] + ids.count, event))
    }
    added.sort { $0.range.lowerBound < $1.range.lowerBound }
    guard added.reduce(0, { $0 + $1.range.count }) == log.count else {
      throw Finding("records that nobody wrote, in \(log)")
    }
    for (index, first) in added.enumerated() {
      for second in added[(index + 1)...] where second.event.end < first.event.start {
        throw Finding("a batch stands in the log before one that had returned before it began")
      }
    }
    for event in events {
      guard case .read(let found) = event.kind else { continue }
      let ids = found.added
      guard log.starts(with: ids) else { throw Finding("read \(ids), which the log never was") }
      guard added.contains(where: { $0.range.upperBound == ids.count }) || ids.isEmpty else {
        throw Finding("a read ends in the middle of a batch")
      }
      for (range, add) in added {
        guard case .add(_, let isAcknowledged) = add.kind else { continue }
        if isAcknowledged, add.end <= event.start, range.upperBound > ids.count {
          throw Finding("a read lacks a batch that was acknowledged before it began")
        }
        if add.start > event.end, range.lowerBound < ids.count {
          throw Finding("a read holds a batch that began after it ended")
        }
      }
    }
    try checkReadsInOrder()
  }

  private func checkReadsInOrder() throws(Finding) {
    var last = (end: 0, count: 0)
    var reads: [(start: Int, end: Int, count: Int)] = []
    for event in events {
      if case .read(let found) = event.kind {
        reads.append((event.start, event.end, found.added.count))
      }
    }
    // By their ends: whoever began after the longest of those that had ended sees no less.
    for read in reads.sorted(by: { $0.end < $1.end }) {
      if read.start >= last.end, read.count < last.count {
        throw Finding("a read of \(read.count) records after one of \(last.count)")
      }
      if read.count >= last.count { last = (read.end, read.count) }
    }
  }
}
