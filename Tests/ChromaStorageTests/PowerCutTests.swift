import ChromaBase
import ChromaSQLite
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// A power cut keeps any of the writes and directory changes made since their last sync, whole, torn
/// or not at all. Whatever it keeps, SQLite on our files opens again without a word and holds every
/// row that was acknowledged, and none that was never written. Method: one history with an image
/// after every change; cuts at every image before a sync, where most is pending, and everywhere by
/// chance; then the same with a second cut while recovering from the first.
@Suite struct PowerCutTests {
  @Test("acknowledged rows survive a power cut at any moment", arguments: 0..<UInt64(6))
  func acknowledgedRowsSurvive(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let history = try History(seed: seed, random: &random)
    for image in history.images {
      for _ in 0..<(image.isBeforeSync ? 4 : 1) {
        try history.expectRecovery(of: image.afterPowerCut(&random), at: image, &random)
      }
    }
  }

  @Test("every way to lose whole writes of a short history is survived")
  func everyCut() throws {
    var random = SeededRandom(1)
    let history = try History(seed: 1, rowCount: 3, random: &random)
    var imageCount = 0
    for image in history.images where image.isBeforeSync && image.pendingCount <= 9 {
      for number in 0..<(UInt64(1) << UInt64(image.pendingCount)) {
        let cut = image.afterPowerCut(number: number)
        try history.expectRecovery(of: cut, at: image, &random)
        imageCount += 1
      }
    }
    #expect(imageCount > 300)
  }

  @Test("the rig sees that a sync is missing", arguments: [true, false])
  func canary(isFileSync: Bool) throws {
    var lossCount = 0
    for seed in UInt64(0)..<5 {
      var random = SeededRandom(seed)
      let history = try History(seed: seed, random: &random) { disk in
        disk.ignoreSyncs(ofFiles: isFileSync, ofDirectories: !isFileSync)
      }
      for image in history.images {
        let cut = image.afterPowerCut(&random)
        if (try? history.isRecovered(cut, at: image)) != true { lossCount += 1 }
      }
    }
    #expect(lossCount > 10)
  }
}

/// What a writer did on a simulated disk, and when it was told that it is safe.
private struct History {
  let seed: UInt64
  var images: [DiskImage] = []
  /// The highest key acknowledged once so many calls were made; keys are written in order from 0.
  private var acknowledged: [(callCount: Int, key: Int)] = []
  private var keyCount = 0

  init(
    seed: UInt64, rowCount: Int = 12, random: inout SeededRandom,
    _ prepare: (SimulatedDisk) -> Void = { _ in }
  ) throws {
    self.seed = seed
    let disk = SimulatedDisk(seed: seed)
    try disk.createDirectories("/d")
    prepare(disk)
    disk.keepsHistory = true
    var connection = try Self.connect(disk)
    try connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)")
    acknowledged.append((disk.callCount, -1))
    for key in 0..<rowCount {
      try connection.insert(key, byteCount: random.int(in: 0...3) * 2500)
      acknowledged.append((disk.callCount, key))
      if random.oneIn(4) { try connection.checkpoint(truncating: random.oneIn(2)) }
      if random.oneIn(6) {
        if random.oneIn(2) { connection.close() } else { disk.killProcess() }
        connection = try Self.connect(disk)
      }
    }
    keyCount = rowCount
    images = disk.history
  }

  static func connect(_ disk: SimulatedDisk) throws(ChromaError) -> SQLiteConnection {
    try SQLiteDatabase(
      path: "/d/chroma.db", fileSystem: disk, clock: SystemClock(),
      random: SystemRandomSource()
    ).connect()
  }

  /// Whether the disk opens, and holds the rows acknowledged before the image, and no others but
  /// one that was being written. Before the table was acknowledged there may be none.
  func isRecovered(_ cut: DiskImage, at image: DiskImage) throws(ChromaError) -> Bool {
    try isRecovered(on: SimulatedDisk(cut, seed: seed), at: image)
  }

  private func isRecovered(
    on disk: SimulatedDisk, at image: DiskImage
  ) throws(ChromaError) -> Bool {
    let last = acknowledged.last { $0.callCount <= image.callCount }
    let connection = try Self.connect(disk)
    guard let last else { return true }
    let keys = try connection.keys()
    guard try connection.text("PRAGMA integrity_check") == "ok" else { return false }
    try connection.insert(1000, byteCount: 10)
    return keys == Array(0..<max(keys.count, 0)) && keys.count >= last.key + 1
      && keys.count <= min(last.key + 2, keyCount)
  }

  /// Expects the above, and the same after a second power cut at a random moment of the recovery.
  func expectRecovery(
    of cut: DiskImage, at image: DiskImage, _ random: inout SeededRandom
  ) throws {
    let place = "seed \(seed), after call \(image.callCount)"
    let disk = SimulatedDisk(cut, seed: seed)
    disk.keepsHistory = true
    do {
      #expect(try isRecovered(on: disk, at: image), "\(place)")
      guard random.oneIn(8), !disk.history.isEmpty else { return }
      let second = random.element(of: disk.history).afterPowerCut(&random)
      let third = SimulatedDisk(second, seed: seed)
      let connection = try Self.connect(third)
      if let last = acknowledged.last(where: { $0.callCount <= image.callCount }) {
        #expect(try connection.keys().count >= last.key + 1, "\(place), second cut")
      }
    } catch {
      Issue.record("\(place): \(error)")
    }
  }
}
