// Plays calls on engines over one simulated disk, and writes down what each moment allows.
//
// Each engine stands for a process. A call that was cut off (its process died, or a call of the disk
// failed) may have happened or not; both worlds stay allowed until somebody reads which it was. What
// was found is durable, since a recovery syncs what it finds. What was not found may still stand in
// the WAL, whence a recovery brings it back; a commit in its place decides that it never will.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaStorage
import ChromaTestSupport

/// What was found wrong, as a sentence.
struct Finding: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// What stands between the engines and the disk: nothing, or a planted defect. Made anew for each
/// process.
struct Setting: Sendable {
  /// Whether it is nothing.
  var isSound = true
  var fileSystem: @Sendable (any FileSystem) -> any FileSystem = { $0 }
  var catalog: @Sendable (any Catalog, any FileSystem) -> any Catalog = { catalog, _ in catalog }

  /// Opens the directory in a process.
  func engine(
    _ process: SimulatedProcess, _ clock: any Clock, _ random: any RandomSource
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: process, directory: Player.directory, clock: clock, random: random,
        isShared: true)
    ) { catalog($0, process) }
  }
}

final class Player {
  static let directory = "/data/db"

  /// From this call of the disk on, one of these worlds is what must be found.
  struct Moment {
    let callCount: Int
    let allowed: [World]
  }

  enum Outcome {
    case done
    /// As the model says.
    case refused
    /// Otherwise. Whether the call happened is open.
    case failed(ChromaError)
  }

  private struct Process {
    let process: SimulatedProcess
    let engine: Engine
  }

  let disk: SimulatedDisk
  /// The disk before the first call.
  let start: DiskImage
  private let setting: Setting
  private let clock = SimulatedClock()
  private let randomSource: SeededRandomSource
  private(set) var timeline: [Moment]
  /// Worlds that were not found, but may be after a recovery.
  private var undecided: [World] = []
  private var processes: [Int: Process] = [:]
  /// Of collections that are or were there.
  private var lastIDs: [CollectionName: UUID] = [:]

  /// - Parameter allowed: What the disk holds.
  init(
    on disk: SimulatedDisk, seed: UInt64, allowed: [World] = [World()], keepsHistory: Bool = true,
    _ setting: Setting
  ) {
    self.disk = disk
    self.setting = setting
    randomSource = SeededRandomSource(seed: seed)
    timeline = [Moment(callCount: 0, allowed: allowed)]
    start = disk.image
    disk.keepsHistory = keepsHistory
  }

  /// The worlds allowed now.
  var allowed: [World] { timeline.last?.allowed ?? [] }
  /// Those that a process which runs may find.
  private var likely: [World] { allowed.filter { !undecided.contains($0) } }

  func allow(_ worlds: [World]) {
    var unique: [World] = []
    for world in worlds + undecided where !unique.contains(world) { unique.append(world) }
    timeline.append(Moment(callCount: disk.callCount, allowed: unique))
  }

  // MARK: Processes

  var openProcesses: [Int] { processes.keys.sorted() }

  /// Starts a process that opens the directory, unless it runs.
  ///
  /// - Parameter callCount: It dies after so many calls, unless it has opened by then.
  /// - Returns: False if it died.
  @discardableResult
  func open(_ number: Int, dyingAfter callCount: Int? = nil) throws(Finding) -> Bool {
    do throws(ChromaError) {
      try start(number, dyingAfter: callCount)
      return true
    } catch {
      if callCount != nil, error.kind == .closed { return false }
      throw Finding("opening failed: \(error.kind): \(error)")
    }
  }

  func start(_ number: Int, dyingAfter callCount: Int? = nil) throws(ChromaError) {
    if processes[number] != nil { return }
    let process = SimulatedProcess(on: disk, through: setting.fileSystem(disk))
    if let callCount { process.die(afterCallCount: callCount) }
    do throws(ChromaError) {
      let engine = try setting.engine(process, clock, randomSource)
      process.stayAlive()
      processes[number] = Process(process: process, engine: engine)
    } catch {
      process.bury()
      if process.openFileCount > 0 { throw .closed("A failed opening keeps files open.") }
      throw error
    }
  }

  /// Ends a process in order.
  func close(_ number: Int) throws(Finding) {
    let process = processes.removeValue(forKey: number)?.process
    guard process?.openFileCount ?? 0 == 0 else { throw Finding("files stay open after closing") }
  }

  func closeAll() throws(Finding) {
    for number in openProcesses { try close(number) }
  }

  /// Ends a process at once.
  func kill(_ number: Int) {
    guard let process = processes[number]?.process else { return }
    process.kill()
    processes[number] = nil
    process.bury()
  }

  // MARK: Calls

  /// Makes a call.
  ///
  /// - Parameter callCount: The process dies after so many calls of the disk, or after the call.
  func perform(_ step: Step, by number: Int, dyingAfter callCount: Int? = nil) throws(Finding) {
    try open(number)
    guard let process = processes[number] else { return }
    if let callCount { process.process.die(afterCallCount: callCount) }
    let outcome = try attempt(step, by: number)
    if callCount != nil { kill(number) }
    if case .failed(let error) = outcome, !process.process.isDead {
      throw Finding("\(step.summary) failed: \(error.kind): \(error)")
    }
  }

  /// Writes something that nobody can refuse.
  func probe(by number: Int, _ random: inout SeededRandom) throws(Finding) {
    for step in Workload.probes(of: allowed[0], &random) { try perform(step, by: number) }
  }

