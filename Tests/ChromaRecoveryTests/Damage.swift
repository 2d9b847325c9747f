// Ways in which a file goes bad.

import ChromaTestSupport

enum Damage: CaseIterable {
  case flip, zeros, noise, cut, empty

  /// - Returns: Nil where it would change nothing.
  func change(
    _ bytes: [UInt8], _ random: inout SeededRandom
  ) -> (bytes: [UInt8], offset: Int)? {
    guard !bytes.isEmpty else { return nil }
    let offset = random.int(in: 0...bytes.count - 1)
    var changed = bytes
    switch self {
    case .flip:
      changed[offset] ^= 1 << UInt8(random.int(in: 0...7))
    case .zeros:
      for index in offset..<min(offset + 512, bytes.count) { changed[index] = 0 }
    case .noise:
      for index in offset..<min(offset + 3, bytes.count) {
        changed[index] = UInt8(random.int(in: 0...255))
      }
    case .cut:
      changed.removeLast(bytes.count - offset)
    case .empty:
      changed = []
    }
    return changed == bytes ? nil : (changed, offset)
  }
}
