// From a directory to columns: what is checked when a segment is opened.

internal import ChromaBase
internal import ChromaStorage

extension SegmentTrailer {
  typealias Sections = [SectionKind: SegmentBytes]

  func section(
    _ kind: SectionKind, _ sections: Sections, of payload: SegmentPayload
  ) throws(ChromaError) -> SegmentBytes {
    guard let section = sections[kind] else {
      throw payload.damage("it has no section of kind \(kind.rawValue)", at: directoryOffset)
    }
    return section
  }

  /// A section of a known length.
  func column(
    _ kind: SectionKind, _ sections: Sections, of payload: SegmentPayload, byteCount: Int
  ) throws(ChromaError) -> SegmentBytes {
    let section = try section(kind, sections, of: payload)
    guard section.count == byteCount else {
      throw section.damage("it has \(section.count) bytes where \(byteCount) are wanted")
    }
    return section
  }

  /// How the vectors stand.
  ///
  /// - Throws: `.corruption`; `.unsupportedFormat` for a type that a newer release may know.
  func vectorShape(
    _ sections: Sections, of payload: SegmentPayload
  ) throws(ChromaError) -> VectorRowShape {
    var type = VectorType.f32
    if let section = sections[.vectorType] {
      var reader = ByteReader(try section.bytes(), source: payload.source)
      let number = try reader.readUInt8()
      try reader.expectEnd()
      guard let known = VectorRowShape.type(number: number) else {
        throw ChromaError(
          .unsupportedFormat,
          "The \(payload.source) has vectors of the type \(number), which this release does not "
            + "know. Use a newer release.")
      }
      type = known
    }
    let shape = VectorRowShape(type: type, dimension: dimension, stride: stride)
    guard shape.isPossible else {
      throw payload.damage("its shape is none that is written", at: directoryOffset)
    }
    return shape
  }

  /// The rows of the vectors, of which the first begins at a multiple of 64 bytes.
  func vectors(
    _ shape: VectorRowShape, _ sections: Sections, of payload: SegmentPayload
  ) throws(ChromaError) -> SegmentBytes {
    let (byteCount, overflow) = rowCount.multipliedReportingOverflow(by: shape.strideByteCount)
    guard !overflow else { throw payload.damage("it has too many rows", at: directoryOffset) }
    let vectors = try column(.vectors, sections, of: payload, byteCount: byteCount)
    guard UInt(bitPattern: vectors.base) % 64 == 0 else {
      throw vectors.damage("the vectors are not aligned")
    }
    return vectors
  }

  /// Compares the bytes before the directory with their checksum.
  func verifySections(of payload: SegmentPayload) throws(ChromaError) {
    let covered = try payload.bytes(from: 0, count: directoryOffset)
    guard CRC32C.checksum(of: covered) == sectionsChecksum else {
      throw payload.damage("the checksum of its sections does not hold", at: 0)
    }
  }

  func description(
    _ sections: Sections, of payload: SegmentPayload
  ) throws(ChromaError) -> SegmentDescription {
    var whole = description
    if let section = sections[.definition] {
      var reader = ByteReader(try section.bytes(), source: payload.source)
      whole.definition = try CollectionDefinition(from: &reader)
    }
    return whole
  }

  /// Orders and slots, read whole: each order above the one before, each slot in 32 bits.
  func rows(
    _ sections: Sections, of payload: SegmentPayload
  ) throws(ChromaError) -> (orders: VerifiedIntegers, slots: VerifiedIntegers) {
    let section = try section(.rows, sections, of: payload)
    var cursor = SegmentCursor(section)
    let orders = try VerifiedIntegers(IntegerColumn(count: rowCount, from: &cursor))
    let slots = try VerifiedIntegers(IntegerColumn(count: rowCount, from: &cursor))
    try cursor.expectEnd()
    var previous: Int64 = 0
    for row in 0..<rowCount {
      let order = orders[row]
      guard order > previous else {
        throw section.damage("row \(row) has the order \(order), the one before \(previous)")
      }
      previous = order
      let slot = slots[row]
      guard slot >= 0, slot <= Int64(UInt32.max) else {
        throw section.damage("row \(row) has the slot \(slot)")
      }
    }
    return (orders, slots)
  }

  /// By how much each vector's position exceeds its row's order, read whole; nil if none does.
  func vectorDelays(
    _ sections: Sections, _ orders: VerifiedIntegers
  ) throws(ChromaError) -> VerifiedIntegers? {
    guard let section = sections[.vectorPositions] else { return nil }
    var cursor = SegmentCursor(section)
    let delays = try VerifiedIntegers(IntegerColumn(count: rowCount, from: &cursor))
    try cursor.expectEnd()
    for row in 0..<rowCount where !(0...Int64.max - orders[row]).contains(delays[row]) {
      throw section.damage(
        "the vector of row \(row), of order \(orders[row]), is \(delays[row]) positions newer")
    }
    return delays
  }

  func texts(
    _ sections: Sections
  ) throws(ChromaError) -> (
    documents: DocumentBlocks?, uris: (column: TextColumn, texts: SegmentBytes)?
  ) {
    var documents: DocumentBlocks?
    if let index = sections[.documentIndex] {
      guard let stored = sections[.documentBlocks] else {
        throw index.damage("the documents that it is for are missing")
      }
      documents = try DocumentBlocks(rowCount: rowCount, index: index, stored: stored)
    }
    guard let index = sections[.uriIndex] else { return (documents, nil) }
    guard let texts = sections[.uriTexts] else {
      throw index.damage("the uris that it is for are missing")
    }
    var cursor = SegmentCursor(index)
    let column = try TextColumn(rowCount: rowCount, from: &cursor)
    try cursor.expectEnd()
    return (documents, (column, texts))
  }

  func textIndex(
    _ sections: Sections, of documents: DocumentBlocks?
  ) throws(ChromaError) -> TextIndex? {
    guard let section = sections[.textIndex] else { return nil }
    guard let documents else {
      throw section.damage("the documents that it is for are missing")
    }
    return try TextIndex(rowCount: rowCount, section, of: documents.texts)
  }

  func metadata(_ sections: Sections) throws(ChromaError) -> MetadataColumns? {
    guard let index = sections[.metadataIndex] else { return nil }
    guard let values = sections[.metadataValues] else {
      throw index.damage("the metadata that it is for is missing")
    }
    return try MetadataColumns(rowCount: rowCount, index: index, values: values)
  }
}
