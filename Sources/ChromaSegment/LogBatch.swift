// One batch as the log stores it: the columns of a `RecordBatch`.
//
// Little-endian:
//
//     | "CLB1" | operation: UInt8 | columns: UInt8 | row count: UInt32 |
//     | id byte counts: UInt32 × rows | ids |
//     | embeddings, if given: dimension: UInt32 | presence bits, if partial |
//                             Float32 × dimension × rows present |
//     | documents, if given: presence bits | byte counts: UInt32 × present | texts |
//     | uris, if given: as documents |
//     | metadata changes, if given: presence bits | for each present: entry count: UInt32 | entries |
//     | CRC-32C of all before: UInt32 |
//
// Invariants:
//   * Equal batches encode to equal bytes.
//   * A decoded batch satisfies what the doors check: ids not empty, floats finite, arrays not
//     empty. Damage that the checksum misses still cannot trap what comes after.

package import ChromaBase

package enum LogBatch {
  private static let magic: UInt32 = 0x3142_4C43
  private static let trailerByteCount = 4

  private struct Columns: OptionSet {
    let rawValue: UInt8
    static let embeddings = Columns(rawValue: 1)
    static let partialEmbeddings = Columns(rawValue: 2)
    static let documents = Columns(rawValue: 4)
    static let uris = Columns(rawValue: 8)
    static let metadatas = Columns(rawValue: 16)
    static let all: Columns = [.embeddings, .partialEmbeddings, .documents, .uris, .metadatas]
  }

  // MARK: Encoding

  /// - Throws: `.invalidArgument` if the bytes would exceed `Limits.batchByteCountMax`.
  package static func encode(_ batch: RecordBatch) throws(ChromaError) -> [UInt8] {
    let estimate = byteCountEstimate(of: batch)
    guard estimate <= Limits.batchByteCountMax else {
      throw .invalidArgument(
        "The \(batch.count) records take about \(estimate) bytes, more than the "
          + "\(Limits.batchByteCountMax) bytes of one write. Write them in several calls.")
    }
    var writer = ByteWriter(byteCountExpected: estimate)
    writer.write(magic)
    writer.write(batch.operation.rawValue)
    writer.write(columns(of: batch).rawValue)
    writer.write(UInt32(batch.count))
    writeTexts(batch.ids, to: &writer)
    if let embeddings = batch.embeddings { write(embeddings, to: &writer) }
    if let documents = batch.documents { writeOptionalTexts(documents, to: &writer) }
    if let uris = batch.uris { writeOptionalTexts(uris, to: &writer) }
    if let metadatas = batch.metadatas {
      writer.writeBits(metadatas.lazy.map { $0 != nil })
      for case let change? in metadatas { MetadataCodec.write(change, to: &writer) }
    }
    writer.write(CRC32C.checksum(of: writer.bytes))
    return writer.bytes
  }

  private static func columns(of batch: RecordBatch) -> Columns {
    var columns: Columns = []
    if let embeddings = batch.embeddings {
      columns.insert(.embeddings)
      if embeddings.present != nil { columns.insert(.partialEmbeddings) }
    }
    if batch.documents != nil { columns.insert(.documents) }
    if batch.uris != nil { columns.insert(.uris) }
    if batch.metadatas != nil { columns.insert(.metadatas) }
    return columns
  }

  private static func byteCountEstimate(of batch: RecordBatch) -> Int {
    var total = 64 + 4 * batch.count
    for id in batch.ids { total += id.byteCount }
    total += 4 * (batch.embeddings?.values.count ?? 0)
    for text in batch.documents ?? [] { total += 5 + (text?.byteCount ?? 0) }
    for text in batch.uris ?? [] { total += 5 + (text?.byteCount ?? 0) }
    for case let change? in batch.metadatas ?? [] {
      for entry in change.entries { total += MetadataCodec.byteCount(of: entry) }
    }
    return total
  }

  private static func writeTexts(_ texts: [Text], to writer: inout ByteWriter) {
    for text in texts { writer.write(UInt32(text.byteCount)) }
    for text in texts { text.bytes.withUnsafeBytes { writer.write($0) } }
  }

  private static func writeOptionalTexts(_ texts: [Text?], to writer: inout ByteWriter) {
    writer.writeBits(texts.lazy.map { $0 != nil })
    writeTexts(texts.compactMap { $0 }, to: &writer)
  }

  private static func write(_ column: VectorColumn, to writer: inout ByteWriter) {
    writer.write(UInt32(column.dimension))
    guard let present = column.present else {
      column.values.withUnsafeBytes { writer.write($0) }
      return
    }
    writer.writeBits(present)
    column.values.withUnsafeBytes { raw in
      let rowByteCount = 4 * column.dimension
      for row in present.indices where present[row] {
        writer.write(
          UnsafeRawBufferPointer(rebasing: raw[row * rowByteCount..<(row + 1) * rowByteCount]))
      }
    }
  }

  // MARK: Decoding

  /// - Throws: `.corruption` naming the source if the bytes are not a batch.
  package static func decode(_ bytes: [UInt8], source: String) throws(ChromaError) -> RecordBatch {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      try decode(UnsafeRawBufferPointer(buffer), source: source)
    }
  }

  private static func decode(
    _ raw: UnsafeRawBufferPointer, source: String
  ) throws(ChromaError) -> RecordBatch {
    guard raw.count > trailerByteCount else {
      throw .corruption("The \(source) is damaged: it has only \(raw.count) bytes.")
    }
    let body = UnsafeRawBufferPointer(rebasing: raw[..<(raw.count - trailerByteCount)])
    var trailer = ByteReader(
      UnsafeRawBufferPointer(rebasing: raw[(raw.count - trailerByteCount)...]), source: source)
    guard try trailer.readUInt32() == CRC32C.checksum(of: body) else {
      throw .corruption("The \(source) is damaged: its checksum does not hold.")
    }

    var reader = ByteReader(body, source: source)
    guard try reader.readUInt32() == magic else { throw reader.damage("it is no batch") }
    guard let operation = Operation(rawValue: try reader.readUInt8()) else {
      throw reader.damage("the operation is unknown")
    }
    let columns = Columns(rawValue: try reader.readUInt8())
    guard columns.isSubset(of: .all) else { throw reader.damage("a column is unknown") }
    let count = try reader.readCount(itemByteCountMin: 4)

    let ids = try readTexts(count: count, from: &reader)
    guard !ids.contains(where: \.isEmpty) else { throw reader.damage("an id is empty") }
    let embeddings =
      columns.contains(.embeddings)
      ? try readVectors(
        count: count, isPartial: columns.contains(.partialEmbeddings), from: &reader) : nil
    let documents =
      columns.contains(.documents) ? try readOptionalTexts(count: count, from: &reader) : nil
    let uris = columns.contains(.uris) ? try readOptionalTexts(count: count, from: &reader) : nil
    let metadatas =
      columns.contains(.metadatas) ? try readMetadatas(count: count, from: &reader) : nil
    try reader.expectEnd()
    return RecordBatch(
      operation: operation, ids: ids, embeddings: embeddings, documents: documents, uris: uris,
      metadatas: metadatas)
  }

  private static func readTexts(
    count: Int, from reader: inout ByteReader
  ) throws(ChromaError) -> [Text] {
    var byteCounts: [Int] = []
    byteCounts.reserveCapacity(count)
    for _ in 0..<count { byteCounts.append(Int(try reader.readUInt32())) }
    var texts: [Text] = []
    texts.reserveCapacity(count)
    for byteCount in byteCounts { texts.append(try reader.readText(byteCount: byteCount)) }
    return texts
  }

  private static func readOptionalTexts(
    count: Int, from reader: inout ByteReader
  ) throws(ChromaError) -> [Text?] {
    let present = try reader.readBits(count: count)
    let presentCount = present.count { $0 }
    guard presentCount <= reader.remainingByteCount / 4 else {
      throw reader.damage("\(presentCount) texts do not fit")
    }
    var texts = try readTexts(count: presentCount, from: &reader).makeIterator()
    return present.map { $0 ? texts.next() : nil }
  }

  private static func readVectors(
    count: Int, isPartial: Bool, from reader: inout ByteReader
  ) throws(ChromaError) -> VectorColumn {
    let dimension = Int(try reader.readUInt32())
    guard (1...Limits.dimensionMax).contains(dimension) else {
      throw reader.damage("the dimension is \(dimension)")
    }
    let present = isPartial ? try reader.readBits(count: count) : nil
    let storedCount = present?.count { $0 } ?? count
    // Row counts and dimensions are 32-bit: the product fits 64 bits.
    let raw = try reader.read(byteCount: storedCount * dimension * 4)
    var values = [Float](repeating: 0, count: count * dimension)
    values.withUnsafeMutableBytes { target in
      let rowByteCount = dimension * 4
      var storedRow = 0
      for row in 0..<count where present?[row] ?? true {
        let source = raw[storedRow * rowByteCount..<(storedRow + 1) * rowByteCount]
        UnsafeMutableRawBufferPointer(
          rebasing: target[row * rowByteCount..<(row + 1) * rowByteCount]
        )
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
        storedRow += 1
      }
    }
    guard values.allSatisfy(\.isFinite) else { throw reader.damage("a vector is not finite") }
    return VectorColumn(dimension: dimension, values: values, present: present)
  }

  private static func readMetadatas(
    count: Int, from reader: inout ByteReader
  ) throws(ChromaError) -> [MetadataChange?] {
    var metadatas: [MetadataChange?] = []
    metadatas.reserveCapacity(count)
    for isPresent in try reader.readBits(count: count) {
      metadatas.append(isPresent ? try MetadataCodec.readChange(from: &reader) : nil)
    }
    return metadatas
  }
}
