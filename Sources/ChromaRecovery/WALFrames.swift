// The write-ahead log of chroma.db, read without SQLite: it may be damaged, and nothing may change it.
//
//     | header: 32 bytes | frames: 24 bytes of header, 4096 of page |
//
// Each frame's checksum continues that of the frame before it (sqlite.org/fileformat2.html,
// section 4), and its page has a seal of its own (docs/FORMAT.md). The end of the log is its first
// broken frame, unless a later one is chained to what follows a commit: then that commit was
// synced, and the frame is damaged (`chroma_wal.h` says why).
//
// Where the log is damaged, this reads on behind the damage: every frame of the log whose page is
// intact counts. What it comes to may then mix states, and is for `repair` to make sense of.

import ChromaBase
import ChromaStorage

struct WALFrames {
  static let headerByteCount = 32
  static let frameHeaderByteCount = 24
  static let frameByteCount = frameHeaderByteCount + PageSeal.pageByteCount
  private static let magic: UInt32 = 0x377F_0682

  /// Where the newest committed copy of a page stands in the log: the page's own bytes.
  private(set) var pageOffsets: [Int: UInt64] = [:]
  /// Pages of the database after the last commit; nil without one.
  private(set) var pageCount: Int?
  /// Bytes that were synced and are not what was written.
  private(set) var damages: [(offset: UInt64, what: String)] = []
  /// Damaged frames whose page cannot be read either.
  private(set) var lostFrameCount = 0

  /// - Throws: `.io`. Damage is no error here.
  init(of file: any File) throws(ChromaError) {
    let byteCount = try file.byteCount()
    guard byteCount > UInt64(Self.headerByteCount) else { return }
    let header = try file.read(at: 0, byteCountMax: Self.headerByteCount)
    var chain = WALChain(header: header)
    let isHeaderIntact =
      header.uint32(at: 0) & ~1 == Self.magic && chain.isHeader(header)
      && header.uint32(at: 8) == UInt32(PageSeal.pageByteCount)
    let frameCount = Int(
      clamping: (byteCount - UInt64(Self.headerByteCount)) / UInt64(Self.frameByteCount))
    if !isHeaderIntact {
      // SQLite syncs the header before it writes the first frame.
      damages.append((0, "the header of the log fails its checksum"))
      chain = WALChain.unknown
    }
    var walk = Walk(chain: chain, salts: isHeaderIntact ? Array(header[16..<24]) : nil)
    for number in 0..<frameCount {
      let offset = UInt64(Self.headerByteCount) + UInt64(number) * UInt64(Self.frameByteCount)
      let frame = try file.read(at: offset, byteCountMax: Self.frameByteCount)
      guard frame.count == Self.frameByteCount else { break }
      walk.take(frame, at: offset)
    }
    walk.finish()
    // Without the header nobody knows where the log ended.
    lostFrameCount = walk.lostCount + (isHeaderIntact ? 0 : walk.unreadCount)
    pageOffsets = walk.committed
    pageCount = walk.pageCount
    for offset in walk.damages {
      damages.append((offset, "a frame of the log fails its checksum, and later ones follow it"))
    }
  }

  /// Where the reading of a log stands.
  private struct Walk {
    /// The chain's value before the next frame: as the frame before says, and as it should say.
    var stored: WALChain
    var expected: WALChain
    /// Nil until they are known, where the header is damaged.
    var salts: [UInt8]?
    /// Broken frames of this log since the last whole one, and whether one of them, or a frame after
    /// them, commits: they are damage if a whole frame of this log follows that.
    var broken: [UInt64] = []
    var isAfterCommit = false
    var isProven = false
    var damages: [UInt64] = []
    /// How many of `broken`, and of `damages`, hold no page that can be read.
    var unreadCount = 0
    var lostCount = 0
    /// Pages of frames that no commit has followed yet.
    var pending: [Int: UInt64] = [:]
    var pendingAfterBreak: [Commit] = []
    var committed: [Int: UInt64] = [:]
    var pageCount: Int?

    /// What a commit behind a broken frame adds, should that turn out to be damage.
    struct Commit {
      let pages: [Int: UInt64]
      let pageCount: Int
    }

    init(chain: WALChain, salts: [UInt8]?) {
      expected = chain
      stored = chain
      self.salts = salts
    }

