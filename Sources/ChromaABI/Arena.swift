// Results in C's shape. An arena owns every byte that a view points to and frees them together.

import CChroma
import ChromaBase

/// Not thread-safe while it is filled; afterwards it only is read.
final class Arena {
  private var allocations: [UnsafeMutableRawPointer] = []

  deinit {
    for allocation in allocations { allocation.deallocate() }
  }

  /// Room for elements of a trivial type, uninitialised. Never empty, so that its address tells a
  /// column without rows from no column.
  func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: MemoryLayout<T>.alignment)
    allocations.append(raw)
    return raw.bindMemory(to: T.self, capacity: max(count, 1))
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
    return strings([text])[0]
  }

  /// One allocation for all bytes and one for the strings.
  func strings(_ texts: [Text?]) -> UnsafePointer<chroma_string> {
    let byteCount = texts.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    var next = allocate(UInt8.self, count: byteCount)
    let strings = allocate(chroma_string.self, count: texts.count)
    for (index, text) in texts.enumerated() {
      guard let text else {
        (strings + index).initialize(to: chroma_string(data: nil, length: 0))
        continue
      }
      text.bytes.withUnsafeBufferPointer { bytes in
        if let base = bytes.baseAddress { next.initialize(from: base, count: bytes.count) }
      }
      let data = UnsafeRawPointer(next).assumingMemoryBound(to: CChar.self)
      (strings + index).initialize(to: chroma_string(data: data, length: text.byteCount))
      next += text.byteCount
    }
    return UnsafePointer(strings)
  }

  func metadatas(_ metadatas: [Metadata?]) -> UnsafePointer<chroma_metadata> {
    let entryCount = metadatas.reduce(0) { $0 + ($1?.count ?? 0) }
    var entries = allocate(chroma_metadata_entry.self, count: entryCount)
    let maps = allocate(chroma_metadata.self, count: metadatas.count)
    for (index, metadata) in metadatas.enumerated() {
      guard let metadata else {
        (maps + index).initialize(to: chroma_metadata())
        continue
      }
      (maps + index).initialize(
        to: chroma_metadata(
          entries: UnsafePointer(entries), count: metadata.count, present: 1, reserved: 0))
      for entry in metadata.entries {
        entries.initialize(to: self.entry(string(entry.key), entry.value))
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
