import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Synchronization
import Testing

/// Writers in turn and readers at any time, on real files, each with connections of its own that come
/// and go, as processes do: nobody gets an error, nobody sees the count go back or a transaction in
/// part, and what was written is there.
@Suite struct SQLiteConcurrencyTests {
  private static let writerCount = 2
  private static let readerCount = 2
  private static let transactionCount = 60

  @Test(
    "writers in turn and readers at any time do not disturb each other", arguments: Disk.allCases)
  func writersAndReaders(_ kind: Disk) throws {
    let disk = kind.make()
    try disk.database().connect().execute(
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    let failures = Mutex<[String]>([])
    let runningWriterCount = Atomic(Self.writerCount)
    onThreads(Self.writerCount + Self.readerCount) { index in
      do {
        if index < Self.writerCount {
          defer { runningWriterCount.subtract(1, ordering: .sequentiallyConsistent) }
          try Self.write(disk, seed: UInt64(index))
        } else {
          try Self.read(disk, while: { runningWriterCount.load(ordering: .relaxed) > 0 })
        }
      } catch {
        failures.withLock { $0.append("thread \(index): \(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    let connection = try disk.database().connect()
    let rowCount = Self.writerCount * Self.transactionCount * 2
    #expect(try connection.integer("SELECT count(*) FROM t") == Int64(rowCount))
    #expect(try connection.text("PRAGMA integrity_check") == "ok")
  }

  /// Adds two rows a transaction, folds back at times, and comes anew at times.
  private static func write(_ disk: Disk.Made, seed: UInt64) throws {
    var random = SeededRandom(seed)
    let turn = try WriteTurn(
      fileSystem: disk.files, directory: disk.root, clock: SystemClock())
    var connection = try disk.database().connect()
    for _ in 0..<transactionCount {
      try turn.acquire(timeoutMilliseconds: 60_000)
      defer { turn.release() }
      try connection.withTransaction(.immediate) { () throws(ChromaError) in
        for _ in 0..<2 {
          let bytes = [UInt8](repeating: 1, count: random.int(in: 0...3) * 2000)
          try connection.execute("INSERT INTO t (v) VALUES (?)", [.blob(bytes)])
        }
      }
      if random.oneIn(5) { try connection.checkpoint(truncating: random.oneIn(3)) }
      if random.oneIn(8) {
        connection.close()
        connection = try disk.database().connect()
      }
    }
  }

  private static func read(_ disk: Disk.Made, while isNeeded: () -> Bool) throws {
    var random = SeededRandom(99)
    var connection = try disk.database().connect()
    var last: Int64 = 0
    while isNeeded() {
      let count = try connection.integer("SELECT count(*) FROM t") ?? -1
      guard count >= last, count.isMultiple(of: 2) else {
        throw ChromaError(.corruption, "saw \(last) rows, then \(count)")
      }
      last = count
      if random.oneIn(10) {
        connection.close()
        connection = try disk.database().connect()
      }
    }
  }
}
