import CChromaPlatform
import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

/// An open blob gives the bytes that were written, or an error that names the file: whatever part
/// is read first, mapped or not, on every kind of disk. Method: random pieces written and random
/// ranges read; damage at each place that has a meaning; faults at every call.
@Suite final class BlobTests {
  /// Temporary directories of the test that runs.
  private var kept: [Disk.Made] = []

  /// A kind of disk, and whether its files shall be mapped.
  struct Place: CustomTestStringConvertible {
    let disk: Disk
    let mapsFiles: Bool

    static let all = [
      Place(disk: .folder, mapsFiles: true), Place(disk: .folder, mapsFiles: false),
      Place(disk: .memory, mapsFiles: true), Place(disk: .simulated, mapsFiles: true),
    ]

    var testDescription: String { "\(disk)\(mapsFiles ? "" : ", not mapped")" }
  }

  private func make(_ place: Place) -> (disk: Disk.Made, store: BlobStore) {
    let made = place.disk.make()
    kept.append(made)
    return (
      made,
      BlobStore(
        fileSystem: made.files, directory: made.path("blobs"), mapsFiles: place.mapsFiles)
    )
  }

  private static let block = 32 * 1024

  private func bytes(_ count: Int) -> [UInt8] {
    var random = SeededRandom(UInt64(count))
    return (0..<count / 8 + 1).flatMap { _ in
      withUnsafeBytes(of: random.next()) { Array($0) }
    }.dropLast(8 - count % 8)
  }

  private func open(_ store: BlobStore, _ name: String) throws -> Blob {
    try #require(try store.open(name))
  }

  private static func matches(_ content: [UInt8], _ range: Range<Int>, of blob: Blob) throws -> Bool
  {
    try withExtendedLifetime(blob) {
      let found = try blob.bytes(range)
      return content.withUnsafeBytes { content in
        guard let left = found.baseAddress, let right = content.baseAddress else {
          return range.isEmpty
        }
        return found.count == range.count
          && memcmp(left, right + range.lowerBound, range.count) == 0
      }
    }
  }

  @Test("any range of an open blob is what was put there", arguments: Place.all)
  func ranges(place: Place) throws {
    let (_, store) = make(place)
    for byteCount in [0, 1, 63, Self.block - 1, Self.block, Self.block + 1, 1_200_000] {
      let content = bytes(byteCount)
      let name = "\(byteCount).segment"
      try store.put(content, name: name)
      #expect(try store.exists(name))
      let blob = try open(store, name)
      #expect(blob.byteCount == byteCount)
      #expect(UInt(bitPattern: blob.baseAddress) % 64 == 0)
      #expect(blob.isVerified == (byteCount == 0))
      var random = SeededRandom(UInt64(byteCount) + 1)
      for _ in 0..<50 {
        let lower = random.int(in: 0...byteCount)
        let upper = min(byteCount, lower + random.int(in: 0...3 * Self.block))
        #expect(try Self.matches(content, lower..<upper, of: blob))
        #expect(blob.isVerified(lower..<upper))
      }
      #expect(try Self.matches(content, 0..<byteCount, of: blob))
      #expect(blob.isVerified)
    }
  }

  @Test("a range outside the payload is an error", arguments: Place.all)
  func outside(place: Place) throws {
    let (_, store) = make(place)
    try store.put(bytes(100), name: "a.segment")
    let blob = try open(store, "a.segment")
    for range in [-1..<1, 0..<101, 101..<101, 100..<Int.max, Int.min..<0] {
      let error = #expect(throws: ChromaError.self) { try blob.verify(range) }
      #expect(error?.kind == .corruption)
      #expect(error?.message.contains(blob.path) == true)
    }
    #expect(try blob.bytes(100..<100).isEmpty)
  }

