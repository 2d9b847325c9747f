// What one of several processes does at once with the others.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaTestSupport

/// A process's clock: its naps let others go on, until it is dead.
struct PausingClock: Clock {
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
final class Actor {
  /// What all share.
  struct Scene: Sendable {
    let disk: SimulatedDisk
    let watch: CompactionWatch
    let clock: SimulatedClock
    let source: SeededRandomSource
    let limits: EngineLimits
    let stage: Stage
    let setting: Setting
  }

  /// The collection that nobody drops, and the one that everybody does.
  static let shared: Text = "shared"
  private static let doomed: Text = "doomed"
  /// More than a merge's lease holds.
  private static let leapNanoseconds: UInt64 = 2_500_000_000

  private let number: Int
  private let scene: Scene
  private var random: SeededRandom
  private var process: SimulatedProcess?
  private var engine: Engine?
  private var callCount = 0
  /// Whether the error is one that a call may meet at any time.
  private var mayBeLocked = false
  private(set) var events: [Event] = []

  init(number: Int, on scene: Scene, random: SeededRandom) {
    self.number = number
    self.scene = scene
    self.random = random
  }

  static func collection(_ name: Text, in engine: Engine) throws(ChromaError) -> UUID {
    try engine.createCollection(
      CollectionRequest(
        tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: name,
        configuration: nil, metadata: nil, getOrCreate: true)
    ).id
  }

  func play() throws(Finding) {
    for _ in 0..<random.int(in: 4...12) {
      if random.oneIn(6) { end() }
      do throws(ChromaError) {
        try act()
      } catch {
        if process?.isDead == true {
          end()
          // Now and then so much later that its leases hold no more.
          if random.oneIn(3) { scene.clock.sleep(nanoseconds: Self.leapNanoseconds) }
        } else if error.kind != .locked || !mayBeLocked {
          throw Finding("process \(number): \(error.kind): \(error)")
        }
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
    mayBeLocked = false
    let engine = try opened()
    let id = try Self.collection(Self.shared, in: engine)
    callCount += 1
    switch random.int(in: 0...11) {
    case 0...2:
      let start = scene.disk.callCount
      let found = try SharedRecords(in: id, of: engine)
      events.append(Event(kind: .read(found), start: start, end: scene.disk.callCount))
    case 3...4: try maintain(id, engine)
    case 5: try useDoomed(engine)
    case 6...8: try overwrite(in: id, engine)
    default: try add(to: id, engine)
    }
  }

  private func add(to id: UUID, _ engine: Engine) throws(ChromaError) {
    let ids = (0..<random.int(in: 1...3)).map { Text("\(number)-\(callCount)-\($0)") }
    let kind = { (isAcknowledged: Bool) in Event.Kind.add(ids: ids, isAcknowledged: isAcknowledged)
    }
    try note(kind) { () throws(ChromaError) in
      try engine.write(batch(.add, ids, document: text()), to: id)
    }
  }

  /// Writes over some records that are this thread's alone, or deletes them.
  private func overwrite(in id: UUID, _ engine: Engine) throws(ChromaError) {
    let ids = (0..<random.int(in: 1...3)).map { _ in
      Text("\(SharedRecords.registerPrefix)\(number)-\(random.int(in: 0...4))")
    }
    let isDeletion = random.oneIn(3)
    let value = number << 32 | callCount
    let kind = { (isAcknowledged: Bool) in
      Event.Kind.set(
        Set(ids), value: value, isDeletion: isDeletion, isAcknowledged: isAcknowledged)
    }
    try note(kind) { () throws(ChromaError) in
      try engine.write(
        isDeletion
          ? RecordBatch(operation: .delete, ids: ids)
          : batch(.upsert, ids, document: "\(value) \(text())"), to: id)
    }
  }

  private func text() -> String {
    String(repeating: "x", count: random.oneIn(6) ? Limits.inlineBatchByteCountMax : 10)
  }

  private func batch(
    _ operation: Operation, _ ids: [Text], document: String
  ) -> RecordBatch {
    RecordBatch(
      operation: operation, ids: ids,
      embeddings: VectorColumn(dimension: 1, values: ids.map { _ in 1 }),
      documents: ids.map { _ in Text(document) })
  }

  private func note(
    _ kind: (_ isAcknowledged: Bool) -> Event.Kind, _ body: () throws(ChromaError) -> Void
  ) throws(ChromaError) {
    let start = scene.disk.callCount
    var isAcknowledged = false
    defer {
      events.append(
        Event(kind: kind(isAcknowledged), start: start, end: scene.disk.callCount))
    }
    try body()
    isAcknowledged = true
  }

  private func maintain(_ id: UUID, _ engine: Engine) throws(ChromaError) {
    // A reader may be in the way of folding the WAL back, and whoever tidies waits for nobody.
    mayBeLocked = true
    switch random.element(of: Maintenance.allCases) {
    case .flush: try engine.flush(id)
    case .compact: try engine.compact(id)
    case .tidy: try engine.tidy(id)
    }
  }

  /// Fills, compacts or drops the collection that everybody drops.
  private func useDoomed(_ engine: Engine) throws(ChromaError) {
    do throws(ChromaError) {
      let id = try Self.collection(Self.doomed, in: engine)
      for _ in 0..<random.int(in: 1...4) {
        switch random.int(in: 0...3) {
        case 0:
          try engine.deleteCollection(
            tenant: CatalogDefaults.tenant, database: CatalogDefaults.database, name: Self.doomed)
        case 1: try maintain(id, engine)
        default:
          mayBeLocked = false
          let ids = (0..<9).map { Text("\(number)-\(callCount)-\($0)") }
          try engine.write(batch(.upsert, ids, document: text()), to: id)
          _ = try engine.get(.everything, from: id, limit: nil, offset: 0, include: [.documents])
        }
      }
    } catch {
      // Others drop it, too.
      guard error.kind == .notFound else { throw error }
    }
  }

  private func opened() throws(ChromaError) -> Engine {
    if let engine, process?.isDead == false { return engine }
    let scene = scene
    let number = number
    let process = SimulatedProcess(on: scene.disk, through: scene.setting.fileSystem(scene.disk)) {
      scene.stage.pause(number)
    }
    self.process = process
    if random.oneIn(5) { process.die(afterCallCount: random.int(in: 0...300)) }
    let clock = PausingClock(clock: scene.clock, process: process) { scene.stage.yield(number) }
    let engine = try scene.setting.engine(
      process, clock, scene.source, scene.limits, scene.watch)
    self.engine = engine
    return engine
  }
}
