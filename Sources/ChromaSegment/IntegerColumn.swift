// Integers in few bytes, each found without reading the others.
//
//     head    | width: UInt8 | base width: UInt8 | step width: UInt8 | base | step |
//     values  | width bytes × values |
//
// Value i is base + i × step + what is stored for i, an unsigned number. Widths are 0, 1, 2, 4 or 8
// bytes; base and step have a sign. Sums are modulo 2^64, so no stored bytes make them trap.
//
// Numbers that a batch gives one after another (orders, slots) take no bytes each, and neither do
// the ends of texts of one length.

internal import ChromaBase

/// What stands before the values of a column.
struct IntegerHead {
  var width: Int
  var base: Int64
  var step: Int64

  init(from cursor: inout SegmentCursor) throws(ChromaError) {
    width = Int(try cursor.readUInt8())
    let baseWidth = Int(try cursor.readUInt8())
    let stepWidth = Int(try cursor.readUInt8())
    guard [0, 1, 2, 4, 8].contains(width) else {
      throw cursor.damage("integers of \(width) bytes")
    }
    base = try cursor.readSigned(byteCount: baseWidth)
    step = try cursor.readSigned(byteCount: stepWidth)
  }

  /// In as few bytes as the form allows.
  ///
  /// - Parameter widthMin: 1 where the bytes have to vouch for the count.
  init(fitting integers: [Int64], widthMin: Int = 0) {
    // Without a step it always fits.
    self = Self(integers, step: 0) ?? Self(width: 8, base: 0, step: 0)
    if let first = integers.first, let last = integers.last, integers.count > 1 {
      let (rise, overflow) = last.subtractingReportingOverflow(first)
      let slope = overflow ? 0 : rise / Int64(integers.count - 1)
      if slope != 0, let sloped = Self(integers, step: slope), sloped.width < width {
        self = sloped
      }
    }
    width = max(width, widthMin)
  }

  private init(width: Int, base: Int64, step: Int64) {
    self.width = width
    self.base = base
    self.step = step
  }

  /// Nil if what remains after the steps does not fit 64 bits.
  private init?(_ integers: [Int64], step: Int64) {
    var lowest = Int64.max
    var highest = Int64.min
    for (index, integer) in integers.enumerated() {
      let (risen, overflow) = step.multipliedReportingOverflow(by: Int64(index))
      let (rest, restOverflow) = integer.subtractingReportingOverflow(risen)
      if overflow || restOverflow { return nil }
      lowest = min(lowest, rest)
      highest = max(highest, rest)
    }
    let width =
      switch UInt64(bitPattern: highest &- lowest) {
      case _ where integers.isEmpty: 0
      case 0: 0
      case ...0xFF: 1
      case ...0xFFFF: 2
      case ...0xFFFF_FFFF: 4
      default: 8
      }
    self.init(width: width, base: integers.isEmpty ? 0 : lowest, step: step)
  }
}

/// A column of integers that stands in a segment.
struct IntegerColumn {
  let count: Int
  let width: Int
  let base: Int64
  let step: Int64
  let values: SegmentBytes

  init(count: Int, from cursor: inout SegmentCursor) throws(ChromaError) {
    let head = try IntegerHead(from: &cursor)
    try self.init(count: count, head, values: &cursor)
  }

  /// A column whose head stands elsewhere.
  init(
    count: Int, _ head: IntegerHead, values cursor: inout SegmentCursor
  ) throws(ChromaError) {
    self.count = count
    width = head.width
    base = head.base
    step = head.step
    values = try cursor.take(count, of: head.width)
  }

  /// - Parameter index: one of `count`; another one is an error too.
  @inline(__always)
  func value(_ index: Int) throws(ChromaError) -> Int64 {
    let stored: UInt64 =
      switch width {
      case 0: 0
      case 1: UInt64(try values.load(UInt8.self, at: index))
      case 2: UInt64(try values.load(UInt16.self, at: 2 &* index))
      case 4: UInt64(try values.load(UInt32.self, at: 4 &* index))
      default: try values.load(UInt64.self, at: 8 &* index)
      }
    return base &+ step &* Int64(index) &+ Int64(bitPattern: stored)
  }

  /// A number of something that there is so much of.
  @inline(__always)
  func number(_ index: Int, below limit: Int) throws(ChromaError) -> Int {
    let value = try value(index)
    guard value >= 0, value < limit else {
      throw values.damage("a number is \(value), of \(limit)")
    }
    return Int(value)
  }

  /// Where part `index` begins and ends, if this column holds the ends of parts that follow each
  /// other.
  @inline(__always)
  func bounds(_ index: Int, limit: Int) throws(ChromaError) -> (start: Int, end: Int) {
    let start = index == 0 ? 0 : try value(index - 1)
    let end = try value(index)
    guard 0 <= start, start <= end, end <= limit else {
      throw values.damage("a part ends at \(end), before its start \(start) or beyond \(limit)")
    }
    return (Int(start), Int(end))
  }

