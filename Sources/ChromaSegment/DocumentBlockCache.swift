// Blocks of documents that were decompressed lately.

internal import Synchronization

/// Keeps the blocks used last, of all segments of an engine, up to a number of bytes. Thread-safe.
package final class DocumentBlockCache: Sendable {
  struct Key: Hashable {
    let segment: UInt64
    let block: Int
  }

  private struct Entry {
    let block: DocumentBlock
    var lastUse: UInt64
  }

  private struct Content {
    var entries: [Key: Entry] = [:]
    var byteCount = 0
    var useCount: UInt64 = 0
    var segmentCount: UInt64 = 0
  }

  private let byteCountMax: Int
  private let content = Mutex(Content())

  /// - Parameter byteCountMax: Blocks that alone exceed it are not kept.
  package init(byteCountMax: Int) {
    self.byteCountMax = byteCountMax
  }

  /// Bytes that are kept now.
  package var byteCount: Int { content.withLock { $0.byteCount } }

  /// A number that names a segment here.
  func nextSegment() -> UInt64 {
    content.withLock { content in
      content.segmentCount += 1
      return content.segmentCount
    }
  }

  func block(_ key: Key) -> DocumentBlock? {
    content.withLock { content in
      guard let index = content.entries.index(forKey: key) else { return nil }
      content.useCount += 1
      content.entries.values[index].lastUse = content.useCount
      return content.entries.values[index].block
    }
  }

  func keep(_ block: DocumentBlock, as key: Key) {
    guard block.bytes.count <= byteCountMax else { return }
    content.withLock { content in
      content.useCount += 1
      let entry = Entry(block: block, lastUse: content.useCount)
      let old = content.entries.updateValue(entry, forKey: key)
      content.byteCount += block.bytes.count - (old?.block.bytes.count ?? 0)
      // Blocks are large, so they are few, and looking at all of them costs less than filling one.
      while content.byteCount > byteCountMax,
        let oldest = content.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        content.entries[oldest.key] = nil
        content.byteCount -= oldest.value.block.bytes.count
      }
    }
  }

  /// A segment was closed.
  func forget(segment: UInt64) {
    content.withLock { content in
      for (key, entry) in content.entries where key.segment == segment {
        content.entries[key] = nil
        content.byteCount -= entry.block.bytes.count
      }
    }
  }
}
