// Results in C's shape. An arena owns every byte that a view points to and frees them together.

import CChroma
import ChromaBase

/// Not thread-safe while it is filled; afterwards it only is read.
///
/// A record has dozens of keys and values. What they take is cut from large pieces, as an allocation
/// for each cost more than to read it.
final class Arena {
  private static let pieceByteCountMin = 1 << 12
  private static let pieceByteCountMax = 1 << 18

  private var pieces: [UnsafeMutableRawPointer] = []
  /// What is left of the last piece.
  private var next: UnsafeMutableRawPointer
  private var byteCountLeft = 0
  private var pieceByteCount = pieceByteCountMin

  init() {
    next = .allocate(byteCount: Self.pieceByteCountMin, alignment: 8)
    byteCountLeft = Self.pieceByteCountMin
    pieces.append(next)
  }

  deinit {
    for piece in pieces { piece.deallocate() }
  }

  /// Room for elements of a trivial type, uninitialised. Never empty, so that its address tells a
  /// column without rows from no column.
  func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    precondition(MemoryLayout<T>.alignment <= 8)
    return bytes(max(count, 1) * MemoryLayout<T>.stride)
      .bindMemory(to: T.self, capacity: max(count, 1))
  }

  /// At a multiple of 8.
  private func bytes(_ wanted: Int) -> UnsafeMutableRawPointer {
    let byteCount = (wanted + 7) & ~7
    if byteCount > byteCountLeft {
      if byteCount > pieceByteCount / 2 {
        let piece = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 8)
        pieces.append(piece)
        return piece
      }
      pieceByteCount = min(2 * pieceByteCount, Self.pieceByteCountMax)
      next = .allocate(byteCount: pieceByteCount, alignment: 8)
      byteCountLeft = pieceByteCount
      pieces.append(next)
    }
    defer {
      next += byteCount
      byteCountLeft -= byteCount
    }
    return next
  }

  func copy<T: BitwiseCopyable>(_ elements: [T]) -> UnsafePointer<T> {
    let target = allocate(T.self, count: elements.count)
    elements.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { target.initialize(from: base, count: source.count) }
    }
    return UnsafePointer(target)
  }

  func string(_ text: Text?) -> chroma_string {
    guard let text else { return chroma_string(data: nil, length: 0) }
    let target = allocate(CChar.self, count: text.byteCount)
    text.bytes.withUnsafeBytes { bytes in
      UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyMemory(from: bytes)
    }
    return chroma_string(data: target, length: text.byteCount)
  }

  func strings(_ texts: [Text?]) -> UnsafePointer<chroma_string> {
    let strings = allocate(chroma_string.self, count: texts.count)
    for (index, text) in texts.enumerated() { (strings + index).initialize(to: string(text)) }
    return UnsafePointer(strings)
  }

  func metadatas(_ metadatas: [Metadata?]) -> UnsafePointer<chroma_metadata> {
    let entryCount = metadatas.reduce(0) { $0 + ($1?.count ?? 0) }
    var entries = allocate(chroma_metadata_entry.self, count: entryCount)
    let maps = allocate(chroma_metadata.self, count: metadatas.count)
    var keys = RepeatedKeys()
    for (index, metadata) in metadatas.enumerated() {
      guard let metadata else {
        (maps + index).initialize(to: chroma_metadata())
        continue
      }
      (maps + index).initialize(
        to: chroma_metadata(
          entries: UnsafePointer(entries), count: metadata.count, present: 1, reserved: 0))
      for (place, entry) in metadata.entries.enumerated() {
        let key = keys.string(entry.key, at: place, in: self)
        entries.initialize(to: self.entry(key, entry.value))
        entries += 1
      }
    }
    return UnsafePointer(maps)
  }

  /// Values under one key, whose bytes they share.
  func entries(
    _ values: some Collection<MetadataValue>, key: Text
  ) -> UnsafePointer<chroma_metadata_entry> {
    let entries = allocate(chroma_metadata_entry.self, count: values.count)
    let key = string(key)
    for (index, value) in values.enumerated() {
      (entries + index).initialize(to: entry(key, value))
    }
    return UnsafePointer(entries)
  }

  private func entry(_ key: chroma_string, _ value: MetadataValue) -> chroma_metadata_entry {
    var entry = chroma_metadata_entry()
    entry.key = key
    switch value {
    case .bool(let value):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_BOOL)
      entry.value.boolean = value ? 1 : 0
    case .int(let value):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_INT)
      entry.value.integer = value
    case .float(let value):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_FLOAT)
      entry.value.number = value
    case .string(let value):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_STRING)
      entry.value.string = string(value)
    case .bools(let values):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_BOOLS)
      entry.value.booleans = copy(values.map { $0 ? 1 : 0 as UInt8 })
      entry.count = values.count
    case .ints(let values):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_INTS)
      entry.value.integers = copy(values)
      entry.count = values.count
    case .floats(let values):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_FLOATS)
      entry.value.numbers = copy(values)
      entry.count = values.count
    case .strings(let values):
      entry.kind = chroma_metadata_kind(CHROMA_METADATA_STRINGS)
      entry.value.strings = strings(values)
      entry.count = values.count
    }
    return entry
  }
}

/// Keys by their place in a record: as a rule one record has those of the record before.
private struct RepeatedKeys {
  private var known: [(key: Text, string: chroma_string)] = []

  mutating func string(_ key: Text, at place: Int, in arena: Arena) -> chroma_string {
    if place < known.count {
      if known[place].key != key { known[place] = (key, arena.string(key)) }
    } else {
      known.append((key, arena.string(key)))
    }
    return known[min(place, known.count - 1)].string
  }
}
