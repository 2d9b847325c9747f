// When to compact, and what with: pure decisions over sizes.
//
// Segments stand in levels by their live bytes: level 0 up to what the catalog holds itself, each
// further one eight times as large. Eight segments of a level become one of the next, so that a
// record is written once for each level, some five times up to a gigabyte, and a collection of n
// bytes has at most seven segments a level. A segment of which a quarter is dead is written again,
// which costs at most three times what was deleted and leaves a collection below 4/3 of its live
// bytes.

import ChromaBase

/// The sizes at which an engine compacts. Tests make them small, so that little data makes many
/// segments.
package struct CompactionLimits: Sendable {
  package var inlineSegmentByteCountMax = Limits.inlineSegmentByteCountMax
  package var logRowCountMax = Limits.logRowCountMax
  package var logByteCountMin = Limits.logByteCountMin
  package var wastedByteCountMin = Limits.wastedByteCountMin
  package var tailRecordCountMax = Limits.tailRecordCountMax
  package var tailByteCountMax = Limits.tailByteCountMax
  package var mergedSegmentByteCountMax = Limits.mergedSegmentByteCountMax
  package var indexedSegmentRowCountMin = Limits.indexedSegmentRowCountMin

  package init() {}
}

struct CompactionPolicy: Sendable {
  let limits: CompactionLimits

  /// What the policy knows of a segment.
  struct Sizes: Equatable {
    let byteCount: Int
    /// What its live rows take of that.
    let liveByteCount: Int
  }

  /// Whether a collection's log has grown so much that its writer takes a step at once.
  ///
  /// - Parameters:
  ///   - liveByteCount: What the collection's live records take in segments.
  func isDue(
    rowCount: Int, recordCount: Int, byteCount: Int, liveByteCount: Int
  ) -> Bool {
    rowCount > limits.logRowCountMax || recordCount >= limits.tailRecordCountMax
      || byteCount >= limits.tailByteCountMax
      || byteCount > max(limits.logByteCountMin, 2 * liveByteCount)
  }

  /// Whether it is worth it to compact the log of a collection that nobody writes to any more:
  /// because opening it takes long, or because of what it makes useless. A short log can do that to
  /// large segments; with the eighth and the quarter of `isWasteful` a collection stays below 1.5
  /// times its live bytes.
  func isDueWhenIdle(byteCount: Int, wastedByteCount: Int, liveByteCount: Int) -> Bool {
    byteCount > max(limits.logByteCountMin, liveByteCount / 8)
      || wastedByteCount > max(limits.wastedByteCountMin, liveByteCount / 8)
  }

  /// The segments that go into one with a tail of so many bytes, by index.
  ///
  /// What they take together stays within what a step may write, whatever the tail takes.
  func absorbed(
    _ segments: [Sizes], tailByteCount: Int
  ) -> [Int] {
    var choice = Choice(segments, total: tailByteCount, budget: limits.tailByteCountMax)
    for index in segments.indices where level(segments[index].liveByteCount) == 0 {
      choice.take(index)
    }
    for index in segments.indices where isWasteful(segments[index]) { choice.take(index) }
    climb(&choice)
    return choice.taken
  }

  /// The segments that should become one; empty if all is well.
  func merged(_ segments: [Sizes]) -> [Int] {
    let budget = limits.mergedSegmentByteCountMax
    // Also beyond the budget, which one batch may exceed: what is dead would stay for good.
    if let index = segments.indices.first(where: { isWasteful(segments[$0]) }) { return [index] }
    var choice = Choice(segments, total: 0, budget: budget)
    let levels = Set(segments.map { level($0.liveByteCount) }).sorted()
    for level in levels {
      let peers = segments.indices.filter { self.level(segments[$0].liveByteCount) == level }
      guard peers.count >= Self.fanIn else { continue }
      for index in peers { choice.take(index) }
      // Fewer than all, if the result is so large that it will hardly be merged again.
      let isFinal = choice.taken.count > 1 && choice.total >= budget / 2
      if isFinal || choice.taken.count >= Self.fanIn { return choice.taken }
      choice = Choice(segments, total: 0, budget: budget)
    }
    return []
  }

  /// As few segments as the budget for one of them allows: the groups to merge.
  func mergedFully(_ segments: [Sizes]) -> [[Int]] {
    let budget = limits.mergedSegmentByteCountMax
    var groups: [[Int]] = []
    var choice = Choice(segments, total: 0, budget: budget)
    let smallestFirst = segments.indices.sorted {
      (segments[$0].liveByteCount, $0) < (segments[$1].liveByteCount, $1)
    }
    for index in smallestFirst {
      choice.take(index)
      if choice.taken.last == index { continue }
      groups.append(choice.taken)
      choice = Choice(segments, total: 0, budget: budget)
      choice.take(index)
      if choice.taken.isEmpty { groups.append([index]) }
    }
    groups.append(choice.taken)
    // One alone is written again only to drop what is dead.
    return groups.filter { group in
      group.count > 1 || group.contains { segments[$0].liveByteCount < segments[$0].byteCount }
    }
  }

  private static let fanIn = 8

  /// Takes in the segments of a level while the result would be one too many there.
  private func climb(_ choice: inout Choice) {
    var before = -1
    while before != choice.total, choice.total > 0 {
      before = choice.total
      let level = level(choice.total)
      let peers = choice.segments.indices.filter {
        !choice.taken.contains($0) && self.level(choice.segments[$0].liveByteCount) == level
      }
      if peers.count + 1 >= Self.fanIn { for index in peers { choice.take(index) } }
    }
  }

  /// A quarter is dead; or everything, which costs nothing to drop.
  private func isWasteful(_ segment: Sizes) -> Bool {
    segment.liveByteCount < segment.byteCount - segment.byteCount / 4
  }

  func level(_ byteCount: Int) -> Int {
    var level = 0
    var limit = limits.inlineSegmentByteCountMax
    while byteCount > limit {
      level += 1
      limit = limit.multipliedReportingOverflow(by: Self.fanIn).overflow ? .max : limit * Self.fanIn
    }
    return level
  }

  /// Segments chosen so far, and what they come to.
  private struct Choice {
    let segments: [Sizes]
    var total: Int
    let budget: Int
    var taken: [Int] = []

    init(_ segments: [Sizes], total: Int, budget: Int) {
      self.segments = segments
      self.total = total
      self.budget = budget
    }

    mutating func take(_ index: Int) {
      let byteCount = segments[index].liveByteCount
      guard !taken.contains(index), byteCount == 0 || total <= budget - min(byteCount, budget),
        byteCount <= budget
      else { return }
      taken.append(index)
      total += byteCount
    }
  }
}
