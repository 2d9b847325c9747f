// The rows of a SQLite database whose trees are broken: what stands in the leaves that are intact.
//
// A leaf of a table (type 13) holds whole rows; a leaf of an index or of a table without rowids (type
// 10) whole keys (sqlite.org/fileformat2.html, section 1.6). What was deleted is overwritten with
// zeros (`secure_delete`), so that a row in a leaf is a row of the database. Large rows go on in a chain
// of overflow pages; what stands in lost ones is lost.

import ChromaBase

enum SalvagedValue: Equatable {
  case null
  case integer(Int64)
  case text([UInt8])
  case blob([UInt8])
  /// It stood in a page that is lost, or makes no sense.
  case lost
}

struct SalvagedRow {
  /// Nil for a key of an index.
  let rowID: Int64?
  let values: [SalvagedValue]
}

struct PageScanner {
  /// Without the seal.
  private static let usableByteCount = PageSeal.pageByteCount - 8
  private static let tableLeaf: UInt8 = 13
  private static let indexLeaf: UInt8 = 10

  private let image: CatalogImage

  init(_ image: CatalogImage) {
    self.image = image
  }

  /// The rows of a page that is a leaf; none of any other.
  func rows(ofPage number: Int) throws(ChromaError) -> [SalvagedRow] {
    let (page, state) = try image.page(number)
    guard state != .lost else { return [] }
    let head = number == 1 ? 100 : 0
    guard page[head] == Self.tableLeaf || page[head] == Self.indexLeaf else { return [] }
    let isTable = page[head] == Self.tableLeaf
    let count = Int(page[head + 3]) << 8 | Int(page[head + 4])
    var rows: [SalvagedRow] = []
    for cell in 0..<count {
      let pointer = head + 8 + 2 * cell
      guard pointer + 2 <= Self.usableByteCount else { break }
      let offset = Int(page[pointer]) << 8 | Int(page[pointer + 1])
      if let row = try row(at: offset, of: page, isTable: isTable) { rows.append(row) }
    }
    return rows
  }

  private func row(
    at start: Int, of page: [UInt8], isTable: Bool
  ) throws(ChromaError) -> SalvagedRow? {
    var cursor = VarintCursor(page, at: start, end: Self.usableByteCount)
    guard let byteCount = cursor.next(), byteCount >= 0, byteCount <= Int64(Int32.max) else {
      return nil
    }
    var rowID: Int64?
    if isTable {
      guard let id = cursor.next() else { return nil }
      rowID = id
    }
    let localCount = Self.localByteCount(Int(byteCount), isTable: isTable)
    guard cursor.offset + localCount <= Self.usableByteCount else { return nil }
    var record = Array(page[cursor.offset..<cursor.offset + localCount])
    if localCount < Int(byteCount) {
      let link = cursor.offset + localCount
      guard link + 4 <= Self.usableByteCount else { return nil }
      try appendOverflow(from: Int(page.uint32(at: link)), to: &record, upTo: Int(byteCount))
    }
    return Self.values(of: record).map { SalvagedRow(rowID: rowID, values: $0) }
  }

  /// How much of a row stands in its leaf.
  private static func localByteCount(_ byteCount: Int, isTable: Bool) -> Int {
    let usable = usableByteCount
    let most = isTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
    if byteCount <= most { return byteCount }
    let least = (usable - 12) * 32 / 255 - 23
    let local = least + (byteCount - least) % (usable - 4)
    return local <= most ? local : least
  }

  private func appendOverflow(
    from first: Int, to record: inout [UInt8], upTo byteCount: Int
  ) throws(ChromaError) {
    var next = first
    // Each page adds some bytes, so that a chain that bites its tail ends.
    while record.count < byteCount, (1...image.pageCount).contains(next) {
      let (page, state) = try image.page(next)
      guard state != .lost else { return }
      record += page[4..<Self.usableByteCount].prefix(byteCount - record.count)
      next = Int(page.uint32(at: 0))
    }
  }

  /// Takes a record apart (section 2.1); nil if it is none.
  private static func values(of record: [UInt8]) -> [SalvagedValue]? {
    var cursor = VarintCursor(record, at: 0, end: record.count)
    guard let headByteCount = cursor.next(), headByteCount >= 1, headByteCount <= record.count
    else { return nil }
    var types: [Int64] = []
    while cursor.offset < Int(headByteCount) {
      guard let type = cursor.next(), type >= 0 else { return nil }
      types.append(type)
    }
    var offset = Int(headByteCount)
    var values: [SalvagedValue] = []
    for type in types {
      let byteCount = byteCount(of: type)
      let (end, overflow) = offset.addingReportingOverflow(byteCount)
      guard !overflow, end <= record.count else {
        values.append(.lost)
        offset = overflow ? record.count : end
        continue
      }
      values.append(value(type, Array(record[offset..<end])))
      offset = end
    }
    return values
  }

  private static func byteCount(of type: Int64) -> Int {
    switch type {
    case 0, 8, 9: 0
    case 1...4: Int(type)
    case 5: 6
    case 6, 7: 8
    case 10, 11: 0
    default: Int(clamping: (type - 12) / 2)
    }
  }

  private static func value(_ type: Int64, _ bytes: [UInt8]) -> SalvagedValue {
    switch type {
    case 0: return .null
    case 1...6:
      let isNegative = bytes[0] & 0x80 != 0
      let bits = bytes.reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
      return .integer(Int64(bitPattern: bits))
    case 8: return .integer(0)
    case 9: return .integer(1)
    case 12...: return type % 2 == 0 ? .blob(bytes) : .text(bytes)
    default: return .lost
    }
  }
}

/// Reads SQLite's integers of variable length.
private struct VarintCursor {
  private let bytes: [UInt8]
  private(set) var offset: Int
  private let end: Int

  init(_ bytes: [UInt8], at offset: Int, end: Int) {
    self.bytes = bytes
    self.offset = offset
    self.end = end
  }

  mutating func next() -> Int64? {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard offset < end else { return nil }
      let byte = bytes[offset]
      offset += 1
      if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
      value = value << 7 | UInt64(byte & 0x7F)
      if byte & 0x80 == 0 { break }
    }
    return Int64(bitPattern: value)
  }
}
