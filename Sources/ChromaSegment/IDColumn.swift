// The ids of a segment, and from an id to its row.
//
//     index: | ends of the texts: integers | rows: integers | buckets: integers
//            | hashes: UInt64 × rows |
//
// Hashes ascend; the rows stand in the same order, and ids of one hash in the order of their bytes.
// Bucket b begins with the first hash whose highest bits are b or more. There are so many bits that
// four to eight hashes share a bucket on average: whoever looks for an id that is not there mostly
// touches one cache line of buckets and one of hashes.

internal import ChromaBase
internal import Glibc

struct IDColumn {
  private let rowCount: Int
  let ends: IntegerColumn
  let rows: IntegerColumn
  private let buckets: IntegerColumn
  private let hashes: SegmentBytes
  private let texts: SegmentBytes

  init(rowCount: Int, index: SegmentBytes, texts: SegmentBytes) throws(ChromaError) {
    self.rowCount = rowCount
    self.texts = texts
    var cursor = SegmentCursor(index)
    ends = try IntegerColumn(count: rowCount, from: &cursor)
    rows = try IntegerColumn(count: rowCount, from: &cursor)
    buckets = try IntegerColumn(
      count: 1 << IDBuckets.bitCount(rowCount: rowCount), from: &cursor)
    hashes = try cursor.take(rowCount, of: 8)
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
    let bucket = IDBuckets.bucket(of: hash, count: buckets.count)
    let start = try buckets.number(bucket, below: rowCount + 1)
    let end =
      bucket + 1 < buckets.count ? try buckets.number(bucket + 1, below: rowCount + 1) : rowCount
    var index = try firstIndex(atLeast: hash, from: start, to: end)
    guard index < end, try self.hash(index) == hash else { return nil }
    var last = index
    if index + 1 < end, try self.hash(index + 1) == hash {
      // Several ids of one hash: the place of this one among them.
      last = hash == .max ? end - 1 : try firstIndex(atLeast: hash + 1, from: index, to: end) - 1
    }
    while index <= last {
      let middle = index + (last - index) / 2
      let row = try rows.number(middle, below: rowCount)
      let difference = try compare(row, with: id)
      if difference == 0 { return row }
      if difference < 0 { index = middle + 1 } else { last = middle - 1 }
    }
    return nil
  }

  /// The first index of the range whose hash is at least this one, else the range's end.
  private func firstIndex(
    atLeast hash: UInt64, from start: Int, to end: Int
  ) throws(ChromaError) -> Int {
    var lower = start
    var upper = end
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if try self.hash(middle) < hash { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  /// Below, at or above 0 as the row's id is before, equal to or after the other one.
  private func compare(_ row: Int, with id: Text) throws(ChromaError) -> Int {
    let bounds = try ends.bounds(row, limit: texts.count)
    let raw = try texts.bytes(from: bounds.start, count: bounds.end - bounds.start)
    return id.bytes.withUnsafeBytes { other in
      guard let left = raw.baseAddress, let right = other.baseAddress else {
        return raw.count - other.count
      }
      let difference = memcmp(left, right, min(raw.count, other.count))
      return difference == 0 ? raw.count - other.count : Int(difference)
    }
  }
}

/// How hashes are spread over buckets.
enum IDBuckets {
  /// The highest bits of a hash that tell its bucket; 0 up to 8 rows.
  static func bitCount(rowCount: Int) -> Int {
    let wanted = (rowCount + 7) / 8
    return wanted <= 1 ? 0 : Int.bitWidth - (wanted - 1).leadingZeroBitCount
  }

  static func bucket(of hash: UInt64, count: Int) -> Int {
    // A shift by 64 gives 0: one bucket.
    Int(truncatingIfNeeded: hash >> UInt64(64 - count.trailingZeroBitCount))
  }
}

/// Puts the ids of a segment into the order of their hashes.
struct IDOrder {
  private var hashes: [UInt64]
  private var rows: [Int64]
  private var buckets: [Int64]

  /// - Parameter unordered: the hash of each row, at least one.
  init(_ unordered: [UInt64]) {
    let bucketCount = 1 << IDBuckets.bitCount(rowCount: unordered.count)
    var starts = [Int64](repeating: 0, count: bucketCount + 1)
    for hash in unordered { starts[IDBuckets.bucket(of: hash, count: bucketCount) + 1] += 1 }
    for bucket in 0..<bucketCount { starts[bucket + 1] += starts[bucket] }
    // First into the buckets, then each bucket, of some entries, by itself.
    var next = starts
    var entries = [(hash: UInt64, row: Int64)](repeating: (0, 0), count: unordered.count)
    for (row, hash) in unordered.enumerated() {
      let bucket = IDBuckets.bucket(of: hash, count: bucketCount)
      entries[Int(next[bucket])] = (hash, Int64(row))
      next[bucket] += 1
    }
    for bucket in 0..<bucketCount {
      entries[Int(starts[bucket])..<Int(starts[bucket + 1])].sort { $0.hash < $1.hash }
    }
    hashes = entries.map(\.hash)
    rows = entries.map(\.row)
    buckets = Array(starts.dropLast())
  }

  /// Puts ids of one hash into the order of their bytes.
  ///
  /// - Throws: `.corruption` if two are the same: what damaged segments may come to.
  mutating func resolveTies(
    _ id: (Int) throws(ChromaError) -> Text
  ) throws(ChromaError) {
    var start = 0
    while start < hashes.count {
      var end = start + 1
      while end < hashes.count, hashes[end] == hashes[start] { end += 1 }
      if end - start > 1 {
        var ties: [(id: Text, row: Int64)] = []
        for row in rows[start..<end] { ties.append((try id(Int(row)), row)) }
        ties.sort { $0.id < $1.id }
        for index in 1..<ties.count where ties[index].id == ties[index - 1].id {
          throw .corruption("Two records have the id \(ties[index].id).")
        }
        for (index, tie) in ties.enumerated() { rows[start + index] = tie.row }
      }
      start = end
    }
  }

  func write(to writer: inout ByteWriter) {
    writer.writeIntegers(rows)
    writer.writeIntegers(buckets)
    for hash in hashes { writer.write(hash) }
  }
}
