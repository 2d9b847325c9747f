// Whole engines on a simulated disk.
//
//     simulate                              all suites, as on every change
//     simulate --long                       more seeds
//     simulate --suite power-cut            one suite
//     simulate --suite power-cut --seed 7   one seed of it: a failure, again
//
// Everything follows from the seed. Ends with a line "N passed, N failed", and with 1 if any failed.

import Glibc

let suites = [
  Suite(
    name: "power-cut", unit: "images", seedCount: (450, 20_000),
    run: { (seed) throws(Finding) in try PowerCuts(setting: Setting()).run(seed: seed) }),
  Suite(
    name: "exhaustive", unit: "images",
    seedCount: (UInt64(Script.all.count), UInt64(10 * Script.all.count)),
    run: { (seed) throws(Finding) in
      let script = Script.all[Int(seed % UInt64(Script.all.count))]
      return try Exhaustion(setting: Setting()).run(script, seed: seed)
    }),
  Suite(
    name: "faults", unit: "plays",
    seedCount: (
      UInt64(Script.all.count * Faults.variants.count),
      UInt64(20 * Script.all.count * Faults.variants.count)
    ),
    run: { (seed) throws(Finding) in
      let variant = Faults.variants[Int(seed % UInt64(Faults.variants.count))]
      let number = seed / UInt64(Faults.variants.count)
      let script = Script.all[Int(number % UInt64(Script.all.count))]
      return try Faults(setting: Setting()).run(script, variant, seed: seed)
    }),
]

struct Options {
  var suite: String?
  var seed: UInt64?
  var isLong = false
  var threadCount = 2

  init(_ arguments: [String]) throws(Finding) {
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
      switch argument {
      case "--long": isLong = true
      case "--suite": suite = rest.popFirst()
      case "--seed": seed = rest.popFirst().flatMap { UInt64($0) }
      case "--threads": threadCount = rest.popFirst().flatMap { Int($0) } ?? 1
      default: throw Finding("unknown argument \(argument)")
      }
    }
  }
}

do {
  let options = try Options(CommandLine.arguments)
  var total = Tally()
  let chosen = suites.filter { options.suite == nil || options.suite == $0.name }
  if chosen.isEmpty { throw Finding("no suite \(options.suite ?? "")") }
  for suite in chosen {
    let count = options.isLong ? suite.seedCount.long : suite.seedCount.usual
    let seeds = options.seed.map { $0..<$0 + 1 } ?? 0..<count
    let tally = Runner(threadCount: options.threadCount).run(suite, seeds: seeds)
    total.passed += tally.passed
    total.failed += tally.failed
  }
  print("\(total.passed) passed, \(total.failed) failed")
  exit(total.failed == 0 ? 0 : 1)
} catch {
  print("simulate: \(error)")
  exit(2)
}
