import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Testing

/// Damage at rest is found and named, in the database file and in its log. It is never an answer: not
/// a wrong row, and not a row less than was acknowledged.
@Suite struct SQLiteDamageTests {
  private let files = MemoryFileSystem()
  private let database: SQLiteDatabase

  init() throws {
    database = SQLiteDatabase(
      path: "/chroma.db", fileSystem: files, clock: SystemClock(), random: SystemRandomSource())
  }

  /// Rows of all sizes: leaves, interior pages, overflow pages, an index, a freelist.
  private func fill(rowCount: Int = 60) throws -> SQLiteConnection {
    let connection = try database.connect()
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    try connection.execute("CREATE INDEX i ON t (length(v), k)")
    for key in 0..<rowCount { try connection.insert(key, byteCount: key % 7 * 1500) }
    return connection
  }

  /// Everything that the tables hold, in one read of every page in use.
  private func readAll() throws(ChromaError) -> [[UInt8]] {
    let connection = try database.connect()
    var rows: [[UInt8]] = []
    try connection.forEachRow("SELECT v FROM t ORDER BY k") { (row) throws(ChromaError) in
      rows.append(try row.blob(0))
      return true
    }
    let count = try connection.integer("SELECT count(*) FROM t INDEXED BY i WHERE length(v) >= 0")
    #expect(count == Int64(rows.count))
    return rows
  }

  @Test("a flipped bit in any page of the database file is named, or never read")
  func flippedBitsInDatabase() throws {
    try fill().close()
    let expected = try readAll()
    let file = try files.open("/chroma.db", .readWrite)
    let whole = try file.read(at: 0, byteCountMax: .init(try file.byteCount()))
    var random = SeededRandom(1)
    var foundCount = 0
    for page in 0..<whole.count / 4096 {
      // Every region of a page: header, cells, the magic and the checksum.
      let offsets =
        [0, 1, 20, 100, 4088, 4091, 4092, 4095]
        + (0..<6).map { _ in
          random.int(in: 0...4095)
        }
      for offset in offsets {
        let position = page * 4096 + offset
        let bit = UInt8(1) << UInt8(random.int(in: 0...7))
        try file.write([whole[position] ^ bit], at: UInt64(position))
        do throws(ChromaError) {
          #expect(try readAll() == expected, "offset \(position)")
        } catch {
          foundCount += 1
          #expect(error.kind == .corruption, "offset \(position): \(error)")
          #expect(error.message.contains("/chroma.db "), "offset \(position): \(error)")
          #expect(error.message.contains("offset \(page * 4096)"), "\(position): \(error)")
        }
        try file.write([whole[position]], at: UInt64(position))
      }
    }
    #expect(foundCount > whole.count / 4096 * 12)
    #expect(try readAll() == expected)
  }

  @Test("a database file that was cut, or holds a page twice, is named at every length")
  func cutDatabase() throws {
    try fill().close()
    let file = try files.open("/chroma.db", .readWrite)
    let whole = try file.read(at: 0, byteCountMax: .init(try file.byteCount()))
    for byteCount in stride(from: 1, to: whole.count, by: 1024) {
      try file.setByteCount(UInt64(byteCount))
      let error = #expect(throws: ChromaError.self, "\(byteCount) bytes") { try readAll() }
      #expect(error?.kind == .corruption, "\(byteCount) bytes: \(error?.message ?? "")")
      try file.write(whole, at: 0)
    }
    try file.write(Array(whole[4096 * 4..<4096 * 5]), at: 4096 * 3)
    #expect(throws: ChromaError.self) { try readAll() }
  }

  @Test("a forged database, damaged under valid checksums, is an answer or an error, never a crash")
  func forgedDatabase() throws {
    try fill().close()
    let file = try files.open("/chroma.db", .readWrite)
    let whole = try file.read(at: 0, byteCountMax: .init(try file.byteCount()))
    var errorCount = 0
    for seed in UInt64(0)..<120 {
      var random = SeededRandom(seed)
      var bytes = whole
      for _ in 0..<random.int(in: 1...4) {
        let page = random.int(in: 0...bytes.count / 4096 - 1) * 4096
        for _ in 0..<random.element(of: [1, 4, 40]) {
          // Headers and cell pointers more often than content.
          let offset = random.oneIn(2) ? random.int(in: 0...127) : random.int(in: 0...4087)
          bytes[page + offset] = UInt8(random.int(in: 0...255))
        }
        seal(&bytes, page)
      }
      try file.write(bytes, at: 0)
      do throws(ChromaError) {
        _ = try database.connect().integer("SELECT count(*), sum(length(v)) FROM t")
        _ = try database.connect().text("PRAGMA integrity_check")
      } catch {
        errorCount += 1
        #expect(error.message.contains("/chroma.db"), "seed \(seed): \(error)")
      }
      try files.remove("/chroma.db-wal")
    }
    #expect(errorCount > 20)
  }

