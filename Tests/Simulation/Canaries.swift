// Planted defects: the proof that the other suites would notice.
//
// Each canary is production code with one defect in front of it, and must be caught by the other
// suites with the seeds that they run on every change.

import Synchronization

struct Canary: Sendable {
  let name: String
  /// Where it is likely to be caught; the other suites come after it.
  let suite: String
  let setting: Setting

  init(_ name: String, _ suite: String, _ defect: FileDefect) {
    self.name = name
    self.suite = suite
    setting = Setting(isSound: false, fileSystem: { DefectiveFileSystem($0, defect) })
  }

  init(_ name: String, _ suite: String, _ defect: CatalogDefect) {
    self.name = name
    self.suite = suite
    setting = Setting(isSound: false, catalog: { DefectiveCatalog($0, $1, defect) })
  }

  init(_ name: String, _ suite: String, _ defect: VersionDefect) {
    self.name = name
    self.suite = suite
    setting = Setting(isSound: false, catalog: { DefectiveVersions($0, $1, defect) })
  }

  init(_ name: String, _ suite: String, _ defect: IndexDefect) {
    self.name = name
    self.suite = suite
    setting = Setting(isSound: false, catalog: { DefectiveIndexes($0, $1, defect) })
  }

  static let all = files + log + versions + indexes

  private static let files = [
    Canary("the directories above the database are not synced", "power-cut", .skipsSync(.above)),
    Canary("the database directory is not synced", "power-cut", .skipsSync(.directory)),
    Canary("the blob folder is not synced", "power-cut", .skipsSync(.blobFolder)),
    Canary("segments are not synced", "power-cut", .skipsSync(.segment)),
    Canary(
      "a segment is synced before its last write", "power-cut", .syncsBeforeLastWrite(.segment)),
    Canary("one write of a segment is torn", "power-cut", .tearsWrite(.segment, interval: 3)),
    Canary("removed segments stay", "power-cut", .skipsRemoval(.segment)),
    Canary("blobs of the log are not synced", "power-cut", .skipsSync(.blob)),
    Canary("the WAL is not synced", "power-cut", .skipsSync(.wal)),
    Canary("chroma.db is not synced before the WAL goes", "power-cut", .skipsSync(.database)),
    Canary("the rollback journal is not synced", "exhaustive", .skipsSync(.journal)),
    Canary("the WAL is synced before its last write", "power-cut", .syncsBeforeLastWrite(.wal)),
    Canary("a blob is synced before its last write", "power-cut", .syncsBeforeLastWrite(.blob)),
    Canary("a blob is written under its final name", "power-cut", .skipsTemporaryName),
    Canary("a blob is renamed before it is synced", "power-cut", .renamesBeforeSync),
    Canary("one write to chroma.db is lost", "power-cut", .losesWrite(.database, interval: 40)),
    Canary("one write to the WAL is lost", "power-cut", .losesWrite(.wal, interval: 40)),
    Canary("one write of a blob is torn", "power-cut", .tearsWrite(.blob, interval: 10)),
    Canary("removed blobs stay", "power-cut", .skipsRemoval(.blob)),
    Canary("locks exclude nobody", "power-cut", .grantsEveryLock),
    Canary("a failed sync passes for a success", "faults", .hidesFailedSync),
    Canary("a failed sync is tried again and believed", "faults", .retriesFailedSync),
    Canary("a failed write passes for a success", "faults", .hidesFailedWrite),
  ]

  private static let log = [
    Canary("an append is acknowledged before its commit", "power-cut", .acknowledgesBeforeCommit),
    Canary("a batch is committed in halves", "power-cut", .splitsBatch),
    Canary("the last record of a batch is dropped", "power-cut", .dropsLastRecord),
    Canary("a vector's dimension is not checked", "power-cut", .ignoresDimension),
    Canary("a request key is forgotten", "power-cut", .ignoresRequestKey),
    Canary("a position is given twice", "faults", .givesPositionTwice),
    Canary("reads lag behind by a commit", "power-cut", .readsLag),
    Canary("a collection's blobs go before it does", "exhaustive", .deletesBlobsBeforeCommit),
    Canary("a database goes collection by collection", "exhaustive", .splitsDatabaseDeletion),
    Canary("the sweep takes a blob in use", "power-cut", .overlooksBlob),
  ]

  private static let versions = [
    Canary("a merge is published late, on any version", "power-cut", VersionDefect.publishesLate),
    Canary("a step forgets what died in segments", "power-cut", .forgetsDeletions),
    Canary("a merge forgets what died meanwhile", "interleaved", .forgetsDeathsDuringMerge),
    Canary("dead rows are said of another segment", "power-cut", .mistakesSegment),
    Canary("a merge prunes a batch that it does not hold", "interleaved", .prunesTooMuch),
    Canary("retired blobs go before the commit", "power-cut", VersionDefect.deletesBeforeCommit),
    Canary("segments are read with another version's log", "power-cut", .readsTorn),
    Canary("writers are not told of the log's length", "power-cut", .hidesDebt),
    Canary("retired blobs are forgotten", "power-cut", VersionDefect.hidesRetired),
    Canary("a bit of an index of metadata is wrong", "power-cut", .misfilesSection(15)),
    Canary("a bit of an index of documents is wrong", "power-cut", .misfilesSection(16)),
  ]

  private static let indexes = [
    Canary("blobs of indexes are not synced", "power-cut", .skipsSync(.index)),
    Canary(
      "a blob of an index is synced before its last write", "power-cut",
      .syncsBeforeLastWrite(.index)),
    Canary("one write of an index is torn", "power-cut", .tearsWrite(.index, interval: 10)),
    Canary("removed blobs of indexes stay", "power-cut", .skipsRemoval(.index)),
    Canary(
      "an index is published late, on any generation", "power-cut", IndexDefect.publishesLate),
    Canary("an index is said to cover all segments", "power-cut", .claimsTooMuch),
    Canary("a delta replaces its base", "power-cut", .mistakesBase),
    Canary(
      "retired blobs of indexes go before the commit", "power-cut",
      IndexDefect.deletesBeforeCommit),
    Canary("a blob goes that is a part of an index", "power-cut", .deletesBlobInUse),
    Canary("retired blobs of indexes are forgotten", "power-cut", IndexDefect.hidesRetired),
    Canary("the sweep takes the blobs of indexes", "power-cut", .overlooksBlobs),
  ]
}

/// Which suite and seed caught which canary.
final class CanaryTable: Sendable {
  private let lines = Mutex<[Int: String]>([:])

  /// Sets a canary free.
  func release(_ number: Int, among suites: [(name: String, suite: @Sendable (Setting) -> Suite)])
    throws(Finding)
  {
    let canary = Canary.all[number]
    let ordered =
      suites.filter { $0.name == canary.suite } + suites.filter { $0.name != canary.suite }
    for (name, make) in ordered {
      let suite = make(canary.setting)
      for seed in 0..<suite.seedCount.usual {
        do throws(Finding) {
          _ = try suite.run(seed)
        } catch {
          note(number, "\(canary.name) | \(name) | \(seed) | \(error)")
          return
        }
      }
    }
    note(number, "\(canary.name) | NOT CAUGHT | |")
    throw Finding("\(canary.name): not caught")
  }

  private func note(_ number: Int, _ line: String) {
    lines.withLock { $0[number] = line }
  }

  func printAll() {
    let lines = lines.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
    guard !lines.isEmpty else { return }
    print("planted defect | caught by | seed | as")
    for line in lines { print(line.prefix(160)) }
  }
}