    mutating func take(_ frame: [UInt8], at offset: UInt64) {
      let number = Int(frame.uint32(at: 0))
      let isReadable = number > 0 && PageSeal.page(number, ofFrame: frame) != nil
      if salts == nil, isReadable { salts = Array(frame[8..<16]) }
      let isOfThisLog = frame[8..<16].elementsEqual(salts ?? [])
      let found = stored.following(frame)
      let afterExpected = expected.continued(by: frame)
      let afterStored = stored.continued(by: frame)
      let isChained =
        isOfThisLog && (stored.isUnknown || found == afterExpected || found == afterStored)
      let databasePageCount = Int(frame.uint32(at: 4))
      let pageOffset = offset + UInt64(WALFrames.frameHeaderByteCount)
      if isChained && isAfterCommit { isProven = true }
      if isChained {
        pending[number] = pageOffset
      } else {
        broken.append(offset)
        // A page that can still be read, or mended, is worth having.
        if isReadable { pending[number] = pageOffset } else { unreadCount += 1 }
      }
      // Where a sector ends between the mark of a commit and the salts, a write that a power cut tore
      // may have left the mark of an earlier log's frame beside salts of this one.
      let isTorn = !isChained && offset % 512 == 504
      let isCommit = isOfThisLog && databasePageCount > 0 && !isTorn
      if isCommit { commit(databasePageCount, isChained: isChained) }
      if !broken.isEmpty { isAfterCommit = isCommit }
      stored = found
      expected = afterStored
    }

    private mutating func commit(_ databasePageCount: Int, isChained: Bool) {
      if broken.isEmpty {
        committed.merge(pending) { $1 }
        pageCount = databasePageCount
      } else {
        pendingAfterBreak.append(Commit(pages: pending, pageCount: databasePageCount))
      }
      pending = [:]
      if isProven { settle() }
    }

    /// What was broken is damage: what follows it counts.
    private mutating func settle() {
      damages += broken
      broken = []
      lostCount += unreadCount
      unreadCount = 0
      for commit in pendingAfterBreak {
        committed.merge(commit.pages) { $1 }
        pageCount = commit.pageCount
      }
      pendingAfterBreak = []
      isProven = false
      isAfterCommit = false
    }

    mutating func finish() {
      if isProven { settle() }
    }
  }
}

/// The running checksum of a log (section 4.2 of the format).
private struct WALChain: Equatable {
  private var first: UInt32
  private var second: UInt32
  private var isBigEndian: Bool
  private(set) var isUnknown = false

  static let unknown: WALChain = {
    var chain = WALChain(header: [UInt8](repeating: 0, count: WALFrames.headerByteCount))
    chain.isUnknown = true
    return chain
  }()

  /// The value before the first frame, as the header's bytes come to.
  init(header: [UInt8]) {
    first = 0
    second = 0
    isBigEndian = header.uint32(at: 0) & 1 == 1
    extend(header[..<min(24, header.count)])
  }

  /// The value after a frame, as the frame itself says.
  func following(_ frame: [UInt8]) -> WALChain {
    var next = self
    next.first = frame.uint32(at: 16)
    next.second = frame.uint32(at: 20)
    next.isUnknown = false
    return next
  }

  func isHeader(_ header: [UInt8]) -> Bool {
    first == header.uint32(at: 24) && second == header.uint32(at: 28)
  }

  func continued(by frame: [UInt8]) -> WALChain {
    var next = self
    next.extend(frame[..<8])
    next.extend(frame[WALFrames.frameHeaderByteCount...])
    next.isUnknown = false
    return next
  }

  static func == (left: WALChain, right: WALChain) -> Bool {
    left.first == right.first && left.second == right.second
  }

  private mutating func extend(_ bytes: ArraySlice<UInt8>) {
    let isBigEndian = isBigEndian
    var (first, second) = (first, second)
    bytes.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
        let left = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        let right = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
        first = first &+ (isBigEndian ? UInt32(bigEndian: left) : UInt32(littleEndian: left))
        first = first &+ second
        second = second &+ (isBigEndian ? UInt32(bigEndian: right) : UInt32(littleEndian: right))
        second = second &+ first
      }
    }
    (self.first, self.second) = (first, second)
  }
}

extension [UInt8] {
  /// Four bytes, most significant first; 0 where they are not all there.
  func uint32(at offset: Int) -> UInt32 {
    guard offset + 4 <= count else { return 0 }
    return self[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
