// Several processes at once.
//
// Each process has a thread, of which one runs at a time: before each call of the disk, and whenever
// somebody sleeps, the seed decides who goes on. They add records to one collection, each writes
// over and deletes some of its own there, and they read it, compact it, drop another collection and
// make it again, close and reopen, and are killed in the middle of calls. `Chronicle` says what must
// be true of what they saw. A power cut at any moment takes nothing of what was acknowledged or read
// before it, and whoever comes after all finds no blob that nobody needs.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaStorage
import ChromaTestSupport
import Synchronization

struct Interleavings {
  private static let cutCount = 8

  let setting: Setting

  /// Returns the number of calls made.
  func run(seed: UInt64) throws(Finding) -> Int {
    var random = SeededRandom(seed)
    let (disk, chronicle, watch) = try play(&random, seed: seed)
    let callCount = disk.callCount
    let works = setting.isSound ? watch.spans : []
    try chronicle.check(try lastRead(of: disk, seed: seed))
    for _ in 0..<Self.cutCount {
      let moment = random.int(in: 0...callCount)
      let image = disk.history.last { $0.callCount <= moment } ?? SimulatedDisk().image
      let cut = SimulatedDisk(image.afterPowerCut(&random), seed: seed)
      CutCensus.all.count(moment, in: works)
      do throws(Finding) {
        try chronicle.until(moment).check(try lastRead(of: cut, seed: seed))
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
  ) throws(Finding) -> (disk: SimulatedDisk, Chronicle, CompactionWatch) {
    let disk = SimulatedDisk(seed: seed)
    disk.keepsHistory = true
    let count = random.int(in: 2...4)
    let scene = Actor.Scene(
      disk: disk, watch: CompactionWatch(disk), clock: SimulatedClock(),
      source: SeededRandomSource(seed: seed), limits: .drawn(seed: seed),
      stage: Stage(actorCount: count, seed: random.next()), setting: setting)
    let events = Mutex<[Event]>([])
    let finding = Mutex<Finding?>(nil)
    let seeds = (0..<count).map { _ in random.next() }
    onThreads(count) { number in
      scene.stage.play(number) {
        let actor = Actor(number: number, on: scene, random: SeededRandom(seeds[number]))
        do throws(Finding) {
          try actor.play()
        } catch {
          finding.withLock { $0 = $0 ?? error }
        }
        events.withLock { $0 += actor.events }
      }
    }
    if let finding = finding.withLock({ $0 }) { throw finding }
    return (disk, Chronicle(events: events.withLock { $0 }), scene.watch)
  }

  /// What somebody finds who comes after all, who then writes and has the blobs swept.
  private func lastRead(of disk: SimulatedDisk, seed: UInt64) throws(Finding) -> SharedRecords {
    let process = SimulatedProcess(on: disk, through: setting.fileSystem(disk))
    let clock = SimulatedClock()
    // No lease of the dead holds any more.
    clock.sleep(nanoseconds: 1_000_000_000_000)
    let result: SharedRecords
    do throws(ChromaError) {
      let engine = try setting.engine(
        process, clock, SeededRandomSource(seed: ~seed), .drawn(seed: ~seed))
      let id = try Actor.collection(Actor.shared, in: engine)
      let found = try SharedRecords(in: id, of: engine)
      if let sentence = try engine.inconsistencies().first { throw .corruption(sentence) }
      try engine.write(
        RecordBatch(
          operation: .add, ids: ["last"], embeddings: VectorColumn(dimension: 1, values: [1])),
        to: id)
      let there = try BlobStore(fileSystem: disk, directory: "\(Player.directory)/blobs").list()
      let needed = try engine.catalog.unwrapped.referencedBlobs().map(\.string)
      guard there == needed else {
        throw .corruption("blobs \(there), of which \(needed) are needed")
      }
      result = found
    } catch {
      throw Finding("whoever comes after all: \(error)")
    }
    try disk.expectSound()
    return result
  }
}
