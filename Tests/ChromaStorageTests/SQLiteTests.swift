import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Testing

/// SQLite over each file system of ours keeps what it is given, whoever looks at it.
@Suite struct SQLiteTests {
  @Test("rows outlive the connection and every checkpoint", arguments: Disk.allCases)
  func rowsPersist(_ kind: Disk) throws {
    let disk = kind.make()
    var connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<200 {
      try connection.insert(key, byteCount: key * 20)
      if key % 50 == 49 { #expect(try connection.checkpoint(truncating: key % 100 == 99)) }
      if key % 70 == 69 {
        connection.close()
        connection = try disk.database().connect()
      }
    }
    #expect(try connection.keys() == Array(0..<200))
    #expect(try connection.integer("SELECT sum(length(v)) FROM t") == 20 * 199 * 100)
    #expect(try connection.text("PRAGMA integrity_check") == "ok")
  }

  @Test("a transaction happens whole or not at all", arguments: Disk.allCases)
  func transactions(_ kind: Disk) throws {
    let disk = kind.make()
    let connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    #expect(throws: ChromaError(.cancelled, "enough")) {
      try connection.withTransaction(.immediate) { () throws(ChromaError) in
        try connection.insert(1, byteCount: 10)
        throw ChromaError(.cancelled, "enough")
      }
    }
    #expect(try connection.keys() == [])
    try connection.withTransaction(.immediate) { () throws(ChromaError) in
      try connection.insert(1, byteCount: 10)
      try connection.insert(2, byteCount: 10)
    }
    let error = #expect(throws: ChromaError.self) { try connection.insert(2, byteCount: 1) }
    #expect(error?.kind == .conflict)
    #expect(try connection.keys() == [1, 2])
  }

  @Test("a large transaction that spills out of the cache is whole", arguments: Disk.allCases)
  func spilledTransactions(_ kind: Disk) throws {
    let disk = kind.make()
    let connection = try disk.database().connect()
    try connection.execute("PRAGMA cache_size=5")
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for round in 0..<6 {
      try? connection.withTransaction(.immediate) { () throws(ChromaError) in
        for key in 0..<80 { try connection.insert(round * 80 + key, byteCount: 3000) }
        // Many rows in one statement: SQLite keeps the way back in a temporary file.
        try connection.execute("UPDATE t SET v = zeroblob(length(v) + 1)")
        if round % 2 == 1 { throw ChromaError(.cancelled, "enough") }
      }
    }
    let other = try disk.database().connect()
    #expect(try other.integer("SELECT count(*) FROM t") == 240)
    #expect(try other.integer("SELECT sum(length(v)) FROM t") == 80 * (3003 + 3002 + 3001))
    connection.close()
    #expect(try other.text("PRAGMA integrity_check") == "ok")
  }

  @Test("connections see each other's commits, and readers do not wait", arguments: Disk.allCases)
  func connectionsSeeEachOther(_ kind: Disk) throws {
    let disk = kind.make()
    let writer = try disk.database().connect()
    try writer.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    let reader = try disk.database().connect()
    for key in 0..<20 {
      try writer.withTransaction(.immediate) { () throws(ChromaError) in
        try writer.insert(key, byteCount: 5000)
        #expect(try reader.keys() == Array(0..<key))
      }
      #expect(try reader.keys() == Array(0...key))
      try writer.checkpoint(truncating: false)
    }
  }

  @Test("values of every kind come back as they went in")
  func values() throws {
    let connection = try Disk.memory.make().database().connect()
    let row = try connection.firstRow(
      "SELECT ?, ?, ?, ?, ?, ?",
      [
        .null, .integer(.min), .text(""), .text("a\0b\u{1F600}"), .blob([]), .blob([0, 255]),
      ]
    ) { (row) throws(ChromaError) in
      #expect(row.isNull(0))
      #expect(try row.integer(1) == .min)
      #expect(try row.text(2) == "")
      #expect(try row.text(3) == "a\0b\u{1F600}")
      #expect(try row.blob(4) == [])
      #expect(try row.blob(5) == [0, 255])
      #expect(throws: ChromaError.self) { _ = try row.integer(2) }
      #expect(throws: ChromaError.self) { _ = try row.text(0) }
      return true
    }
    #expect(row == true)
    #expect(throws: ChromaError.self) { try connection.execute("") }
    #expect(throws: ChromaError.self) { try connection.execute("SELECT") }
  }

  @Test("an interrupted statement ends with .cancelled, and the connection goes on")
  func interrupt() throws {
    let connection = try Disk.memory.make().database().connect()
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    var rowCount = 0
    let error = #expect(throws: ChromaError.self) {
      try connection.forEachRow(endless) { (_) throws(ChromaError) in
        rowCount += 1
        if rowCount == 3 { connection.interrupt() }
        return true
      }
    }
    #expect(error?.kind == .cancelled)
    #expect(rowCount == 3)
    #expect(try connection.integer("SELECT 1") == 1)
  }

  @Test("a closed connection refuses work")
  func closed() throws {
    let connection = try Disk.memory.make().database().connect()
    connection.close()
    connection.close()
    let error = #expect(throws: ChromaError.self) { try connection.execute("SELECT 1") }
    #expect(error?.kind == .closed)
  }

  @Test("nothing is written beside the database and its log")
  func filesInTheDirectory() throws {
    let disk = Disk.folder.make()
    let connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    #expect(try disk.files.list(disk.root) == ["chroma.db", "chroma.db-shm", "chroma.db-wal"])
    connection.close()
    #expect(try disk.files.list(disk.root) == ["chroma.db"])
  }
}

extension Disk.Made {
  func database() -> SQLiteDatabase {
    SQLiteDatabase(
      path: path("chroma.db"), fileSystem: files, clock: SystemClock(),
      random: SystemRandomSource())
  }
}

extension SQLiteConnection {
  func insert(_ key: Int, byteCount: Int) throws(ChromaError) {
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: byteCount)
    try execute("INSERT INTO t VALUES (?, ?)", [.integer(Int64(key)), .blob(bytes)])
  }

  func keys() throws(ChromaError) -> [Int] {
    var keys: [Int] = []
    try forEachRow("SELECT k FROM t ORDER BY k") { (row) throws(ChromaError) in
      keys.append(Int(try row.integer(0)))
      return true
    }
    return keys
  }

  func integer(_ sql: String) throws(ChromaError) -> Int64? {
    try firstRow(sql) { (row) throws(ChromaError) in try row.integer(0) }
  }

  func text(_ sql: String) throws(ChromaError) -> Text? {
    try firstRow(sql) { (row) throws(ChromaError) in try row.text(0) }
  }
}
