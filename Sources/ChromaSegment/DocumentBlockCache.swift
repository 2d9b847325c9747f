// Blocks of documents that were decompressed lately.
//
// Blocks stand in a ring. A hand goes round it to find one that makes room: it passes by those that were
// asked for since it came by last ("CLOCK": F. J. Corbató: A Paging Experiment with the Multics System,
// 1968). So whatever is kept, that costs a few steps.
//
// Single documents are read by block again and again, so their block always gets in. A scan reads each
// block once, and one that is larger than the cache would drive out everything and then itself. So it
// puts its blocks only into free space, or in place of what nobody asked for since many scans. Then
// repeated scans find a part of what they read, and what others read stays.

internal import ChromaBase
internal import Synchronization

/// Keeps the blocks in use, of all segments of an engine, up to a number of bytes. Thread-safe.
package final class DocumentBlockCache: Sendable {
  struct Key: Hashable {
    let segment: UInt64
    let block: Int
  }

  private struct Entry {
    let key: Key
    let block: DocumentBlock
    /// Whether it was asked for since the hand came by.
    var isUsed = false
    /// How many scans had begun when it was asked for last.
    var lastScan: UInt64
  }

  private struct Content {
    var ring: [Entry] = []
    var places: [Key: Int] = [:]
    var hand = 0
    var byteCount = 0
    var scanCount: UInt64 = 0
    var segmentCount: UInt64 = 0
    /// Those that nobody uses now: as many as threads read at once, at most.
    // Sound: they are in nobody else's hands.
    nonisolated(unsafe) var decompressors: [Decompressor] = []

    mutating func remove(at place: Int) {
      let last = ring.removeLast()
      let removed = place < ring.count ? ring[place] : last
      if place < ring.count {
        ring[place] = last
        places[last.key] = place
      }
      places[removed.key] = nil
      byteCount -= removed.block.bytes.count
    }
  }

  /// After so many scans, short ones too, that did without a block, one may take its place.
  private static let scansUntilForgotten: UInt64 = 32
  /// Decompressors that are kept, of 100 KB each.
  private static let decompressorCountMax = 4

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
      guard let place = content.places[key] else { return nil }
      content.ring[place].isUsed = true
      content.ring[place].lastScan = content.scanCount
      return content.ring[place].block
    }
  }

  /// Keeps a block in place of those that are used least.
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
      if content.places[key] != nil { return }
      while content.byteCount + block.bytes.count > byteCountMax, !content.ring.isEmpty {
        if content.hand >= content.ring.count { content.hand = 0 }
        let entry = content.ring[content.hand]
        if !replacesUsed, content.scanCount - entry.lastScan <= Self.scansUntilForgotten {
          // The next block looks at the next one.
          content.hand += 1
          return
        }
        if replacesUsed, entry.isUsed {
          content.ring[content.hand].isUsed = false
          content.hand += 1
        } else {
          content.remove(at: content.hand)
        }
      }
      content.places[key] = content.ring.count
      content.ring.append(Entry(key: key, block: block, lastScan: content.scanCount))
      content.byteCount += block.bytes.count
    }
  }

  /// A segment was closed.
  func forget(segment: UInt64) {
    content.withLock { content in
      for place in content.ring.indices.reversed()
      where content.ring[place].key.segment == segment {
        content.remove(at: place)
      }
    }
  }

  // MARK: Decompressors

  /// A decompressor for the caller alone, until it is given back.
  func takeDecompressor() throws(ChromaError) -> Decompressor {
    if let kept = content.withLock({ $0.decompressors.popLast() }) { return kept }
    return try Decompressor()
  }

  func giveBack(_ decompressor: Decompressor) {
    content.withLock { content in
      if content.decompressors.count < Self.decompressorCountMax {
        content.decompressors.append(decompressor)
      }
    }
  }
}
