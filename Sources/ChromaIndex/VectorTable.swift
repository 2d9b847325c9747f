// The vectors of a collection in memory, row by slot.
//
// Rows stand in chunks, each one allocation:
//
//     | row 0 | row 1 | ... | row n−1 | inverse norm 0 | ... | inverse norm n−1 |
//
// A row is `dimension` floats, padded to whole cache lines; n is a power of two, so that a slot
// splits into chunk and row by shift and mask.
//
// Invariants:
//   * Every row starts at a multiple of 64 bytes.
//   * Only the first chunk ever grows, by doubling, until it is as large as the others: ten thousand
//     collections of ten records must not cost a chunk each, and a large one must not be copied.
//   * Chunks are zeroed when allocated: a slot that was never set reads as zeros, not as old memory.
//   * The inverse norms are there in cosine space only.

package import ChromaBase
import Glibc

/// Vectors of one dimension by slot: a dense number that the engine hands out, and out again.
///
/// Which slots hold a live record is the engine's to know. Any number of threads may read at once,
/// or one may write, which is for the engine's lock to see to; pointers into the table hold until
/// the next write.
package final class VectorTable {
  package let dimension: Int
  package let space: Space
  /// Where the rows stand. Whoever measures many copies it out once: each look at a property of a
  /// class costs the check that nobody is writing it.
  private(set) var layout: Layout

  /// Bytes that a chunk's rows may take, unless a single row takes more.
  private static let chunkByteCountMax = 1 << 20
  /// Rows of the first chunk as it starts.
  private static let firstCapacity = 16
  private static let lineByteCount = 64

  /// - Parameter dimension: 1 to `Limits.dimensionMax`.
  package init(dimension: Int, space: Space) {
    precondition((1...Limits.dimensionMax).contains(dimension))
    self.dimension = dimension
    self.space = space
    let floatsPerLine = Self.lineByteCount / MemoryLayout<Float>.stride
    let stride = (dimension + floatsPerLine - 1) / floatsPerLine * floatsPerLine
    let rows = max(1, Self.chunkByteCountMax / (stride * MemoryLayout<Float>.stride))
    layout = Layout(stride: stride, chunkShift: Int.bitWidth - 1 - rows.leadingZeroBitCount)
  }

  deinit {
    for chunk in layout.chunks { free(chunk) }
  }

  /// Bytes allocated for vectors.
  package var byteCount: Int {
    layout.capacity * floatsPerRow * MemoryLayout<Float>.stride
  }

  /// Copies `row`, which stands outside the table, to `slot`. Makes room for all slots up to it.
  ///
  /// - Throws: `ChromaError.resourceExhausted` when there is no memory; the table is as it was.
  package func set(
    _ slot: UInt32, to row: UnsafeBufferPointer<Float>
  ) throws(ChromaError) {
    precondition(row.count == dimension)
    while slot >= layout.capacity { try grow() }
    if let elements = row.baseAddress {
      layout.row(slot).update(from: elements, count: dimension)
    }
    if space == .cosine {
      layout.inverseNorm(slot).pointee = Norm(of: row).inverse
    }
  }

  /// The row of a slot that was set.
  package func row(_ slot: UInt32) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: layout.row(slot), count: dimension)
  }

  private var floatsPerRow: Int { space == .cosine ? layout.stride + 1 : layout.stride }

  private func grow() throws(ChromaError) {
    let full = 1 << layout.chunkShift
    let capacity = layout.capacity
    guard capacity < full else {
      layout.chunks.append(try allocateChunk(rows: full))
      layout.capacity += full
      return
    }
    let rows = min(full, max(Self.firstCapacity, 2 * capacity))
    let chunk = try allocateChunk(rows: rows)
    if let old = layout.chunks.first {
      let stride = layout.stride
      chunk.update(from: old, count: capacity * stride)
      if space == .cosine {
        (chunk + rows * stride).update(from: old + capacity * stride, count: capacity)
      }
      free(old)
    }
    layout.chunks = [chunk]
    layout.capacity = rows
  }

  private func allocateChunk(rows: Int) throws(ChromaError) -> UnsafeMutablePointer<Float> {
    let count = rows * floatsPerRow
    let byteCount = count * MemoryLayout<Float>.stride
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, Self.lineByteCount, byteCount) == 0, let address else {
      throw ChromaError(
        .resourceExhausted,
        "There is no memory for \(byteCount) more bytes of vectors; \(self.byteCount) are held.")
    }
    let floats = address.bindMemory(to: Float.self, capacity: count)
    floats.initialize(repeating: 0, count: count)
    return floats
  }
}

extension VectorTable {
  /// From slots to addresses. Traps on a slot without room: past it lies foreign memory.
  struct Layout {
    /// Floats from one row to the next.
    let stride: Int
    /// A slot's chunk is `slot >> chunkShift`; full chunks hold 1 << chunkShift rows.
    let chunkShift: Int
    var chunks: [UnsafeMutablePointer<Float>] = []
    /// Rows that there is room for: once the first chunk is full-grown, a whole number of chunks.
    var capacity = 0

    @inline(__always)
    func row(_ slot: UInt32) -> UnsafeMutablePointer<Float> {
      let (chunk, index) = place(of: slot)
      return chunk + index * stride
    }

    /// Where what `Norm.inverse` says of a slot's row is kept. In cosine space only.
    @inline(__always)
    func inverseNorm(_ slot: UInt32) -> UnsafeMutablePointer<Float> {
      let (chunk, index) = place(of: slot)
      // All chunks are full-sized, or there is but one, of `capacity` rows.
      let rowsPerChunk = min(capacity, 1 << chunkShift)
      return chunk + rowsPerChunk * stride + index
    }

    @inline(__always)
    private func place(of slot: UInt32) -> (chunk: UnsafeMutablePointer<Float>, index: Int) {
      let slot = Int(slot)
      precondition(slot < capacity)
      return (chunks[slot >> chunkShift], slot & ((1 << chunkShift) - 1))
    }
  }
}
