// Short histories in which everything that the engine does to a disk occurs, for suites that try
// every call of the disk.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaTestSupport

struct Script: Sendable {
  enum Action: Sendable {
    case open(Int)
    case close(Int)
    case call(Int, Step)
  }

  let name: String
  /// Plays on a disk of its own, whose processes are then killed. All of it is durable.
  let preparation: [Action]
  let actions: [Action]
  var limits = EngineLimits()
  /// Whether the actions are to fold the WAL back into chroma.db.
  var foldsBack = false

  /// What the preparation leaves.
  struct Prepared {
    fileprivate let image: DiskImage
    fileprivate let moment: Player.Moment
    fileprivate let limits: EngineLimits
    fileprivate let seed: UInt64
    fileprivate let setting: Setting

    /// Somebody who is to play the actions.
    func player() -> Player {
      Player(
        on: SimulatedDisk(image, seed: seed), seed: seed + 1, after: moment, limits: limits, setting
      )
    }
  }

  func prepared(seed: UInt64, _ setting: Setting) throws(Finding) -> Prepared {
    let player = Player(on: SimulatedDisk(seed: seed), seed: seed, limits: limits, setting)
    try player.play(preparation)
    for number in player.openProcesses { player.kill(number) }
    return Prepared(
      image: player.disk.image.settled,
      moment: player.timeline.last ?? Player.Moment(), limits: limits, seed: seed, setting: setting)
  }
}

extension Player {
  func play(_ actions: [Script.Action]) throws(Finding) {
    for action in actions {
      switch action {
      case .open(let number): try open(number)
      case .close(let number): try close(number)
      case .call(let number, let step): try perform(step, by: number)
      }
    }
  }
}

extension Script {
  private static let alpha = CollectionName(database: CatalogDefaults.database, name: "alpha")
  private static let beta = CollectionName(database: CatalogDefaults.database, name: "beta")
  private static let other = CollectionName(database: "other_database", name: "gamma")

  private static func write(_ size: Workload.Size, to name: CollectionName, seed: UInt64) -> Step {
    var random = SeededRandom(seed)
    return .write(
      name, Workload.batch(size, dimension: 2, &random), RequestKey(high: seed, low: seed))
  }

  private static func create(_ name: CollectionName) -> Step {
    .createCollection(name, .l2, Metadata([.init("version", .int(1))]))
  }

  /// Two collections with records in rows and in blobs, and a database with a third.
  private static let filled: [Action] = [
    .call(1, create(alpha)), .call(1, write(.small, to: alpha, seed: 1)),
    .call(1, write(.blob, to: alpha, seed: 2)), .call(1, create(beta)),
    .call(1, write(.blob, to: beta, seed: 3)), .call(1, .createDatabase(other.database)),
    .call(1, create(other)), .call(1, write(.blob, to: other, seed: 4)),
  ]

  /// The same collections, in segments of several sizes, some with dead rows, and a log after them.
  private static let segments: [Action] =
    filled
    + (60..<66).map { .call(1, write(.inline, to: alpha, seed: $0)) }
    + (66..<70).map { .call(1, write(.small, to: beta, seed: $0)) }
    + (70..<73).map { .call(1, write(.inline, to: other, seed: $0)) }
    + [.call(1, write(.small, to: alpha, seed: 73))]

  static let all = [
    Script(name: "create", preparation: [], actions: [.call(1, create(alpha))]),
    Script(
      name: "first writes", preparation: [.call(1, create(alpha))],
      actions: [
        .call(1, write(.small, to: alpha, seed: 5)), .call(1, write(.blob, to: alpha, seed: 6)),
        .close(1),
      ]),
    Script(
      name: "later writes", preparation: filled,
      actions: [
        .open(1), .call(1, write(.blob, to: beta, seed: 7)),
        .call(1, write(.small, to: alpha, seed: 8)),
        .call(1, .deleteMatching(beta, .documentContains("document"), limit: 2)),
      ]),
    Script(
      name: "delete a collection", preparation: filled,
      actions: [.open(1), .call(1, .deleteCollection(alpha)), .call(1, create(alpha))]),
    Script(
      name: "delete a database", preparation: filled,
      actions: [
        .open(1), .call(1, .deleteDatabase(other.database)),
        .call(1, .modify(beta, name: "delta", metadata: nil)),
      ]),
    Script(
      name: "reset", preparation: filled,
      actions: [.open(1), .call(1, .reset), .call(1, .createTenant(Judge.tenants[1]))]),
    Script(
      name: "two processes", preparation: filled,
      actions: [
        .open(1), .open(2), .call(1, write(.small, to: alpha, seed: 9)),
        .call(2, write(.blob, to: alpha, seed: 10)), .close(1),
        .call(2, write(.small, to: beta, seed: 11)), .close(2),
      ]),
    Script(
      name: "checkpoint",
      preparation: filled + (20..<38).map { .call(1, write(.inline, to: beta, seed: $0)) },
      actions: [.open(1)] + (38..<42).map { .call(1, write(.inline, to: beta, seed: $0)) },
      foldsBack: true),
    Script(
      name: "steps", preparation: segments,
      actions: [
        .open(1), .call(1, write(.small, to: alpha, seed: 50)),
        .call(1, write(.inline, to: alpha, seed: 51)),
        .call(1, .deleteMatching(beta, .documentContains("document"), limit: 3)),
        .call(1, write(.small, to: beta, seed: 52)), .close(1),
      ], limits: .tiny),
    Script(
      name: "merge", preparation: segments,
      actions: [
        .open(1), .call(1, .maintain(.compact, alpha)),
        .call(1, write(.small, to: alpha, seed: 53)),
      ], limits: .tiny),
    Script(
      name: "flush", preparation: segments,
      actions: [
        .open(1), .call(1, .deleteMatching(alpha, .documentContains("document"), limit: 4)),
        .call(1, .maintain(.flush, nil)), .call(1, .maintain(.tidy, nil)),
      ], limits: .tiny),
    Script(
      name: "delete segments", preparation: segments,
      actions: [
        .open(1), .call(1, .deleteCollection(alpha)),
        .call(1, .deleteDatabase(other.database)), .call(1, write(.small, to: beta, seed: 54)),
      ], limits: .tiny),
  ]
}
