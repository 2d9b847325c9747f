import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

/// Who only reads sees every commit of those who write, whenever they come, fold the log back, close
/// or die, and never a mixture of two states.
@Suite struct SQLiteReadOnlyWriterTests {
  @Test("every commit is seen, whatever writers do in between", arguments: Disk.allCases)
  func everyCommit(_ kind: Disk) throws {
    let disk = kind.make()
    try SQLiteReadOnlyTests.fill(disk).close()
    let files = ReadOnlyFileSystem(disk.files)
    // One has it open all the time, and began when nobody wrote; another comes anew each time.
    let lasting = try disk.readOnlyDatabase(files).connect()
    var expected = Array(0..<40)
    #expect(try lasting.keys() == expected)
    func expectAll(_ place: String) throws {
      #expect(try lasting.keys() == expected, "\(place)")
      let fresh = try disk.readOnlyDatabase(files).connect()
      #expect(try fresh.keys() == expected, "\(place)")
      fresh.close()
    }
    for round in 0..<6 {
      let writer = try disk.database().connect()
      try expectAll("round \(round), opened")
      for key in 40 + 3 * round..<43 + 3 * round {
        try writer.insert(key, byteCount: key % 4 * 2500)
        expected.append(key)
        try expectAll("round \(round), key \(key)")
      }
      if round % 3 > 0 { try writer.checkpoint(truncating: round % 3 == 2) }
      try expectAll("round \(round), folded back")
      try writer.execute("DELETE FROM t WHERE k = ?", [.integer(Int64(round))])
      expected.removeAll { $0 == round }
      try expectAll("round \(round), deleted")
      writer.close()
      try expectAll("round \(round), closed")
    }
    lasting.close()
    #expect(files.refusedCalls == [])
    // The last writer to close could not tidy up while somebody read; the next one does.
    try disk.database().connect().close()
    #expect(try disk.files.list(disk.root) == ["chroma.db"])
  }

  @Test(
    "a writer who comes in the midst of a read leaves it whole, or ends it with an error",
    arguments: Disk.allCases, [true, false])
  func writerComes(_ kind: Disk, hasIndex: Bool) throws {
    let source = kind.make()
    let killed = try SQLiteReadOnlyTests.fill(source)
    let disk = kind.make()
    try source.copyFiles(to: disk, suffixes: hasIndex ? ["", "-wal", "-shm"] : ["", "-wal"])
    killed.close()
    let reader = try disk.readOnlyDatabase(ReadOnlyFileSystem(disk.files)).connect()
    try reader.execute("PRAGMA cache_size=4")
    var writer: SQLiteConnection?
    var seen: [Int] = []
    var failure: ChromaError?
    do throws(ChromaError) {
      try reader.forEachRow("SELECT k, v FROM t ORDER BY k") { (row) throws(ChromaError) in
        if seen.count == 3 { writer = try Self.rewriteEverything(disk) }
        let key = Int(try row.integer(0))
        #expect(try row.blob(1) == Array(repeating: UInt8(key), count: key % 4 * 2500))
        seen.append(key)
        return true
      }
    } catch {
      failure = error
    }
    #expect(seen == Array(0..<seen.count))
    if hasIndex {
      // Its lock kept the writer from folding the log back.
      #expect(failure == nil && seen.count == 40)
    } else {
      #expect(failure?.kind == .locked, "\(failure?.message ?? "")")
    }
    #expect(try disk.readOnlyDatabase().connect().keys() == Array(100..<140))
    #expect(try reader.keys() == Array(100..<140))
    writer?.close()
    #expect(try reader.keys() == Array(100..<140))
  }

  /// Puts other rows in the place of all, and folds them back as far as readers allow.
  private static func rewriteEverything(
    _ disk: Disk.Made
  ) throws(ChromaError) -> SQLiteConnection {
    let writer = try disk.database().connect()
    try writer.withTransaction(.immediate) { () throws(ChromaError) in
      try writer.execute("DELETE FROM t")
      for key in 100..<140 { try writer.insert(key, byteCount: key % 3 * 3000) }
    }
    try writer.checkpoint(truncating: false)
    try writer.execute("PRAGMA user_version=1")
    return writer
  }

