// Rows of one size by number, as a value: a copy costs a few words, and what one copy changes the
// others do not see.
//
// Rows stand in chunks of a power of two of rows and at least 2 MiB, in which the processor sees one
// page each if the system has large ones: a search jumps from row to row, and without them every jump
// would miss the table of pages as well. Only the first chunk is smaller while it is the only one.
//
// Invariants:
//   * A chunk that two values share is written by neither; who changes it first copies it.
//   * Rows never written are zeros.
//   * An address holds as long as some value holds the chunk and nobody who holds it alone changes
//     its size.

import ChromaBase
import Glibc

/// Trivial, to be copied out by hot loops: where rows stand while the `GraphMemory` lives.
struct RowTable {
  fileprivate(set) var chunks: UnsafePointer<UnsafeMutableRawPointer>
  fileprivate(set) var shift: UInt32
  fileprivate(set) var mask: UInt32
  fileprivate(set) var rowByteCount: Int

  /// The row of a number below the memory's `rowCount`.
  @inline(__always)
  func row(_ number: UInt32) -> UnsafeMutableRawPointer {
    chunks[Int(number >> shift)] + Int(number & mask) &* rowByteCount
  }
}

/// Unchecked because chunks are written only by the value that holds them alone.
struct GraphMemory: @unchecked Sendable {
  let rowByteCount: Int
  private let rowsPerChunkShift: Int
  private var chunks: [Chunk] = []
  private var directory = Directory([])

  private static let chunkByteCountMin = 2 << 20
  private static let firstRowCountMin = 64

  /// - Parameter rowByteCount: a multiple of 4.
  init(rowByteCount: Int) {
    self.rowByteCount = rowByteCount
    let rows = max(1, (Self.chunkByteCountMin + rowByteCount - 1) / rowByteCount)
    rowsPerChunkShift = Int.bitWidth - (rows - 1).leadingZeroBitCount
  }

  /// Rows that there is room for.
  private(set) var rowCount = 0

  var byteCount: Int { chunks.reduce(0) { $0 + $1.byteCount } }

  var table: RowTable {
    RowTable(
      chunks: directory.addresses, shift: UInt32(rowsPerChunkShift),
      mask: (1 << UInt32(rowsPerChunkShift)) - 1, rowByteCount: rowByteCount)
  }

  /// Makes room for at least so many rows.
  mutating func reserve(rowCount count: Int) throws(ChromaError) {
    guard count > rowCount else { return }
    let rowsPerChunk = 1 << rowsPerChunkShift
    if chunks.count <= 1, rowCount < rowsPerChunk {
      var rows = max(Self.firstRowCountMin, rowCount)
      while rows < min(count, rowsPerChunk) { rows *= 2 }
      rows = min(rows, rowsPerChunk)
      let first = try Chunk(byteCount: rows * rowByteCount, copying: chunks.first)
      chunks = [first]
      rowCount = rows
    }
    defer { directory = Directory(chunks) }
    while rowCount < count {
      chunks.append(try Chunk(byteCount: rowsPerChunk * rowByteCount, copying: nil))
      rowCount += rowsPerChunk
    }
  }

  /// Makes the chunk of a row this value's alone, so that the row may be written. Room for it must
  /// have been made.
  @inline(__always)
  mutating func makeWritable(_ row: UInt32) throws(ChromaError) {
    let chunk = Int(row) >> rowsPerChunkShift
    if isKnownUniquelyReferenced(&chunks[chunk]) { return }
    try copyChunk(chunk)
  }

  private mutating func copyChunk(_ index: Int) throws(ChromaError) {
    let shared = chunks[index]
    chunks[index] = try Chunk(byteCount: shared.byteCount, copying: shared)
    directory = Directory(chunks)
  }
}

extension GraphMemory {
  /// Memory of its own, zero where it holds no copy.
  private final class Chunk {
    let bytes: UnsafeMutableRawPointer
    let byteCount: Int
    /// What was mapped for it: more, so that the chunk begins where a large page does.
    private let mapping: UnsafeMutableRawPointer
    private let mappingByteCount: Int

    private static let pageByteCount = 4096
    private static let largePageByteCount = 2 << 20

    init(byteCount: Int, copying source: Chunk?) throws(ChromaError) {
      let isLarge = byteCount >= Self.largePageByteCount
      let length =
        (byteCount + Self.pageByteCount - 1) / Self.pageByteCount * Self.pageByteCount
        + (isLarge ? Self.largePageByteCount : 0)
      guard
        let mapping = mmap(
          nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
        mapping != MAP_FAILED
      else {
        throw ChromaError(
          .resourceExhausted, "There is no memory for \(byteCount) more bytes of a vector index.")
      }
      self.mapping = mapping
      mappingByteCount = length
      self.byteCount = byteCount
      bytes = isLarge ? mapping.alignedUp(toMultipleOf: Self.largePageByteCount) : mapping
      // A refusal costs speed only.
      if isLarge { _ = madvise(bytes, byteCount, MADV_HUGEPAGE) }
      if let source { bytes.copyMemory(from: source.bytes, byteCount: source.byteCount) }
    }

    deinit {
      munmap(mapping, mappingByteCount)
    }
  }

  /// The chunks' addresses, where pointers can find them.
  private final class Directory {
    let addresses: UnsafePointer<UnsafeMutableRawPointer>

    init(_ chunks: [Chunk]) {
      let addresses = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: max(1, chunks.count))
      for (index, chunk) in chunks.enumerated() {
        (addresses + index).initialize(to: chunk.bytes)
      }
      self.addresses = UnsafePointer(addresses)
    }

    deinit {
      addresses.deallocate()
    }
  }
}
