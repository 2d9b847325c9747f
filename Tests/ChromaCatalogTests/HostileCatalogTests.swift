// Files that somebody made up: pages changed at random, under checksums that hold.
//
// Whatever stands in them, the process lives on, every call ends, and what it throws is damage or one
// of the sentences that the call may throw anyway, never a failure that the disk didn't have.

import ChromaBase
import ChromaCatalog
import ChromaStorage
import ChromaTestSupport
import Testing

@Suite("A made-up chroma.db")
struct HostileCatalogTests {
  private static let pageByteCount = 4096

  /// A file with something in every table.
  private static func makeFile() throws -> [UInt8] {
    let files = MemoryFileSystem()
    try files.createDirectory("/d")
    let catalog = try open(files)
    var generator = CatalogStepGenerator(seed: 2)
    for _ in 0..<400 {
      let step = generator.next()
      if case .reset = step { continue }
      _ = step.run(on: catalog)
    }
    catalog.close()
    let file = try files.open("/d/chroma.db", .readOnly)
    defer { file.close() }
    return try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
  }

  private static func open(_ files: MemoryFileSystem) throws(ChromaError) -> SQLiteCatalog {
    try SQLiteCatalog(
      fileSystem: files, directory: "/d", clock: SystemClock(), random: SystemRandomSource())
  }

  /// Changes a few bytes of one page and makes its trailer fit. docs/FORMAT.md defines it.
  private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    let page = random.int(in: 0...bytes.count / pageByteCount - 1)
    let start = page * pageByteCount
    // Where a page's own structure stands, or anywhere in it; of the first page not the file's
    // header, which is looked at before SQLite is.
    let lowest = page == 0 ? 100 : 0
    let highest = random.oneIn(2) ? lowest + 40 : pageByteCount - 9
    for _ in 0..<random.int(in: 1...4) {
      bytes[start + random.int(in: lowest...highest)] = UInt8(truncatingIfNeeded: random.next())
    }
    let number = UInt32(page + 1)
    let prefix = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    let checksum = CRC32C.checksum(of: prefix + bytes[start..<start + pageByteCount - 4])
    for index in 0..<4 {
      bytes[start + pageByteCount - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
    }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func isDamageAndNothingWorse(seed: UInt64) throws {
    let original = try Self.makeFile()
    var random = SeededRandom(seed)
    var damageCount = 0
    for number in 1...100 {
      var bytes = original
      Self.mutate(&bytes, &random)
      let files = MemoryFileSystem()
      try files.createDirectory("/d")
      let file = try files.open("/d/chroma.db", .createNew)
      try file.write(bytes, at: 0)
      file.close()

      var failures: [ChromaError] = []
      var isContradictory = false
      do throws(ChromaError) {
        let catalog = try Self.open(files)
        var outcomes = catalog.everything()
        var generator = CatalogStepGenerator(seed: seed)
        for _ in 0..<40 { outcomes.append(generator.next().run(on: catalog)) }
        for case .failed(let error) in outcomes { failures.append(error) }
        isContradictory = try !catalog.inconsistencies().isEmpty
      } catch {
        failures.append(error)
      }
      let isDamaged = isContradictory || failures.contains { $0.kind == .corruption }
      damageCount += isDamaged ? 1 : 0
      let allowed: [ChromaError.Kind] = [
        .corruption, .notFound, .alreadyExists, .invalidArgument,
      ]
      if let wrong = failures.first(where: { !allowed.contains($0.kind) }) {
        Issue.record("Seed \(seed), file \(number): \(wrong.kind), \(wrong.message)")
      }
    }
    // Otherwise nothing that matters was changed.
    #expect(damageCount > 10, "Seed \(seed).")
  }
}
