// Several processes at once.
//
// Each process has a thread, of which one runs at a time: before each call of the disk, and whenever
// somebody sleeps, the seed decides who goes on. They add records to one collection, read it, close
// and reopen, and are killed in the middle of calls. What they saw must be one history: every read is
// a prefix of the final log at the end of a batch, holds what was acknowledged before it began, and
// nothing that began after it ended; batches stand in the log in the order of their calls, whole. A
// power cut at any moment takes nothing of what was acknowledged or read before it.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaTestSupport
import Synchronization

struct Interleavings {
  private static let cutCount = 8

  let setting: Setting

  /// Returns the number of calls made.
  func run(seed: UInt64) throws(Finding) -> Int {
    var random = SeededRandom(seed)
    let (disk, chronicle) = try play(&random, seed: seed)
    let callCount = disk.callCount
    try chronicle.check(try log(on: disk, seed: seed))
    for _ in 0..<Self.cutCount {
      let moment = random.int(in: 0...callCount)
      let image = disk.history.last { $0.callCount <= moment } ?? SimulatedDisk().image
      let cut = SimulatedDisk(image.afterPowerCut(&random), seed: seed)
      do throws(Finding) {
        try chronicle.until(moment).check(try log(on: cut, seed: seed))
      } catch {
        throw Finding("cut after call \(moment) of \(callCount): \(error)")
      }
    }
    return chronicle.events.count
  }

  /// Everything that the processes of a seed do to the disk.
  func trace(seed: UInt64) throws(Finding) -> [DiskCall] {
    var random = SeededRandom(seed)
    return try play(&random, seed: seed).disk.trace
  }

  private func play(
    _ random: inout SeededRandom, seed: UInt64
  ) throws(Finding) -> (disk: SimulatedDisk, Chronicle) {
    let disk = SimulatedDisk(seed: seed)
    disk.keepsHistory = true
    let count = random.int(in: 2...4)
    let stage = Stage(actorCount: count, seed: random.next())
    let clock = SimulatedClock()
    let source = SeededRandomSource(seed: seed)
    let events = Mutex<[Event]>([])
    let finding = Mutex<Finding?>(nil)
    let seeds = (0..<count).map { _ in random.next() }
    let setting = setting
    onThreads(count) { number in
      stage.play(number) {
        let actor = Actor(
          number: number, disk: disk, clock: clock, source: source, stage: stage, setting: setting,
          random: SeededRandom(seeds[number]))
        do throws(Finding) {
          try actor.play()
        } catch {
          finding.withLock { $0 = $0 ?? error }
        }
        events.withLock { $0 += actor.events }
      }
    }
    if let finding = finding.withLock({ $0 }) { throw finding }
    return (disk, Chronicle(events: events.withLock { $0 }))
  }

  /// The ids in the order of the log, as somebody finds them who comes after all.
  private func log(on disk: SimulatedDisk, seed: UInt64) throws(Finding) -> [Text] {
    do throws(ChromaError) {
      let engine = try setting.engine(
        SimulatedProcess(on: disk, through: setting.fileSystem(disk)), SimulatedClock(),
        SeededRandomSource(seed: seed))
      return try engine.get(
        .everything, from: try Actor.collection(in: engine), limit: nil, offset: 0, include: []
      ).ids
    } catch {
      throw Finding("whoever comes after all: \(error)")
    }
  }
}

/// What a process did, between which calls of the disk.
struct Event {
  enum Kind {
    case add(ids: [Text], isAcknowledged: Bool)
    case read(ids: [Text])
  }

  let kind: Kind
  let start: Int
  let end: Int
}

/// A process's clock: its naps let others go on, until it is dead.
private struct PausingClock: Clock {
  let clock: SimulatedClock
  let process: SimulatedProcess
  let pause: @Sendable () -> Void

  func wallNanoseconds() -> Int64 { clock.wallNanoseconds() }
  func monotonicNanoseconds() -> UInt64 { clock.monotonicNanoseconds() }

