// What callers hand in: checked, copied, and turned into the engine's values. Nothing behind this
// file sees a C pointer.

import CChroma
import ChromaBase
import ChromaEngine

/// A struct whose first field is its size as the caller was compiled. Fields that an older caller
/// does not know keep their initial values.
func sized<T>(
  _ pointer: UnsafePointer<T>?, initial: T, _ name: String
) throws(ChromaError) -> T {
  guard let pointer else { throw .invalidArgument("\(name) must not be NULL.") }
  let raw = UnsafeRawPointer(pointer)
  let callerByteCount = raw.loadUnaligned(as: Int.self)
  // 64 KiB: no struct of ours will ever be so large; what says so was not initialised.
  guard (MemoryLayout<Int>.size...65_536).contains(callerByteCount) else {
    throw .invalidArgument(
      "\(name) has struct_size \(callerByteCount). Start it from its INIT macro.")
  }
  var value = initial
  withUnsafeMutableBytes(of: &value) { target in
    target.copyMemory(
      from: UnsafeRawBufferPointer(start: raw, count: min(callerByteCount, target.count)))
  }
  return value
}

/// Writes a sized struct back: no more bytes than the caller knows of.
func store<T>(
  _ value: T, to pointer: UnsafeMutablePointer<T>?, _ name: String
) throws(ChromaError) {
  let target = try required(pointer, name)
  let known = try sized(UnsafePointer(target), initial: value, name)
  let callerByteCount = withUnsafeBytes(of: known) { $0.loadUnaligned(as: Int.self) }
  withUnsafeBytes(of: value) { source in
    // The size field stays the caller's.
    let head = MemoryLayout<Int>.size
    let count = min(callerByteCount, source.count)
    UnsafeMutableRawPointer(target + 0).advanced(by: head).copyMemory(
      from: source.baseAddress! + head, byteCount: count - head)
  }
}

extension chroma_string {
  /// The text, or nil for none.
  func text(_ name: String) throws(ChromaError) -> Text? {
    guard let data else {
      guard length == 0 else {
        throw .invalidArgument("\(name) has length \(length) and no data.")
      }
      return nil
    }
    guard (0...Limits.textByteCountMax).contains(length) else {
      throw .invalidArgument(
        "\(name) of \(UInt(bitPattern: length)) bytes is longer than the \(Limits.textByteCountMax) bytes allowed."
      )
    }
    let bytes = UnsafeRawBufferPointer(start: data, count: length).bindMemory(to: UInt8.self)
    guard let text = Text(validating: bytes) else {
      throw .invalidArgument("\(name) is not valid UTF-8.")
    }
    return text
  }

  func requiredText(_ name: String) throws(ChromaError) -> Text {
    guard let text = try text(name) else { throw .invalidArgument("\(name) must be given.") }
    return text
  }
}

/// Texts that must all be there; nil for NULL.
func texts(
  _ strings: UnsafePointer<chroma_string>?, _ count: Int, _ name: String
) throws(ChromaError) -> [Text]? {
  guard let strings else { return nil }
  try checkCount(count, name)
  var texts: [Text] = []
  texts.reserveCapacity(count)
  for index in 0..<count { texts.append(try strings[index].requiredText(name)) }
  return texts
}

/// Texts that may be missing; nil for NULL.
func optionalTexts(
  _ strings: UnsafePointer<chroma_string>?, _ count: Int, _ name: String
) throws(ChromaError) -> [Text?]? {
  guard let strings else { return nil }
  var texts: [Text?] = []
  texts.reserveCapacity(count)
  for index in 0..<count { texts.append(try strings[index].text(name)) }
  return texts
}

func checkCount(_ count: Int, _ name: String) throws(ChromaError) {
  guard (0...Limits.recordCountMax).contains(count) else {
    throw .invalidArgument(
      "\(name): \(UInt(bitPattern: count)) are more than the \(Limits.recordCountMax) of one call.")
  }
}

