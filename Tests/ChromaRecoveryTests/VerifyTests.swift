import ChromaBase
import ChromaRecovery
import ChromaStorage
import ChromaTestSupport
import Testing

/// `verify` finds every damage, invents none, and changes nothing. Method: random databases, and one
/// damage after another at random places of every file.
@Suite struct VerifyTests {
  @Test("a sound database has no findings, and stays as it is", arguments: 0..<6 as Range<UInt64>)
  func soundDatabases(seed: UInt64) throws {
    for isKilled in [false, true] {
      let sample = try Sample(seed: seed, isKilled: isKilled)
      let fileSystem = try Sample.fileSystem(with: sample.files)
      let before = try Sample.files(of: fileSystem)
      let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
      #expect(findings == [], "seed \(seed)")
      #expect(try Sample.files(of: fileSystem) == before, "seed \(seed)")
    }
  }

  @Test("damage anywhere is found, where it is", arguments: 0..<5 as Range<UInt64>)
  func damageIsFound(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let sample = try Sample(seed: seed)
    for (name, bytes) in sample.files.sorted(by: { $0.key < $1.key }) where name != "LOCK" {
      for damage in Damage.allCases {
        guard let changed = damage.change(bytes, &random) else { continue }
        var files = sample.files
        files[name] = changed.bytes
        let fileSystem = try Sample.fileSystem(with: files)
        let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
        let place = "seed \(seed), \(name): \(damage) at \(changed.offset) of \(bytes.count)"
        #expect(findings.contains { $0.file == name && $0.severity == .damage }, "\(place)")
        // What the others hold is not called in question.
        #expect(
          findings.allSatisfy { $0.file == name || $0.severity == .waste || name == "chroma.db" },
          "\(place): \(findings)")
      }
    }
  }

  @Test("several damages are all found")
  func severalDamages() throws {
    var random = SeededRandom(7)
    var files = try Sample(seed: 5).files
    let blobs = files.keys.filter { $0.hasPrefix("blobs/") }.sorted()
    #expect(blobs.count >= 2)
    for name in blobs {
      files[name] = Damage.flip.change(files[name] ?? [], &random)?.bytes
    }
    let fileSystem = try Sample.fileSystem(with: files)
    let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
    #expect(Set(findings.map(\.file)) == Set(blobs))
    #expect(findings.allSatisfy { $0.collection != nil && $0.isRepairable })
  }

  @Test("a lost first page is damage, whatever version it says, and calls no blob waste")
  func lostFirstPage() throws {
    let sample = try Sample(seed: 5)
    #expect(sample.files.keys.contains { $0.hasPrefix("blobs/") })
    // Of the format's version (docs/FORMAT.md, header), and of the letters that begin the file.
    for offset in [60, 63, 2] {
      var files = sample.files
      files["chroma.db"]?[offset] ^= 0x5A
      let fileSystem = try Sample.fileSystem(with: files)
      let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
      #expect(findings.contains { $0.file == "chroma.db" }, "byte \(offset)")
      #expect(findings.allSatisfy { $0.severity == .damage }, "byte \(offset): \(findings)")
      _ = try Recovery.repair(Sample.directory, Sample.environment(fileSystem))
      let after = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
      #expect(after == [], "byte \(offset)")
    }
  }

  @Test("what nothing refers to is waste, not damage")
  func waste() throws {
    let sample = try Sample(seed: 1)
    var files = sample.files
    files["blobs/0123.log"] = [1, 2, 3]
    files["blobs/0124.log.tmp"] = []
    files["blobs/0125.index"] = [1, 2, 3]
    let fileSystem = try Sample.fileSystem(with: files)
    let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
    #expect(
      findings.map(\.file) == ["blobs/0123.log", "blobs/0124.log.tmp", "blobs/0125.index"])
    #expect(findings.allSatisfy { $0.severity == .waste })
  }

  @Test(
    "what an earlier release wrote is sound, and stays as it is",
    arguments: ["format-1", "format-2"], ["closed", "killed"])
  func earlierFormat(format: String, state: String) throws {
    let tests = Place.parent(of: Place.parent(of: #filePath))
    let directory = "\(tests)/Fixtures/\(format)/\(state)"
    let before = try Sample.files(of: FolderFileSystem(), in: directory)
    let findings = try Recovery.verify(directory)
    #expect(findings.filter { $0.severity == .damage } == [])
    #expect(try Sample.files(of: FolderFileSystem(), in: directory) == before)
  }

  @Test("a directory without a database is refused, one that lost its catalog is damaged")
  func missingFiles() throws {
    let fileSystem = MemoryFileSystem()
    try fileSystem.createDirectories("/db")
    #expect(throws: ChromaError.self) {
      try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
    }
    var files = try Sample(seed: 2).files
    files["chroma.db"] = nil
    let lost = try Sample.fileSystem(with: files)
    let findings = try Recovery.verify(Sample.directory, Sample.environment(lost))
    #expect(findings.contains { $0.file == "chroma.db" && $0.severity == .damage })
  }

  @Test("a damaged log is found unless it looks like one that a power cut tore")
  func damagedWAL() throws {
    var foundCount = 0
    for seed in 0..<8 as Range<UInt64> {
      var random = SeededRandom(seed)
      let sample = try Sample(seed: seed, isKilled: true)
      guard let wal = sample.files["chroma.db-wal"], !wal.isEmpty else { continue }
      for damage in [Damage.flip, .zeros] {
        guard let changed = damage.change(wal, &random) else { continue }
        var files = sample.files
        files["chroma.db-wal"] = changed.bytes
        let fileSystem = try Sample.fileSystem(with: files)
        let findings = try Recovery.verify(Sample.directory, Sample.environment(fileSystem))
        let isFound = findings.contains { $0.file == "chroma.db-wal" }
        if isFound { foundCount += 1 }
        // SQLite itself, which audits the log when it recovers, is of the same opinion.
        #expect(
          isFound == isRefused(fileSystem),
          "seed \(seed), \(damage) at \(changed.offset) of \(wal.count)")
      }
    }
    #expect(foundCount > 0)
  }

  private func isRefused(_ fileSystem: any FileSystem) -> Bool {
    do {
      _ = try Sample.open(fileSystem)
      return false
    } catch {
      return true
    }
  }

  @Test("a cancelled call ends, and progress reaches the end of a whole one")
  func cancelAndProgress() throws {
    let sample = try Sample(seed: 4)
    let fileSystem = try Sample.fileSystem(with: sample.files)
    let cancel = CancelToken()
    cancel.request()
    #expect(throws: ChromaError.self) {
      try Recovery.verify(Sample.directory, Sample.environment(fileSystem), cancel: cancel)
    }
    var last: RecoveryProgress?
    _ = try Recovery.verify(Sample.directory, Sample.environment(fileSystem)) { progress in
      #expect(progress.doneByteCount >= last?.doneByteCount ?? 0)
      last = progress
    }
    let end = try #require(last)
    #expect(end.doneByteCount == end.totalByteCount)
  }
}
