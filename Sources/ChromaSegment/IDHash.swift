// The number that an id is looked up by in segments.
//
// Part of the format: FORMAT.md says it in words. Not keyed: whoever makes many ids of one hash only
// makes their lookups binary searches among themselves, because ties stand in the order of the ids.

package import ChromaBase

package enum IDHash {
  /// 64 well mixed bits.
  package static func of(_ id: Text) -> UInt64 {
    id.bytes.withUnsafeBytes { of($0) }
  }

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset < bytes.count {
      let word: UInt64
      if bytes.count - offset >= 8 {
        word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      } else {
        word = bytes[offset...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
      hash = (hash ^ word) &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 32
      offset += 8
    }
    hash = (hash ^ hash >> 30) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }
}
