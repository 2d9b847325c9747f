// Plays calls on engines over one simulated disk, and writes down what each moment allows.
//
// Each engine stands for a process. A call that was cut off (its process died, or a call of the disk
// failed) may have happened or not; both worlds stay allowed until somebody reads which it was. What
// was found is durable, since a recovery syncs what it finds. What was not found may still stand in
// the WAL, whence a recovery brings it back; a commit in its place decides that it never will.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaSegment
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
    _ process: SimulatedProcess, _ clock: any Clock, _ random: any RandomSource,
    _ limits: EngineLimits, _ watch: CompactionWatch? = nil
  ) throws(ChromaError) -> Engine {
    try Engine(
      EngineEnvironment(
        fileSystem: process, directory: Player.directory, clock: clock, random: random,
        isShared: true, compactionLimits: limits.compaction, indexLimits: limits.index)
    ) { base in
      let wrapped = catalog(base, process)
      return watch?.watch(wrapped) ?? wrapped
    }
  }
}

final class Player {
  static let directory = "/data/db"

  /// From this call of the disk on, one of these worlds is what must be found.
  struct Moment {
    var callCount = 0
    var allowed = [World()]
    /// What was seen of collections, which never goes back.
    var seen: [UUID: Seen] = [:]
  }

  struct Seen {
    var version: Int64
    var position: Int64
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
  let watch: CompactionWatch
  private let setting: Setting
  private let limits: EngineLimits
  let clock: SimulatedClock
  private let randomSource: SeededRandomSource
  private(set) var timeline: [Moment]
  /// Worlds that were not found, but may be after a recovery.
  private var undecided: [World] = []
  private var processes: [Int: Process] = [:]
  /// Whether a call of the disk failed, or a process died.
  private var hasFailed = false
  /// Of collections that are or were there.
  private var lastIDs: [CollectionName: UUID] = [:]

  /// - Parameters:
  ///   - moment: What the disk holds.
  ///   - elapsedNanoseconds: What its clock says at first. One that fell behind what wrote the disk
  ///     would keep the leases of the dead.
  ///   - limits: At which its engines compact and index; nil for what the seed draws.
  init(
    on disk: SimulatedDisk, seed: UInt64, after moment: Moment = Moment(),
    elapsedNanoseconds: UInt64 = 0, limits: EngineLimits? = nil, keepsHistory: Bool = true,
    _ setting: Setting
  ) {
    self.disk = disk
    clock = SimulatedClock(elapsedNanoseconds: elapsedNanoseconds)
    self.setting = setting
    self.limits = limits ?? .drawn(seed: seed)
    watch = CompactionWatch(disk)
    randomSource = SeededRandomSource(seed: seed)
    timeline = [Moment(allowed: moment.allowed, seen: moment.seen)]
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
    timeline.append(
      Moment(callCount: disk.callCount, allowed: unique, seen: timeline.last?.seen ?? [:]))
  }

  /// Lets so much time pass that no lease of a process that was killed holds any more.
  func wait() {
    clock.sleep(nanoseconds: 60_000_000_000)
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
      let engine = try setting.engine(process, clock, randomSource, limits, watch)
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
    // Where nothing went wrong, nothing is left behind.
    if !hasFailed, let number = openProcesses.first { try checkBlobs(by: number, isSwept: true) }
    for number in openProcesses { try close(number) }
  }

  /// Ends a process at once.
  func kill(_ number: Int) {
    guard let process = processes[number]?.process else { return }
    hasFailed = true
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
    if case .done = outcome, callCount == nil, !hasFailed {
      try checkDebt(after: step, by: number)
    }
  }

  /// What writers may leave in the log, and a disk on which nothing fails.
  private func checkDebt(after step: Step, by number: Int) throws(Finding) {
    // A step that found the disk full is tried again later.
    if disk.trace.contains(where: { $0.kind == .write && $0.isFailed }) { return }
    switch step {
    // A write that was repeated takes no step.
    case .write(let name, let batch, nil) where batch.count > 0:
      guard let found = try statistics(of: name, by: number) else { return }
      if found.logRowCount > limits.compaction.logRowCountMax
        || found.logRecordCount >= limits.compaction.tailRecordCountMax
        || found.logByteCount >= limits.compaction.tailByteCountMax
      {
        throw Finding("\(step.summary) left \(found.logRowCount) rows in the log")
      }
    default: break
    }
  }

