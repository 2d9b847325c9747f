import ChromaBase
import ChromaSegment
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// Damaged bytes are an error that names their place, or harmless: never a trap, never a wrong
/// answer behind a checksum that holds for nothing. Method: every bit and length of a small segment;
/// random damage to blobs, whose parts are then read in any order; and damage under valid checksums,
/// after which only "no trap, nothing that breaks a rule" can be asked.
@Suite final class SegmentDamageTests {
  private let directory = TemporaryDirectory()
  private let cache = DocumentBlockCache(byteCountMax: 1 << 16)

  private func encoded(_ rows: ModelRows) throws -> [UInt8] {
    try #require(
      try SegmentWriter.encode(rows, ModelRows.description, byteCountMax: 1 << 30))
  }

  private func open(_ bytes: [UInt8]) throws(ChromaError) -> Segment {
    try Segment(inline: bytes, source: "segment under test", cache: cache)
  }

  @Test(
    "every flipped bit and every length of a segment in the catalog is found",
    arguments: [VectorType.f32, .int8])
  func everyBit(vectorType: VectorType) throws {
    var random = SeededRandom(3)
    var bytes = try encoded(
      ModelRows.random(rowCount: 5, space: .cosine, vectorType: vectorType, using: &random))
    for offset in bytes.indices {
      for bit in 0..<8 {
        bytes[offset] ^= 1 << bit
        let error = #expect(throws: ChromaError.self, "byte \(offset), bit \(bit)") {
          try open(bytes)
        }
        #expect(error?.kind == .corruption)
        #expect(error?.message.contains("segment under test") == true)
        bytes[offset] ^= 1 << bit
      }
      #expect(throws: ChromaError.self, "\(offset) bytes") {
        try open(Array(bytes[..<offset]))
      }
    }
    #expect(throws: ChromaError.self) { try open(bytes + [0]) }
  }

  @Test("a damaged blob gives right answers or errors that name it", arguments: [true, false])
  func damagedBlob(mapsFiles: Bool) throws {
    var random = SeededRandom(mapsFiles ? 1 : 2)
    let store = BlobStore(
      fileSystem: directory.fileSystem, directory: "\(directory.path)/blobs",
      mapsFiles: mapsFiles)
    let rows = ModelRows.random(rowCount: 300, space: .cosine, using: &random)
    let writer = try store.writer("a.segment")
    try SegmentWriter.write(rows, ModelRows.description, to: writer)
    try writer.finish()
    let path = store.path(of: "a.segment")
    let whole = try directory.fileSystem.open(path, .readOnly).read(
      at: 0, byteCountMax: 1 << 24)
    for number in 0..<150 {
      try directory.fileSystem.remove(path)
      let file = try directory.fileSystem.open(path, .createNew)
      try file.write(damaged(whole, using: &random), at: 0)
      try read(store, as: rows, path: path, "damage \(number)", using: &random)
    }
  }

  private func damaged(_ whole: [UInt8], using random: inout SeededRandom) -> [UInt8] {
    var bytes = whole
    let offset = random.int(in: 0...bytes.count - 1)
    switch random.int(in: 0...2) {
    case 0: bytes[offset] ^= 1 << UInt8(random.int(in: 0...7))
    case 1: bytes.removeSubrange(offset...)
    default:
      let end = min(bytes.count, offset + random.int(in: 1...5_000))
      bytes.replaceSubrange(offset..<end, with: repeatElement(0, count: end - offset))
      // Zeros over zeros are no damage.
      if bytes == whole { bytes[offset] = 1 }
    }
    return bytes
  }

  /// Reads parts in random order; at least verifying it all must find the damage.
  private func read(
    _ store: BlobStore, as rows: ModelRows, path: String, _ comment: Comment,
    using random: inout SeededRandom
  ) throws {
    do {
      let blob = try #require(try store.open("a.segment"))
      let segment = try Segment(blob: blob, cache: cache)
      for _ in 0..<20 {
        let row = random.int(in: 0...rows.rowCount - 1)
        let model = rows.rows[row]
        do {
          switch random.int(in: 0...5) {
          case 0: #expect(try segment.id(row) == model.id, comment)
          case 1: #expect(try segment.document(row) == model.document, comment)
          case 2: #expect(try segment.uri(row) == model.uri, comment)
          case 3: #expect(try segment.metadata(row) == model.metadata, comment)
          case 4: #expect(try segment.row(of: model.id) == row, comment)
          default:
            try segment.withVector(row) { #expect(Array($0) == model.vector, comment) }
          }
        } catch {
          #expect(error.kind == .corruption && error.message.contains(path), comment)
        }
      }
      #expect(throws: ChromaError.self, comment) { try segment.verifyAll() }
    } catch let error as ChromaError {
      #expect(error.kind == .corruption && error.message.contains(path), "\(comment): \(error)")
    }
  }

  @Test("a blob whose text index is damaged answers as one without, and verification finds it")
  func damagedTextIndex() throws {
    var random = SeededRandom(21)
    // Of random letters, so that the index is large.
    let rows = ModelRows(
      rows: (0..<600).map { row in
        let letters = (0..<100).map { _ in UInt8(random.int(in: 97...122)) }
        return ModelRows.Row(
          id: Text("\(row)"), order: Int64(row) + 1, slot: UInt32(row), vector: [0],
          document: row % 9 == 0 ? nil : Text(validating: letters))
      }, dimension: 1, space: .l2)
    let store = BlobStore(
      fileSystem: directory.fileSystem, directory: "\(directory.path)/blobs", mapsFiles: true)
    let path = store.path(of: "a.segment")
    func open(_ bytes: [UInt8]) throws -> Segment {
      try directory.fileSystem.remove(path)
      try directory.fileSystem.open(path, .createNew).write(bytes, at: 0)
      return try Segment(blob: try #require(try store.open("a.segment")), cache: cache)
    }
    let writer = try store.writer("a.segment")
    try SegmentWriter.write(rows, ModelRows.description, to: writer)
    try writer.finish()
    let whole = try directory.fileSystem.open(path, .readOnly).read(at: 0, byteCountMax: 1 << 24)
    let needle = Array(rows.rows[1].document?.bytes[20..<26] ?? [])
    let intact = try open(whole)
    let right = try #require(try intact.textIndex?.rows(holding: needle))
    let all = try intact.rowsWithDocument()
    #expect(right.rows.count < all.count)
    // The index is the last section. What opening needs stands in the last block, of 32 KiB.
    var fallbackCount = 0
    for offset in stride(from: whole.count - 120_000, to: whole.count - 40_000, by: 9_001) {
      var bytes = whole
      bytes[offset] ^= 0x10
      let segment = try open(bytes)
      let found = try segment.textIndex?.rows(holding: needle) ?? (rows: all, isExact: false)
      #expect(found.rows == right.rows || found.rows == all, "byte \(offset)")
      fallbackCount += found.rows == all ? 1 : 0
      #expect(try segment.document(1) == rows.rows[1].document)
      #expect(throws: ChromaError.self) { try segment.verifyAll() }
    }
    #expect(fallbackCount > 0)
  }

  @Test("damage under valid checksums never traps, and never makes values that break a rule")
  func hostile() throws {
    let count = getenv("CHROMA_TEST_LONG") == nil ? 3_000 : 50_000
    for seed in 0..<UInt64(count) { try readForged(seed: seed) }
  }

  private func readForged(seed: UInt64) throws {
    var random = SeededRandom(seed)
    let rowCount = random.element(of: [1, 2, 7, 20])
    var bytes = try encoded(ModelRows.random(rowCount: rowCount, using: &random))
    let trailer = bytes.count - 80
    for _ in 0..<random.int(in: 1...3) {
      // The directory and the heads of columns are a small part, and hold what matters.
      let offset =
        random.oneIn(3)
        ? random.int(in: max(0, trailer - 140)...bytes.count - 13)
        : random.int(in: 0...bytes.count - 13)
      bytes[offset] = random.element(of: [
        0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF, UInt8(random.int(in: 0...255)),
      ])
    }
    SegmentForgery.sign(&bytes)
    guard let segment = try? open(bytes) else { return }
    for row in 0..<min(segment.rowCount, 40) {
      _ = segment.order(row)
      _ = segment.slot(row)
      if segment.space == .cosine { _ = segment.inverseNorm(row) }
      try? segment.withVector(row) { _ = Array($0) }
      let id = try? segment.id(row)
      _ = try? segment.row(of: id ?? "id-7")
      _ = try? segment.document(row)
      _ = try? segment.uri(row)
      for entry in (try? segment.metadata(row))?.entries ?? [] {
        if case .float(let value) = entry.value { #expect(value.isFinite, "seed \(seed)") }
      }
    }
    try? segment.verifyAll()
  }

  @Test("a section that need not be known is skipped, one that must be is refused")
  func unknownSections() throws {
    var random = SeededRandom(5)
    let rows = ModelRows.random(rowCount: 30, using: &random)
    let bytes = try encoded(rows)
    let optional = SegmentForgery.adding(
      section: [1, 2, 3], kind: 999, isRequired: false, to: bytes)
    let segment = try open(optional)
    #expect(try segment.firstDifference(from: rows) == nil)
    try segment.verifyAll()
    let required = SegmentForgery.adding(
      section: [1, 2, 3], kind: 999, isRequired: true, to: bytes)
    let error = #expect(throws: ChromaError.self) { try open(required) }
    #expect(error?.kind == .unsupportedFormat)
    #expect(error?.message.contains("999") == true)
  }

  @Test("a newer format is refused by its number")
  func newerFormat() throws {
    var random = SeededRandom(6)
    var bytes = try encoded(ModelRows.random(rowCount: 3, using: &random))
    bytes[bytes.count - 16] = 2
    SegmentForgery.sign(&bytes)
    let error = #expect(throws: ChromaError.self) { try open(bytes) }
    #expect(error?.kind == .unsupportedFormat)
  }

  @Test("what verification alone looks at is found by it")
  func verification() throws {
    var random = SeededRandom(8)
    let rows = ModelRows.random(rowCount: 4, space: .l2, vectorType: .f32, using: &random)
    var wrong = rows
    wrong.rows[2].slot = wrong.rows[1].slot
    try expectFound(wrong, "slot")
    wrong = rows
    wrong.rows[1].vector[0] = .infinity
    try expectFound(wrong, "not finite")
    wrong = rows
    wrong.rows[1].id = ""
    try expectFound(wrong, "empty")
    try open(encoded(rows)).verifyAll()
  }

  @Test("a position of a vector before its record's, or beyond all numbers, is refused")
  func vectorPositions() throws {
    var random = SeededRandom(10)
    var rows = ModelRows.random(rowCount: 4, space: .l2, vectorType: .f32, using: &random)
    for row in rows.rows.indices { rows.rows[row].vectorDelay = 0 }
    let bytes = try encoded(rows)
    // A column without values: their widths, and the base that they all are.
    let newer = SegmentForgery.adding(
      section: [0, 1, 0, 7], kind: 13, isRequired: true, to: bytes)
    for row in rows.rows.indices { rows.rows[row].vectorDelay = 7 }
    #expect(try open(newer).firstDifference(from: rows) == nil)
    let older = [0, 1, 0, 0xFF] as [UInt8]
    let beyond = [0, 8, 0] + [UInt8](repeating: 0xFF, count: 7) + [0x7F]
    for section in [older, beyond, [0, 0], [0, 0, 0, 0]] {
      let forged = SegmentForgery.adding(section: section, kind: 13, isRequired: true, to: bytes)
      let error = #expect(throws: ChromaError.self) { try open(forged) }
      #expect(error?.kind == .corruption)
    }
  }

  @Test("the type of vectors must be known, and theirs")
  func vectorTypes() throws {
    var random = SeededRandom(11)
    for type in VectorType.allCases where type != .f32 {
      let bytes = try encoded(
        ModelRows.random(rowCount: 4, vectorType: type, using: &random))
      // Its entry in the directory says that who does not know it must refuse.
      let entry = [14, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0] as [UInt8]
      let start = bytes.count - 80 - entry.count
      #expect(Array(bytes[start..<start + entry.count]) == entry)
    }
    let bytes = try encoded(ModelRows.random(rowCount: 4, vectorType: .f32, using: &random))
    for section in [[4], [0xFF], [0], [1], [3], [], [1, 1]] as [[UInt8]] {
      let forged = SegmentForgery.adding(section: section, kind: 14, isRequired: true, to: bytes)
      let error = #expect(throws: ChromaError.self, "\(section)") { try open(forged) }
      let isKnown = [[1], [3], [], [1, 1]].contains(section)
      #expect(error?.kind == (isKnown ? .corruption : .unsupportedFormat), "\(section)")
    }
  }

  @Test("rows that no vector is written as are found")
  func vectorRows() throws {
    var random = SeededRandom(12)
    let rows = ModelRows.random(rowCount: 2, space: .l2, vectorType: .int8, using: &random)
    let bytes = try encoded(rows)
    // The first code, what stands after the last, if anything does, and the scale.
    let scale = (rows.dimension + 3) / 4 * 4
    for (offset, byte) in [(0, 0x80), (rows.dimension, 0xFF), (scale, 0xFF), (scale + 3, 0xFF)] {
      var wrong = bytes
      wrong[offset] = UInt8(byte)
      SegmentForgery.sign(&wrong)
      let error = #expect(throws: ChromaError.self) { try open(wrong).verifyAll() }
      #expect(error?.message.contains("the vector of row 0") == true, "\(offset)")
    }
  }

  @Test("rows that break a rule, as damaged segments may come to, are not written")
  func refusedRows() throws {
    var random = SeededRandom(9)
    let rows = ModelRows.random(rowCount: 4, space: .l2, using: &random)
    var wrong = rows
    wrong.rows[3].id = wrong.rows[0].id
    #expect(throws: ChromaError.self) { try encoded(wrong) }
    wrong = rows
    wrong.rows[3].order = wrong.rows[2].order
    #expect(throws: ChromaError.self) { try encoded(wrong) }
    wrong = rows
    wrong.rows[3].vector.append(0)
    var error = #expect(throws: ChromaError.self) { try encoded(wrong) }
    #expect(error?.kind == .corruption)
    wrong = rows
    wrong.vectorType = .f16
    wrong.rows[3].vector[0] = 1e9
    error = #expect(throws: ChromaError.self) { try encoded(wrong) }
    #expect(error?.kind == .corruption)
    #expect(error?.message.contains("1e+09") == true)
  }

  private func expectFound(_ rows: ModelRows, _ word: String) throws {
    let segment = try open(encoded(rows))
    let error = #expect(throws: ChromaError.self) { try segment.verifyAll() }
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
  }
}