  @Test("a damaged block fails the ranges that touch it, and no others", arguments: Place.all)
  func damagedBlock(place: Place) throws {
    let (disk, store) = make(place)
    let content = bytes(10 * Self.block + 7)
    for damaged in 0...10 {
      let name = "\(damaged).segment"
      try store.put(content, name: name)
      let offset = 64 + damaged * Self.block + 3
      let file = try disk.files.open(disk.path("blobs/\(name)"), .readWrite)
      try file.write([content[offset - 64] ^ 1], at: UInt64(offset))
      let blob = try open(store, name)
      for block in 0...10 {
        let range = block * Self.block..<min((block + 1) * Self.block, content.count)
        if block == damaged {
          let error = #expect(throws: ChromaError.self) { try blob.bytes(range) }
          #expect(error?.kind == .corruption)
          #expect(error?.message.contains("\(blob.path) ") == true)
          #expect(error?.message.contains("byte \(64 + damaged * Self.block) ") == true)
        } else {
          #expect(try Self.matches(content, range, of: blob))
        }
      }
      #expect(throws: ChromaError.self) { try blob.bytes(0..<content.count) }
      #expect(!blob.isVerified)
      #expect(!blob.isVerified(0..<content.count))
    }
  }

  @Test("damage around the payload is found when the blob is opened", arguments: Place.all)
  func damagedEnvelope(place: Place) throws {
    let (disk, store) = make(place)
    let content = bytes(2 * Self.block + 1)
    try store.put(content, name: "a.segment")
    let file = try disk.files.open(disk.path("blobs/a.segment"), .readWrite)
    let whole = try file.read(at: 0, byteCountMax: 1 << 20)
    for offset in Array(0..<64) + Array(64 + content.count..<whole.count) {
      try file.write([whole[offset] ^ 0x10], at: UInt64(offset))
      let error = #expect(throws: ChromaError.self, "byte \(offset)") {
        try store.open("a.segment")
      }
      #expect(error?.message.contains(store.path(of: "a.segment")) == true)
      try file.write([whole[offset]], at: UInt64(offset))
    }
    for byteCount in [0, 63, 64, 65, 64 + content.count, whole.count - 1, whole.count + 1] {
      try file.setByteCount(UInt64(byteCount))
      #expect(throws: ChromaError.self, "\(byteCount) bytes") { try store.open("a.segment") }
    }
  }

  @Test("pieces of any size make the same file as one", arguments: Place.all)
  func pieces(place: Place) throws {
    let (disk, store) = make(place)
    for seed in 0..<4 as Range<UInt64> {
      var random = SeededRandom(seed)
      let content = bytes(random.int(in: 0...3_000_000))
      try store.put(content, name: "whole-\(seed)")
      let writer = try store.writer("pieces-\(seed)")
      var rest = content[...]
      while !rest.isEmpty {
        let count = min(rest.count, random.int(in: 0...random.element(of: [9, 70_000, 2_000_000])))
        try rest.prefix(count).withUnsafeBytes { try writer.append($0) }
        rest = rest.dropFirst(count)
      }
      #expect(writer.byteCount == content.count)
      try writer.finish()
      let blob = try open(store, "pieces-\(seed)")
      #expect(try Self.matches(content, 0..<content.count, of: blob), "seed \(seed)")
      // The name is in every checksum, so only lengths can be compared.
      #expect(
        try disk.files.attributes(store.path(of: "pieces-\(seed)"))?.byteCount
          == disk.files.attributes(store.path(of: "whole-\(seed)"))?.byteCount)
    }
  }

  @Test("zeros fill up to a multiple")
  func alignment() throws {
    let (_, store) = make(Place.all[2])
    let writer = try store.writer("a.segment")
    try writer.align(to: 64)
    #expect(writer.byteCount == 0)
    try ([1, 2, 3] as [UInt8]).withUnsafeBytes { try writer.append($0) }
    try writer.align(to: 64)
    #expect(writer.byteCount == 64)
    try writer.align(to: 64)
    try writer.finish()
    let expected = [1, 2, 3] + [UInt8](repeating: 0, count: 61)
    #expect(try Self.matches(expected, 0..<64, of: open(store, "a.segment")))
  }

  @Test("a writer that is abandoned, or forgotten, leaves nothing", arguments: Place.all)
  func abandoned(place: Place) throws {
    let (_, store) = make(place)
    let writer = try store.writer("a.segment")
    try bytes(2_000_000).withUnsafeBytes { try writer.append($0) }
    #expect(try store.list() == ["a.segment.tmp"])
    writer.abandon()
    #expect(try store.list().isEmpty)
    _ = try store.writer("b.segment")
    #expect(try store.list().isEmpty)
    #expect(try store.open("a.segment") == nil)
    #expect(try !store.exists("a.segment"))
  }

  @Test("an open blob outlives its name", arguments: Place.all)
  func removed(place: Place) throws {
    let (_, store) = make(place)
    let content = bytes(3 * Self.block)
    try store.put(content, name: "a.segment")
    let blob = try open(store, "a.segment")
    try blob.verify(0..<1)
    try store.delete("a.segment")
    #expect(try store.open("a.segment") == nil)
    #expect(try Self.matches(content, 0..<content.count, of: blob))
  }

  @Test("however many blobs are open, few descriptors are", arguments: Place.all)
  func descriptors(place: Place) throws {
    let (_, store) = make(place)
    let content = bytes(2 * Self.block)
    let before = chroma_file_open_count()
    var blobs: [Blob] = []
    for number in 0..<200 {
      try store.put(content, name: "\(number)")
      blobs.append(try open(store, "\(number)"))
    }
    // Other suites open files meanwhile, some dozens at most.
    #expect(chroma_file_open_count() < before + 150)
    for blob in blobs { #expect(try Self.matches(content, 0..<content.count, of: blob)) }
  }

  @Test("threads that read at once all get the right bytes", arguments: Place.all)
  func threads(place: Place) throws {
    let (_, store) = make(place)
    let content = bytes(60 * Self.block)
    try store.put(content, name: "a.segment")
    let blob = try open(store, "a.segment")
    let wrongCount = Atomic(0)
    onThreads(4) { thread in
      var random = SeededRandom(UInt64(thread))
      for _ in 0..<200 {
        let lower = random.int(in: 0...content.count)
        let upper = min(content.count, lower + random.int(in: 0...2 * Self.block))
        if (try? Self.matches(content, lower..<upper, of: blob)) != true {
          wrongCount.add(1, ordering: .relaxed)
        }
      }
    }
    #expect(wrongCount.load(ordering: .relaxed) == 0)
    #expect(try Self.matches(content, 0..<content.count, of: blob))
  }

  @Test("a blob gets its name after its bytes are durable")
  func order() throws {
    let disk = SimulatedDisk()
    let store = BlobStore(fileSystem: disk, directory: "/blobs")
    try store.put(bytes(100), name: "a")
    let before = disk.callCount
    try store.put(bytes(5_000_000), name: "b")
    let kinds = disk.trace[before...].map(\.kind)
    #expect(kinds == [.open, .write, .write, .write, .sync, .rename, .syncDirectory])
  }

  private func write(
    _ content: [UInt8], pieceByteCount: Int, to store: BlobStore, _ name: String
  ) throws {
    let writer = try store.writer(name)
    for start in stride(from: 0, to: content.count, by: pieceByteCount) {
      try content[start..<start + pieceByteCount].withUnsafeBytes { try writer.append($0) }
    }
    try writer.finish()
  }

  @Test("whatever call fails, a blob is there whole or not there")
  func faults() throws {
    let content = bytes(2_500_000)
    for ordinal in 1...12 {
      let disk = SimulatedDisk(seed: UInt64(ordinal))
      let store = BlobStore(fileSystem: disk, directory: "/blobs")
      disk.inject(DiskFault(nil, ordinal: ordinal, code: 5))
      try? write(content, pieceByteCount: 500_000, to: store, "a.segment")
      disk.removeFaults()
      if let blob = try store.open("a.segment") {
        #expect(try Self.matches(content, 0..<content.count, of: blob))
      }
      #expect(try store.list().allSatisfy { $0 == "a.segment" }, "call \(ordinal)")
    }
  }
}
