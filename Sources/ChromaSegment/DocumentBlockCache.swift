// Blocks of documents that were decompressed lately.
//
// Single documents are read by block again and again, so their block always gets in, in place of the
// one that was used least recently. A scan reads each block once, and one that is larger than the cache
// would drive out everything and then itself. So it puts its blocks only into free space, or in place
// of what nobody asked for since many scans. Then repeated scans find a part of what they read, and
// what others read stays.

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
    /// How many scans had begun then.
    var lastScan: UInt64
  }

  private struct Content {
    var entries: [Key: Entry] = [:]
    var byteCount = 0
    var useCount: UInt64 = 0
    var scanCount: UInt64 = 0
    var segmentCount: UInt64 = 0
  }

  /// After so many scans, short ones too, that did without a block, one may take its place.
  private static let scansUntilForgotten: UInt64 = 32

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
      content.useCount += 1
      guard let index = content.entries.index(forKey: key) else { return nil }
      content.entries.values[index].lastUse = content.useCount
      content.entries.values[index].lastScan = content.scanCount
      return content.entries.values[index].block
    }
  }

  /// Keeps a block in place of those that were used least recently.
  func keep(_ block: DocumentBlock, as key: Key) {
    put(block, as: key, replacesUsed: true)
  }

  func beginScan() {
    content.withLock { $0.scanCount += 1 }
  }

  /// Keeps a block that a scan came by, if that drives out none that is in use.
  func offer(_ block: DocumentBlock, as key: Key) {
    put(block, as: key, replacesUsed: false)
  }

  private func put(_ block: DocumentBlock, as key: Key, replacesUsed: Bool) {
    guard block.bytes.count <= byteCountMax else { return }
    content.withLock { content in
      // Another thread may have put it here meanwhile.
      if content.entries[key] != nil { return }
      // Blocks are large, so they are few, and looking at all of them costs less than filling one.
      while content.byteCount + block.bytes.count > byteCountMax,
        let oldest = content.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        let age = content.scanCount - oldest.value.lastScan
        if !replacesUsed, age <= Self.scansUntilForgotten { return }
        content.entries[oldest.key] = nil
        content.byteCount -= oldest.value.block.bytes.count
      }
      content.entries[key] = Entry(
        block: block, lastUse: content.useCount, lastScan: content.scanCount)
      content.byteCount += block.bytes.count
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
