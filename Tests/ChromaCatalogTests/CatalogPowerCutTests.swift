// Power cuts and failing calls under the stored catalog, on the simulated disk.
//
// A history of random transactions runs on chroma.db and on the model. Whatever a power cut then
// keeps of the unsynced bytes, the catalog reopens, and holds what the model held after the last
// transaction that had returned, or after the one that was under way.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

@Suite("chroma.db on a disk that fails")
struct CatalogPowerCutTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func acknowledgedTransactionsSurviveAPowerCut(seed: UInt64) throws {
    let history = try CatalogDiskHistory(seed: seed, stepCount: 100)
    var random = SeededRandom(seed)
    var cutCount = 0
    for image in history.images {
      for _ in 0..<(image.isBeforeSync ? 3 : 1) {
        // Not in an `#expect`, which would describe the whole disk when it fails.
        if !history.isRecovered(image.afterPowerCut(&random), at: image) {
          Issue.record("Seed \(seed), power cut after call \(image.callCount).")
          return
        }
        cutCount += 1
      }
    }
    #expect(cutCount > 150)
    // A history without them would show nothing about them.
    #expect(history.publicationCount >= 5, "Seed \(seed).")
    #expect(history.indexPublicationCount >= 3, "Seed \(seed).")
  }

  @Test
  func theRigSeesThatASyncIsMissing() throws {
    let history = try CatalogDiskHistory(seed: 1, stepCount: 60) { disk in
      disk.ignoreSyncs(ofFiles: true)
    }
    var random = SeededRandom(1)
    let lossCount = history.images.count { image in
      !history.isRecovered(image.afterPowerCut(&random), at: image)
    }
    #expect(lossCount > 10)
  }

  @Test
  func afterAFailedSyncReadsGoOnAndWritesDoNot() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("/d")
    let catalog = try open(disk)
    try catalog.createCollection("one", id: 1)
    _ = try catalog.append(.batch(1, to: 1))
    disk.inject(DiskFault(.sync, pathSuffix: "-wal", ordinal: 1, code: EIO))

    let failure = error { _ = try catalog.append(.batch(2, to: 1)) }
    #expect(failure?.kind == .io)
    disk.removeFaults()
    let calls = disk.callCount
    let refusal = error { try catalog.createTenant("acme") }
    #expect(refusal?.kind == .io)
    #expect(refusal?.message.contains("/d/chroma.db takes no more writes") == true)
    #expect(disk.trace[calls...].allSatisfy { !$0.kind.isChange })
    #expect(try catalog.allChanges(1)?.rows.map(\.payload) == [.inline([1])])

    disk.killProcess()
    let reopened = try open(disk)
    let marks = try #require(try reopened.allChanges(1)).rows.map(\.payload)
    #expect([[.inline([1])], [.inline([1]), .inline([2])]].contains(marks))
    let next = Int64(marks.count + 1)
    #expect(try reopened.append(.batch(3, to: 1)) == .appended(firstPosition: next))
  }

  @Test
  func aFullDiskRefusesWritesUntilThereIsRoom() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("/d")
    let catalog = try open(disk)
    try catalog.createCollection("one", id: 1)
    let append = LogAppend(
      collection: .numbered(1), recordCount: 1, payload: .inline(Array(repeating: 1, count: 9000)))
    disk.capacityByteCount = disk.byteCount + 100_000
    var appendedCount = 0
    var failure: ChromaError?
    while failure == nil && appendedCount < 100 {
      failure = error { _ = try catalog.append(append) }
      if failure == nil { appendedCount += 1 }
    }
    #expect(failure?.kind == .outOfSpace)
    #expect(appendedCount > 0)
    #expect(try catalog.allChanges(1)?.rows.count == appendedCount)
    disk.capacityByteCount = .max
    let next = Int64(appendedCount + 1)
    #expect(try catalog.append(append) == .appended(firstPosition: next))
    #expect(try catalog.allChanges(1)?.rows.count == appendedCount + 1)
  }

  /// Whichever call fails, and goes on failing or not: a transaction that returned happened, one
  /// that threw did or didn't, and the next process finds one or the other.
  @Test(arguments: [EIO, ENOSPC], [false, true])
  func everyCallMayFail(code: Int32, isLasting: Bool) throws {
    let callCount = try CatalogDiskHistory(seed: 3, stepCount: 12).callCount
    for ordinal in 1...callCount {
      let disk = SimulatedDisk(seed: 3)
      try disk.createDirectory("/d")
      disk.inject(DiskFault(nil, ordinal: ordinal, isLasting: isLasting, code: code))
      let clock = WallClock()
      var states = [MemoryCatalog(clock: clock).everything()]
      if let catalog = try? CatalogDiskHistory.open(disk, clock) {
        states = Self.runUnderFaults(catalog, clock, seed: 3, stepCount: 12)
      }
      disk.removeFaults()
      disk.killProcess()
      let found = try? CatalogDiskHistory.open(disk, clock).everything()
      #expect(found.map { states.contains($0) } == true, "Call \(ordinal) of \(callCount).")
    }
  }

  /// Runs the generator's steps on the catalog, and, as far as they succeed, on a model. Returns the
  /// states that may then be found: the model's, or the one after a last step that threw.
  private static func runUnderFaults(
    _ catalog: any Catalog, _ clock: WallClock, seed: UInt64, stepCount: Int
  ) -> [[CatalogOutcome]] {
    let model = MemoryCatalog(clock: clock)
    var generator = CatalogStepGenerator(seed: seed, clock: clock)
    for _ in 0..<stepCount {
      let step = generator.next()
      let before = model.everything()
      let outcome = step.run(on: catalog)
      let expected = step.run(on: model)
      if outcome == expected { continue }
      guard case .failed(let error) = outcome, [.io, .outOfSpace].contains(error.kind) else {
        Issue.record("\(step): expected \(expected) or a failure of the disk, got \(outcome).")
        return []
      }
      return [before, model.everything()]
    }
    return [model.everything()]
  }

  private func open(_ disk: SimulatedDisk) throws(ChromaError) -> SQLiteCatalog {
    try CatalogDiskHistory.open(disk)
  }

  private func error(_ body: () throws -> Void) -> ChromaError? {
    do {
      try body()
      return nil
    } catch {
      return error as? ChromaError
    }
  }
}

