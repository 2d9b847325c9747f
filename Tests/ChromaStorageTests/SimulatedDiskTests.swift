import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// The simulated disk loses what a real one may lose, all of it at some seed, and nothing that a sync
/// made safe. Without this the tests that cut power would prove nothing.
@Suite struct SimulatedDiskTests {
  /// What is found under a path after each of many power cuts of this moment; nil: no file.
  private func outcomes(_ disk: SimulatedDisk, _ path: String) -> Set<[UInt8]?> {
    var random = SeededRandom(1)
    var found: Set<[UInt8]?> = []
    for _ in 0..<300 {
      let after = SimulatedDisk(disk.image.afterPowerCut(&random))
      let file = try? after.openIfPresent(path, .readOnly)
      found.insert(file.flatMap { try? $0.read(at: 0, byteCountMax: 1 << 20) })
    }
    return found
  }

  @Test("without a sync of the directory a file may be gone, however well it was synced")
  func directoryEntries() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([1], at: 0)
    try file.sync()
    #expect(outcomes(disk, "/a") == [nil, [1]])
    try disk.syncDirectory("/")
    #expect(outcomes(disk, "/a") == [[1]])
    try disk.remove("/a")
    #expect(outcomes(disk, "/a") == [nil, [1]])
    try disk.syncDirectory("/")
    #expect(outcomes(disk, "/a") == [nil])
  }

  @Test("a rename happens, or does not, or leaves both names; the target is never missing")
  func renames() throws {
    let disk = SimulatedDisk()
    for (path, byte) in [("/old", UInt8(1)), ("/new", 2)] {
      let file = try disk.open(path, .create)
      try file.write([byte], at: 0)
      try file.sync()
    }
    try disk.syncDirectory("/")
    try disk.rename("/old", to: "/new")
    #expect(outcomes(disk, "/new") == [[2], [1]])
    #expect(outcomes(disk, "/old") == [[1], nil])
    try disk.syncDirectory("/")
    #expect(outcomes(disk, "/new") == [[1]])
    #expect(outcomes(disk, "/old") == [nil])
  }

  @Test("unsynced writes are kept, lost, torn at sectors, and out of order; synced ones stay")
  func tornWrites() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([UInt8](repeating: 1, count: 1024), at: 0)
    try file.sync()
    try disk.syncDirectory("/")
    try file.write([UInt8](repeating: 2, count: 1024), at: 0)
    try file.write([3], at: 2048)
    let found = outcomes(disk, "/a").compactMap { $0 }
    // Sectors never mix within themselves.
    for bytes in found {
      for start in [0, 512] { #expect(Set(bytes[start..<start + 512]).count == 1) }
    }
    let sectors = Set(found.map { [$0[0], $0[512]] })
    #expect(sectors == [[1, 1], [1, 2], [2, 1], [2, 2]])
    // The later write without the earlier one, and growth without its bytes.
    #expect(found.contains { $0.count == 2049 && $0[2048] == 3 && $0[0] == 1 })
    #expect(found.contains { $0.count == 2049 && $0[2048] == 0 })
    #expect(found.contains { $0.count == 1024 })
    try file.sync()
    #expect(outcomes(disk, "/a").count == 1)
  }

  @Test("a failed sync drops writes for good, and shows them as if nothing were wrong")
  func failedSync() throws {
    var keptCount = 0
    for seed in UInt64(0)..<40 {
      let disk = SimulatedDisk(seed: seed)
      let file = try disk.open("/a", .create)
      try disk.syncDirectory("/")
      try file.write([1], at: 0)
      disk.inject(DiskFault(.sync, ordinal: 1, code: EIO))
      #expect(throws: ChromaError.self) { try file.sync() }
      #expect(try file.read(at: 0, byteCountMax: 9) == [1])
      try file.sync()
      let found = outcomes(disk, "/a")
      #expect(found == [[1]] || found == [[]], "seed \(seed)")
      if found == [[1]] { keptCount += 1 }
    }
    #expect((5...35).contains(keptCount))
  }

  @Test("faults hit the call they name, once or from then on; a full disk takes what fits")
  func faults() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    disk.inject(DiskFault(.write, pathSuffix: "a", ordinal: 2, code: EIO))
    try file.write([1], at: 0)
    #expect(throws: ChromaError.self) { try file.write([2], at: 0) }
    try file.write([3], at: 0)
    disk.inject(DiskFault(.read, ordinal: 1, isLasting: true, code: EIO))
    for _ in 0..<3 {
      #expect(throws: ChromaError.self) { _ = try file.read(at: 0, byteCountMax: 1) }
    }
    disk.removeFaults()
    #expect(try file.read(at: 0, byteCountMax: 9) == [3])
    disk.capacityByteCount = 3
    let error = #expect(throws: ChromaError.self) { try file.write([4, 5, 6, 7], at: 1) }
    #expect(error?.kind == .outOfSpace)
    #expect(try file.read(at: 0, byteCountMax: 9) == [3, 4, 5])
    #expect(disk.trace.filter(\.isFailed).count == 5)
  }

  @Test("a killed process loses its files and locks, and no byte")
  func killedProcess() throws {
    let disk = SimulatedDisk()
    let file = try disk.open("/a", .create)
    try file.write([1], at: 0)
    #expect(try file.tryLock(0..<1, .exclusive))
    disk.killProcess()
    #expect(throws: ChromaError.self) { try file.write([2], at: 0) }
    let next = try disk.open("/a", .readWrite)
    #expect(try next.tryLock(0..<1, .exclusive))
    #expect(try next.read(at: 0, byteCountMax: 9) == [1])
    #expect(outcomes(disk, "/a").contains(nil))
  }

  @Test("a blob is whole under its name after any power cut, and there once it was put")
  func blobs() throws {
    let payloads = (0..<4).map { [UInt8](repeating: UInt8($0), count: $0 * 20_000) }
    let disk = SimulatedDisk()
    disk.keepsHistory = true
    let store = BlobStore(fileSystem: disk, directory: "/blobs")
    var callCounts: [Int] = []
    for (index, payload) in payloads.enumerated() {
      try store.put(payload, name: "\(index).log")
      callCounts.append(disk.callCount)
    }
    var random = SeededRandom(3)
    for image in disk.history {
      for _ in 0..<10 {
        let found = BlobStore(
          fileSystem: SimulatedDisk(image.afterPowerCut(&random)), directory: "/blobs")
        let names = try found.list().filter { !$0.hasSuffix(".tmp") }
        for (index, payload) in payloads.enumerated() {
          let name = "\(index).log"
          #expect(names.contains(name) || callCounts[index] > image.callCount)
          if names.contains(name) { #expect(try found.read(name) == payload) }
        }
      }
    }
  }

  @Test("equal seeds and calls give equal traces and equal cuts")
  func determinism() throws {
    func run() throws -> ([DiskCall], [[UInt8]]) {
      var random = SeededRandom(9)
      let disk = SimulatedDisk(seed: 9)
      disk.keepsHistory = true
      let file = try disk.open("/a", .create)
      for _ in 0..<30 {
        try file.write([UInt8](repeating: 7, count: random.int(in: 1...2000)), at: 100)
        if random.oneIn(3) { try file.sync() }
      }
      let cuts = try disk.history.map { image in
        try SimulatedDisk(image.afterPowerCut(&random)).openIfPresent("/a", .readOnly)?
          .read(at: 0, byteCountMax: 4096) ?? []
      }
      return (disk.trace, cuts)
    }
    #expect(try run() == run())
  }
}
