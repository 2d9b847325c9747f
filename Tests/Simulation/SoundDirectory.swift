// What `verify` says of a directory, where nothing was damaged.
//
// Reads alone do not tell whether an index is right: a wrong one costs a query time, and a damaged one
// is passed over. `verify` reads every blob, and compares the code of every vector.

import ChromaBase
import ChromaRecovery
import ChromaTestSupport

extension SimulatedDisk {
  /// Throws what `verify` finds, be it no more than a blob that nobody needs.
  func expectSound() throws(Finding) {
    let findings: [ChromaRecovery.Finding]
    do throws(ChromaError) {
      let process = SimulatedProcess(on: self, through: self)
      defer { process.bury() }
      findings = try Recovery.verify(
        Player.directory,
        RecoveryEnvironment(
          fileSystem: process, clock: SimulatedClock(), random: SeededRandomSource(seed: 0)))
    } catch {
      throw Finding("verify failed: \(error)")
    }
    guard let first = findings.first(where: { $0.severity == .damage }) else { return }
    throw Finding("\(first.file), \(first.place): \(first.what)")
  }
}