  private func statistics(
    of name: CollectionName, by number: Int
  ) throws(Finding) -> CollectionStatistics? {
    guard let engine = processes[number]?.engine, let id = allowed.first?.collections[name]?.id
    else { return nil }
    do throws(ChromaError) {
      return try engine.statistics(of: id)
    } catch {
      throw Finding("statistics: \(error)")
    }
  }

  /// Writes something that nobody can refuse.
  func probe(by number: Int, _ random: inout SeededRandom) throws(Finding) {
    for step in Workload.probes(of: allowed[0], &random) { try perform(step, by: number) }
  }

  /// Makes a call of a process that runs, which may fail.
  func attempt(_ step: Step, by number: Int) throws(Finding) -> Outcome {
    guard let engine = processes[number]?.engine, let process = processes[number]?.process else {
      throw Finding("no process \(number)")
    }
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
      if refusing.isEmpty {
        hasFailed = true
        return .failed(error)
      }
      allow(refusing.map(\.0))
      return .refused
    }
    guard !successes.isEmpty else { throw Finding("\(step.summary) was not refused") }
    // Nobody hears the answer of the dead.
    if process.isDead { return .failed(.closedFile(Self.directory)) }
    if hasCommitted(since: callCount) { undecided = [] }
    allow(successes.map { $0.naming(step, id) })
    try checkRest(after: step, engine)
    return .done
  }

  /// Whether something was written to the WAL and synced: folding it back syncs it, too.
  private func hasCommitted(since callCount: Int) -> Bool {
    let calls = disk.trace[callCount...].filter { $0.path.hasSuffix("-wal") && !$0.isFailed }
    guard let write = calls.firstIndex(where: { $0.kind == .write }) else { return false }
    return calls[write...].contains { $0.kind == .sync }
  }

  /// What `flush` and `compact` promise, where nobody else is at work.
  private func checkRest(after step: Step, _ engine: Engine) throws(Finding) {
    guard case .maintain(let work, let name) = step, work != .tidy else { return }
    for (each, collection) in allowed.first?.collections ?? [:] {
      guard name == nil || name == each, let id = collection.id else { continue }
      // A disk that fails says so elsewhere.
      guard let found = try? engine.statistics(of: id) else { continue }
      if found.logRowCount > 0 || found.deadRowCount > 0 {
        throw Finding(
          "\(step.summary) left \(found.logRowCount) rows in the log and \(found.deadRowCount) "
            + "dead ones in segments of \(each)")
      }
    }
  }

  /// Returns the id of what was created.
  private func call(_ step: Step, on engine: Engine) throws(ChromaError) -> UUID? {
    let tenant = CatalogDefaults.tenant
    switch step {
    case .createTenant(let name): try engine.createTenant(name)
    case .createDatabase(let name): try engine.createDatabase(tenant: tenant, name: name)
    case .deleteDatabase(let name): try engine.deleteDatabase(tenant: tenant, name: name)
    case .createCollection(let name, let space, let metadata):
      // Vectors are small whole numbers here, which each of these holds as they are.
      let types = [VectorType.f32, .f16, .bf16]
      let type = types[Int(name.name.bytes.last ?? 0) % types.count]
      let configuration =
        #"{"hnsw":{"space":"\#(space.rawValue)"},"#
        + #""vector_dtype":"\#(type.rawValue)"}"#
      let id = try engine.createCollection(
        CollectionRequest(
          tenant: tenant, database: name.database, name: name.name,
          configuration: Text(configuration), metadata: metadata, getOrCreate: true)
      ).id
      lastIDs[name] = id
      return id
    case .modify(let name, let newName, let metadata):
      let id = try id(of: name, on: engine)
      let change = metadata.map { map in MetadataChange(map.entries.map { .init($0.key, $0.value) })
      }
      try engine.modifyCollection(id: id, name: newName, metadata: change, configuration: nil)
    case .deleteCollection(let name):
      try engine.deleteCollection(tenant: tenant, database: name.database, name: name.name)
    case .reset: try engine.reset()
    case .write(let name, let batch, let key):
      try engine.write(batch, to: try id(of: name, on: engine), requestKey: key)
    case .deleteMatching(let name, let condition, let limit):
      let selection = try condition.selection
      _ = try engine.delete(selection, from: try id(of: name, on: engine), limit: limit)
    case .maintain(let work, let name):
      let id: UUID? = if let name { try id(of: name, on: engine) } else { nil }
      try maintain(work, id, engine)
    }
    return nil
  }

