// Integers in few bytes, each found without reading the others.
//
//     | width: UInt8 | base width: UInt8 | step width: UInt8 | base | step | width bytes × values |
//
// Value i is base + i × step + what is stored for i, an unsigned number. Widths are 0, 1, 2, 4 or 8
// bytes; base and step have a sign. Sums are modulo 2^64, so no stored bytes make them trap.
//
// Numbers that a batch gives one after another (orders, slots) take no bytes each, and neither do
// the ends of texts of one length.

internal import ChromaBase

/// A column of integers that stands in a segment.
struct IntegerColumn {
  let count: Int
  let width: Int
  let base: Int64
  let step: Int64
  let values: SegmentBytes

  init(count: Int, from cursor: inout SegmentCursor) throws(ChromaError) {
    self.count = count
    width = Int(try cursor.readUInt8())
    let baseWidth = Int(try cursor.readUInt8())
    let stepWidth = Int(try cursor.readUInt8())
    guard [0, 1, 2, 4, 8].contains(width) else {
      throw cursor.damage("integers of \(width) bytes")
    }
    base = try cursor.readSigned(byteCount: baseWidth)
    step = try cursor.readSigned(byteCount: stepWidth)
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow else { throw cursor.damage("\(count) integers") }
    values = try cursor.take(byteCount)
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

extension ByteWriter {
  /// Writes a column in as few bytes as its form allows.
  ///
  /// - Parameter widthMin: 1 where the bytes have to vouch for the count.
  mutating func writeIntegers(_ integers: [Int64], widthMin: Int = 0) {
    let plain = IntegerForm(integers, step: 0)
    var form = plain ?? IntegerForm(base: 0, step: 0, span: 0)
    if let first = integers.first, let last = integers.last, integers.count > 1 {
      let (rise, overflow) = last.subtractingReportingOverflow(first)
      let slope = overflow ? 0 : rise / Int64(integers.count - 1)
      if slope != 0, let sloped = IntegerForm(integers, step: slope), sloped.width < form.width {
        form = sloped
      }
    }
    let width = max(form.width, widthMin)
    write(UInt8(width))
    write(UInt8(Self.signedWidth(of: form.base)))
    write(UInt8(Self.signedWidth(of: form.step)))
    writeSigned(form.base)
    writeSigned(form.step)
    guard width > 0 else { return }
    var rest = [UInt8](repeating: 0, count: integers.count * width)
    rest.withUnsafeMutableBytes { target in
      for (index, integer) in integers.enumerated() {
        var stored = (integer &- form.base &- form.step &* Int64(index)).littleEndian
        withUnsafeBytes(of: &stored) {
          UnsafeMutableRawBufferPointer(rebasing: target[index * width..<(index + 1) * width])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<width]))
        }
      }
    }
    rest.withUnsafeBytes { write($0) }
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

/// How a column can be stored with a given step.
private struct IntegerForm {
  var base: Int64
  var step: Int64
  /// The largest stored number.
  var span: UInt64

  init(base: Int64, step: Int64, span: UInt64) {
    self.base = base
    self.step = step
    self.span = span
  }

  /// Nil if what remains does not fit 64 bits.
  init?(_ integers: [Int64], step: Int64) {
    var lowest = Int64.max
    var highest = Int64.min
    for (index, integer) in integers.enumerated() {
      let (risen, overflow) = step.multipliedReportingOverflow(by: Int64(index))
      let (rest, restOverflow) = integer.subtractingReportingOverflow(risen)
      if overflow || restOverflow { return nil }
      lowest = min(lowest, rest)
      highest = max(highest, rest)
    }
    if integers.isEmpty {
      lowest = 0
      highest = 0
    }
    self.init(base: lowest, step: step, span: UInt64(bitPattern: highest &- lowest))
  }

  var width: Int {
    switch span {
    case 0: 0
    case ...0xFF: 1
    case ...0xFFFF: 2
    case ...0xFFFF_FFFF: 4
    default: 8
    }
  }
}
