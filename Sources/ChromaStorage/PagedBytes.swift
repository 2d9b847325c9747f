// The bytes of a file that lives in memory: pages that copies share until one of them writes.
//
// A page without storage is all zeros, so a hole costs nothing; a copy costs one reference a page,
// which is what lets the simulated disk keep thousands of images of one history.

/// A growing run of bytes with cheap copies.
package struct PagedBytes: Sendable {
  package static let pageByteCount = 4096
  /// 256 GiB: beyond it the table of pages alone would be a gigabyte of somebody's memory.
  package static let byteCountMax: UInt64 = 1 << 38

  /// Each page is empty (zeros) or `pageByteCount` long.
  private var pages: [[UInt8]] = []
  package private(set) var byteCount = 0

  package init() {}

  /// Fills the buffer from the offset on; returns how many bytes there were.
  package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard offset < UInt64(byteCount) else { return 0 }
    let start = Int(offset)
    let count = min(buffer.count, byteCount - start)
    Self.forEachPiece(start, count) { page, inside, outside in
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[outside])
      if pages[page].isEmpty {
        target.initializeMemory(as: UInt8.self, repeating: 0)
      } else {
        pages[page].withUnsafeBytes { target.copyMemory(from: .init(rebasing: $0[inside])) }
      }
    }
    return count
  }

  /// Writes all bytes, growing as needed. Returns false, having done nothing, if that would grow
  /// beyond `byteCountMax`.
  package mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Bool {
    guard offset <= Self.byteCountMax, UInt64(bytes.count) <= Self.byteCountMax - offset else {
      return false
    }
    guard !bytes.isEmpty else { return true }
    let start = Int(offset)
    if start + bytes.count > byteCount { resize(to: start + bytes.count) }
    Self.forEachPiece(start, bytes.count) { page, inside, outside in
      if pages[page].isEmpty { pages[page] = [UInt8](repeating: 0, count: Self.pageByteCount) }
      pages[page].withUnsafeMutableBytes {
        UnsafeMutableRawBufferPointer(rebasing: $0[inside])
          .copyMemory(from: .init(rebasing: bytes[outside]))
      }
    }
    return true
  }

  /// Cuts, or extends with zeros. Returns false, having done nothing, beyond `byteCountMax`.
  package mutating func setByteCount(_ wanted: UInt64) -> Bool {
    guard wanted <= Self.byteCountMax else { return false }
    resize(to: Int(wanted))
    return true
  }

  private mutating func resize(to wanted: Int) {
    let pageCount = (wanted + Self.pageByteCount - 1) / Self.pageByteCount
    if pageCount < pages.count {
      pages.removeLast(pages.count - pageCount)
    } else {
      pages.append(contentsOf: repeatElement([], count: pageCount - pages.count))
    }
    // What a cut leaves behind in the last page would come back when the file grows again.
    let kept = wanted % Self.pageByteCount
    if wanted < byteCount, kept > 0, !pages[pageCount - 1].isEmpty {
      pages[pageCount - 1].withUnsafeMutableBytes {
        let tail = UnsafeMutableRawBufferPointer(rebasing: $0[kept...])
        tail.initializeMemory(as: UInt8.self, repeating: 0)
      }
    }
    byteCount = wanted
  }

  /// Splits a range of bytes at the page boundaries: page, range inside it, range of the whole.
  private static func forEachPiece(
    _ start: Int, _ count: Int,
    _ body: (_ page: Int, _ inside: Range<Int>, _ outside: Range<Int>) -> Void
  ) {
    var done = 0
    while done < count {
      let page = (start + done) / Self.pageByteCount
      let lower = (start + done) % Self.pageByteCount
      let piece = min(Self.pageByteCount - lower, count - done)
      body(page, lower..<lower + piece, done..<done + piece)
      done += piece
    }
  }
}
