// The vectors of a collection by slot: an address for each.
//
// A row stands either in memory of the table's own, copied there by `set`, or in foreign memory that
// somebody else keeps, `attach`ed: the mapped vectors of a segment. Both look as `VectorType` has it.
// Rows of its own stand in chunks, each one allocation of `strideByteCount` a row.
//
// Invariants:
//   * Rows of its own start at multiples of 64 bytes.
//   * Chunks never move: an address holds until its slot is set, attached or cleared.
//   * Only the first chunks are small: ten thousand collections of ten records must not cost a full
//     one each.
//   * A slot that holds nothing reads as zeros, not as old memory.
//   * The inverse norms are there in cosine space only.

package import ChromaBase
internal import ChromaKernels
import Glibc

/// Vectors of one dimension by slot: a dense number that the engine hands out, and out again.
///
/// Which slots hold a live record is the engine's to know. Any number of threads may read at once,
/// or one may write, which is for the engine's lock to see to; addresses hold until the next write.
package final class VectorTable {
  package let dimension: Int
  package let space: Space
  /// What the elements of rows are.
  package let type: VectorType
  /// Where the rows stand. Whoever measures many copies it out once: each look at a property of a
  /// class costs the check that nobody is writing it.
  private(set) var layout: Layout
  /// Slots whose row is this table's alone: it may be written, and used again.
  private var owned = Bitset()
  private let memory: Memory
  /// Rows that were this table's and are not needed any more.
  private var freeRows: [UnsafeMutableRawPointer] = []
  /// Rows that nobody had yet: the rest of the last chunk.
  private var freshRows: UnsafeMutableRawPointer?
  private var freshRowCount = 0
  /// Bytes allocated for vectors, for this table and its copies.
  package var byteCount: Int { memory.byteCount }

  /// Bytes from one row to the next: whole cache lines.
  private let strideByteCount: Int

  /// Bytes that a chunk's rows may take, unless a single row takes more.
  private static let chunkByteCountMax = 1 << 20
  /// Rows of the first chunk; each chunk has as many as all before it, up to the largest.
  private static let firstRowCount = 16
  private static let lineByteCount = 64

  /// - Parameter dimension: 1 to `Limits.dimensionMax`.
  package init(
    dimension: Int, space: Space, type: VectorType = .f32
  ) throws(ChromaError) {
    precondition((1...Limits.dimensionMax).contains(dimension))
    self.dimension = dimension
    self.space = space
    self.type = type
    let lineCount =
      (type.rowByteCount(dimension: dimension) + Self.lineByteCount - 1) / Self.lineByteCount
    strideByteCount = lineCount * Self.lineByteCount
    let zeros = try Self.allocate(byteCount: strideByteCount, held: 0)
    memory = Memory(zeros)
    layout = Layout(zeros: UnsafeRawPointer(zeros))
  }

  private init(copying table: VectorTable) {
    dimension = table.dimension
    space = table.space
    type = table.type
    strideByteCount = table.strideByteCount
    memory = table.memory
    layout = table.layout
    freshRows = table.freshRows
    freshRowCount = table.freshRowCount
  }

  /// A table that holds the same and changes alone. It shares the rows that are there, and never
  /// writes to them; those that it replaces stay until both are gone. Of a table and its copies only
  /// the newest may be changed.
  package func copy() -> VectorTable {
    VectorTable(copying: self)
  }

  /// Makes room for this many slots at once, where many follow.
  package func reserve(slotCount: Int) {
    layout.rows.reserveCapacity(slotCount)
    if space == .cosine { layout.inverseNorms.reserveCapacity(slotCount) }
  }

  /// Copies `row`, which stands outside the table, to `slot`. Makes room for all slots up to it.
  ///
  /// - Parameter row: elements that the table's type holds as they are.
  /// - Throws: `ChromaError.resourceExhausted` when there is no memory, `.corruption` where an
  ///   element is too large for the type, which may cost the slot its row.
  package func set(
    _ slot: UInt32, to row: UnsafeBufferPointer<Float>
  ) throws(ChromaError) {
    precondition(row.count == dimension)
    let isOwned = owned.contains(slot)
    let target =
      isOwned ? UnsafeMutableRawPointer(mutating: layout.row(slot)) : try takeRow()
    if let index = type.encode(row, into: target) {
      if isOwned { clear(slot) } else { freeRows.append(target) }
      throw .corruption(
        "Element \(index) of a vector is \(row[index]), which \(type.rawValue) does not hold.")
    }
    owned.insert(slot)
    layout.extend(to: slot, hasNorms: space == .cosine)
    layout.rows[Int(slot)] = UnsafeRawPointer(target)
    if space == .cosine { layout.inverseNorms[Int(slot)] = Norm(of: row).inverse }
  }

  /// Lets the slot stand for a row in memory that outlives the table.
  ///
  /// - Parameters:
  ///   - row: of the table's dimension and type; of `f32`, aligned as floats are.
  ///   - inverseNorm: what `inverseNorm(of:)` says of the row; ignored unless in cosine space.
  package func attach(_ slot: UInt32, to row: UnsafeRawPointer, inverseNorm: Float) {
    clear(slot)
    layout.extend(to: slot, hasNorms: space == .cosine)
    layout.rows[Int(slot)] = row
    if space == .cosine { layout.inverseNorms[Int(slot)] = inverseNorm }
  }

  /// Forgets the slot's row.
  package func clear(_ slot: UInt32) {
    guard Int(slot) < layout.rows.count else { return }
    if owned.remove(slot) {
      freeRows.append(UnsafeMutableRawPointer(mutating: layout.rows[Int(slot)]))
    }
    layout.rows[Int(slot)] = layout.zeros
  }

  /// Calls the body with the elements of a slot's row, which live as long as the call.
  package func withRow<Result, Failure: Error>(
    _ slot: UInt32, _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try type.withElements(layout.row(slot), dimension: dimension, body)
  }

  /// The factor that makes a product with the slot's row a cosine. In cosine space only.
  package func inverseNorm(_ slot: UInt32) -> Float {
    layout.inverseNorm(slot)
  }

  /// The factor that makes a product with a row a cosine: what segments store beside it.
  package static func inverseNorm(of row: UnsafeBufferPointer<Float>) -> Float {
    Norm(of: row).inverse
  }

  private func takeRow() throws(ChromaError) -> UnsafeMutableRawPointer {
    if let row = freeRows.popLast() { return row }
    if let row = freshRows, freshRowCount > 0 {
      freshRows = row + strideByteCount
      freshRowCount -= 1
      return row
    }
    let rowCountMax = max(1, Self.chunkByteCountMax / strideByteCount)
    let rowCount = min(rowCountMax, max(Self.firstRowCount, byteCount / strideByteCount))
    let chunk = try Self.allocate(byteCount: rowCount * strideByteCount, held: byteCount)
    memory.add(chunk, byteCount: rowCount * strideByteCount)
    freshRows = chunk + strideByteCount
    freshRowCount = rowCount - 1
    return chunk
  }

  private static func allocate(
    byteCount: Int, held: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, lineByteCount, byteCount) == 0, let address else {
      throw ChromaError(
        .resourceExhausted,
        "There is no memory for \(byteCount) more bytes of vectors; \(held) are held.")
    }
    memset(address, 0, byteCount)
    return address
  }
}

