// Calls of the disk that fail.
//
// A script is played again and again, and each time the next call of the disk fails: once, or from
// then on. Whatever happens, an error says so in plain words, reads find what was acknowledged, no
// file stays open, and nothing is acknowledged between a failed sync and the next opening; without a
// failed sync, writing goes on as soon as the disk does. Afterwards the directory opens, holds every
// acknowledged call and of each failed one all or nothing; a failed write that is repeated with its
// request key happens once; and in one of four plays all of that survives a power cut.

import ChromaBase
import ChromaEngine
import ChromaTestSupport
import Glibc

struct Faults {
  struct Variant: Sendable {
    let name: String
    let kind: DiskCall.Kind?
    let code: Int32
    let isLasting: Bool
  }

  static let variants = [
    Variant(name: "EIO once", kind: nil, code: EIO, isLasting: false),
    Variant(name: "EIO from then on", kind: nil, code: EIO, isLasting: true),
    Variant(name: "ENOSPC once", kind: .write, code: ENOSPC, isLasting: false),
    Variant(name: "ENOSPC from then on", kind: .write, code: ENOSPC, isLasting: true),
    Variant(name: "failed syncs from then on", kind: .sync, code: EIO, isLasting: true),
  ]

  let setting: Setting

  /// Scripts that compact make so many calls that a run tries one of this many.
  private static let stride = 15

  /// Lets each call of a script fail, or one of some. Returns the number of plays.
  ///
  /// - Parameter round: Which of some.
  func run(
    _ script: Script, _ variant: Variant, round: Int, seed: UInt64
  ) throws(Finding) -> Int {
    let isLong =
      script.limits.compaction.logRowCountMax == CompactionLimits.tiny.logRowCountMax
    let stride = isLong ? Self.stride : 1
    let prepared = try script.prepared(seed: seed, setting)
    var ordinal = 1 + round % stride
    var playCount = 0
    while true {
      do throws(Finding) {
        var play = FaultyPlay(script, by: prepared.player(), seed: seed, setting)
        let isHit = try play.run(
          DiskFault(
            variant.kind, ordinal: ordinal, isLasting: variant.isLasting, code: variant.code))
        playCount += 1
        guard isHit else { return playCount }
      } catch {
        throw Finding("\(script.name), \(variant.name), call \(ordinal): \(error)")
      }
      ordinal += stride
    }
  }
}

/// One play of a script on a disk that fails.
struct FaultyPlay {
  private static let cleanKinds: [ChromaError.Kind] = [.io, .outOfSpace]

  private let script: Script
  private let player: Player
  private let setting: Setting
  private let seed: UInt64
  /// Processes that have seen a sync fail.
  private var stopped: Set<Int> = []
  private var failedSteps: [Step] = []

  init(_ script: Script, by player: Player, seed: UInt64, _ setting: Setting) {
    self.script = script
    self.player = player
    self.seed = seed
    self.setting = setting
  }

  /// Returns whether the fault was met.
  mutating func run(_ fault: DiskFault) throws(Finding) -> Bool {
    player.disk.inject(fault)
    let isHit = try playScript()
    player.disk.removeFaults()
    try goOn()
    for number in player.openProcesses { try player.close(number) }
    try reopen(cutsPower: fault.ordinal.isMultiple(of: 4))
    return isHit
  }

  private mutating func playScript() throws(Finding) -> Bool {
    let start = player.disk.callCount
    for action in script.actions {
      switch action {
      case .open(let number): _ = try tryOpening(number)
      case .close(let number): try player.close(number)
      case .call(let number, let step):
        if try tryOpening(number) { try attempt(step, by: number) }
      }
    }
    return player.disk.trace[start...].contains(where: \.isInjected)
  }

  private mutating func tryOpening(_ number: Int) throws(Finding) -> Bool {
    let start = player.disk.callCount
    do throws(ChromaError) {
      try player.start(number)
    } catch {
      try check(error, "opening")
      return false
    }
    noteFailedSyncs(of: number, since: start)
    return true
  }

  private mutating func noteFailedSyncs(of number: Int, since start: Int) {
    if player.disk.trace[start...].contains(where: { $0.kind.isSync && $0.isInjected }) {
      stopped.insert(number)
    }
  }

  private mutating func attempt(_ step: Step, by number: Int) throws(Finding) {
    let start = player.disk.callCount
    let before = player.allowed
    let outcome = try player.attempt(step, by: number)
    let isStopped = stopped.contains(number)
    noteFailedSyncs(of: number, since: start)
    switch outcome {
    case .failed(let error):
      try check(error, step.summary)
      failedSteps.append(step)
      _ = try read(by: number)
    case .refused:
      _ = try read(by: number)
    case .done:
      let found = try read(by: number)
      if !isStopped {
        // An acknowledged call leaves no doubt about those before it.
        if let found { player.allow(found) }
      } else if found.map({ $0.allSatisfy(before.contains) }) ?? true {
        // There was nothing to do.
        player.allow(before)
      } else {
        throw Finding("\(step.summary) was acknowledged after a failed sync")
      }
    }
  }

  /// The worlds that a process may see; nil if it cannot read now.
  private mutating func read(by number: Int) throws(Finding) -> [World]? {
    let start = player.disk.callCount
    defer { noteFailedSyncs(of: number, since: start) }
    var differences: [String] = []
    let found: [World]
    do throws(ChromaError) {
      found = try player.look(by: number, &differences).found
    } catch {
      try check(error, "reading")
      return nil
    }
    guard !found.isEmpty else { throw Finding("read \(differences.joined(separator: "; or "))") }
    return found
  }

  private func check(_ error: ChromaError, _ what: String) throws(Finding) {
    guard Self.cleanKinds.contains(error.kind) else {
      throw Finding("\(what) failed with \(error.kind): \(error)")
    }
  }

  /// The disk is well again: who saw no sync fail writes on; who did, does not.
  private mutating func goOn() throws(Finding) {
    var random = SeededRandom(seed)
    for number in player.openProcesses {
      probing: for step in Workload.probes(of: player.allowed[0], &random) {
        let outcome = try player.attempt(step, by: number)
        switch outcome {
        case .done where stopped.contains(number):
          throw Finding("\(step.summary) was acknowledged after a failed sync")
        case .failed(let error) where !stopped.contains(number):
          throw Finding("\(step.summary) does not work again: \(error)")
        case .done: try player.observe(by: number)
        case .failed, .refused: break probing
        }
      }
      if !stopped.contains(number) { try player.checkBlobs(by: number, isSwept: true) }
    }
  }

  private func reopen(cutsPower: Bool) throws(Finding) {
    var random = SeededRandom(seed)
    try player.observe(by: 8)
    for step in failedSteps {
      guard case .write(_, _, .some) = step else { continue }
      if case .failed(let error) = try player.attempt(step, by: 8) {
        throw Finding("\(step.summary), repeated: \(error)")
      }
    }
    try player.probe(by: 8, &random)
    player.kill(8)
    try player.observe(by: 9)
    try player.close(9)
    if cutsPower {
      _ = try PowerCuts(setting: setting).judge(History(player), random.next(), depth: 1)
    }
  }
}
