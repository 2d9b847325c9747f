import ChromaBase
import ChromaSQLite
import ChromaTestSupport
import Testing

/// What a writer did on a simulated disk, and when it was told that it is safe.
///
/// The transactions are random: rows come, change and go, pages are given back, the log is folded
/// back, the connection closes or its process dies.
struct SQLiteHistory {
  /// What a table holds: the byte count of each key's value.
  typealias State = [Int: Int]

  let seed: UInt64
  let disk: SimulatedDisk
  /// The state that each transaction was told is safe, and the calls made until then.
  private(set) var acknowledged: [(callCount: Int, state: State)] = []

  /// An empty disk with a directory for the database.
  init(seed: UInt64, _ prepare: (SimulatedDisk) -> Void = { _ in }) throws {
    self.seed = seed
    disk = SimulatedDisk(seed: seed)
    try disk.createDirectories("/d")
    prepare(disk)
    disk.keepsHistory = true
  }

  static func connect(_ disk: SimulatedDisk) throws(ChromaError) -> SQLiteConnection {
    let connection = try SQLiteDatabase(
      path: "/d/chroma.db", fileSystem: disk, clock: SystemClock(), random: SystemRandomSource()
    ).connect()
    // Small, so that larger transactions spill into the log before they commit.
    try connection.execute("PRAGMA cache_size=8")
    return connection
  }

  /// Runs so many transactions.
  mutating func run(transactionCount: Int, _ random: inout SeededRandom) throws(ChromaError) {
    var connection = try Self.connect(disk)
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    var state: State = [:]
    acknowledged.append((disk.callCount, state))
    for _ in 0..<transactionCount {
      try connection.withTransaction(.immediate) { () throws(ChromaError) in
        try Self.change(&state, connection, &random)
      }
      acknowledged.append((disk.callCount, state))
      if random.oneIn(4) { try connection.checkpoint(truncating: random.oneIn(2)) }
      if random.oneIn(6) {
        if random.oneIn(2) { connection.close() } else { disk.killProcess() }
        connection = try Self.connect(disk)
      }
    }
  }

  private static func change(
    _ state: inout State, _ connection: SQLiteConnection, _ random: inout SeededRandom
  ) throws(ChromaError) {
    for _ in 0..<random.element(of: [1, 1, 2, 20]) {
      let key = random.int(in: 0...40)
      if random.oneIn(4) {
        try connection.execute("DELETE FROM t WHERE k >= ?", [.integer(Int64(key))])
        state = state.filter { $0.key < key }
        if random.oneIn(2) { try connection.execute("PRAGMA incremental_vacuum") }
      } else {
        let byteCount = random.int(in: 0...3) * 2500
        let bytes = [UInt8](repeating: UInt8(key), count: byteCount)
        try connection.execute(
          "INSERT OR REPLACE INTO t VALUES (?, ?)", [.integer(Int64(key)), .blob(bytes)])
        state[key] = byteCount
      }
    }
  }

  /// What a disk holds; nil if there is no table yet.
  static func state(_ connection: SQLiteConnection) throws(ChromaError) -> State? {
    guard try connection.integer("SELECT count(*) FROM sqlite_schema") != 0 else { return nil }
    var state: State = [:]
    try connection.forEachRow("SELECT k, v FROM t") { (row) throws(ChromaError) in
      let bytes = try row.blob(1)
      let key = Int(try row.integer(0))
      guard bytes.allSatisfy({ $0 == UInt8(truncatingIfNeeded: key) }) else {
        throw .corruption("The value of \(key) is not what was written.")
      }
      state[key] = bytes.count
      return true
    }
    guard try connection.text("PRAGMA integrity_check") == "ok" else {
      throw .corruption("SQLite's integrity check fails.")
    }
    return state
  }

  /// The states that may be found after a power cut at an image: the last that was acknowledged by
  /// then, or the one that was being written.
  func allowedStates(at image: DiskImage) -> [State?] {
    let past = acknowledged.prefix { $0.callCount <= image.callCount }
    let next = acknowledged.dropFirst(past.count).first?.state
    return [past.last?.state, next]
  }

  /// Opens a disk as a power cut left it, and writes to it.
  ///
  /// - Returns: what is wrong; nil if all is as promised.
  func complaint(
    about cut: DiskImage, at image: DiskImage, _ random: inout SeededRandom
  ) -> String? {
    let found = SimulatedDisk(cut, seed: seed)
    found.keepsHistory = true
    do throws(ChromaError) {
      let connection = try Self.connect(found)
      let state = try Self.state(connection)
      guard allowedStates(at: image).contains(state) else {
        return "found \(state ?? [:]), allowed \(allowedStates(at: image))"
      }
      // What a reader saw must not vanish in a second power cut.
      if random.oneIn(4) {
        let again = try Self.state(Self.connect(SimulatedDisk(found.image.afterPowerCut(&random))))
        if again != state { return "found \(state ?? [:]), then \(again ?? [:])" }
      }
      // A second cut while recovering from the first leaves no less.
      if random.oneIn(4), !found.history.isEmpty {
        let second = random.element(of: found.history).afterPowerCut(&random)
        let again = try Self.state(Self.connect(SimulatedDisk(second)))
        if !allowedStates(at: image).contains(again) {
          return "found \(again ?? [:]) after a second cut"
        }
      }
      if state != nil {
        try connection.insert(1000, byteCount: 10)
      }
      return nil
    } catch {
      return error.message
    }
  }
}
