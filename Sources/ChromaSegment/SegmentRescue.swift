// A damaged segment, row by row, as far as it can be read.
//
// A block of the blob whose checksum does not hold costs what stands in it: vectors, or ids, or a part
// of an index, and with it the rows that cannot do without, or only their documents or metadata.
// Directory and trailer have a checksum of their own, so that damage elsewhere in their block does no
// harm.

package import ChromaBase
internal import ChromaKernels
package import ChromaStorage

package struct SegmentRescue {
  package let rowCount: Int
  package let dimension: Int
  package let space: Space
  package let vectorShape: VectorRowShape
  package let description: SegmentDescription
  /// Whether every byte is what was written: then the payload is a segment as it is.
  package let isWhole: Bool

  private let payload: SegmentPayload
  private let vectors: SegmentBytes
  private let orders: IntegerColumn?
  private let slots: IntegerColumn?
  private let vectorDelays: IntegerColumn?
  private let idEnds: IntegerColumn
  private let idTexts: SegmentBytes
  private let documents: DocumentBlocks?
  private let uris: (column: TextColumn, texts: SegmentBytes)?
  private let metadatas: MetadataColumns?
  /// Rows are read one after another, and share blocks.
  private let lastBlock = LastBlock()

  private final class LastBlock {
    var content: (number: Int, contents: DocumentBlock)?
  }

  /// Columns that are there and cannot be read at all.
  private let lostColumns: Set<RescuedRecord.Field>

  /// - Parameter rescue: Said to be whole, if the segment's own checksums say so.
  /// - Throws: `.corruption` if it is not known what stands where, or the ids of all rows are lost;
  ///   `.unsupportedFormat`, `.resourceExhausted`.
  package init(_ rescue: BlobRescue, source: String) throws(ChromaError) {
    try self.init(rescue.payload, damagedBlocks: rescue.damagedBlocks, source: source)
  }

  /// A segment that stood in the catalog, intact.
  package init(inline bytes: [UInt8], source: String) throws(ChromaError) {
    try self.init(bytes, damagedBlocks: Bitset(), source: source)
  }

  private init(
    _ bytes: [UInt8], damagedBlocks: Bitset, source: String
  ) throws(ChromaError) {
    let raw = try SegmentPayload(copying: bytes, source: source)
    let trailer = try SegmentTrailer(of: raw)
    isWhole = (try? trailer.verifySections(of: raw)) != nil
    payload =
      isWhole
      ? raw : try SegmentPayload(copying: bytes, source: source, damagedBlocks: damagedBlocks)
    let payload = payload
    let sections = try trailer.sections(of: payload)
    rowCount = trailer.rowCount
    dimension = trailer.dimension
    space = trailer.space
    description = (try? trailer.description(sections, of: payload)) ?? trailer.description
    vectorShape = try trailer.vectorShape(sections, of: payload)
    vectors = try trailer.vectors(vectorShape, sections, of: payload)
    (orders, slots) = Self.rows(sections[.rows], rowCount: trailer.rowCount)
    vectorDelays = sections[.vectorPositions].flatMap { section in
      var cursor = SegmentCursor(section)
      return try? IntegerColumn(count: trailer.rowCount, from: &cursor)
    }
    var cursor = SegmentCursor(try trailer.section(.idIndex, sections, of: payload))
    idEnds = try IntegerColumn(count: trailer.rowCount, from: &cursor)
    idTexts = try trailer.section(.idTexts, sections, of: payload)
    var lost: Set<RescuedRecord.Field> = []
    let texts = Self.texts(trailer, sections)
    documents = texts.documents
    uris = texts.uris
    if sections[.documentIndex] != nil, documents == nil { lost.insert(.document) }
    if sections[.uriIndex] != nil, uris == nil { lost.insert(.uri) }
    metadatas = (try? trailer.metadata(sections)) ?? nil
    if sections[.metadataIndex] != nil, metadatas == nil { lost.insert(.metadata) }
    lostColumns = lost
  }

  private static func rows(
    _ section: SegmentBytes?, rowCount: Int
  ) -> (orders: IntegerColumn?, slots: IntegerColumn?) {
    guard let section else { return (nil, nil) }
    var cursor = SegmentCursor(section)
    guard let orders = try? IntegerColumn(count: rowCount, from: &cursor) else { return (nil, nil) }
    return (orders, try? IntegerColumn(count: rowCount, from: &cursor))
  }

  private static func texts(
    _ trailer: SegmentTrailer, _ sections: SegmentTrailer.Sections
  ) -> (documents: DocumentBlocks?, uris: (column: TextColumn, texts: SegmentBytes)?) {
    // Each for itself: damage to one must not cost the other.
    var documents = sections
    documents[.uriIndex] = nil
    var uris = sections
    uris[.documentIndex] = nil
    return ((try? trailer.texts(documents))?.documents, (try? trailer.texts(uris))?.uris)
  }

  /// A row's order; nil if it cannot be read.
  package func order(_ row: Int) -> Int64? {
    guard let order = try? orders?.value(row), order >= 1 else { return nil }
    return order
  }

  /// A row's slot; nil if it cannot be read.
  package func slot(_ row: Int) -> UInt32? {
    (try? slots?.value(row)).flatMap { UInt32(exactly: $0) }
  }

  /// The position of a row's vector; its order if that cannot be read.
  private func vectorPosition(_ row: Int) -> Int64? {
    guard let order = order(row) else { return nil }
    guard let delay = try? vectorDelays?.value(row), (0...Int64.max - order).contains(delay) else {
      return order
    }
    return order + delay
  }

  /// A row's id; nil if it cannot be read.
  package func id(_ row: Int) -> Text? {
    guard let bounds = try? idEnds.bounds(row, limit: idTexts.count), bounds.start < bounds.end
    else { return nil }
    return try? idTexts.text(from: bounds.start, to: bounds.end)
  }

  /// A row, with what of it can be read; nil if its id or vector cannot.
  package func record(_ row: Int) -> RescuedRecord? {
    guard let id = id(row), let vector = vector(row) else { return nil }
    var record = RescuedRecord(
      id: id, order: order(row), vectorPosition: vectorPosition(row), vector: vector)
    record.lostFields = lostColumns
    do { record.document = try document(row) } catch { record.lostFields.insert(.document) }
    do { record.uri = try uri(row) } catch { record.lostFields.insert(.uri) }
    do { record.metadata = try metadatas?.metadata(row, keys: nil) } catch {
      record.lostFields.insert(.metadata)
    }
    return record
  }

  private func vector(_ row: Int) -> [Float]? {
    let offset = vectorShape.strideByteCount * row
    guard let raw = try? vectors.bytes(from: offset, count: vectorShape.rowByteCount),
      let bytes = raw.baseAddress
    else { return nil }
    let vector = vectorShape.type.withElements(bytes, dimension: dimension) { Array($0) }
    return vector.allSatisfy(\.isFinite) ? vector : nil
  }

  private func document(_ row: Int) throws(ChromaError) -> Text? {
    guard let documents, try documents.texts.hasText(row) else { return nil }
    let (start, end) = try documents.texts.ends.bounds(row, limit: .max)
    if start == end { return "" }
    let block = try documents.block(of: row)
    let contents: DocumentBlock
    if let last = lastBlock.content, last.number == block {
      contents = last.contents
    } else {
      contents = try documents.contents(of: block, Decompressor())
      lastBlock.content = (block, contents)
    }
    let first = contents.start
    guard first <= start, end - first <= contents.bytes.count,
      let text = Text(validating: Array(contents.bytes[(start - first)..<(end - first)]))
    else { throw payload.damage("the document of row \(row) is not in its block", at: 0) }
    return text
  }

  private func uri(_ row: Int) throws(ChromaError) -> Text? {
    guard let uris, try uris.column.hasText(row) else { return nil }
    let bounds = try uris.column.ends.bounds(row, limit: uris.texts.count)
    return try uris.texts.text(from: bounds.start, to: bounds.end)
  }
}

