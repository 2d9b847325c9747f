// The ids of a segment, and from an id to its row.
//
//     index: | ends of the texts: integers | rows: integers | hashes: UInt64 × rows |
//
// Hashes ascend; the rows stand in the same order, and ids of one hash in the order of their bytes.

internal import ChromaBase

struct IDColumn {
  private let rowCount: Int
  let ends: IntegerColumn
  let rows: IntegerColumn
  private let hashes: SegmentBytes
  private let texts: SegmentBytes

  init(rowCount: Int, index: SegmentBytes, texts: SegmentBytes) throws(ChromaError) {
    self.rowCount = rowCount
    self.texts = texts
    var cursor = SegmentCursor(index)
    ends = try IntegerColumn(count: rowCount, from: &cursor)
    rows = try IntegerColumn(count: rowCount, from: &cursor)
    hashes = try cursor.take(8 * rowCount)
    try cursor.expectEnd()
  }

  var textByteCount: Int { texts.count }

  func id(_ row: Int) throws(ChromaError) -> Text {
    let bounds = try ends.bounds(row, limit: texts.count)
    return try texts.text(from: bounds.start, to: bounds.end)
  }

  func hash(_ index: Int) throws(ChromaError) -> UInt64 {
    try hashes.load(UInt64.self, at: 8 &* index)
  }

  func row(of id: Text, hash: UInt64) throws(ChromaError) -> Int? {
    let first = try firstIndex(of: hash)
    guard first < rowCount, try self.hash(first) == hash else { return nil }
    var lower = first
    var upper = first + 1
    if upper < rowCount, try self.hash(upper) == hash {
      // Several ids of one hash: the place of this one among them.
      upper = hash == .max ? rowCount : try firstIndex(of: hash + 1)
    }
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      let row = try rows.number(middle, below: rowCount)
      switch try compare(row, with: id) {
      case 0: return row
      case ..<0: lower = middle + 1
      default: upper = middle
      }
    }
    return nil
  }

  /// Below, at or above 0 as the row's id is before, equal to or after the other one.
  private func compare(_ row: Int, with id: Text) throws(ChromaError) -> Int {
    let bounds = try ends.bounds(row, limit: texts.count)
    let raw = try texts.bytes(from: bounds.start, count: bounds.end - bounds.start)
    return id.bytes.withUnsafeBytes { other in
      let shared = min(raw.count, other.count)
      for index in 0..<shared where raw[index] != other[index] {
        return Int(raw[index]) - Int(other[index])
      }
      return raw.count - other.count
    }
  }

  /// The first index whose hash is at least this one.
  ///
  /// Hashes are spread evenly, so the first guess is off by about √rows; two better ones follow, by
  /// what lies between. Then steps of 1, 2, 4, … find the two sides of the place. Whatever the
  /// bytes are, that ends after twice log₂(rows) looks.
  private func firstIndex(of hash: UInt64) throws(ChromaError) -> Int {
    let density = Double(rowCount) / 0x1p64
    var guess = min(Int(Double(hash) * density), rowCount - 1)
    for _ in 0..<2 {
      let found = try self.hash(guess)
      let distance =
        found <= hash ? Double(hash - found) * density : -Double(found - hash) * density
      if abs(distance) < 4 { break }
      guess = min(max(guess + Int(distance), 0), rowCount - 1)
    }
    var lower = guess
    var upper = guess
    var step = 1
    if try self.hash(guess) < hash {
      lower = guess + 1
      upper = rowCount
      while step < rowCount - guess {
        guard try self.hash(guess + step) < hash else {
          upper = guess + step
          break
        }
        lower = guess + step + 1
        step *= 2
      }
    } else {
      lower = 0
      while step <= guess {
        guard try self.hash(guess - step) >= hash else {
          lower = guess - step + 1
          break
        }
        upper = guess - step
        step *= 2
      }
    }
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if try self.hash(middle) < hash { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }
}
