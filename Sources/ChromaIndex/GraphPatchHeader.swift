// The first bytes of a patch, and what is known from them.

internal import ChromaBase

struct PatchHeader: Equatable {
  static let byteCount = 80
  /// Zeros, so that bits may be read eight bytes at once, and the checksum.
  static let tailByteCount = 8 + 4
  static let magic: UInt32 = 0x3150_4743
  static let major: UInt16 = 1
  static let minor: UInt16 = 0
  static let maxNeighborsRange = 2...512

  /// How a set of slots is written.
  enum SlotForm: UInt8 {
    case bits = 1
    case numbers = 2
  }

  struct SlotSet: Equatable {
    var count = 0
    var form = SlotForm.bits

    /// No overflow: a count is below 2^32, a width at most 31.
    func byteCount(slotCount: Int, width: Int) -> Int {
      switch form {
      case .bits: (slotCount + 7) / 8
      case .numbers: (count * width + 7) / 8
      }
    }
  }

  var label: GraphPatch.Label
  var dimension: Int
  var space: Space
  var isComplete: Bool
  var maxNeighbors: Int
  /// All slots are below it.
  var slotCount: Int
  var memberCount: Int
  var entry: UInt32?
  var coded: SlotSet
  var removed: SlotSet
  var linked: SlotSet

  /// Bits of a slot.
  var slotWidth: Int { Self.bitCount(of: slotCount - 1) }
  /// Bytes of a code with its side.
  var codeByteCount: Int { dimension + MemoryLayout<CodeSide>.size }

  /// Bits of numbers up to this one; at least 1.
  static func bitCount(of number: Int) -> Int {
    max(1, Int.bitWidth - max(0, number).leadingZeroBitCount)
  }

  /// The most slots that a patch of so many bytes may speak of if the graph before has fewer: a graph
  /// takes memory for each, and a few bytes shall not make it take gigabytes. A patch that exceeds it has
  /// a bit set of its coded slots, which makes it long enough.
  static func slotCountMax(byteCount: Int, previous: Graph?) -> Int {
    max(1 << 12, 512 * byteCount, previous?.members.end ?? 0)
  }

  // MARK: Encoding

  func encoded() -> [UInt8] {
    var writer = ByteWriter(byteCountExpected: Self.byteCount)
    writer.write(Self.magic)
    writer.write(Self.major)
    writer.write(Self.minor)
    label.collection.bytes.withUnsafeBytes { writer.write($0) }
    writer.write(label.previousGeneration)
    writer.write(label.position)
    writer.write(UInt32(dimension))
    writer.write(Self.number(of: space))
    writer.write(isComplete ? 1 : 2 as UInt8)
    writer.write(UInt16(maxNeighbors))
    writer.write(UInt32(slotCount))
    writer.write(UInt32(memberCount))
    writer.write(entry ?? Graph.noSlot)
    for set in [coded, removed, linked] { writer.write(UInt32(set.count)) }
    for set in [coded, removed, linked] { writer.write(set.form.rawValue) }
    writer.write(0 as UInt8)
    writer.write(0 as UInt32)
    return writer.bytes
  }

  private static func number(of space: Space) -> UInt8 {
    switch space {
    case .l2: 1
    case .cosine: 2
    case .ip: 3
    }
  }

  // MARK: Decoding

  init(_ bytes: UnsafeRawBufferPointer, source: String) throws(ChromaError) {
    guard bytes.count >= Self.byteCount + Self.tailByteCount else {
      throw .corruption("The \(source) is damaged: its \(bytes.count) bytes are too few.")
    }
    let covered = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)])
    let checksum = UInt32(
      littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self))
    guard CRC32C.checksum(of: covered) == checksum else {
      throw .corruption("The \(source) is damaged: its checksum does not hold.")
    }
    var reader = ByteReader(covered, source: source)
    guard try reader.readUInt32() == Self.magic else {
      throw reader.damage("it does not begin as a patch of a graph")
    }
    // After the checksum, which stands there in every format: a flipped bit is no newer release.
    let format = try reader.readUInt32()
    guard UInt16(truncatingIfNeeded: format) == Self.major else {
      throw ChromaError(
        .unsupportedFormat,
        "The \(source) has index format \(format & 0xFFFF); this release reads \(Self.major). Use a "
          + "newer release.")
    }
    label = GraphPatch.Label(
      collection: UUID(
        high: try reader.readUInt64().byteSwapped, low: try reader.readUInt64().byteSwapped),
      previousGeneration: Int64(bitPattern: try reader.readUInt64()),
      position: Int64(bitPattern: try reader.readUInt64()))
    dimension = Int(try reader.readUInt32())
    let shape = try reader.readUInt32()
    slotCount = Int(try reader.readUInt32())
    memberCount = Int(try reader.readUInt32())
    let entry = try reader.readUInt32()
    let counts = (
      Int(try reader.readUInt32()), Int(try reader.readUInt32()), Int(try reader.readUInt32())
    )
    let forms = try reader.readUInt32()
    switch shape & 0xFF {
    case 1: space = .l2
    case 2: space = .cosine
    case 3: space = .ip
    case let number: throw reader.damage("its space has the number \(number)")
    }
    isComplete = shape >> 8 & 0xFF == 1
    maxNeighbors = Int(shape >> 16)
    self.entry = entry == Graph.noSlot ? nil : entry
    guard let first = SlotForm(rawValue: UInt8(forms & 0xFF)),
      let second = SlotForm(rawValue: UInt8(forms >> 8 & 0xFF)),
      let third = SlotForm(rawValue: UInt8(forms >> 16 & 0xFF))
    else { throw reader.damage("its sets of slots are written in no known form") }
    coded = SlotSet(count: counts.0, form: first)
    removed = SlotSet(count: counts.1, form: second)
    linked = SlotSet(count: counts.2, form: third)
    guard isComplete || shape >> 8 & 0xFF == 2, (1...Quantizer.dimensionMax).contains(dimension),
      Self.maxNeighborsRange.contains(maxNeighbors),
      slotCount <= Graph.slotEnd, memberCount <= slotCount,
      (self.entry == nil) == (memberCount == 0), entry == Graph.noSlot || entry < slotCount,
      counts.0 <= memberCount, counts.1 <= slotCount, counts.2 <= memberCount,
      !isComplete || (counts.0 == memberCount && counts.1 == 0 && label.previousGeneration == 0)
    else { throw reader.damage("its header makes no sense") }
  }
}

extension PatchHeader {
  init(
    label: GraphPatch.Label, dimension: Int, space: Space, isComplete: Bool, maxNeighbors: Int,
    slotCount: Int, memberCount: Int, entry: UInt32?
  ) {
    self.label = label
    self.dimension = dimension
    self.space = space
    self.isComplete = isComplete
    self.maxNeighbors = maxNeighbors
    self.slotCount = slotCount
    self.memberCount = memberCount
    self.entry = entry
    coded = SlotSet()
    removed = SlotSet()
    linked = SlotSet()
  }
}

extension Bitset {
  /// The slot after the last one; 0 if there is none.
  var end: Int {
    guard let last = words.lastIndex(where: { $0 != 0 }) else { return 0 }
    return 64 * last + 64 - words[last].leadingZeroBitCount
  }
}
