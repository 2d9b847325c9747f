import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Testing

/// What FileSystem.swift promises, of each conformer alike: code that was tested on one disk has
/// met the others' behaviour. Durability is not visible here; see SimulatedDiskTests.
@Suite struct FileSystemContractTests {
  @Test("a file that is not there is nil, or created, as the mode says", arguments: Disk.allCases)
  func openModes(_ kind: Disk) throws {
    let disk = kind.make()
    let path = disk.path("a")
    #expect(try disk.files.openIfPresent(path, .readOnly) == nil)
    #expect(try disk.files.openIfPresent(path, .readWrite) == nil)
    #expect(try disk.files.openIfPresent(disk.path("missing/file"), .readOnly) == nil)
    #expect(throws: ChromaError.self) {
      _ = try disk.files.openIfPresent(disk.path("missing/file"), .create)
    }
    #expect(try disk.files.attributes(path) == nil)
    let file = try disk.files.open(path, .createNew)
    #expect(try file.byteCount() == 0)
    #expect(throws: ChromaError.self) { _ = try disk.files.open(path, .createNew) }
    #expect(try disk.files.openIfPresent(path, .create) != nil)
    #expect(try disk.files.openIfPresent(path, .readOnly) != nil)
  }

  @Test("what one opener writes every opener reads", arguments: Disk.allCases)
  func writesAreShared(_ kind: Disk) throws {
    let disk = kind.make()
    let writer = try disk.files.open(disk.path("a"), .create)
    let reader = try disk.files.open(disk.path("a"), .readOnly)
    try writer.write([1, 2, 3], at: 0)
    try writer.write([9], at: 4)
    #expect(try reader.read(at: 0, byteCountMax: 10) == [1, 2, 3, 0, 9])
    #expect(try reader.read(at: 3, byteCountMax: 1) == [0])
    #expect(try reader.read(at: 5, byteCountMax: 1) == [])
    #expect(try reader.read(at: 1 << 40, byteCountMax: 1) == [])
    #expect(throws: ChromaError.self) { try reader.write([1], at: 0) }
  }

  @Test("random writes and cuts give the bytes that a model gives", arguments: Disk.allCases)
  func matchesModel(_ kind: Disk) throws {
    for seed in UInt64(0)..<5 {
      var random = SeededRandom(seed)
      let disk = kind.make()
      let file = try disk.files.open(disk.path("a"), .create)
      var model: [UInt8] = []
      for _ in 0..<60 {
        let offset = random.int(in: 0...20_000)
        if random.oneIn(4) {
          try file.setByteCount(UInt64(offset))
          model = Array((model + [UInt8](repeating: 0, count: offset)).prefix(offset))
        } else {
          let bytes = (0..<random.int(in: 0...9_000)).map { _ in UInt8(random.int(in: 0...255)) }
          try file.write(bytes, at: UInt64(offset))
          if !bytes.isEmpty {
            model += [UInt8](repeating: 0, count: max(0, offset + bytes.count - model.count))
            model.replaceSubrange(offset..<offset + bytes.count, with: bytes)
          }
        }
        #expect(try file.byteCount() == UInt64(model.count), "seed \(seed)")
      }
      #expect(try file.read(at: 0, byteCountMax: 40_000) == model, "seed \(seed)")
    }
  }

  @Test("renaming replaces, and openers keep what they opened", arguments: Disk.allCases)
  func renameReplaces(_ kind: Disk) throws {
    let disk = kind.make()
    try disk.files.open(disk.path("old"), .create).write([1], at: 0)
    let replaced = try disk.files.open(disk.path("new"), .create)
    try replaced.write([2], at: 0)
    try disk.files.rename(disk.path("old"), to: disk.path("new"))
    #expect(try disk.files.list(disk.root) == ["new"])
    #expect(try disk.files.open(disk.path("new"), .readOnly).read(at: 0, byteCountMax: 9) == [1])
    #expect(try replaced.read(at: 0, byteCountMax: 9) == [2])
    #expect(throws: ChromaError.self) {
      try disk.files.rename(disk.path("old"), to: disk.path("new"))
    }
  }

  @Test("removing says whether there was anything", arguments: Disk.allCases)
  func remove(_ kind: Disk) throws {
    let disk = kind.make()
    let file = try disk.files.open(disk.path("a"), .create)
    try file.write([7], at: 0)
    #expect(try disk.files.remove(disk.path("a")))
    #expect(try !disk.files.remove(disk.path("a")))
    #expect(try file.read(at: 0, byteCountMax: 9) == [7])
    let other = try disk.files.open(disk.path("a"), .create)
    #expect(try other.byteCount() == 0)
  }

  @Test("directories are made, listed by bytes, and removed when empty", arguments: Disk.allCases)
  func directories(_ kind: Disk) throws {
    let disk = kind.make()
    let deep = disk.path("d/e")
    #expect(throws: ChromaError.self) { try disk.files.createDirectory(deep) }
    try disk.files.createDirectories(deep)
    #expect(try !disk.files.createDirectory(deep))
    // Two spellings of one letter are two names: paths are bytes.
    for name in ["b", "a", "B", "\u{E9}", "e\u{301}"] {
      _ = try disk.files.open("\(deep)/\(name)", .createNew)
    }
    #expect(
      try disk.files.list(deep).map { Array($0.utf8) }
        == ["B", "a", "b", "e\u{301}", "\u{E9}"].map { Array($0.utf8) })
    try disk.files.syncDirectory(deep)
    #expect(throws: ChromaError.self) { try disk.files.remove(deep) }
    #expect(throws: ChromaError.self) { _ = try disk.files.open(deep, .create) }
    for name in try disk.files.list(deep) { try disk.files.remove("\(deep)/\(name)") }
    #expect(try disk.files.remove(deep))
    #expect(throws: ChromaError.self) { _ = try disk.files.list(deep) }
  }

  @Test("attributes tell kind, size and identity", arguments: Disk.allCases)
  func attributes(_ kind: Disk) throws {
    let disk = kind.make()
    try disk.files.open(disk.path("a"), .create).write([1, 2], at: 0)
    let first = try #require(try disk.files.attributes(disk.path("a")))
    #expect(first.kind == .file)
    #expect(first.byteCount == 2)
    let root = try #require(try disk.files.attributes(disk.root))
    #expect(root.kind == .directory)
    #expect(root.identity != first.identity)
    try disk.files.rename(disk.path("a"), to: disk.path("b"))
    #expect(try disk.files.attributes(disk.path("b"))?.identity == first.identity)
  }

  @Test("locks of two openers exclude each other, byte by byte", arguments: Disk.allCases)
  func locks(_ kind: Disk) throws {
    let disk = kind.make()
    let one = try disk.files.open(disk.path("a"), .create)
    let two = try disk.files.open(disk.path("a"), .readWrite)
    #expect(try one.tryLock(10..<20, .shared))
    #expect(try two.tryLock(10..<20, .shared))
    #expect(try !two.tryLock(10..<20, .exclusive))
    #expect(try two.isLockedElsewhere(0..<100, against: .exclusive))
    #expect(try !two.isLockedElsewhere(0..<100, against: .shared))
    try one.unlock(12..<15)
    #expect(try two.tryLock(12..<15, .exclusive))
    #expect(try !one.tryLock(14..<15, .shared))
    #expect(try !two.tryLock(11..<12, .exclusive))
    one.close()
    #expect(try two.tryLock(0..<100, .exclusive))
    #expect(try !two.isLockedElsewhere(0..<100, against: .exclusive))
  }

  @Test("shared memory is one memory for all openers", arguments: Disk.allCases)
  func sharedMemory(_ kind: Disk) throws {
    let disk = kind.make()
    let byteCount = FileLimits.sharedRegionByteCount
    let one = try disk.files.open(disk.path("a"), .create)
    let two = try disk.files.open(disk.path("a"), .readWrite)
    let first = try one.mapShared(at: 0, byteCount: byteCount)
    let second = try two.mapShared(at: 0, byteCount: byteCount)
    let next = try two.mapShared(at: UInt64(byteCount), byteCount: byteCount)
    #expect(try one.byteCount() == UInt64(2 * byteCount))
    first.storeBytes(of: 42, toByteOffset: byteCount - 8, as: UInt64.self)
    #expect(second.load(fromByteOffset: byteCount - 8, as: UInt64.self) == 42)
    #expect(next.load(fromByteOffset: 0, as: UInt64.self) == 0)
  }

  @Test("a cut takes away what shared memory held", arguments: Disk.allCases)
  func sharedMemoryIsCut(_ kind: Disk) throws {
    let disk = kind.make()
    let byteCount = FileLimits.sharedRegionByteCount
    let one = try disk.files.open(disk.path("a"), .create)
    try one.mapShared(at: 0, byteCount: byteCount).storeBytes(of: 42, as: UInt64.self)
    one.close()
    let two = try disk.files.open(disk.path("a"), .readWrite)
    #expect(try two.mapShared(at: 0, byteCount: byteCount).load(as: UInt64.self) == 42)
    two.close()
    let three = try disk.files.open(disk.path("a"), .readWrite)
    try three.setByteCount(0)
    #expect(try three.mapShared(at: 0, byteCount: byteCount).load(as: UInt64.self) == 0)
  }

  @Test("a closed file refuses everything but another close", arguments: Disk.allCases)
  func closed(_ kind: Disk) throws {
    let disk = kind.make()
    let file = try disk.files.open(disk.path("a"), .create)
    file.close()
    file.close()
    let calls: [() throws -> Void] = [
      { _ = try file.read(at: 0, byteCountMax: 1) }, { try file.write([1], at: 0) },
      { try file.setByteCount(1) }, { _ = try file.byteCount() }, { try file.sync() },
      { _ = try file.tryLock(0..<1, .shared) }, { try file.unlock(0..<1) },
      { _ = try file.isLockedElsewhere(0..<1, against: .shared) },
      { _ = try file.mapShared(at: 0, byteCount: FileLimits.sharedRegionByteCount) },
    ]
    for call in calls {
      let error = #expect(throws: ChromaError.self) { try call() }
      #expect(error?.kind == .closed)
    }
  }

  @Test("offsets beyond the largest file are errors, not traps", arguments: Disk.allCases)
  func hugeOffsets(_ kind: Disk) throws {
    let disk = kind.make()
    let file = try disk.files.open(disk.path("a"), .create)
    for offset in [FileLimits.offsetMax, .max] {
      #expect(throws: ChromaError.self) { try file.write([1], at: offset) }
      #expect(throws: ChromaError.self) { try file.setByteCount(offset) }
      _ = try? file.read(at: offset, byteCountMax: 1)
    }
    #expect(try file.byteCount() == 0)
  }

  @Test("a path that the operating system would misread is refused", arguments: Disk.allCases)
  func badPaths(_ kind: Disk) throws {
    let disk = kind.make()
    for path in ["", "relative", disk.path("nul\0cut")] {
      #expect(throws: ChromaError.self) { _ = try disk.files.open(path, .create) }
    }
    #expect(try disk.files.list(disk.root) == [])
  }
}

/// Every conformer, each with an empty directory of its own.
enum Disk: CaseIterable {
  case folder, memory, simulated

  struct Made {
    let files: any FileSystem
    let root: String
    /// Removed when the test lets go.
    var temporary: TemporaryDirectory?

    func path(_ name: String) -> String { "\(root)/\(name)" }
  }

  func make() -> Made {
    switch self {
    case .folder:
      let temporary = TemporaryDirectory()
      return Made(files: temporary.fileSystem, root: temporary.path, temporary: temporary)
    case .memory:
      let files = MemoryFileSystem()
      try? files.createDirectories("/root")
      return Made(files: files, root: "/root")
    case .simulated:
      let files = SimulatedDisk()
      try? files.createDirectories("/root")
      return Made(files: files, root: "/root")
    }
  }
}
