import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Testing

/// Another SQLite, here Python's in a process of its own, may look into the database at any time, as
/// users do: it sees what is committed, and does no harm.
@Suite(.enabled(if: ChildProcess(["python3", "-c", ""])?.wait() == 0, "python3 is not installed"))
struct SQLiteForeignTests {
  /// Opens the database, prints the keys for each line that it reads, and closes at the end.
  private static let reader = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    for line in sys.stdin:
        print([row[0] for row in connection.execute("SELECT k FROM t ORDER BY k")], flush=True)
        if line == "close\\n":
            break
    connection.close()
    print("closed", flush=True)
    """

  private let disk = Disk.folder.make()

  private func python() throws -> ChildProcess {
    try #require(ChildProcess(["python3", "-c", Self.reader, disk.path("chroma.db")]))
  }

  @Test("it sees every commit of ours while we write, and we keep our locks when it closes")
  func readsWhileWeWrite() throws {
    let connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<6 {
      try connection.insert(key, byteCount: 6000)
      let other = try python()
      other.writeLine("close")
      #expect(other.readLine() == "\(Array(0...key))")
      #expect(other.readLine() == "closed")
      other.wait()
      if key == 3 { try connection.checkpoint(truncating: true) }
    }
    let second = try disk.database().connect()
    try connection.execute("BEGIN IMMEDIATE")
    let error = #expect(throws: ChromaError.self) { try second.execute("BEGIN IMMEDIATE") }
    #expect(error?.kind == .locked)
    try connection.execute("COMMIT")
    #expect(try second.keys() == Array(0..<6))
  }

  @Test("a database that it made is refused by name, and left as it is")
  func foreignDatabase() throws {
    let script = """
      import sqlite3, sys
      connection = sqlite3.connect(sys.argv[1])
      connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY)")
      """
    let other = try #require(ChildProcess(["python3", "-c", script, disk.path("chroma.db")]))
    other.wait()
    let file = try disk.files.open(disk.path("chroma.db"), .readOnly)
    let before = try file.read(at: 0, byteCountMax: 1 << 20)
    let error = #expect(throws: ChromaError.self) { try disk.database().connect() }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains(disk.path("chroma.db")) == true)
    #expect(try file.read(at: 0, byteCountMax: 1 << 20) == before)
    #expect(try disk.files.list(disk.root) == ["chroma.db"])
  }

  @Test("it may recover and checkpoint what a killed process of ours left")
  func checkpointsForUs() throws {
    let connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<20 { try connection.insert(key, byteCount: 5000) }
    // The files as a kill leaves them, under another name: nobody holds a lock on the copies.
    for suffix in ["", "-wal"] {
      let file = try disk.files.open(disk.path("chroma.db" + suffix), .readOnly)
      let bytes = try file.read(at: 0, byteCountMax: .init(try file.byteCount()))
      try disk.files.open(disk.path("left.db" + suffix), .createNew).write(bytes, at: 0)
    }
    connection.close()
    let other = try #require(
      ChildProcess(["python3", "-c", Self.reader, disk.path("left.db")]))
    other.writeLine("close")
    #expect(other.readLine() == "\(Array(0..<20))")
    #expect(other.readLine() == "closed")
    other.wait()
    #expect(try disk.files.attributes(disk.path("left.db-wal")) == nil)

    let database = SQLiteDatabase(
      path: disk.path("left.db"), fileSystem: disk.files, clock: SystemClock(),
      random: SystemRandomSource())
    let again = try database.connect()
    #expect(try again.keys() == Array(0..<20))
    #expect(try again.text("PRAGMA integrity_check") == "ok")
    try again.insert(20, byteCount: 5000)
  }
}
