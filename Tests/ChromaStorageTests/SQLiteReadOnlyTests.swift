import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Testing

/// A database that is only read shows what is committed when a read begins, whoever else has it open,
/// closed it or was killed, and changes nothing: not a byte, not a name, not a time.
///
/// Method: a file system that refuses every call which could change something, and, on real files, a
/// digest of the directory before and after.
@Suite struct SQLiteReadOnlyTests {
  /// A database of 40 rows, 30 of them in the log unless it was closed.
  static func fill(_ disk: Disk.Made) throws -> SQLiteConnection {
    let connection = try disk.database().connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<10 { try connection.insert(key, byteCount: key % 4 * 2500) }
    try connection.checkpoint(truncating: true)
    for key in 10..<40 { try connection.insert(key, byteCount: key % 4 * 2500) }
    return connection
  }

  // MARK: Nobody writes

  @Test("a database that was closed is read as it is", arguments: Disk.allCases)
  func closed(_ kind: Disk) throws {
    let disk = kind.make()
    try Self.fill(disk).close()
    try Self.expectReadable(disk, keys: Array(0..<40))
    #expect(try disk.files.list(disk.root) == ["chroma.db"])
  }

  @Test(
    "a database whose writer was killed is read with all that is in its log",
    arguments: Disk.allCases, [true, false])
  func killed(_ kind: Disk, hasIndex: Bool) throws {
    let source = kind.make()
    let writer = try Self.fill(source)
    let disk = kind.make()
    try source.copyFiles(to: disk, suffixes: hasIndex ? ["", "-wal", "-shm"] : ["", "-wal"])
    writer.close()
    try Self.expectReadable(disk, keys: Array(0..<40))
    // Whoever may write finds the same.
    #expect(try disk.database().connect().keys() == Array(0..<40))
  }

  @Test("a log that holds nothing, or that was cut off in its header, is an empty one")
  func emptyLog() throws {
    for byteCount in [0, 1, 31, 32] {
      let disk = Disk.folder.make()
      try Self.fill(disk).close()
      let log = try disk.files.open(disk.path("chroma.db-wal"), .createNew)
      try log.write(Array(repeating: 7, count: byteCount), at: 0)
      log.close()
      try Self.expectReadable(disk, keys: Array(0..<40))
    }
  }

  @Test("nothing can be written, and nothing is created where there is nothing")
  func refusals() throws {
    let disk = Disk.folder.make()
    #expect(throws: ChromaError.self) { try disk.readOnlyDatabase().connect().keys() }
    #expect(try disk.files.list(disk.root) == [])
    let writer = try Self.fill(disk)
    let before = try DirectoryDigest(disk.root)
    let reader = try disk.readOnlyDatabase().connect()
    for statement in ["DELETE FROM t", "CREATE TABLE u (k)", "PRAGMA user_version=7", "VACUUM"] {
      let error = #expect(throws: ChromaError.self) { try reader.execute(statement) }
      #expect(error?.kind == .permissionDenied, "\(statement): \(error?.message ?? "")")
    }
    _ = try? reader.checkpoint(truncating: true)
    _ = try? reader.text("PRAGMA journal_mode=DELETE")
    reader.close()
    #expect(try DirectoryDigest(disk.root) == before)
    writer.close()
  }

