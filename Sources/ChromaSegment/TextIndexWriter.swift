// Writes the text index of a segment. `TextIndex.swift` has the bytes.

internal import ChromaBase

/// Takes the documents of a segment's rows in their order, and writes each chunk once it is full.
struct TextIndexWriter: ~Copyable {
  private var builder = TextIndexBuilder()
  private var lists = RowListWriter()
  private var entries: [UInt64] = []
  private var table = ByteWriter()
  private var chunkCount = 0
  private let cancel: CancelToken?

  init(cancel: CancelToken?) {
    self.cancel = cancel
  }

  mutating func append(_ document: Text?, to sink: SegmentSink) throws(ChromaError) {
    if builder.isFull(before: document) { try writeChunk(to: sink) }
    builder.append(document)
  }

  mutating func finish(to sink: SegmentSink) throws(ChromaError) {
    try writeChunk(to: sink)
    table.write(UInt32(chunkCount))
    try sink.append(table.bytes)
  }

  private mutating func writeChunk(to sink: SegmentSink) throws(ChromaError) {
    try cancel?.check()
    builder.sort()
    encodeLists()
    try entries.withUnsafeBufferPointer { (entries) throws(ChromaError) in
      try sink.append(UnsafeRawBufferPointer(entries))
    }
    try sink.append(lists.bytes)
    table.write(UInt32(builder.rowCount))
    table.write(UInt32(entries.count))
    table.write(UInt32(lists.byteCount))
    chunkCount += 1
    builder.removeAll()
  }

  private mutating func encodeLists() {
    entries.removeAll(keepingCapacity: true)
    lists.removeAll()
    builder.pairs.withUnsafeBufferPointer { pairs in
      var start = 0
      while start < pairs.count {
        let gram = pairs[start] >> 16
        var end = start + 1
        while end < pairs.count, pairs[end] >> 16 == gram { end += 1 }
        let lastRow = Int(pairs[end - 1] & 0xFFFF)
        let width = RowListWriter.width(count: end - start, lastRow: lastRow)
        lists.append(count: end - start, width: width, lastRow: lastRow) { index in
          Int(pairs[start + index] & 0xFFFF)
        }
        entries.append(TextIndexEntry(gram, width: width, end: lists.byteCount).bits.littleEndian)
        start = end
      }
    }
  }
}
