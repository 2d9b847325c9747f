// A chroma.db of an earlier format, brought up to date.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// What an earlier release wrote is all there after it was brought up to date, whatever interrupts
/// that. Method: the fixture stands on a simulated disk; power is cut after every call, and every
/// call fails once.
@Suite("chroma.db of an earlier format")
struct CatalogMigrationTests {
  private static let formats = ["format-1", "format-2"]
  private static let tenants: [Text] = ["default_tenant", "tenant \u{E9}"]

  /// A disk that durably holds a fixture's chroma.db, with its WAL if it has one.
  private func disk(_ format: String, _ state: String) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("/d")
    let folder = #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    for name in state == "killed" ? ["chroma.db", "chroma.db-wal"] : ["chroma.db"] {
      let file = try disk.open("/d/\(name)", .createNew)
      try file.write(
        Fixture.bytes("\(format)/\(state)/\(name)", beside: "\(folder)/Tests"), at: 0)
      try file.sync()
      file.close()
    }
    try disk.syncDirectory("/d")
    try disk.syncDirectory("/")
    return disk
  }

  private func open(_ disk: SimulatedDisk) throws(ChromaError) -> SQLiteCatalog {
    try SQLiteCatalog(
      fileSystem: disk, directory: "/d", clock: SystemClock(), random: SystemRandomSource())
  }

  /// All collections with their logs.
  private func contents(_ catalog: any Catalog) throws(ChromaError) -> [CollectionChanges] {
    var contents: [CollectionChanges] = []
    for tenant in Self.tenants {
      for database in try catalog.databases(tenant: tenant, limit: nil, offset: 0) {
        let rows = try catalog.collections(
          tenant: tenant, database: database.name, limit: nil, offset: 0)
        for row in rows {
          if let changes = try catalog.changes(
            in: row.id, after: .nothing, byteCountMax: .max)
          {
            contents.append(changes)
          }
        }
      }
    }
    return contents
  }

  @Test(arguments: ["closed", "killed"])
  func theLogsOfFormat1AreAllDebt(_ state: String) throws {
    let catalog = try open(try disk("format-1", state))
    let found = try contents(catalog)
    var debts: [String: LogDebt] = [:]
    for changes in found {
      debts["\(changes.row.database) \(changes.row.name)"] = changes.row.logDebt
      #expect(changes.row.version == 0)
      #expect(changes.row.logRowCount == changes.rows.count)
      #expect(
        changes.row.logByteCount == changes.rows.reduce(0) { $0 + $1.payload.byteCount })
    }
    #expect(debts.count == 5)
    #expect(debts["default_database empty"] == LogDebt(rowCount: 0, recordCount: 0, byteCount: 0))
    #expect(debts["default_database mixed"]?.recordCount == 18)
    #expect(debts["default_database large"]?.recordCount == 131)
    #expect(try catalog.referencedBlobs().count == 1)
    #expect(try catalog.inconsistencies() == [])
    #expect(
      try catalog.publish(
        Publication(
          collection: found[0].row.id, expectedVersion: 0,
          position: found[0].row.nextPosition - 1)
      ).isPublished)
  }

  @Test(arguments: ["closed", "killed"])
  func nothingOfFormat2HasAnIndexAndAllElseIsAsItWas(_ state: String) throws {
    let catalog = try open(try disk("format-2", state))
    let found = try contents(catalog)
    var manifests: [Text: VersionManifest] = [:]
    for changes in found {
      #expect(changes.index == nil)
      #expect(changes.row.generation == 0 && changes.row.indexedPosition == 0)
      #expect(changes.row.logRowCount == changes.rows.count)
      if changes.row.database == CatalogDefaults.database {
        manifests[changes.row.name] = changes.manifest
      }
    }
    #expect(found.count == 8)
    #expect(manifests["small-segment"]?.position == 46)
    #expect(manifests["small-segment"]?.segments.count == 1)
    #expect(manifests["large-segment"]?.position == 364)
    #expect(manifests["large-segment"]?.segments.map(\.deletedCount) == [57, 0])
    #expect(manifests["merged-segments"]?.segments.map(\.deletedCount) == [0])
    // A segment and the log of a collection that has none.
    #expect(try catalog.referencedBlobs().count == 2)
    #expect(try catalog.inconsistencies() == [])
    let compacted = try #require(found.first { $0.row.name == "large-segment" }).row
    let index = IndexPublication(
      collection: compacted.id, expectedGeneration: 0, position: compacted.compactedPosition,
      added: ["base"], replacesAll: true)
    let last = try #require(found.map(\.row.version).max())
    #expect(
      try catalog.publishIndex(index) == .published(version: last + 1, retiredBlobs: []))
  }

  @Test(arguments: formats, ["closed", "killed"])
  func aPowerCutLeavesOneFormatOrTheOther(_ format: String, _ state: String) throws {
    let disk = try disk(format, state)
    disk.keepsHistory = true
    let catalog = try open(disk)
    let expected = try contents(catalog)
    catalog.close()
    var random = SeededRandom(1)
    var cutCount = 0
    for image in disk.history {
      for _ in 0..<3 {
        let left = try open(SimulatedDisk(image.afterPowerCut(&random)))
        #expect(try contents(left) == expected, "Power cut after call \(image.callCount).")
        #expect(try left.inconsistencies() == [])
        cutCount += 1
      }
    }
    #expect(cutCount > (format == "format-1" ? 50 : 20))
  }

  @Test(arguments: formats, ["closed", "killed"])
  func everyCallMayFail(_ format: String, _ state: String) throws {
    for code in [EIO, ENOSPC] { try expectSurvived(code, format, state) }
  }

  /// The failure of each call in turn.
  private func expectSurvived(_ code: Int32, _ format: String, _ state: String) throws {
    let whole = try disk(format, state)
    let before = whole.callCount
    let expected = try contents(try open(whole))
    for ordinal in 1...whole.callCount - before {
      let disk = try disk(format, state)
      disk.inject(DiskFault(nil, ordinal: ordinal, code: code))
      _ = try? open(disk)
      disk.removeFaults()
      disk.killProcess()
      #expect(try contents(try open(disk)) == expected, "Call \(ordinal).")
    }
  }
}

extension PublishResult {
  fileprivate var isPublished: Bool {
    if case .published = self { true } else { false }
  }
}
