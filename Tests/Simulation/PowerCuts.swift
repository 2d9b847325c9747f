// Power cuts at random moments of random histories.
//
// A seed makes one history: up to twenty calls of one or two processes, which now and then close,
// reopen or are killed in the middle of a call. Then the power is cut at some moments of the one
// ordered trace of everything that they did to the disk, and whoever opens the directory afterwards
// must find what the calls that had returned made, and of the one in progress all or nothing; must
// be able to write; and must find that again. In one of ten the power is cut a second time, while
// somebody opens, reads and writes after the first.

import ChromaBase
import ChromaTestSupport

struct PowerCuts {
  static let cutCount = 24
  /// Cuts on cuts: the second in one of ten, a third in one of a hundred.
  private static let depthMax = 3

  let setting: Setting
  var cutCount = Self.cutCount

  /// Plays the history of a seed and cuts it. Returns the number of images opened and judged.
  func run(seed: UInt64) throws(Finding) -> Int {
    var random = SeededRandom(seed)
    let player = Player(on: SimulatedDisk(seed: seed), seed: seed, setting)
    try Self.play(on: player, &random)
    let history = History(player)
    var imageCount = 0
    for cut in 1...cutCount {
      do throws(Finding) {
        imageCount += try judge(history, random.next(), depth: 1)
      } catch {
        throw Finding("cut \(cut) \(error)")
      }
    }
    return imageCount
  }

  /// Everything that the history of a seed does to the disk.
  func trace(seed: UInt64) throws(Finding) -> [DiskCall] {
    var random = SeededRandom(seed)
    let player = Player(on: SimulatedDisk(seed: seed), seed: seed, setting)
    try Self.play(on: player, &random)
    return player.disk.trace
  }

  private static func play(on player: Player, _ random: inout SeededRandom) throws(Finding) {
    let workload = Workload(&random)
    let processCount = random.element(of: [1, 1, 2])
    let killInterval = random.element(of: [4, 12, 1000])
    for _ in 0..<random.int(in: workload.callCountRange) {
      let number = random.int(in: 1...processCount)
      if random.oneIn(8) { try player.close(number) }
      if random.oneIn(killInterval) {
        // An opening takes some sixty calls, a write some twenty.
        let callCount = random.int(in: 0...80)
        guard try player.open(number, dyingAfter: callCount) else { continue }
      }
      let step = workload.step(on: player.allowed[0], &random)
      let callCount = random.oneIn(killInterval) ? random.int(in: 0...40) : nil
      try player.perform(step, by: number, dyingAfter: callCount)
      // What a killed process did is for the next one to find.
      if callCount != nil || step.isMaintenance || random.oneIn(4) {
        try player.observe(by: random.int(in: 1...processCount))
      }
    }
    try player.closeAll()
  }

  /// Cuts a history at a random moment, and judges what is found. Returns the number of images.
  func judge(_ history: History, _ seed: UInt64, depth: Int) throws(Finding) -> Int {
    var random = SeededRandom(seed)
    let callCount = history.moment(&random)
    let image = history.image(atCall: callCount)
    let disk = SimulatedDisk(image.afterPowerCut(&random), seed: seed)
    if setting.isSound { history.countCut(atCall: callCount) }
    let player = Player(
      on: disk, seed: seed, after: history.allowed(atCall: callCount),
      elapsedNanoseconds: history.elapsedNanoseconds, setting)
    var imageCount = 1
    do throws(Finding) {
      try player.observe(by: 1)
      try player.checkBlobs(by: 1, isSwept: false)
      try player.probe(by: 1, &random)
      try player.checkBlobs(by: 1, isSwept: true)
      if random.oneIn(3) { try goOn(player, &random) }
      if random.oneIn(2) { try player.close(1) } else { player.kill(1) }
      try player.observe(by: 2)
      if depth < Self.depthMax, random.oneIn(10) {
        try player.closeAll()
        imageCount += try judge(History(player), random.next(), depth: depth + 1)
      }
    } catch {
      throw Finding("after call \(callCount) of \(history.callCount): \(error)")
    }
    return imageCount
  }

  /// Compacts what was found, and writes on when the leases of the dead have expired.
  private func goOn(_ player: Player, _ random: inout SeededRandom) throws(Finding) {
    try player.perform(.maintain(random.element(of: Maintenance.allCases), nil), by: 1)
    try player.observe(by: 1)
    player.wait()
    try player.probe(by: 1, &random)
    try player.checkBlobs(by: 1, isSwept: true)
  }
}