  @Test("readers and writers at any time do not disturb each other", arguments: Disk.allCases)
  func anyTime(_ kind: Disk) throws {
    let disk = kind.make()
    let first = try disk.database().connect()
    try first.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    first.close()
    let failures = Mutex<[String]>([])
    let isWriting = Atomic(true)
    onThreads(3) { index in
      do {
        if index == 0 {
          defer { isWriting.store(false, ordering: .sequentiallyConsistent) }
          try Self.write(disk, transactionCount: 80)
        } else {
          try Self.read(disk, seed: UInt64(index)) { isWriting.load(ordering: .relaxed) }
        }
      } catch {
        failures.withLock { $0.append("thread \(index): \(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(try disk.readOnlyDatabase().connect().keys() == Array(0..<160))
  }

  /// Adds two rows a transaction, folds back at times, and comes anew often.
  private static func write(_ disk: Disk.Made, transactionCount: Int) throws {
    var random = SeededRandom(5)
    var connection: SQLiteConnection?
    for number in 0..<transactionCount {
      try untilUnlocked {
        let writer = if let connection { connection } else { try disk.database().connect() }
        connection = writer
        try writer.withTransaction(.immediate) { () throws(ChromaError) in
          for key in [2 * number, 2 * number + 1] {
            try writer.insert(key, byteCount: random.int(in: 0...3) * 2000)
          }
        }
      }
      if random.oneIn(4) { try connection?.checkpoint(truncating: random.oneIn(2)) }
      if random.oneIn(3) {
        connection?.close()
        connection = nil
      }
    }
    connection?.close()
  }

  /// Sees whole transactions, and never fewer than before.
  private static func read(_ disk: Disk.Made, seed: UInt64, while isWriting: () -> Bool) throws {
    var random = SeededRandom(seed)
    var connection: SQLiteConnection?
    var count = 0
    repeat {
      var keys: [Int] = []
      try untilUnlocked {
        do throws(ChromaError) {
          let reader =
            if let connection { connection } else { try disk.readOnlyDatabase().connect() }
          connection = reader
          keys = try reader.keys()
        } catch {
          connection?.close()
          connection = nil
          throw error
        }
      }
      #expect(keys == Array(0..<keys.count) && keys.count % 2 == 0 && keys.count >= count)
      count = keys.count
      if random.oneIn(5) {
        connection?.close()
        connection = nil
      }
    } while isWriting()
    connection?.close()
  }

  private static func untilUnlocked(_ body: () throws -> Void) throws {
    while true {
      do {
        return try body()
      } catch let error as ChromaError where error.kind == .locked {
        continue
      }
    }
  }
}

/// The same beside another SQLite, Python's in a process of its own, as users' tools are.
@Suite(.enabled(if: ChildProcess(["python3", "-c", ""])?.wait() == 0, "python3 is not installed"))
struct SQLiteReadOnlyForeignTests {
  /// Opens the database, runs each line that it reads, and prints the rows.
  private static let script = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    for line in sys.stdin:
        print(connection.execute(line).fetchall(), flush=True)
    """

  private let disk = Disk.folder.make()

  private func python() throws -> ChildProcess {
    try #require(ChildProcess(["python3", "-c", Self.script, disk.path("chroma.db")]))
  }

  private func run(_ statement: String, in other: ChildProcess) -> String? {
    other.writeLine(statement)
    return other.readLine()
  }

  @Test("it may fold back what we read, while we write, and after a writer was killed")
  func checkpoints() throws {
    let source = Disk.folder.make()
    let killed = try SQLiteReadOnlyTests.fill(source)
    try source.copyFiles(to: disk, suffixes: ["", "-wal"])
    killed.close()
    let reader = try disk.readOnlyDatabase(ReadOnlyFileSystem(disk.files)).connect()
    #expect(try reader.keys() == Array(0..<40))
    let other = try python()
    #expect(run("SELECT count(*) FROM t", in: other) == "[(40,)]")
    #expect(try reader.keys() == Array(0..<40))
    #expect(run("PRAGMA wal_checkpoint(TRUNCATE)", in: other) == "[(0, 0, 0)]")
    #expect(try reader.keys() == Array(0..<40))
    let writer = try disk.database().connect()
    for key in 40..<50 {
      try writer.insert(key, byteCount: 3000)
      if key % 2 == 0 { #expect(run("PRAGMA wal_checkpoint(PASSIVE)", in: other) != nil) }
      if key % 3 == 0 { #expect(run("PRAGMA wal_checkpoint(TRUNCATE)", in: other) != nil) }
      #expect(try reader.keys() == Array(0...key))
    }
    writer.close()
    other.kill()
    #expect(try reader.keys() == Array(0..<50))
    #expect(try reader.text("PRAGMA integrity_check") == "ok")
  }

  @Test("an index that a killed process left half-written is not used")
  func tornIndex() throws {
    let writer = try SQLiteReadOnlyTests.fill(disk)
    let other = try python()
    #expect(run("SELECT count(*) FROM t", in: other) == "[(40,)]")
    let one = try disk.readOnlyDatabase().connect()
    let two = try disk.readOnlyDatabase().connect()
    for reader in [one, two] { #expect(try reader.keys() == Array(0..<40)) }
    // All processes but these readers and the other one end; then it is killed while it writes.
    writer.close()
    let index = try disk.files.open(disk.path("chroma.db-shm"), .readWrite)
    try index.write([0xFF, 0xFF], at: 16)
    index.close()
    other.kill()
    let before = try DirectoryDigest(disk.root)
    let error = #expect(throws: ChromaError.self) { try one.keys() }
    #expect(error?.kind == .locked, "\(error?.message ?? "")")
    one.close()
    // Another reader still has it mapped.
    let again = try disk.readOnlyDatabase().connect()
    #expect(try again.keys() == Array(0..<40))
    #expect(try DirectoryDigest(disk.root) == before)
    // The next writer makes the index anew, and they follow.
    let next = try disk.database().connect()
    try next.insert(40, byteCount: 5000)
    for reader in [again, two] { #expect(try reader.keys() == Array(0...40)) }
    try next.checkpoint(truncating: true)
    try next.insert(41, byteCount: 5000)
    for reader in [again, two] { #expect(try reader.keys() == Array(0...41)) }
  }
}