  func sleep(nanoseconds: UInt64) {
    clock.sleep(nanoseconds: nanoseconds)
    if !process.isDead { pause() }
  }
}

/// One process after another, of one thread.
private final class Actor {
  private let number: Int
  private let disk: SimulatedDisk
  private let clock: SimulatedClock
  private let source: any RandomSource
  private let stage: Stage
  private let setting: Setting
  private var random: SeededRandom
  private var process: SimulatedProcess?
  private var engine: Engine?
  private var batchCount = 0
  private(set) var events: [Event] = []

  init(
    number: Int, disk: SimulatedDisk, clock: SimulatedClock, source: any RandomSource,
    stage: Stage, setting: Setting, random: SeededRandom
  ) {
    self.number = number
    self.disk = disk
    self.clock = clock
    self.source = source
    self.stage = stage
    self.setting = setting
    self.random = random
  }

  static func collection(in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: "shared",
        configuration: nil, metadata: nil, getOrCreate: true)
    ).id
  }

  func play() throws(Finding) {
    for _ in 0..<random.int(in: 4...12) {
      if random.oneIn(6) { end() }
      do throws(ChromaError) {
        try act()
      } catch {
        guard process?.isDead == true else { throw Finding("process \(number): \(error)") }
        end()
      }
    }
    end()
  }

  /// Ends the process, in order or dead.
  private func end() {
    engine = nil
    process?.bury()
    process = nil
  }

  private func act() throws(ChromaError) {
    let engine = try opened()
    let id = try Self.collection(in: engine)
    if random.oneIn(3) {
      let start = disk.callCount
      let ids = try engine.get(.everything, from: id, limit: nil, offset: 0, include: []).ids
      events.append(Event(kind: .read(ids: ids), start: start, end: disk.callCount))
      return
    }
    batchCount += 1
    let ids = (0..<random.int(in: 1...3)).map { Text("\(number)-\(batchCount)-\($0)") }
    let byteCount = random.oneIn(5) ? Limits.inlineBatchByteCountMax : 10
    let batch = RecordBatch(
      operation: .add, ids: ids,
      embeddings: VectorColumn(dimension: 1, values: ids.map { _ in 1 }),
      documents: ids.map { _ in Text(String(repeating: "x", count: byteCount)) })
    let start = disk.callCount
    var isAcknowledged = false
    defer {
      events.append(
        Event(
          kind: .add(ids: ids, isAcknowledged: isAcknowledged), start: start, end: disk.callCount))
    }
    try engine.write(batch, to: id)
    isAcknowledged = true
  }

  private func opened() throws(ChromaError) -> Engine {
    if let engine, process?.isDead == false { return engine }
    let process = SimulatedProcess(on: disk, through: setting.fileSystem(disk)) { [stage, number] in
      stage.pause(number)
    }
    self.process = process
    if random.oneIn(5) { process.die(afterCallCount: random.int(in: 0...200)) }
    let clock = PausingClock(clock: clock, process: process) { [stage, number] in
      stage.yield(number)
    }
    let engine = try setting.engine(process, clock, source)
    self.engine = engine
    return engine
  }
}

/// What all processes did, against the log that was found in the end.
private struct Chronicle {
  let events: [Event]

  /// What had been seen after so many calls of the disk.
  func until(_ moment: Int) -> Chronicle {
    Chronicle(
      events: events.filter { $0.start <= moment }.compactMap { event in
        if event.end <= moment { return event }
        guard case .add(let ids, _) = event.kind else { return nil }
        return Event(
          kind: .add(ids: ids, isAcknowledged: false), start: event.start, end: event.end)
      })
  }

  func check(_ log: [Text]) throws(Finding) {
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
      guard case .read(let ids) = event.kind else { continue }
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
      if case .read(let ids) = event.kind { reads.append((event.start, event.end, ids.count)) }
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