/// A record that was read out of a damaged segment.
package struct RescuedRecord: Sendable {
  package enum Field: String, Sendable {
    case document, uri, metadata
  }

  package let id: Text
  /// Nil if it could not be read.
  package var order: Int64?
  /// At or after the order; nil with it.
  package let vectorPosition: Int64?
  package let vector: [Float]
  package var slot: UInt32 = 0
  package var document: Text?
  package var uri: Text?
  package var metadata: Metadata?
  /// What could not be read, and is left out.
  package var lostFields: Set<Field> = []

  init(id: Text, order: Int64?, vectorPosition: Int64?, vector: [Float]) {
    self.id = id
    self.order = order
    self.vectorPosition = vectorPosition
    self.vector = vector
  }
}

/// Rescued records as a new segment. Orders and slots were given to all, and orders ascend.
package struct RescuedRecords: SegmentSource {
  private let records: [RescuedRecord]
  package let dimension: Int
  package let space: Space
  package let vectorType: VectorType
  private let inverseNorm: @Sendable ([Float]) -> Float

  /// - Parameter inverseNorm: Of a vector, in cosine space.
  package init(
    _ records: [RescuedRecord], dimension: Int, space: Space, vectorType: VectorType,
    inverseNorm: @escaping @Sendable ([Float]) -> Float
  ) {
    self.records = records
    self.dimension = dimension
    self.space = space
    self.vectorType = vectorType
    self.inverseNorm = inverseNorm
  }

  package var rowCount: Int { records.count }
  package func id(_ row: Int) throws(ChromaError) -> Text { records[row].id }
  package func order(_ row: Int) -> Int64 { records[row].order ?? 0 }
  /// A repair may have given a record another order, behind its vector's position.
  package func vectorPosition(_ row: Int) -> Int64 {
    max(records[row].vectorPosition ?? 0, order(row))
  }
  package func slot(_ row: Int) -> UInt32 { records[row].slot }
  package func inverseNorm(_ row: Int) -> Float { inverseNorm(records[row].vector) }
  package func document(_ row: Int) throws(ChromaError) -> Text? { records[row].document }
  package func uri(_ row: Int) throws(ChromaError) -> Text? { records[row].uri }
  package func metadata(_ row: Int) throws(ChromaError) -> Metadata? { records[row].metadata }

  package func withVector(
    _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    try records[row].vector.withUnsafeBufferPointer { (vector) throws(ChromaError) in
      try body(vector)
    }
  }
}
