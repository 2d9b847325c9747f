// A segment that is open: columns read where they stand.
//
// Invariants:
//   * Directory, orders, slots, inverse norms, vector positions and the keys of the metadata were
//     verified when it was opened; everything else is at its first use.
//   * What does not throw reads only what was verified then, and only inside it.

package import ChromaBase
internal import ChromaKernels
package import ChromaStorage
internal import Synchronization

/// An immutable run of records in ascending order. Any thread.
package final class Segment: @unchecked Sendable, SegmentSource {
  // @unchecked: pointers and numbers are set once, and lead to bytes that nobody writes.

  package let rowCount: Int
  package let dimension: Int
  package let space: Space
  /// Without a definition for a segment that stood in the catalog.
  package let description: SegmentDescription
  /// Bytes of the payload.
  package let byteCount: Int
  /// How the rows of the vectors stand, from `vectors` on.
  package let vectorShape: VectorRowShape
  /// The first vector, at a multiple of 64 bytes; the others follow by the shape's stride. To be read
  /// once verified.
  package let vectors: UnsafeRawPointer
  /// Nil where none was written, or what was is damaged.
  package let textIndex: TextIndex?

  let payload: SegmentPayload
  let trailer: SegmentTrailer
  @usableFromInline let orders: VerifiedIntegers
  @usableFromInline let slots: VerifiedIntegers
  /// By how many positions a row's vector is newer than its order; nil if none is.
  @usableFromInline let vectorDelays: VerifiedIntegers?
  /// Nil but in cosine space.
  @usableFromInline let inverseNorms: UnsafePointer<Float>?
  let ids: IDColumn
  let documents: DocumentBlocks?
  let uris: (column: TextColumn, texts: SegmentBytes)?
  let metadatas: MetadataColumns?
  private let valueIndexBytes: SegmentBytes?
  private let vectorBytes: SegmentBytes
  let cache: DocumentBlockCache
  /// Names this segment in the cache.
  let cacheNumber: UInt64
  private let vectorsAreVerified = Atomic(false)

  /// A segment in a blob.
  ///
  /// - Throws: `.corruption` naming the file; `.unsupportedFormat`, `.io`.
  package convenience init(blob: Blob, cache: DocumentBlockCache) throws(ChromaError) {
    try self.init(SegmentPayload(blob), cache: cache)
  }

  /// A segment that stood in the catalog.
  ///
  /// - Parameter source: names it in errors: "segment … of collection …".
  /// - Throws: `.corruption`, `.unsupportedFormat`, `.resourceExhausted`.
  package convenience init(
    inline bytes: [UInt8], source: String, cache: DocumentBlockCache
  ) throws(ChromaError) {
    let payload = try SegmentPayload(copying: bytes, source: source)
    try self.init(payload, cache: cache)
  }

  private init(_ payload: SegmentPayload, cache: DocumentBlockCache) throws(ChromaError) {
    let trailer = try SegmentTrailer(of: payload)
    let sections = try trailer.sections(of: payload)
    // No blob to check its blocks: everything is checked now.
    if payload.blob == nil { try trailer.verifySections(of: payload) }
    self.payload = payload
    self.trailer = trailer
    self.cache = cache
    cacheNumber = cache.nextSegment()
    rowCount = trailer.rowCount
    dimension = trailer.dimension
    space = trailer.space
    byteCount = payload.byteCount
    description = try trailer.description(sections, of: payload)

    vectorShape = try trailer.vectorShape(sections, of: payload)
    vectorBytes = try trailer.vectors(vectorShape, sections, of: payload)
    vectors = vectorBytes.base
    if trailer.space == .cosine {
      let norms = try trailer.column(
        .inverseNorms, sections, of: payload, byteCount: 4 * trailer.rowCount)
      guard Int(bitPattern: norms.base) % 4 == 0 else { throw norms.damage("it is not aligned") }
      _ = try norms.bytes()
      inverseNorms = norms.base.assumingMemoryBound(to: Float.self)
    } else {
      inverseNorms = nil
    }
    (orders, slots) = try trailer.rows(sections, of: payload)
    vectorDelays = try trailer.vectorDelays(sections, orders)
    ids = try IDColumn(
      rowCount: trailer.rowCount, index: trailer.section(.idIndex, sections, of: payload),
      texts: trailer.section(.idTexts, sections, of: payload))
    (documents, uris) = try trailer.texts(sections)
    metadatas = try trailer.metadata(sections)
    valueIndexBytes = sections[.valueIndex]
    do throws(ChromaError) {
      textIndex = try trailer.textIndex(sections, of: documents)
    } catch let error where error.kind == .corruption {
      textIndex = nil
    }
  }

  deinit {
    cache.forget(segment: cacheNumber)
  }

  /// Bytes of memory that its payload takes for good.
  package var memoryByteCount: Int { payload.blob?.memoryByteCount ?? byteCount }

  // MARK: Vectors, orders, slots

  /// The order of a row. Ascends with the rows; from 1.
  @inlinable
  package func order(_ row: Int) -> Int64 {
    orders[row]
  }

  @inlinable
  package func vectorPosition(_ row: Int) -> Int64 {
    guard let vectorDelays else { return orders[row] }
    return orders[row] &+ vectorDelays[row]
  }

  @inlinable
  package func slot(_ row: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: slots[row])
  }

  /// The slot of the first row, where those of the others follow it one by one; otherwise nil.
  package var firstSlotOfRun: UInt32? {
    slots.width == 0 && (slots.step == 1 || rowCount == 1) ? slot(0) : nil
  }

  /// What the row's vector is multiplied with to be of length 1; in cosine space only.
  @inlinable
  package func inverseNorm(_ row: Int) -> Float {
    guard let inverseNorms, UInt(bitPattern: row) < UInt(bitPattern: rowCount) else {
      preconditionFailure("inverse norms are for rows in cosine space")
    }
    return inverseNorms[row]
  }

  /// Makes sure that the vectors of some rows are right, before anybody reads them.
  package func verifyVectors(rows: Range<Int>) throws(ChromaError) {
    if vectorsAreVerified.load(ordering: .acquiring) { return }
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount)
    let strideByteCount = vectorShape.strideByteCount
    _ = try vectorBytes.bytes(
      from: rows.lowerBound * strideByteCount, count: rows.count * strideByteCount)
    if rows.count == rowCount { vectorsAreVerified.store(true, ordering: .releasing) }
  }

  package var vectorType: VectorType { vectorShape.type }

  /// Where a row's vector stands.
  package func vectorRow(_ row: Int) -> UnsafeRawPointer {
    precondition(row >= 0 && row < rowCount)
    return vectors + row * vectorShape.strideByteCount
  }

  /// Whether all vectors are known to be right.
  package var areVectorsVerified: Bool {
    if vectorsAreVerified.load(ordering: .acquiring) { return true }
    let range = vectorBytes.offset..<vectorBytes.offset + vectorBytes.count
    guard payload.blob?.isVerified(range) ?? true else { return false }
    vectorsAreVerified.store(true, ordering: .releasing)
    return true
  }

  package func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    try verifyVectors(rows: row..<row + 1)
    try vectorType.withElements(vectorRow(row), dimension: dimension, body)
  }

  // MARK: Ids, uris, metadata

  /// The row of an id; nil if there is none. Costs a few looks at sorted hashes, and the comparison.
  package func row(of id: Text) throws(ChromaError) -> Int? {
    try ids.row(of: id, hash: IDHash.of(id))
  }

  /// The same, for who looks an id up in many segments.
  package func row(of id: Text, hash: UInt64) throws(ChromaError) -> Int? {
    try ids.row(of: id, hash: hash)
  }

  package func id(_ row: Int) throws(ChromaError) -> Text {
    precondition(row >= 0 && row < rowCount)
    return try ids.id(row)
  }

  package func uri(_ row: Int) throws(ChromaError) -> Text? {
    precondition(row >= 0 && row < rowCount)
    guard let uris, try uris.column.hasText(row) else { return nil }
    let bounds = try uris.column.ends.bounds(row, limit: uris.texts.count)
    return try uris.texts.text(from: bounds.start, to: bounds.end)
  }

  package func metadata(_ row: Int) throws(ChromaError) -> Metadata? {
    try metadata(row, keys: nil)
  }

  /// What a row's metadata says under some keys, few of them; all of it if there are no keys given.
  package func metadata(_ row: Int, keys: [Text]?) throws(ChromaError) -> Metadata? {
    precondition(row >= 0 && row < rowCount)
    return try metadatas?.metadata(row, keys: keys)
  }

  /// The indexes of the metadata; nil if there are none.
  func valueIndexes() throws(ChromaError) -> ValueIndexSection? {
    guard let valueIndexBytes else { return nil }
    return try ValueIndexSection(valueIndexBytes, columnCount: metadatas?.columns.count ?? 0)
  }

  /// The index of a column; nil if it has none, or one that is damaged.
  func valueIndex(_ number: Int, of columns: MetadataColumns) -> ValueIndex? {
    try? valueIndexes()?.index(number, of: columns)
  }
}
