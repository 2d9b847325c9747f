import ChromaBase
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// What the policy promises, whatever is written in whatever sizes: few segments, few bytes written
/// for each byte that stays, little that is dead. Method: the sizes of a collection's segments under
/// random writes and deletions, as the engine would compact them.
@Suite struct CompactionPolicyTests {
  /// Sizes of a collection's segments, and what compactions wrote.
  private struct Simulation {
    let policy = CompactionPolicy(limits: CompactionLimits())
    var segments: [CompactionPolicy.Sizes] = []
    var appended = 0
    var written = 0
    var deleted = 0

    mutating func step(tail: Int) {
      appended += tail
      let inputs = policy.absorbed(segments, tailByteCount: tail)
      replace(inputs, adding: tail)
    }

    mutating func tidy() {
      while true {
        let inputs = policy.merged(segments)
        if inputs.isEmpty { return }
        replace(inputs, adding: 0)
      }
    }

    mutating func replace(_ inputs: [Int], adding tail: Int) {
      let total = inputs.reduce(tail) { $0 + segments[$1].liveByteCount }
      segments = segments.indices.filter { !inputs.contains($0) }.map { segments[$0] }
      if total > 0 { segments.append(.init(byteCount: total, liveByteCount: total)) }
      written += total
    }

    mutating func delete(_ share: Double) {
      for index in segments.indices {
        let old = segments[index]
        let live = Int(Double(old.liveByteCount) * (1 - share))
        deleted += old.liveByteCount - live
        segments[index] = .init(byteCount: old.byteCount, liveByteCount: live)
      }
    }

    var liveByteCount: Int { segments.reduce(0) { $0 + $1.liveByteCount } }
    var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }
  }

  @Test("few segments and few bytes written, whatever is added", arguments: 0..<30 as Range<UInt64>)
  func additions(seed: UInt64) {
    var random = SeededRandom(seed)
    var simulation = Simulation()
    let largest = random.element(of: [2_000, 100_000, 3_000_000, Limits.tailByteCountMax])
    let total = random.element(of: [10_000_000, 1_000_000_000, 20_000_000_000])
    while simulation.appended < min(total, 20_000 * largest) {
      simulation.step(tail: random.int(in: largest / 2...largest))
      if random.oneIn(3) { simulation.tidy() }
      // Seven of a level, and what no merge may exceed.
      let most = 7 * 6 + 2 * simulation.liveByteCount / Limits.mergedSegmentByteCountMax
      #expect(simulation.segments.count <= most, "seed \(seed)")
    }
    let perByte = Double(simulation.written) / Double(simulation.appended)
    // Small steps rewrite what the catalog holds, 64 KiB at most, each time.
    let rewriting = Double(Limits.inlineSegmentByteCountMax) / Double(largest / 2)
    #expect(perByte <= 7 + rewriting, "seed \(seed): \(perByte)")
  }

  @Test("what is dead goes, at a bounded price", arguments: 0..<30 as Range<UInt64>)
  func deletions(seed: UInt64) {
    var random = SeededRandom(seed)
    var simulation = Simulation()
    for _ in 0..<300 {
      simulation.step(tail: random.int(in: 100_000...2_000_000))
      if random.oneIn(4) { simulation.delete(Double(random.int(in: 1...100)) / 100) }
      simulation.tidy()
      #expect(simulation.byteCount * 3 <= simulation.liveByteCount * 4, "seed \(seed)")
    }
    let price = Double(simulation.written) / Double(simulation.appended + simulation.deleted)
    #expect(price <= 10, "seed \(seed): \(price)")
  }

  @Test("a full merge leaves nothing to merge", arguments: 0..<100 as Range<UInt64>)
  func fullMerges(seed: UInt64) {
    var random = SeededRandom(seed)
    let budget = 1000
    var limits = CompactionLimits()
    limits.mergedSegmentByteCountMax = budget
    let policy = CompactionPolicy(limits: limits)
    let segments = (0..<random.int(in: 0...30)).map { _ in
      let live = random.int(in: 0...1200)
      return CompactionPolicy.Sizes(
        byteCount: live + (random.oneIn(3) ? 100 : 0), liveByteCount: live)
    }
    let groups = policy.mergedFully(segments)
    let all = groups.flatMap { $0 }
    #expect(Set(all).count == all.count, "seed \(seed)")
    for group in groups {
      let live = group.reduce(0) { $0 + segments[$1].liveByteCount }
      #expect(live <= budget || group.count == 1, "seed \(seed)")
    }
    var after = segments.indices.filter { !all.contains($0) }.map { segments[$0] }
    for group in groups {
      let live = group.reduce(0) { $0 + segments[$1].liveByteCount }
      if live > 0 { after.append(.init(byteCount: live, liveByteCount: live)) }
    }
    #expect(policy.mergedFully(after).isEmpty, "seed \(seed)")
  }

  @Test("a segment larger than a merge may make is written again once much of it is dead")
  func oversizedSegments() {
    var limits = CompactionLimits()
    limits.mergedSegmentByteCountMax = 1000
    let policy = CompactionPolicy(limits: limits)
    let segments = [CompactionPolicy.Sizes(byteCount: 4000, liveByteCount: 2000)]
    #expect(policy.merged(segments) == [0])
    #expect(policy.mergedFully(segments) == [[0]])
    #expect(policy.mergedFully([.init(byteCount: 4000, liveByteCount: 4000)]) == [])
  }

  @Test func logsOfSmallAndLargeCollectionsAreBounded() {
    func isDue(_ rows: Int, _ records: Int, _ bytes: Int, live: Int) -> Bool {
      CompactionPolicy(limits: CompactionLimits()).isDue(
        rowCount: rows, recordCount: records, byteCount: bytes, liveByteCount: live)
    }
    #expect(!isDue(64, 64, 100_000, live: 0))
    #expect(isDue(65, 65, 100_000, live: 0))
    #expect(isDue(1, 1, 200_000, live: 1000))
    #expect(!isDue(1, 1, 200_000, live: 1_000_000))
    #expect(isDue(1, 8192, 200_000, live: 1_000_000))
    #expect(isDue(1, 1, 16 << 20, live: 1_000_000_000))
  }
}
