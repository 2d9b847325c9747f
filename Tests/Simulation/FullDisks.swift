// Disks without room.
//
// In the middle of a random history the disk becomes full. From then on a write fails for want of
// room or happens, and a write that failed did not happen; reads go on; and once there is room, the
// same process writes again. What was acknowledged survives a power cut then.

import ChromaBase
import ChromaTestSupport

struct FullDisks {
  let setting: Setting

  /// Returns the number of calls made on a full disk.
  func run(seed: UInt64) throws(Finding) -> Int {
    var random = SeededRandom(seed)
    let workload = Workload(&random)
    let player = Player(on: SimulatedDisk(seed: seed), seed: seed, setting)
    for _ in 0..<random.int(in: 1...6) {
      try player.perform(workload.step(on: player.allowed[0], &random), by: 1)
    }
    player.disk.capacityByteCount =
      player.disk.byteCount + random.element(of: [0, 5_000, 50_000, 200_000])
    let callCount = 10
    for _ in 0..<callCount {
      try attempt(workload.step(on: player.allowed[0], &random), player)
      if random.oneIn(4) { try open(player) }
    }
    player.disk.capacityByteCount = .max
    try player.probe(by: 1, &random)
    try player.checkBlobs(by: 1, isSwept: true)
    try player.observe(by: 1)
    try player.perform(.maintain(random.element(of: Maintenance.allCases), nil), by: 1)
    try player.observe(by: 1)
    try player.closeAll()
    _ = try PowerCuts(setting: setting).judge(History(player), random.next(), depth: 1)
    return callCount
  }

  private func attempt(_ step: Step, _ player: Player) throws(Finding) {
    let before = player.allowed
    if case .failed(let error) = try player.attempt(step, by: 1) {
      guard error.kind == .outOfSpace else {
        throw Finding("\(step.summary) failed on a full disk with \(error.kind): \(error)")
      }
      player.allow(before)
    }
    try player.observe(by: 1)
  }

  /// A newcomer reads, or is told why not.
  private func open(_ player: Player) throws(Finding) {
    do throws(ChromaError) {
      try player.start(2)
    } catch {
      guard error.kind == .outOfSpace else {
        throw Finding("opening failed on a full disk with \(error.kind): \(error)")
      }
      return
    }
    try player.observe(by: 2)
    try player.close(2)
  }
}
