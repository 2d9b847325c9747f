// Which of the pending writes and directory changes a power cut keeps.

import ChromaBase
import ChromaStorage

protocol PowerCutChoices {
  /// A file or directory begins.
  mutating func begin()
  mutating func choose(_ change: DiskState.Change, _ entries: inout [Text: DiskState.Entry])
  mutating func choose(_ write: DiskState.Write, _ bytes: inout PagedBytes)
}

/// One of the 2^n ways to keep or lose each of n pending things whole: the number's bits.
struct EnumeratedChoices: PowerCutChoices {
  private var bits: UInt64

  init(_ number: UInt64) {
    bits = number
  }

  mutating func begin() {}

  mutating func choose(_ change: DiskState.Change, _ entries: inout [Text: DiskState.Entry]) {
    if next() { DiskState.apply(change, to: &entries) }
  }

  mutating func choose(_ write: DiskState.Write, _ bytes: inout PagedBytes) {
    if next() { _ = DiskState.apply(write, to: &bytes) }
  }

  private mutating func next() -> Bool {
    defer { bits >>= 1 }
    return bits & 1 == 1
  }
}

/// A random way. A write is torn into sectors, of which each is kept or lost; a rename may leave the
/// old name beside the new one; a file may have grown without the bytes that made it grow.
struct RandomChoices: PowerCutChoices {
  static let sectorByteCount = 512

  private var random: SeededRandom
  /// Of a hundred. Drawn anew for each file and directory: files that are kept whole beside files
  /// that are lost whole are what an order of syncs prevents.
  private var keptPercentage = 50

  init(random: SeededRandom) {
    self.random = random
  }

  mutating func begin() {
    keptPercentage = random.element(of: [0, 10, 50, 90, 100])
  }

  mutating func choose(_ change: DiskState.Change, _ entries: inout [Text: DiskState.Entry]) {
    guard next() else { return }
    if case .rename(_, let target, let entry) = change, random.oneIn(4) {
      DiskState.apply(.link(target, entry), to: &entries)
    } else {
      DiskState.apply(change, to: &entries)
    }
  }

  mutating func choose(_ write: DiskState.Write, _ bytes: inout PagedBytes) {
    switch write {
    case .byteCount:
      if next() { _ = DiskState.apply(write, to: &bytes) }
    case .bytes(let offset, let content):
      let end = offset + UInt64(content.count)
      if end > UInt64(bytes.byteCount), next() { _ = bytes.setByteCount(end) }
      var start = 0
      while start < content.count {
        let position = offset + UInt64(start)
        let untilSectorEnd =
          Self.sectorByteCount - Int(position % UInt64(Self.sectorByteCount))
        let next = min(start + untilSectorEnd, content.count)
        if self.next() {
          let sector = DiskState.Write.bytes(offset: position, Array(content[start..<next]))
          _ = DiskState.apply(sector, to: &bytes)
        }
        start = next
      }
    }
  }

  private mutating func next() -> Bool {
    random.int(in: 0...99) < keptPercentage
  }
}
