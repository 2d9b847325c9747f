// Writes segments, section after section, in the order of their kinds.

package import ChromaBase
internal import ChromaKernels
package import ChromaStorage

/// Encodes rows as a segment. Equal rows and descriptions give equal bytes.
package struct SegmentWriter<Source: SegmentSource> {
  private let source: Source
  private let sink: SegmentSink
  private let indexes: SegmentIndexes
  private let metadataByteCountMax: Int
  private let cancel: CancelToken?
  private var rowCount: Int { source.rowCount }

  private init(
    _ source: Source, to sink: SegmentSink, _ indexes: SegmentIndexes,
    metadataByteCountMax: Int = Limits.segmentMetadataByteCountMax, cancel: CancelToken?
  ) {
    precondition((1...Limits.segmentRowCountMax).contains(source.rowCount))
    self.source = source
    self.sink = sink
    self.indexes = indexes
    self.metadataByteCountMax = metadataByteCountMax
    self.cancel = cancel
  }

  /// A segment to stand in the catalog; nil if it takes more bytes than that allows. The definition
  /// of the collection is left out: it stands there too.
  ///
  /// - Throws: What the source throws; `.cancelled`.
  package static func encode(
    _ source: Source, _ description: SegmentDescription,
    byteCountMax: Int = Limits.inlineSegmentByteCountMax,
    indexes: SegmentIndexes = .all,
    metadataByteCountMax: Int = Limits.segmentMetadataByteCountMax, cancel: CancelToken? = nil
  ) throws(ChromaError) -> [UInt8]? {
    let sink = SegmentSink(.memory(byteCountMax: byteCountMax))
    do throws(ChromaError) {
      try SegmentWriter(
        source, to: sink, indexes, metadataByteCountMax: metadataByteCountMax, cancel: cancel
      ).run(description)
    } catch {
      if sink.isFull { return nil }
      throw error
    }
    return sink.bytes
  }

  /// Appends a segment to a blob, which holds nothing else; finishing it is the caller's.
  ///
  /// - Throws: What the source throws; `.io`, `.outOfSpace`, `.cancelled`.
  package static func write(
    _ source: Source, _ description: SegmentDescription, to blob: BlobWriter,
    indexes: SegmentIndexes = .all, cancel: CancelToken? = nil
  ) throws(ChromaError) {
    precondition(blob.byteCount == 0)
    let sink = SegmentSink(.blob(blob))
    try SegmentWriter(source, to: sink, indexes, cancel: cancel).run(description)
  }

  private func run(_ description: SegmentDescription) throws(ChromaError) {
    let isInline = sink.alignmentShift == 0
    let shape = VectorRowShape(
      type: source.vectorType, dimension: source.dimension, isInline: isInline)
    try writeVectors(shape)
    if source.space == .cosine { try writeInverseNorms() }
    try writeRows()
    try writeIDs()
    let hasDocuments = try writeDocuments()
    try writeURIs()
    var metadata = try writeMetadata()
    if !isInline, let definition = description.definition {
      try sink.begin(.definition)
      try sink.append(definition.encoded())
    }
    try writeVectorPositions()
    if let number = VectorRowShape.number(of: source.vectorType) {
      try sink.begin(.vectorType)
      try sink.append([number])
    }
    try metadata.writeIndexes(to: sink, readMetadata)
    if hasDocuments { try writeTextIndex() }
    sink.end()
    var trailer = SegmentTrailer(
      rowCount: rowCount, dimension: source.dimension, stride: shape.stride, space: source.space,
      alignmentShift: sink.alignmentShift, description: description)
    trailer.sectionsChecksum = sink.checksum
    trailer.directoryOffset = sink.byteCount
    trailer.entries = sink.entries
    try sink.append(trailer.encoded())
  }

  /// Calls the body for each row, and looks at the cancel token now and then.
  private func forEachRow(_ body: (Int) throws(ChromaError) -> Void) throws(ChromaError) {
    for row in 0..<rowCount {
      if row % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      try body(row)
    }
  }

  // MARK: Vectors, orders, slots

  private func writeVectors(_ shape: VectorRowShape) throws(ChromaError) {
    try sink.begin(.vectors)
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: shape.strideByteCount, alignment: 64)
    defer { bytes.deallocate() }
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    guard let target = bytes.baseAddress else { return }
    try forEachRow { (row) throws(ChromaError) in
      try source.withVector(row) { (vector) throws(ChromaError) in
        guard vector.count == shape.dimension else {
          throw .corruption(
            "A record of a collection of \(shape.dimension) dimensions has a vector of "
              + "\(vector.count).")
        }
        if let index = shape.type.encode(vector, into: target) {
          throw .corruption(
            "Element \(index) of a vector is \(vector[index]), which \(shape.type.rawValue) does "
              + "not hold.")
        }
      }
      try sink.append(UnsafeRawBufferPointer(bytes))
    }
  }

  private func writeInverseNorms() throws(ChromaError) {
    try sink.begin(.inverseNorms)
    var writer = ByteWriter(byteCountExpected: 4 * rowCount)
    for row in 0..<rowCount { writer.write(source.inverseNorm(row).bitPattern) }
    try sink.append(writer.bytes)
  }

  private func writeRows() throws(ChromaError) {
    try sink.begin(.rows)
    var writer = ByteWriter()
    let orders = (0..<rowCount).map { source.order($0) }
    // Segments that overlap, which a damaged catalog may name, must not become one that looks right.
    for row in 1..<max(rowCount, 1) where orders[row] <= orders[row - 1] {
      throw .corruption(
        "Two records have the orders \(orders[row - 1]) and \(orders[row]), which must ascend.")
    }
    writer.writeIntegers(orders)
    writer.writeIntegers((0..<rowCount).map { Int64(source.slot($0)) })
    try sink.append(writer.bytes)
  }

  private func writeVectorPositions() throws(ChromaError) {
    let delays = (0..<rowCount).map { source.vectorPosition($0) &- source.order($0) }
    guard delays.contains(where: { $0 != 0 }) else { return }
    try sink.begin(.vectorPositions)
    var writer = ByteWriter()
    writer.writeIntegers(delays)
    try sink.append(writer.bytes)
  }

  // MARK: Ids

  private func writeIDs() throws(ChromaError) {
    try sink.begin(.idTexts)
    var ends: [Int64] = []
    var hashes: [UInt64] = []
    ends.reserveCapacity(rowCount)
    hashes.reserveCapacity(rowCount)
    var end: Int64 = 0
    try forEachRow { (row) throws(ChromaError) in
      let id = try source.id(row)
      try sink.append(id.bytes)
      end += Int64(id.byteCount)
      ends.append(end)
      hashes.append(IDHash.of(id))
    }
    var order = IDOrder(hashes)
    try order.resolveTies { (row) throws(ChromaError) in try source.id(row) }
    try sink.begin(.idIndex)
    var writer = ByteWriter(byteCountExpected: 16 * rowCount)
    writer.writeIntegers(ends)
    order.write(to: &writer)
    try sink.append(writer.bytes)
  }

  // MARK: Texts

  /// Returns whether a row has a document.
  private func writeDocuments() throws(ChromaError) -> Bool {
    var column = TextColumnBuilder(rowCount: rowCount)
    var blocks = DocumentBlockBuilder()
    try forEachRow { (row) throws(ChromaError) in
      let document = try source.document(row)
      if document != nil, !column.hasTexts { try sink.begin(.documentBlocks) }
      column.append(document)
      if let document { try blocks.append(document, to: sink) }
      blocks.endRow(row)
    }
    guard column.hasTexts else { return false }
    try blocks.finish(to: sink)
    try sink.begin(.documentIndex)
    var writer = column.index()
    blocks.writeIndex(to: &writer)
    try sink.append(writer.bytes)
    return true
  }

  /// Reads the documents once more: held until this section, what is written here would take as much
  /// memory as they do.
  private func writeTextIndex() throws(ChromaError) {
    guard indexes.hasTextIndex, rowCount >= indexes.rowCountMin else { return }
    try sink.begin(.textIndex)
    var writer = TextIndexWriter(cancel: cancel)
    try forEachRow { (row) throws(ChromaError) in
      try writer.append(try source.document(row), to: sink)
    }
    try writer.finish(to: sink)
  }

  private func writeURIs() throws(ChromaError) {
    var column = TextColumnBuilder(rowCount: rowCount)
    try forEachRow { (row) throws(ChromaError) in
      let uri = try source.uri(row)
      if uri != nil, !column.hasTexts { try sink.begin(.uriTexts) }
      column.append(uri)
      if let uri { try sink.append(uri.bytes) }
    }
    guard column.hasTexts else { return }
    try sink.begin(.uriIndex)
    try sink.append(column.index().bytes)
  }

  private func writeMetadata() throws(ChromaError) -> MetadataBuilder {
    var builder = MetadataBuilder(indexes, byteCountMax: metadataByteCountMax)
    try forEachRow { (row) throws(ChromaError) in
      builder.append(try source.metadata(row), row: row)
    }
    guard builder.hasEntries else { return builder }
    builder.sortColumns()
    try sink.begin(.metadataValues)
    let index = try builder.writeValues(to: sink, readMetadata)
    try sink.begin(.metadataIndex)
    try sink.append(index)
    return builder
  }

  /// Where metadata is read again, and again.
  private func readMetadata(_ row: Int) throws(ChromaError) -> Metadata? {
    if row % Limits.cancellationRowInterval == 0 { try cancel?.check() }
    return try source.metadata(row)
  }
}