  private func seal(_ bytes: inout [UInt8], _ start: Int) {
    bytes.replaceSubrange(start + 4088..<start + 4092, with: Array("CHP1".utf8))
    var sealed = ByteWriter()
    sealed.write(UInt32(start / 4096 + 1))
    for byte in bytes[start..<start + 4092] { sealed.write(byte) }
    var checksum = ByteWriter()
    checksum.write(CRC32C.checksum(of: sealed.bytes))
    bytes.replaceSubrange(start + 4092..<start + 4096, with: checksum.bytes)
  }

  @Test("a flipped bit in the log while it is in use is named")
  func flippedBitsInLiveLog() throws {
    let connection = try fill()
    let expected = try readAll()
    let log = try files.open("/chroma.db-wal", .readWrite)
    let whole = try log.read(at: 0, byteCountMax: .init(try log.byteCount()))
    var random = SeededRandom(2)
    var foundCount = 0
    for _ in 0..<400 {
      let position = random.int(in: 32...whole.count - 1)
      try log.write([whole[position] ^ 4], at: UInt64(position))
      do throws(ChromaError) {
        #expect(try readAll() == expected)
      } catch {
        foundCount += 1
        #expect(error.kind == .corruption)
        #expect(error.message.contains("/chroma.db-wal "))
      }
      try log.write([whole[position]], at: UInt64(position))
    }
    #expect(foundCount > 40)
    connection.close()
    #expect(try readAll() == expected)
  }

  @Test("damage to acknowledged transactions in a log that was left behind is named, not dropped")
  func damagedLogIsNotCutShort() throws {
    let image = try abandonedLog()
    let log = try SimulatedDisk(image).open("/chroma.db-wal", .readOnly)
    let whole = try log.read(at: 0, byteCountMax: .init(try log.byteCount()))
    let expected = try keys(SimulatedDisk(image))
    #expect(expected.count == 12)
    // The last two transactions are as a torn tail might be: what they lose is not provable.
    let provable = whole.count - 2 * 3 * 4120
    for position in stride(from: 0, to: provable, by: 97) {
      let disk = SimulatedDisk(image)
      try disk.open("/chroma.db-wal", .readWrite).write([whole[position] ^ 16], at: .init(position))
      let error = #expect(throws: ChromaError.self, "byte \(position)") { try keys(disk) }
      #expect(error?.kind == .corruption, "byte \(position): \(error?.message ?? "")")
      #expect(error?.message.contains("/chroma.db-wal ") == true, "byte \(position)")
    }
  }

  @Test("a torn tail of the log is no damage")
  func tornTail() throws {
    let image = try abandonedLog()
    let log = try SimulatedDisk(image).open("/chroma.db-wal", .readOnly)
    let byteCount = try log.byteCount()
    let expected = try keys(SimulatedDisk(image))
    for lost in stride(from: UInt64(1), to: 4200, by: 150) {
      let disk = SimulatedDisk(image)
      try disk.open("/chroma.db-wal", .readWrite).setByteCount(byteCount - lost)
      let found = try keys(disk)
      #expect(found == Array(expected.dropLast()) || found == expected.dropLast(2), "\(lost)")
    }
  }

  /// A disk whose writer was killed with all in the log, one transaction a row.
  private func abandonedLog() throws -> DiskImage {
    let disk = SimulatedDisk()
    let connection = try connect(disk)
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<12 { try connection.insert(key, byteCount: 1000 * (key % 3)) }
    let image = disk.image
    connection.close()
    return image
  }

  private func connect(_ disk: SimulatedDisk) throws(ChromaError) -> SQLiteConnection {
    try SQLiteDatabase(
      path: "/chroma.db", fileSystem: disk, clock: SystemClock(), random: SystemRandomSource()
    ).connect()
  }

  private func keys(_ disk: SimulatedDisk) throws(ChromaError) -> [Int] {
    try connect(disk).keys()
  }
}
