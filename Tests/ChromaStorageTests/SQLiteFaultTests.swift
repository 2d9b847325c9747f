import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// Any call of the disk may fail, once or from then on. The writer gets an error that names the file,
/// no row that was acknowledged is lost, neither for the next process nor in a power cut, and none
/// appears that was never written. Method: a script of some hundred calls, run again with each of
/// them failing.
@Suite struct SQLiteFaultTests {
  /// Rows by what the writer was told of them.
  private struct Outcome {
    var acknowledged: Set<Int> = []
    var failed: Set<Int> = []
    var errors: [ChromaError] = []
    /// Whether a row was acknowledged after a sync had failed.
    var isAcknowledgedAfterFailedSync = false
  }

  /// A disk with a database of three rows, whose writer was killed.
  private static func startingImage() throws -> DiskImage {
    let disk = SimulatedDisk()
    try disk.createDirectories("/d")
    let connection = try SQLiteHistory.connect(disk)
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    for key in 0..<3 { try connection.insert(key, byteCount: 3000) }
    return disk.image
  }

  /// Opens, writes rows 3 to 7, folds the log back twice, and closes.
  private static func run(on disk: SimulatedDisk) -> Outcome {
    var outcome = Outcome(acknowledged: [0, 1, 2])
    let connection: SQLiteConnection
    do throws(ChromaError) {
      connection = try SQLiteHistory.connect(disk)
    } catch {
      outcome.errors.append(error)
      return outcome
    }
    for key in 3..<8 {
      do throws(ChromaError) {
        let syncsFailed = disk.trace.contains { $0.isFailed && $0.kind == .sync }
        try connection.insert(key, byteCount: 5000)
        outcome.acknowledged.insert(key)
        outcome.isAcknowledgedAfterFailedSync =
          outcome.isAcknowledgedAfterFailedSync || syncsFailed
        if key % 2 == 0 { try connection.checkpoint(truncating: key == 6) }
      } catch {
        outcome.errors.append(error)
        if !outcome.acknowledged.contains(key) { outcome.failed.insert(key) }
      }
    }
    connection.close()
    return outcome
  }

  private func expectNothingLost(
    _ image: DiskImage, _ outcome: Outcome, _ place: String
  ) {
    do throws(ChromaError) {
      let state = try SQLiteHistory.state(SQLiteHistory.connect(SimulatedDisk(image)))
      let found = Set((state ?? [:]).keys)
      #expect(found.isSuperset(of: outcome.acknowledged), "\(place): \(found)")
      #expect(found.isSubset(of: outcome.acknowledged.union(outcome.failed)), "\(place): \(found)")
    } catch {
      Issue.record("\(place): \(error)")
    }
  }

  @Test(
    "each call fails in turn, and nothing acknowledged is lost",
    arguments: [(EIO, false), (EIO, true), (ENOSPC, false), (ENOSPC, true)])
  func everyCallFails(code: Int32, isLasting: Bool) throws {
    let start = try Self.startingImage()
    let healthy = SimulatedDisk(start)
    #expect(Self.run(on: healthy).acknowledged == Set(0..<8))
    var random = SeededRandom(UInt64(code))
    var errorCount = 0
    for ordinal in 1...healthy.callCount {
      let disk = SimulatedDisk(start, seed: UInt64(ordinal))
      disk.inject(DiskFault(nil, ordinal: ordinal, isLasting: isLasting, code: code))
      let outcome = Self.run(on: disk)
      let place = "call \(ordinal) of \(code)\(isLasting ? " and later" : "")"
      for error in outcome.errors {
        errorCount += 1
        let kinds: [ChromaError.Kind] = code == ENOSPC ? [.outOfSpace, .io] : [.io]
        #expect(kinds.contains(error.kind), "\(place): \(error)")
        #expect(error.message.contains("/d"), "\(place): \(error)")
      }
      #expect(!outcome.isAcknowledgedAfterFailedSync, "\(place)")
      disk.removeFaults()
      disk.killProcess()
      expectNothingLost(disk.image, outcome, place)
      expectNothingLost(disk.image.afterPowerCut(&random), outcome, "\(place), power cut")
    }
    #expect(errorCount > 50)
  }

  @Test("after a failed sync nothing is written any more, and all is well after reopening")
  func failedSyncEndsWriting() throws {
    let disk = SimulatedDisk(try Self.startingImage())
    let database = SQLiteDatabase(
      path: "/d/chroma.db", fileSystem: disk, clock: SystemClock(), random: SystemRandomSource())
    let connection = try database.connect()
    disk.inject(DiskFault(.sync, ordinal: 1, code: EIO))
    let first = #expect(throws: ChromaError.self) { try connection.insert(3, byteCount: 10) }
    #expect(first?.message.contains("sync /d/chroma.db-wal") == true)
    let callCount = disk.callCount
    for other in [connection, try database.connect()] {
      let later = #expect(throws: ChromaError.self) { try other.insert(4, byteCount: 10) }
      #expect(later?.kind == .io)
      #expect(later?.message.contains("takes no more writes") == true)
      #expect(try other.integer("SELECT count(*) FROM t") == 3)
    }
    let changes = disk.trace[callCount...].filter { [.write, .sync].contains($0.kind) }
    #expect(changes == [])
    disk.killProcess()
    let again = try SQLiteHistory.connect(disk)
    try again.insert(5, byteCount: 10)
    #expect(Set(try again.keys()).subtracting([3]) == [0, 1, 2, 5])
  }

  @Test("what is written after a failed sync and a restart does not lean on lost pages")
  func restartAfterFailedSync() throws {
    for seed in UInt64(0)..<40 {
      var random = SeededRandom(seed)
      let disk = SimulatedDisk(try Self.startingImage(), seed: seed)
      let connection = try SQLiteHistory.connect(disk)
      disk.inject(DiskFault(.sync, pathSuffix: "-wal", ordinal: 1, code: EIO))
      #expect(throws: ChromaError.self) { try connection.insert(3, byteCount: 9000) }
      disk.killProcess()
      let again = try SQLiteHistory.connect(disk)
      try again.insert(4, byteCount: 9000)
      let cut = SimulatedDisk(disk.image.afterPowerCut(&random))
      let state = try SQLiteHistory.state(SQLiteHistory.connect(cut))
      #expect(Set((state ?? [:]).keys).isSuperset(of: [0, 1, 2, 4]), "seed \(seed)")
    }
  }

  @Test("a full disk stops writes, not reads, and writes go on when there is room again")
  func fullDisk() throws {
    let disk = SimulatedDisk(try Self.startingImage())
    let connection = try SQLiteHistory.connect(disk)
    disk.capacityByteCount = disk.byteCount + 60_000
    var key = 3
    var failure: ChromaError?
    while failure == nil, key < 100 {
      do throws(ChromaError) {
        try connection.insert(key, byteCount: 5000)
        key += 1
      } catch {
        failure = error
      }
    }
    #expect(failure?.kind == .outOfSpace)
    #expect(failure?.message.contains("/d/chroma.db-wal") == true)
    #expect(try connection.keys() == Array(0..<key))
    disk.capacityByteCount = .max
    try connection.insert(key, byteCount: 5000)
    #expect(try connection.keys() == Array(0...key))
  }
}
