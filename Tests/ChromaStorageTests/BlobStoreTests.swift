import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Testing

/// A blob is whole and checked, or an error that names it. Method: round trips at the sizes around a
/// block, then every kind of damage at every place that has a meaning.
@Suite struct BlobStoreTests {
  private let files = MemoryFileSystem()
  private let store: BlobStore

  init() {
    store = BlobStore(fileSystem: files, directory: "/blobs")
  }

  private func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  @Test(
    "a blob reads back as it was put", arguments: [0, 1, 32_767, 32_768, 32_769, 65_536, 200_000])
  func roundTrip(byteCount: Int) throws {
    try store.put(bytes(byteCount), name: "a.log")
    #expect(try store.read("a.log") == bytes(byteCount))
    #expect(try store.list() == ["a.log"])
  }

  @Test("a store without blobs lists none, and makes no folder")
  func emptyStore() throws {
    #expect(try store.list().isEmpty)
    #expect(try files.attributes("/blobs") == nil)
  }

  @Test("a missing blob is none")
  func missing() throws {
    #expect(try store.read("gone.log") == nil)
    #expect(try store.open("gone.log") == nil)
  }

  @Test("every flipped bit of a small blob is found, or is in the header's zeros and found too")
  func flippedBits() throws {
    try store.put(bytes(100), name: "a.log")
    let file = try files.open("/blobs/a.log", .readWrite)
    let whole = try file.read(at: 0, byteCountMax: 1_000)
    for offset in whole.indices {
      for bit in 0..<8 {
        try file.write([whole[offset] ^ UInt8(1 << bit)], at: UInt64(offset))
        let error = #expect(throws: ChromaError.self, "byte \(offset), bit \(bit)") {
          try store.read("a.log")
        }
        #expect(error?.message.contains("/blobs/a.log") == true)
      }
      try file.write([whole[offset]], at: UInt64(offset))
    }
    #expect(try store.read("a.log") == bytes(100))
  }

  @Test("a blob that was cut or grew is found at every length")
  func wrongLength() throws {
    try store.put(bytes(50), name: "a.log")
    let file = try files.open("/blobs/a.log", .readWrite)
    let byteCount = try file.byteCount()
    for length in (0...byteCount + 5).reversed() where length != byteCount {
      try file.setByteCount(length)
      #expect(throws: ChromaError.self, "\(length) bytes") { try store.read("a.log") }
    }
  }

  @Test("a blob under another's name, and a block in another's place, are found")
  func misdirected() throws {
    try store.put(bytes(70_000), name: "a.log")
    try store.put(bytes(70_000), name: "b.log")
    try files.rename("/blobs/b.log", to: "/blobs/c.log")
    #expect(throws: ChromaError.self) { try store.read("c.log") }

    let file = try files.open("/blobs/a.log", .readWrite)
    let first = try file.read(at: 64, byteCountMax: 32_768)
    try file.write(first, at: 64 + 32_768)
    let error = #expect(throws: ChromaError.self) { try store.read("a.log") }
    #expect(error?.message.contains("byte \(64 + 32_768)") == true)
  }

  @Test(
    "a name that leads out of the folder is refused",
    arguments: ["", ".", "../x", "a/b", "a\u{0}b", "A.log", String(repeating: "a", count: 129)])
  func hostileName(name: String) throws {
    #expect(throws: ChromaError.self) { try store.read(name) }
    #expect(throws: ChromaError.self) { try store.put([1], name: name) }
  }

  @Test("a newer format is refused by number")
  func newerFormat() throws {
    try store.put(bytes(10), name: "a.log")
    let file = try files.open("/blobs/a.log", .readWrite)
    var header = try file.read(at: 0, byteCountMax: 64)
    header[8] = 2
    var writer = ByteWriter()
    writer.write(CRC32C.checksum(of: Array(header[..<60])))
    try file.write(Array(header[..<60]) + writer.bytes, at: 0)
    let error = #expect(throws: ChromaError.self) { try store.read("a.log") }
    #expect(error?.kind == .unsupportedFormat)
  }
}
