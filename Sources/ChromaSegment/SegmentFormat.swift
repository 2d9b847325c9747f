// The envelope of a segment: one immutable payload of columns, in a blob or in the catalog.
//
// Little-endian:
//
//     | sections | directory: 12 bytes × sections | trailer: 80 bytes |
//
//     directory entry  0  kind: UInt16
//                      2  1 if who does not know the kind must refuse the segment, else 0: UInt16
//                      4  bytes: UInt64
//
//     trailer          0  offset of the directory: UInt64
//                      8  rows: UInt32, from 1
//                     12  dimension: UInt32
//                     16  elements from one vector to the next: UInt32
//                     20  sections: UInt16
//                     22  space: UInt8, 1 l2, 2 cosine, 3 ip
//                     23  alignment of sections, as a power of two: UInt8, 6 in blobs, else 0
//                     24  collection: 16 bytes
//                     40  version that it was made for: Int64
//                     48  first position: Int64
//                     56  last position: Int64
//                     64  format: UInt16 major, UInt16 minor
//                     68  CRC-32C of the sections: UInt32
//                     72  CRC-32C of directory and trailer up to here: UInt32
//                     76  "CSG1"
//
// Each section begins where the one before ended, at the next multiple of the alignment; zeros fill
// the gap. The vectors come first, so that they are aligned wherever the payload is.
//
// Invariants:
//   * Kinds ascend: none occurs twice, and equal segments are equal bytes.
//   * Unknown sections are skipped, unless they say that they must be understood.

internal import ChromaBase

/// The sections that this release knows. Numbers are for good.
enum SectionKind: UInt16 {
  case vectors = 1
  /// In cosine space only.
  case inverseNorms = 2
  /// Orders and slots.
  case rows = 3
  case idTexts = 4
  case idIndex = 5
  case documentBlocks = 6
  case documentIndex = 7
  case uriTexts = 8
  case uriIndex = 9
  case metadataValues = 10
  case metadataIndex = 11
  case definition = 12
  /// Where a vector is newer than its record.
  case vectorPositions = 13
  /// Where the elements of vectors are not float32.
  case vectorType = 14
  /// Where a column of metadata is large.
  case valueIndex = 15
  /// Where there are documents, and many rows.
  case textIndex = 16

  /// Whether a segment cannot be read without it.
  var isRequired: Bool { ![.definition, .valueIndex, .textIndex].contains(self) }
}

struct SegmentTrailer: Equatable {
  static let byteCount = 80
  static let entryByteCount = 12
  static let magic: UInt32 = 0x3147_5343
  static let major: UInt16 = 1
  static let minor: UInt16 = 0
  static let blobAlignmentShift = 6
  /// Offsets in the trailer.
  private static let directoryChecksumOffset = 72

  struct Entry: Equatable {
    var kind: UInt16
    var isRequired: Bool
    var byteCount: Int
  }

  var rowCount: Int
  var dimension: Int
  var stride: Int
  var space: Space
  var alignmentShift: Int
  var description: SegmentDescription
  var sectionsChecksum: UInt32
  var directoryOffset: Int
  var entries: [Entry]

  // MARK: Encoding