extension chroma_vectors {
  /// The vectors, or nil for none.
  func column(present: UnsafePointer<UInt8>?) throws(ChromaError) -> VectorColumn? {
    guard let values else {
      guard count == 0 else { throw .invalidArgument("embeddings has a count and no values.") }
      return nil
    }
    try checkCount(count, "embeddings")
    guard (1...Limits.dimensionMax).contains(dimension) else {
      throw .invalidArgument(
        "Validation error: embeddings: Each embedding must have at least 1 dimension and at most "
          + "\(Limits.dimensionMax), got \(dimension)")
    }
    let stride = row_stride == 0 ? dimension : row_stride
    guard stride >= dimension, stride <= Int.max / 8 / max(count, 1) else {
      throw .invalidArgument("The row stride \(stride) does not fit the dimension \(dimension).")
    }
    let present = present.map { flags in (0..<count).map { flags[$0] != 0 } }
    let elements = [Float](unsafeUninitializedCapacity: count * dimension) { target, filled in
      guard let base = target.baseAddress else { return }
      for row in 0..<count {
        if present?[row] ?? true {
          // By bytes: callers' rows may be unaligned.
          UnsafeMutableRawPointer(base + row * dimension).copyMemory(
            from: UnsafeRawPointer(values).advanced(by: row * stride * 4),
            byteCount: dimension * 4)
        } else {
          (base + row * dimension).initialize(repeating: 0, count: dimension)
        }
      }
      filled = count * dimension
    }
    return VectorColumn(dimension: dimension, values: elements, present: present)
  }
}

extension chroma_metadata {
  /// The entries, or nil where there is no map.
  func change(_ name: String) throws(ChromaError) -> MetadataChange? {
    guard present != 0 else { return nil }
    try checkCount(count, name)
    guard count == 0 || entries != nil else {
      throw .invalidArgument("\(name) has \(count) entries and no data.")
    }
    var converted: [MetadataChange.Entry] = []
    converted.reserveCapacity(count)
    for index in 0..<count { converted.append(try entries[index].entry(name)) }
    return MetadataChange(converted)
  }
}

extension chroma_metadata_entry {
  fileprivate func entry(_ name: String) throws(ChromaError) -> MetadataChange.Entry {
    MetadataChange.Entry(try key.requiredText("A key of \(name)"), try converted(name))
  }

  private func converted(_ name: String) throws(ChromaError) -> MetadataValue? {
    switch Int(kind) {
    case CHROMA_METADATA_NULL: return nil
    case CHROMA_METADATA_BOOL: return .bool(value.boolean != 0)
    case CHROMA_METADATA_INT: return .int(value.integer)
    case CHROMA_METADATA_FLOAT: return .float(value.number)
    case CHROMA_METADATA_STRING:
      return .string(try value.string.requiredText("A value of \(name)"))
    case CHROMA_METADATA_BOOLS:
      return .bools(try array(value.booleans, name).map { $0 != 0 })
    case CHROMA_METADATA_INTS: return .ints(Array(try array(value.integers, name)))
    case CHROMA_METADATA_FLOATS: return .floats(Array(try array(value.numbers, name)))
    case CHROMA_METADATA_STRINGS:
      var strings: [Text] = []
      for string in try array(value.strings, name) {
        strings.append(try string.requiredText("An element of \(name)"))
      }
      return .strings(strings)
    default:
      throw .invalidArgument("\(name) has a value of the unknown kind \(kind).")
    }
  }

  private func array<T>(
    _ elements: UnsafePointer<T>?, _ name: String
  ) throws(ChromaError) -> UnsafeBufferPointer<T> {
    try checkCount(count, name)
    guard count == 0 || elements != nil else {
      throw .invalidArgument("\(name) has an array of \(count) elements and no data.")
    }
    return UnsafeBufferPointer(start: elements, count: count)
  }
}

extension chroma_selection {
  func selection() throws(ChromaError) -> Selection {
    try Selection(
      ids: try texts(ids, id_count, "ids"), whereJSON: try where_json.text("where"),
      whereDocumentJSON: try where_document_json.text("where_document"))
  }
}

/// A count that a caller gave as 64 bits; nil where it stands for all.
func count(orAll value: UInt64) -> Int? {
  value == UInt64.max ? nil : Int(clamping: value)
}
