// Every power cut of short histories.
//
// A cut after a call keeps any of the changes that are pending then. Between two syncs what is
// pending only grows, so the cuts just before a sync leave whatever those after earlier calls leave;
// but the moment at which a call returns asks for more than the one before it. So the history is cut
// before every sync and where what is allowed changes, in every one of the 2^n ways to keep or lose n
// pending changes whole, and in some ways that tear them; where n is large, in random ones.

import ChromaTestSupport

struct Exhaustion {
  private static let sampleCount = 250
  private static let tornCount = 8
  /// Nobody minds what a power cut does to these: see `WriteTurn` and the VFS.
  private static let volatilePaths = ["LOCK", "chroma.db-shm"].map { "\(Player.directory)/\($0)" }

  let setting: Setting
  /// Up to so many pending changes are kept and lost in every way. 2^11 ways take about four seconds.
  var pendingCountMax = 11

  /// Plays a script and cuts it everywhere. Returns the number of images opened and judged.
  func run(_ script: Script, seed: UInt64) throws(Finding) -> Int {
    let player = try script.prepared(seed: seed, setting).player()
    try player.play(script.actions)
    let folds = player.disk.trace.contains { $0.kind == .sync && $0.path.hasSuffix(".db") }
    if script.foldsBack, setting.isSound, !folds {
      throw Finding("\(script.name) does not fold the WAL back any more")
    }
    try player.closeAll()
    var random = SeededRandom(seed)
    var imageCount = 0
    let history = History(player)
    let fullest = history.fullest
    let sampledCount = fullest.count { Self.pendingCount(of: $0.0) > pendingCountMax }
    for (image, moment) in fullest {
      for cut in cuts(of: image, &random) {
        if setting.isSound { history.countCut(atCall: image.callCount) }
        do throws(Finding) {
          try judge(cut, moment, random.next())
        } catch {
          throw Finding("\(script.name), after call \(image.callCount): \(error)")
        }
        imageCount += 1
      }
    }
    if setting.isSound {
      print(
        "   \(script.name): cut in every way at \(fullest.count - sampledCount) moments of "
          + "\(fullest.count), \(imageCount) images")
    }
    return imageCount
  }

  private static func pendingCount(of image: DiskImage) -> Int {
    image.pendingCount(except: volatilePaths)
  }

  private func cuts(of image: DiskImage, _ random: inout SeededRandom) -> [DiskImage] {
    var cuts = (0..<Self.tornCount).map { _ in image.afterPowerCut(&random) }
    let count = Self.pendingCount(of: image)
    let numbers =
      count <= pendingCountMax
      ? Array(0..<UInt64(1) << UInt64(count)) : (0..<Self.sampleCount).map { _ in random.next() }
    for number in numbers {
      cuts.append(image.afterPowerCut(number: number, keeping: Self.volatilePaths))
    }
    return cuts
  }

  private func judge(
    _ cut: DiskImage, _ moment: Player.Moment, _ seed: UInt64
  ) throws(Finding) {
    var random = SeededRandom(seed)
    let player = Player(
      on: SimulatedDisk(cut, seed: seed), seed: seed, after: moment, keepsHistory: false, setting)
    try player.observe(by: 1)
    try player.checkBlobs(by: 1, isSwept: false)
    guard random.oneIn(8) else { return }
    try player.probe(by: 1, &random)
    player.kill(1)
    try player.observe(by: 2)
  }
}

extension History {
  /// The images that leave whatever any moment can leave, with the worlds that each allows.
  fileprivate var fullest: [(DiskImage, Player.Moment)] {
    var fullest: [(DiskImage, Player.Moment)] = []
    for (index, moment) in timeline.enumerated() {
      let end = index + 1 < timeline.count ? timeline[index + 1].callCount : Int.max
      let inside = images.filter { $0.callCount >= moment.callCount && $0.callCount < end }
      for image in inside.filter(\.isBeforeSync) { fullest.append((image, moment)) }
      // A moment that begins after a change begins with that image, unless a change follows.
      let last = inside.last ?? image(atCall: moment.callCount)
      if !last.isBeforeSync || inside.isEmpty { fullest.append((last, moment)) }
    }
    return fullest
  }
}