  private func maintain(
    _ work: Maintenance, _ id: UUID?, _ engine: Engine
  ) throws(ChromaError) {
    switch work {
    case .flush: try engine.flush(id)
    case .compact: try engine.compact(id)
    case .tidy:
      let ids = if let id { [id] } else { try engine.catalog.collectionIDs() }
      for id in ids {
        do throws(ChromaError) {
          try engine.tidy(id)
        } catch {
          // A lease of the dead may hold: whoever tidies waits for nobody.
          guard error.kind == .locked else { throw error }
        }
      }
    }
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
    if let world = found.first {
      let contradictions = try engine.inconsistencies() + judge.steps(back: &seen, in: world)
      if !contradictions.isEmpty {
        differences += contradictions
        return ([], [])
      }
    }
    return (found, later)
  }

  private var seen: [UUID: Seen] {
    get { timeline.last?.seen ?? [:] }
    set {
      // From now on, not from when the last call began.
      timeline.append(Moment(callCount: disk.callCount, allowed: allowed, seen: newValue))
    }
  }

  /// Under its name a blob is whole, whether a row refers to it or not, and none that a row refers to
  /// is missing. Once somebody has swept, rows and leases refer to all of them.
  func checkBlobs(by number: Int, isSwept: Bool) throws(Finding) {
    guard let catalog = processes[number]?.engine.catalog.unwrapped else { return }
    let blobs = BlobStore(fileSystem: disk, directory: "\(Self.directory)/blobs")
    let names: [String]
    let needed: Set<String>
    let referenced: [String]
    do throws(ChromaError) {
      names = try blobs.list()
      for name in names where !name.hasSuffix(".tmp") { try Self.readWhole(name, in: blobs) }
      needed = try Self.blobsOfRows(catalog)
      referenced = try catalog.referencedBlobs().map(\.string)
    } catch {
      throw Finding("a blob is not whole: \(error)")
    }
    guard needed.isSubset(of: names) else {
      throw Finding("blobs \(names), but rows refer to \(needed.sorted())")
    }
    guard !isSwept || names.allSatisfy({ referenced.contains(BlobStore.blobName(of: $0)) }) else {
      throw Finding("blobs \(names), of which only \(referenced) are needed")
    }
    if isSwept { try disk.expectSound() }
  }

  private static func readWhole(_ name: String, in blobs: BlobStore) throws(ChromaError) {
    guard name.hasSuffix(".segment"), let blob = try blobs.open(name) else {
      _ = try blobs.read(name)
      return
    }
    try Segment(blob: blob, cache: DocumentBlockCache(byteCountMax: 0)).verifyAll()
  }

  private static func blobsOfRows(_ catalog: any Catalog) throws(ChromaError) -> Set<String> {
    var payloads: [StoredPayload] = []
    var names: [String] = []
    for id in try catalog.collectionIDs() {
      let nothing = KnownState(version: -1, position: 0, generation: -1)
      guard let found = try catalog.changes(in: id, after: nothing, byteCountMax: .max) else {
        continue
      }
      payloads += found.rows.map(\.payload)
      payloads += found.manifest?.segments.map(\.reference.payload) ?? []
      names += found.index?.blobs.map(\.name.string) ?? []
    }
    for case .blob(let name, _) in payloads { names.append(name.string) }
    return Set(names)
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
  var isMaintenance: Bool {
    if case .maintain = self { true } else { false }
  }

  /// Without the records, which may be large.
  var summary: String {
    switch self {
    case .write(let name, let batch, _): "\(batch.operation) \(batch.count) records to \(name)"
    default: "\(self)"
    }
  }
}