  /// Makes a call of a process that runs, which may fail.
  func attempt(_ step: Step, by number: Int) throws(Finding) -> Outcome {
    guard let engine = processes[number]?.engine else { throw Finding("no process \(number)") }
    let before = likely
    let callCount = disk.callCount
    let after = before.map { $0.after(step) }
    let successes = after.compactMap { try? $0.get() }
    allow(before + successes)
    let id: UUID?
    do throws(ChromaError) {
      id = try call(step, on: engine)
    } catch {
      let refusing = zip(before, after).filter { $0.1 == .failure(Refusal(error.kind)) }
      if refusing.isEmpty { return .failed(error) }
      allow(refusing.map(\.0))
      return .refused
    }
    guard !successes.isEmpty else { throw Finding("\(step.summary) was not refused") }
    let calls = disk.trace.dropFirst(callCount)
    if calls.contains(where: { $0.kind == .sync && $0.path.hasSuffix("-wal") }) { undecided = [] }
    allow(successes.map { $0.naming(step, id) })
    return .done
  }

  /// Returns the id of what was created.
  private func call(_ step: Step, on engine: Engine) throws(ChromaError) -> UUID? {
    let tenant = CatalogDefaults.tenant
    switch step {
    case .createTenant(let name): try engine.createTenant(name)
    case .createDatabase(let name): try engine.createDatabase(tenant: tenant, name: name)
    case .deleteDatabase(let name): try engine.deleteDatabase(tenant: tenant, name: name)
    case .createCollection(let name, let space, let metadata):
      let id = try engine.createCollection(
        CollectionRequest(
          tenant: tenant, database: name.database, name: name.name,
          configuration: Text(#"{"hnsw":{"space":"\#(space.rawValue)"}}"#), metadata: metadata,
          getOrCreate: true)
      ).id
      lastIDs[name] = id
      return id
    case .modify(let name, let newName, let metadata):
      let id = try id(of: name, on: engine)
      try engine.modifyCollection(id: id, name: newName, metadata: metadata, configuration: nil)
    case .deleteCollection(let name):
      try engine.deleteCollection(tenant: tenant, database: name.database, name: name.name)
    case .reset: try engine.reset()
    case .write(let name, let batch, let key):
      try engine.write(batch, to: try id(of: name, on: engine), requestKey: key)
    case .deleteMatching(let name, let condition, let limit):
      let selection = try condition.selection
      _ = try engine.delete(selection, from: try id(of: name, on: engine), limit: limit)
    }
    return nil
  }

  /// What a user holds: the id, which may be that of a collection that is gone.
  private func id(of name: CollectionName, on engine: Engine) throws(ChromaError) -> UUID {
    let id = allowed.lazy.compactMap { $0.collections[name]?.id }.first
    if let id { return id }
    if !allowed.contains(where: { $0.collections[name] != nil }) {
      // One that was deleted, not one that has another name now.
      let living = allowed.flatMap { $0.collections.values.map(\.id) }
      return lastIDs[name].flatMap { living.contains($0) ? nil : $0 } ?? .zero
    }
    return try engine.collection(
      tenant: CatalogDefaults.tenant, database: name.database, name: name.name
    ).id
  }

  // MARK: Looking

  /// Reads everything, and keeps the worlds that it may be.
  func observe(by number: Int) throws(Finding) {
    try open(number)
    var differences: [String] = []
    let found: [World]
    let later: [World]
    do throws(ChromaError) {
      (found, later) = try look(by: number, &differences)
    } catch {
      throw Finding("reading failed: \(error.kind): \(error)")
    }
    guard !found.isEmpty else { throw Finding(differences.joined(separator: "; or ")) }
    undecided = later
    allow(found)
  }

  /// The allowed worlds that a process finds, and those that more calls would have led to.
  func look(
    by number: Int, _ differences: inout [String]
  ) throws(ChromaError) -> (found: [World], later: [World]) {
    guard let engine = processes[number]?.engine else { return ([], []) }
    let judge = Judge(engine: engine)
    var found: [World] = []
    var later: [World] = []
    // In the order of the calls: see `attempt`.
    for world in allowed {
      if let difference = try judge.difference(from: world) {
        differences.append(difference)
        later.append(world)
      } else {
        found.append(try judge.named(world))
        later = []
      }
    }
    return (found, later)
  }

  /// Under its name a blob is whole, whether a row refers to it or not. Once somebody has written,
  /// rows refer to all of them.
  func checkBlobs(by number: Int, isSwept: Bool) throws(Finding) {
    guard let process = processes[number] else { return }
    let blobs = BlobStore(fileSystem: disk, directory: "\(Self.directory)/blobs")
    let names: [String]
    let referenced: [String]
    do throws(ChromaError) {
      names = try blobs.list()
      for name in names where !name.hasSuffix(".tmp") { _ = try blobs.read(name) }
      referenced = try process.engine.catalog.referencedBlobs().map(\.string)
    } catch {
      throw Finding("a blob is not whole: \(error)")
    }
    if isSwept, names != referenced {
      throw Finding("blobs \(names), but rows refer to \(referenced)")
    }
  }
}

extension World {
  /// With the id that a creation returned.
  fileprivate func naming(_ step: Step, _ id: UUID?) -> World {
    guard case .createCollection(let name, _, _) = step, collections[name]?.id == nil else {
      return self
    }
    var named = self
    named.collections[name]?.id = id
    return named
  }
}

extension Condition {
  fileprivate var selection: Selection {
    get throws(ChromaError) {
      switch self {
      case .isTrue(let key): try Selection(whereJSON: Text(#"{"\#(key)": true}"#))
      case .documentContains(let part):
        try Selection(whereDocumentJSON: Text(#"{"$contains": "\#(part)"}"#))
      }
    }
  }
}

extension Step {
  /// Without the records, which may be large.
  var summary: String {
    switch self {
    case .write(let name, let batch, _): "\(batch.operation) \(batch.count) records to \(name)"
    default: "\(self)"
    }
  }
}