extension VectorTable {
  /// From slots to addresses. Traps on a slot without room: past it lies foreign memory.
  struct Layout {
    /// What slots without a row read as.
    let zeros: UnsafeRawPointer
    var rows: [UnsafeRawPointer] = []
    var inverseNorms: [Float] = []

    @inline(__always)
    func row(_ slot: UInt32) -> UnsafeRawPointer {
      rows[Int(slot)]
    }

    /// What `Norm.inverse` says of a slot's row. In cosine space only.
    @inline(__always)
    func inverseNorm(_ slot: UInt32) -> Float {
      inverseNorms[Int(slot)]
    }

    mutating func extend(to slot: UInt32, hasNorms: Bool) {
      let missing = Int(slot) + 1 - rows.count
      guard missing > 0 else { return }
      rows.append(contentsOf: repeatElement(zeros, count: missing))
      if hasNorms { inverseNorms.append(contentsOf: repeatElement(0, count: missing)) }
    }
  }
}

extension VectorTable {
  /// The chunks of a table and its copies. Changed by whoever may change the newest of them.
  private final class Memory {
    private(set) var byteCount = 0
    private var chunks: [UnsafeMutableRawPointer] = []
    private let zeros: UnsafeMutableRawPointer

    init(_ zeros: UnsafeMutableRawPointer) {
      self.zeros = zeros
    }

    deinit {
      for chunk in chunks { free(chunk) }
      free(zeros)
    }

    func add(_ chunk: UnsafeMutableRawPointer, byteCount: Int) {
      chunks.append(chunk)
      self.byteCount += byteCount
    }
  }
}
