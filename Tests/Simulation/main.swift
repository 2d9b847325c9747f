// Whole engines on a simulated disk.
//
//     simulate                                       all suites, as on every change
//     simulate --long                                more seeds
//     simulate --suite power-cut                     one suite
//     simulate --suite power-cut --seed 7            one seed of it: a failure, again
//     simulate --suite power-cut --seeds 1000 2000   from one seed on, up to another
//
// Everything follows from the seed. Ends with a line "N passed, N failed", and with 1 if any failed.

import Glibc

let scriptCount = UInt64(Script.all.count)
let faultCount = scriptCount * UInt64(Faults.variants.count)

/// The suites that hold a setting to the promises.
let judges: [(name: String, suite: @Sendable (Setting) -> Suite)] = [
  (
    "power-cut",
    { setting in
      Suite(
        name: "power-cut", unit: "images", seedCount: (300, 20_000),
        run: { (seed) throws(Finding) in try PowerCuts(setting: setting).run(seed: seed) })
    }
  ),
  (
    "exhaustive",
    { setting in
      Suite(
        name: "exhaustive", unit: "images",
        seedCount: (scriptCount, 2 * scriptCount),
        run: { (seed) throws(Finding) in
          // What is too much for every change, for longer runs.
          let exhaustion =
            seed < scriptCount
            ? Exhaustion(setting: setting) : Exhaustion(setting: setting, pendingCountMax: 16)
          return try exhaustion.run(Script.all[Int(seed % scriptCount)], seed: seed)
        })
    }
  ),
  (
    "faults",
    { setting in
      Suite(
        name: "faults", unit: "plays", seedCount: (faultCount, 20 * faultCount),
        run: { (seed) throws(Finding) in
          let variant = Faults.variants[Int(seed % UInt64(Faults.variants.count))]
          let number = seed / UInt64(Faults.variants.count)
          let script = Script.all[Int(number % scriptCount)]
          return try Faults(setting: setting)
            .run(script, variant, round: Int(clamping: number / scriptCount), seed: seed)
        })
    }
  ),
  (
    "full-disk",
    { setting in
      Suite(
        name: "full-disk", unit: "calls", seedCount: (300, 10_000),
        run: { (seed) throws(Finding) in try FullDisks(setting: setting).run(seed: seed) })
    }
  ),
  (
    "interleaved",
    { setting in
      Suite(
        name: "interleaved", unit: "calls", seedCount: (300, 20_000),
        run: { (seed) throws(Finding) in try Interleavings(setting: setting).run(seed: seed) })
    }
  ),
]

let canaries = CanaryTable()
let canaryCount = UInt64(Canary.all.count)

let suites =
  judges.map { $0.suite(Setting()) } + [
    // A seed that does not replay hides what it found: twice must be the same.
    Suite(
      name: "repeat", unit: "seeds", seedCount: (20, 1_000),
      run: { (seed) throws(Finding) in
        let cuts = PowerCuts(setting: Setting())
        let interleavings = Interleavings(setting: Setting())
        guard try cuts.trace(seed: seed) == cuts.trace(seed: seed),
          try interleavings.trace(seed: seed) == interleavings.trace(seed: seed)
        else { throw Finding("another trace the second time") }
        return 1
      }),
    Suite(
      name: "canaries", unit: "planted defects", seedCount: (canaryCount, canaryCount),
      run: { (seed) throws(Finding) in
        try canaries.release(Int(seed % canaryCount), among: judges)
        return 1
      }),
  ]

struct Options {
  var suite: String?
  var seeds: Range<UInt64>?
  var isLong = false
  var threadCount = 2

  init(_ arguments: [String]) throws(Finding) {
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
      switch argument {
      case "--long": isLong = true
      case "--suite": suite = rest.popFirst()
      case "--seed":
        let seed = try Self.number(rest.popFirst())
        seeds = seed..<seed + 1
      case "--seeds":
        let lower = try Self.number(rest.popFirst())
        seeds = lower..<max(lower + 1, try Self.number(rest.popFirst()))
      case "--threads": threadCount = Int(clamping: max(1, try Self.number(rest.popFirst())))
      default: throw Finding("unknown argument \(argument)")
      }
    }
  }

  private static func number(_ text: String?) throws(Finding) -> UInt64 {
    guard let number = text.flatMap({ UInt64($0) }), number < .max else {
      throw Finding("\(text ?? "nothing") instead of a number")
    }
    return number
  }
}

do {
  let options = try Options(CommandLine.arguments)
  CrashNote.install()
  var total = Tally()
  let chosen = suites.filter { options.suite == nil || options.suite == $0.name }
  if chosen.isEmpty { throw Finding("no suite \(options.suite ?? "")") }
  for suite in chosen {
    let count = options.isLong ? suite.seedCount.long : suite.seedCount.usual
    let tally = Runner(threadCount: options.threadCount)
      .run(suite, seeds: options.seeds ?? 0..<count)
    total.passed += tally.passed
    total.failed += tally.failed
  }
  canaries.printAll()
  if let summary = CutCensus.all.summary { print("power cuts: \(summary)") }
  print("\(total.passed) passed, \(total.failed) failed")
  exit(total.failed == 0 ? 0 : 1)
} catch {
  print("simulate: \(error)")
  exit(2)
}