/// What transactions did on a simulated disk, and what the model held when each had returned.
private struct CatalogDiskHistory {
  /// What was held once so many calls had been made, and what time it was.
  private struct State {
    let callCount: Int
    let storage: MemoryCatalog.Storage
    let nanoseconds: Int64
  }

  let images: [DiskImage]
  let callCount: Int
  private(set) var publicationCount = 0
  private(set) var indexPublicationCount = 0
  /// The first is the new catalog.
  private var states: [State]

  init(
    seed: UInt64, stepCount: Int, _ prepare: (SimulatedDisk) -> Void = { _ in }
  ) throws {
    let disk = SimulatedDisk(seed: seed)
    try disk.createDirectory("/d")
    try disk.syncDirectory("/")
    prepare(disk)
    disk.keepsHistory = true
    let clock = WallClock()
    var catalog = try Self.open(disk, clock)
    let storage = MemoryCatalog.Storage()
    let model = MemoryCatalog(storage, clock: clock)
    var generator = CatalogStepGenerator(seed: seed, clock: clock)
    var random = SeededRandom(~seed)
    func state() -> State {
      State(
        callCount: disk.callCount, storage: MemoryCatalog.Storage(copying: storage),
        nanoseconds: clock.wallNanoseconds())
    }
    states = [state()]
    for _ in 0..<stepCount {
      let step = generator.next()
      let expected = step.run(on: model)
      #expect(step.run(on: catalog) == expected, "Seed \(seed), \(step).")
      states.append(state())
      if case .published(.published) = expected { publicationCount += 1 }
      if case .publishedIndex(.published) = expected { indexPublicationCount += 1 }
      if random.oneIn(20) {
        if random.oneIn(2) { catalog.close() } else { disk.killProcess() }
        catalog = try Self.open(disk, clock)
      }
    }
    images = disk.history
    callCount = disk.callCount
  }

  static func open(
    _ disk: SimulatedDisk, _ clock: any Clock = WallClock()
  ) throws(ChromaError) -> SQLiteCatalog {
    try SQLiteCatalog(
      fileSystem: disk, directory: "/d", clock: clock, random: SystemRandomSource())
  }

  /// Whether what the cut left opens, holds what it must, and can be written to.
  ///
  /// - Parameter image: The moment of the cut.
  func isRecovered(_ left: DiskImage, at image: DiskImage) -> Bool {
    let last = states.lastIndex { $0.callCount <= image.callCount } ?? 0
    return states[last...].prefix(2).contains { isRecovered(left, as: $0) }
  }

  /// Whether what is left opens and is this state, in all that can be read, and in what steps that
  /// change it make of it.
  private func isRecovered(_ left: DiskImage, as state: State) -> Bool {
    let clock = WallClock()
    clock.set(state.nanoseconds)
    guard let catalog = try? Self.open(SimulatedDisk(left), clock) else { return false }
    let model = MemoryCatalog(MemoryCatalog.Storage(copying: state.storage), clock: clock)
    guard catalog.everything() == model.everything(),
      let inconsistencies = try? catalog.inconsistencies(), inconsistencies.isEmpty
    else { return false }
    return CatalogStepGenerator.probes.allSatisfy { $0.run(on: catalog) == $0.run(on: model) }
  }
}