  /// Directory and trailer.
  func encoded() -> [UInt8] {
    var writer = ByteWriter(byteCountExpected: entries.count * Self.entryByteCount + Self.byteCount)
    for entry in entries {
      writer.write(entry.kind)
      writer.write(entry.isRequired ? 1 : 0 as UInt16)
      writer.write(UInt64(entry.byteCount))
    }
    writer.write(UInt64(directoryOffset))
    writer.write(UInt32(rowCount))
    writer.write(UInt32(dimension))
    writer.write(UInt32(stride))
    writer.write(UInt16(entries.count))
    writer.write(Self.number(of: space))
    writer.write(UInt8(alignmentShift))
    description.collection.bytes.withUnsafeBytes { writer.write($0) }
    writer.write(description.version)
    writer.write(description.firstPosition)
    writer.write(description.lastPosition)
    writer.write(Self.major)
    writer.write(Self.minor)
    writer.write(sectionsChecksum)
    writer.write(CRC32C.checksum(of: writer.bytes))
    writer.write(Self.magic)
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

  /// - Throws: `.corruption`, `.unsupportedFormat`.
  init(of payload: SegmentPayload) throws(ChromaError) {
    let end = payload.byteCount
    guard end >= Self.byteCount else {
      throw payload.damage("its \(end) bytes are too few", at: 0)
    }
    let trailerOffset = end - Self.byteCount
    var reader = ByteReader(
      try payload.bytes(from: trailerOffset, count: Self.byteCount), source: payload.source)
    let directoryOffset = try reader.readUInt64()
    rowCount = Int(try reader.readUInt32())
    dimension = Int(try reader.readUInt32())
    stride = Int(try reader.readUInt32())
    let counts = try reader.readUInt32()
    let entryCount = Int(counts & 0xFFFF)
    alignmentShift = Int(counts >> 24)
    description = SegmentDescription(
      collection: try reader.readUUID(), version: Int64(bitPattern: try reader.readUInt64()),
      firstPosition: Int64(bitPattern: try reader.readUInt64()),
      lastPosition: Int64(bitPattern: try reader.readUInt64()))
    let format = try reader.readUInt32()
    sectionsChecksum = try reader.readUInt32()
    let checksum = try reader.readUInt32()
    guard try reader.readUInt32() == Self.magic else {
      throw payload.damage("it does not end as a segment", at: end - 4)
    }
    guard directoryOffset <= UInt64(trailerOffset),
      trailerOffset - Int(directoryOffset) == entryCount * Self.entryByteCount
    else { throw payload.damage("its directory is not where it should be", at: trailerOffset) }
    self.directoryOffset = Int(directoryOffset)
    let covered = try payload.bytes(
      from: self.directoryOffset,
      count: entryCount * Self.entryByteCount + Self.directoryChecksumOffset)
    guard CRC32C.checksum(of: covered) == checksum else {
      throw payload.damage("the checksum of its directory does not hold", at: trailerOffset)
    }
    // After the checksum, which stands there in every format: a flipped bit is no newer release.
    guard UInt16(truncatingIfNeeded: format) == Self.major else {
      throw ChromaError(
        .unsupportedFormat,
        "The \(payload.source) has segment format \(format & 0xFFFF); this release reads "
          + "\(Self.major). Use a newer release.")
    }
    switch counts >> 16 & 0xFF {
    case 1: space = .l2
    case 2: space = .cosine
    case 3: space = .ip
    case let number: throw payload.damage("its space has the number \(number)", at: trailerOffset)
    }
    entries = try Self.readEntries(entryCount, at: self.directoryOffset, of: payload)
    // Whether the stride is right depends on the type of the elements, which a section tells.
    guard rowCount >= 1, (1...Limits.dimensionMax).contains(dimension), stride >= dimension,
      [0, 6].contains(alignmentShift)
    else { throw payload.damage("its shape is none that is written", at: trailerOffset) }
  }

  private static func readEntries(
    _ count: Int, at offset: Int, of payload: SegmentPayload
  ) throws(ChromaError) -> [Entry] {
    var reader = ByteReader(
      try payload.bytes(from: offset, count: count * entryByteCount), source: payload.source)
    var entries: [Entry] = []
    for _ in 0..<count {
      let head = try reader.readUInt32()
      let byteCount = try reader.readUInt64()
      let kind = UInt16(truncatingIfNeeded: head)
      guard byteCount <= UInt64(offset), entries.last.map({ $0.kind < kind }) ?? true else {
        throw payload.damage("its directory makes no sense", at: offset)
      }
      entries.append(
        Entry(kind: kind, isRequired: head >> 16 != 0, byteCount: Int(byteCount)))
    }
    return entries
  }
}

extension SegmentTrailer {
  init(
    rowCount: Int, dimension: Int, stride: Int, space: Space, alignmentShift: Int,
    description: SegmentDescription
  ) {
    self.rowCount = rowCount
    self.dimension = dimension
    self.stride = stride
    self.space = space
    self.alignmentShift = alignmentShift
    self.description = description
    sectionsChecksum = 0
    directoryOffset = 0
    entries = []
  }

  /// Where each section stands.
  ///
  /// - Throws: `.corruption` if they do not fill the place before the directory;
  ///   `.unsupportedFormat` for one that this release would have to know.
  func sections(
    of payload: SegmentPayload
  ) throws(ChromaError) -> [SectionKind: SegmentBytes] {
    var sections: [SectionKind: SegmentBytes] = [:]
    var offset = 0
    let mask = 1 << alignmentShift - 1
    for entry in entries {
      offset = (offset + mask) & ~mask
      // Both are at most the payload's length, of some 2^40.
      guard offset + entry.byteCount <= directoryOffset else {
        throw payload.damage("its sections exceed it", at: directoryOffset)
      }
      if let kind = SectionKind(rawValue: entry.kind) {
        sections[kind] = SegmentBytes(payload, offset: offset, count: entry.byteCount)
      } else if entry.isRequired {
        throw ChromaError(
          .unsupportedFormat,
          "The \(payload.source) has a section of kind \(entry.kind), which this release does not "
            + "know. Use a newer release.")
      }
      offset += entry.byteCount
    }
    guard offset == directoryOffset else {
      throw payload.damage("its sections do not fill it", at: offset)
    }
    return sections
  }
}
