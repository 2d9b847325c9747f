import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Testing

/// A power cut keeps any of the writes and directory changes made since their last sync, whole, torn
/// or not at all. Whatever it keeps, SQLite on our files opens again without a word, holds every
/// transaction that was acknowledged and none in part, and what a reader then saw survives the next
/// cut. Method: a random history with an image after every change; cuts at every image before a sync,
/// where most is pending, and everywhere by chance; second cuts while recovering from the first.
@Suite struct PowerCutTests {
  @Test("acknowledged transactions survive a power cut at any moment", arguments: 0..<UInt64(6))
  func acknowledgedTransactionsSurvive(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var history = try SQLiteHistory(seed: seed)
    try history.run(transactionCount: 12, &random)
    var imageCount = 0
    for image in history.disk.history {
      for _ in 0..<(image.isBeforeSync ? 3 : 1) {
        let complaint = history.complaint(
          about: image.afterPowerCut(&random), at: image, &random)
        if let complaint { Issue.record("seed \(seed), call \(image.callCount): \(complaint)") }
        imageCount += 1
      }
    }
    #expect(imageCount > 150, "seed \(seed)")
  }

  @Test("every way to lose whole writes of a short history is survived")
  func everyCut() throws {
    var random = SeededRandom(1)
    var history = try SQLiteHistory(seed: 1)
    try history.run(transactionCount: 5, &random)
    var imageCount = 0
    for image in history.disk.history where image.isBeforeSync && image.pendingCount() <= 9 {
      for number in 0..<(UInt64(1) << UInt64(image.pendingCount())) {
        let complaint = history.complaint(
          about: image.afterPowerCut(number: number), at: image, &random)
        if let complaint { Issue.record("call \(image.callCount), \(number): \(complaint)") }
        imageCount += 1
      }
    }
    #expect(imageCount > 700)
  }

  @Test("the rig sees that a sync is missing", arguments: [true, false])
  func canary(isFileSync: Bool) throws {
    var complaintCount = 0
    for seed in UInt64(0)..<4 {
      var random = SeededRandom(seed)
      var history = try SQLiteHistory(seed: seed) { disk in
        disk.ignoreSyncs(ofFiles: isFileSync, ofDirectories: !isFileSync)
      }
      try history.run(transactionCount: 12, &random)
      for image in history.disk.history {
        let cut = image.afterPowerCut(&random)
        if history.complaint(about: cut, at: image, &random) != nil { complaintCount += 1 }
      }
    }
    #expect(complaintCount > 10)
  }
}
