// Metadata in bytes, inside log batches and in the catalog.
//
// Little-endian, one entry after another:
//
//     | key: byte count UInt32, UTF-8 | kind: UInt8 | value |
//
//     kind 0  removed     nothing
//          1  bool        UInt8, 0 or 1
//          2  int         Int64
//          3  float       Float64, finite
//          4  string      byte count UInt32, UTF-8
//          5–8            arrays of 1–4: element count UInt32, at least 1, then the elements

package import ChromaBase

package enum MetadataCodec {
  private enum Kind: UInt8 {
    case removed = 0
    case bool, int, float, string, bools, ints, floats, strings
  }

  /// Bytes that an entry takes, for limits and reservations.
  package static func byteCount(of entry: MetadataChange.Entry) -> Int {
    let head = 5 + entry.key.byteCount
    return switch entry.value {
    case nil: head
    case .bool: head + 1
    case .int, .float: head + 8
    case .string(let text): head + 4 + text.byteCount
    case .bools(let values): head + 4 + values.count
    case .ints(let values): head + 4 + 8 * values.count
    case .floats(let values): head + 4 + 8 * values.count
    case .strings(let values): values.reduce(head + 4) { $0 + 4 + $1.byteCount }
    }
  }

  package static func write(_ change: MetadataChange, to writer: inout ByteWriter) {
    writer.write(UInt32(change.entries.count))
    for entry in change.entries {
      writer.write(entry.key)
      write(entry.value, to: &writer)
    }
  }

  package static func readChange(
    from reader: inout ByteReader
  ) throws(ChromaError) -> MetadataChange {
    let count = try reader.readCount(itemByteCountMin: 5)
    var entries: [MetadataChange.Entry] = []
    entries.reserveCapacity(count)
    for _ in 0..<count {
      entries.append(MetadataChange.Entry(try reader.readText(), try readValue(from: &reader)))
    }
    return MetadataChange(entries)
  }

  /// A whole map in bytes of its own, as the catalog stores a collection's.
  package static func encode(_ metadata: Metadata) -> [UInt8] {
    var writer = ByteWriter()
    write(
      MetadataChange(metadata.entries.map { MetadataChange.Entry($0.key, $0.value) }), to: &writer)
    return writer.bytes
  }

  package static func decode(_ bytes: [UInt8], source: String) throws(ChromaError) -> Metadata {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      var reader = ByteReader(UnsafeRawBufferPointer(buffer), source: source)
      let change = try readChange(from: &reader)
      try reader.expectEnd()
      return Metadata(
        change.entries.compactMap { entry in entry.value.map { .init(entry.key, $0) } })
    }
  }

  private static func write(_ value: MetadataValue?, to writer: inout ByteWriter) {
    switch value {
    case nil:
      writer.write(Kind.removed.rawValue)
    case .bool(let value):
      writer.write(Kind.bool.rawValue)
      writer.write(value ? 1 : 0 as UInt8)
    case .int(let value):
      writer.write(Kind.int.rawValue)
      writer.write(value)
    case .float(let value):
      writer.write(Kind.float.rawValue)
      writer.write(value.bitPattern)
    case .string(let value):
      writer.write(Kind.string.rawValue)
      writer.write(value)
    case .bools(let values):
      writer.write(Kind.bools.rawValue)
      writer.write(UInt32(values.count))
      for value in values { writer.write(value ? 1 : 0 as UInt8) }
    case .ints(let values):
      writer.write(Kind.ints.rawValue)
      writer.write(UInt32(values.count))
      for value in values { writer.write(value) }
    case .floats(let values):
      writer.write(Kind.floats.rawValue)
      writer.write(UInt32(values.count))
      for value in values { writer.write(value.bitPattern) }
    case .strings(let values):
      writer.write(Kind.strings.rawValue)
      writer.write(UInt32(values.count))
      for value in values { writer.write(value) }
    }
  }

  private static func readValue(
    from reader: inout ByteReader
  ) throws(ChromaError) -> MetadataValue? {
    guard let kind = Kind(rawValue: try reader.readUInt8()) else {
      throw reader.damage("the kind of a metadata value is unknown")
    }
    return switch kind {
    case .removed: nil
    case .bool: .bool(try readBool(from: &reader))
    case .int: .int(try readInt(from: &reader))
    case .float: .float(try readFloat(from: &reader))
    case .string: .string(try reader.readText())
    case .bools: .bools(try readArray(from: &reader, itemByteCountMin: 1, readBool))
    case .ints: .ints(try readArray(from: &reader, itemByteCountMin: 8, readInt))
    case .floats: .floats(try readArray(from: &reader, itemByteCountMin: 8, readFloat))
    case .strings: .strings(try readArray(from: &reader, itemByteCountMin: 4, readText))
    }
  }

  private static func readArray<T>(
    from reader: inout ByteReader,
    itemByteCountMin: Int,
    _ readItem: (inout ByteReader) throws(ChromaError) -> T
  ) throws(ChromaError) -> [T] {
    let count = try reader.readCount(itemByteCountMin: itemByteCountMin)
    guard count > 0 else { throw reader.damage("a metadata array is empty") }
    var items: [T] = []
    items.reserveCapacity(count)
    for _ in 0..<count { items.append(try readItem(&reader)) }
    return items
  }

  private static func readBool(from reader: inout ByteReader) throws(ChromaError) -> Bool {
    switch try reader.readUInt8() {
    case 0: return false
    case 1: return true
    case let byte: throw reader.damage("\(byte) is no truth value")
    }
  }

  private static func readInt(from reader: inout ByteReader) throws(ChromaError) -> Int64 {
    Int64(bitPattern: try reader.readUInt64())
  }

  private static func readFloat(from reader: inout ByteReader) throws(ChromaError) -> Double {
    let value = Double(bitPattern: try reader.readUInt64())
    guard value.isFinite else { throw reader.damage("a metadata float is not finite") }
    return value
  }

  private static func readText(from reader: inout ByteReader) throws(ChromaError) -> Text {
    try reader.readText()
  }
}