  @Test("whatever a power cut leaves is read as the next writer will find it", arguments: 0..<4)
  func afterPowerCuts(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var history = try SQLiteHistory(seed: seed)
    try history.run(transactionCount: 12, &random)
    var (readCount, halfMadeCount) = (0, 0)
    for image in history.disk.history {
      let cut = SimulatedDisk(image.afterPowerCut(&random))
      let files = ReadOnlyFileSystem(cut)
      do throws(ChromaError) {
        let reader = try SQLiteDatabase(
          path: "/d/chroma.db", fileSystem: files, clock: SystemClock(),
          random: SystemRandomSource(), isReadOnly: true
        ).connect()
        let found = try SQLiteHistory.state(reader)
        reader.close()
        readCount += 1
        let written = try SQLiteHistory.state(SQLiteHistory.connect(cut))
        #expect(found == written, "seed \(seed), call \(image.callCount)")
      } catch {
        // Cut off while it was being made: there is nothing to lose yet.
        halfMadeCount += 1
        #expect(
          history.allowedStates(at: image).contains(nil), "\(seed), \(image.callCount): \(error)")
      }
      #expect(files.refusedCalls == [], "seed \(seed), call \(image.callCount)")
    }
    #expect(readCount > 100 && halfMadeCount < 40, "seed \(seed): \(readCount), \(halfMadeCount)")
  }

  // MARK: Damage

  @Test(
    "damage to acknowledged transactions in a log that was left is named, not dropped",
    arguments: [true, false])
  func damagedLog(hasIndex: Bool) throws {
    let source = Disk.memory.make()
    let writer = try Self.fill(source)
    let disk = Disk.memory.make()
    try source.copyFiles(to: disk, suffixes: hasIndex ? ["", "-wal", "-shm"] : ["", "-wal"])
    writer.close()
    let log = try disk.files.open(disk.path("chroma.db-wal"), .readWrite)
    let whole = try log.read(at: 0, byteCountMax: Int(try log.byteCount()))
    // The last two transactions are as a torn tail might be.
    for position in stride(from: 0, to: whole.count - 2 * 4 * 4120, by: 331) {
      try log.write([whole[position] ^ 16], at: UInt64(position))
      let error = #expect(throws: ChromaError.self, "byte \(position)") {
        try disk.readOnlyDatabase().connect().keys()
      }
      #expect(error?.kind == .corruption, "byte \(position): \(error?.message ?? "")")
      #expect(error?.message.contains("chroma.db-wal ") == true, "byte \(position)")
      try log.write([whole[position]], at: UInt64(position))
    }
    #expect(try disk.readOnlyDatabase().connect().keys() == Array(0..<40))
  }

  @Test("a damaged or missing page of the database file is named, or never read")
  func damagedPage() throws {
    let disk = Disk.memory.make()
    try Self.fill(disk).close()
    let file = try disk.files.open(disk.path("chroma.db"), .readWrite)
    let whole = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
    let pageCount = whole.count / 4096
    var foundCount = 0
    for page in 0..<pageCount {
      try file.write([whole[page * 4096 + 99] ^ 1], at: UInt64(page * 4096 + 99))
      foundCount += try Self.findsDamage(disk) ? 1 : 0
      try file.write(whole, at: 0)
    }
    // One page maps pages to their parents, for moving them.
    #expect(foundCount >= pageCount - 1)
    try file.setByteCount(UInt64(whole.count - 4096))
    #expect(try Self.findsDamage(disk))
  }

  /// Whether reading every value is an error that names the file; the values are right if not.
  private static func findsDamage(_ disk: Disk.Made) throws -> Bool {
    do throws(ChromaError) {
      let reader = try disk.readOnlyDatabase().connect()
      var (keys, byteCount) = ([Int](), 0)
      try reader.forEachRow("SELECT k, v FROM t ORDER BY k") { (row) throws(ChromaError) in
        keys.append(Int(try row.integer(0)))
        byteCount += try row.blob(1).count
        return true
      }
      #expect(keys == Array(0..<40) && byteCount == 40 / 4 * (0 + 1 + 2 + 3) * 2500)
      return false
    } catch {
      #expect(error.kind == .corruption && error.message.contains("chroma.db "), "\(error)")
      return true
    }
  }

  // MARK: Helpers

  /// Reads everything, several times, and sees that nothing has changed.
  private static func expectReadable(_ disk: Disk.Made, keys: [Int]) throws {
    let before = try disk.temporary.map { try DirectoryDigest($0.path) }
    let names = try disk.files.list(disk.root)
    let files = ReadOnlyFileSystem(disk.files)
    let one = try disk.readOnlyDatabase(files).connect()
    let two = try disk.readOnlyDatabase(files).connect()
    for _ in 0..<2 {
      #expect(try one.keys() == keys)
      #expect(try two.text("PRAGMA integrity_check") == "ok")
    }
    one.close()
    #expect(try two.keys() == keys)
    two.close()
    #expect(files.refusedCalls == [])
    #expect(try disk.files.list(disk.root) == names)
    #expect(try disk.temporary.map { try DirectoryDigest($0.path) } == before)
  }
}

extension Disk.Made {
  /// The same database, opened so that nothing can be written.
  func readOnlyDatabase(_ files: (any FileSystem)? = nil) -> SQLiteDatabase {
    SQLiteDatabase(
      path: path("chroma.db"), fileSystem: files ?? self.files, clock: SystemClock(),
      random: SystemRandomSource(), isReadOnly: true)
  }

  /// The files as a kill leaves them: nobody has the copies open, or holds a lock on them.
  func copyFiles(to target: Disk.Made, suffixes: [String]) throws {
    for suffix in suffixes {
      let file = try files.open(path("chroma.db" + suffix), .readOnly)
      let bytes = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
      let copy = try target.files.open(target.path("chroma.db" + suffix), .createNew)
      try copy.write(bytes, at: 0)
      copy.close()
      file.close()
    }
  }
}