  /// The end of the last part; 0 without parts.
  func total(limit: Int) throws(ChromaError) -> Int {
    if count == 0 { return 0 }
    let end = try value(count - 1)
    guard 0 <= end, end <= limit else {
      throw values.damage("parts end at \(end), beyond \(limit)")
    }
    return Int(end)
  }

  /// The index of the first value that is at least so large, in a column whose values ascend.
  func firstIndex(atLeast wanted: Int64) throws(ChromaError) -> Int {
    var lower = 0
    var upper = count
    while lower < upper {
      let middle = lower + (upper - lower) / 2
      if try value(middle) < wanted { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }
}

/// A column whose bytes were verified: reading it neither throws nor locks.
@usableFromInline
struct VerifiedIntegers {
  @usableFromInline let count: Int
  @usableFromInline let width: Int
  @usableFromInline let base: Int64
  @usableFromInline let step: Int64
  @usableFromInline let values: UnsafeRawPointer

  init(_ column: IntegerColumn) throws(ChromaError) {
    _ = try column.values.bytes()
    count = column.count
    width = column.width
    base = column.base
    step = column.step
    values = column.values.base
  }

  @inlinable
  @inline(__always)
  subscript(index: Int) -> Int64 {
    // Our own mistake, and foreign memory behind it.
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    let stored: UInt64 =
      switch width {
      case 0: 0
      case 1: UInt64(values.load(fromByteOffset: index, as: UInt8.self))
      case 2:
        UInt64(
          UInt16(littleEndian: values.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)))
      case 4:
        UInt64(
          UInt32(littleEndian: values.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self)))
      default:
        UInt64(littleEndian: values.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self))
      }
    return base &+ step &* Int64(index) &+ Int64(bitPattern: stored)
  }
}

extension VerifiedIntegers {
  /// Calls the body with some of the values, one after another: a third of what asking for each costs.
  @inline(__always)
  func forEachInteger(
    _ range: Range<Int>, _ body: (Int64) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    switch width {
    case 1: try forEachInteger(range, of: UInt8.self, body)
    case 2: try forEachInteger(range, of: UInt16.self, body)
    case 4: try forEachInteger(range, of: UInt32.self, body)
    default: for index in range { try body(self[index]) }
    }
  }

  @inline(__always)
  private func forEachInteger<T: FixedWidthInteger>(
    _ range: Range<Int>, of _: T.Type, _ body: (Int64) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    var risen = base &+ step &* Int64(range.lowerBound)
    for index in range {
      let stored = values.loadUnaligned(
        fromByteOffset: MemoryLayout<T>.size &* index, as: T.self)
      try body(risen &+ Int64(truncatingIfNeeded: T(littleEndian: stored)))
      risen &+= step
    }
  }
}

extension ByteWriter {
  /// Writes a column, head and values.
  mutating func writeIntegers(_ integers: [Int64]) {
    let head = IntegerHead(fitting: integers)
    write(head)
    write(integers, as: head)
  }

  mutating func write(_ head: IntegerHead) {
    write(UInt8(head.width))
    write(UInt8(Self.signedWidth(of: head.base)))
    write(UInt8(Self.signedWidth(of: head.step)))
    writeSigned(head.base)
    writeSigned(head.step)
  }

  /// Writes values that fit the head.
  mutating func write(_ integers: [Int64], as head: IntegerHead) {
    switch head.width {
    case 0: break
    case 1: write(integers, as: head, UInt8.self)
    case 2: write(integers, as: head, UInt16.self)
    case 4: write(integers, as: head, UInt32.self)
    default: write(integers, as: head, UInt64.self)
    }
  }

  @inline(__always)
  private mutating func write<T: FixedWidthInteger>(
    _ integers: [Int64], as head: IntegerHead, _: T.Type
  ) {
    let stored = [T](unsafeUninitializedCapacity: integers.count) { target, count in
      for (index, integer) in integers.enumerated() {
        let rest = integer &- head.base &- head.step &* Int64(index)
        target.initializeElement(at: index, to: T(truncatingIfNeeded: rest).littleEndian)
      }
      count = integers.count
    }
    stored.withUnsafeBytes { write($0) }
  }

  private static func signedWidth(of value: Int64) -> Int {
    if value == 0 { return 0 }
    if Int8(exactly: value) != nil { return 1 }
    if Int16(exactly: value) != nil { return 2 }
    return Int32(exactly: value) != nil ? 4 : 8
  }

  private mutating func writeSigned(_ value: Int64) {
    switch Self.signedWidth(of: value) {
    case 0: break
    case 1: write(Int8(truncatingIfNeeded: value))
    case 2: write(Int16(truncatingIfNeeded: value))
    case 4: write(Int32(truncatingIfNeeded: value))
    default: write(value)
    }
  }
}
