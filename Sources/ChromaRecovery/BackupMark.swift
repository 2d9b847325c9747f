// The file BACKUP: says that a directory is a copy of a database, and whether it is whole.
//
// Little-endian:
//
//     0  "ChromaBU"
//     8  format: UInt32, 1
//    12  1 being written, 2 whole: UInt32
//    16  bytes of chroma.db: UInt64
//    24  CRC-32C of the checksums of its pages: UInt32
//    28  CRC-32C of bytes 0 to 27: UInt32

import ChromaBase
import ChromaCatalog
import ChromaStorage

struct BackupMark: Equatable {
  enum State: UInt32 {
    case unfinished = 1
    case whole = 2
  }

  static let fileName = SQLiteCatalog.backupMarkName
  private static let byteCount = 32
  private static let magic: [UInt8] = Array("ChromaBU".utf8)
  private static let format: UInt32 = 1

  var state: State
  /// Of chroma.db as the backup left it: whoever has written to it since made it a database of its
  /// own, which the next backup must not destroy.
  var catalogByteCount: UInt64
  var catalogChecksum: UInt32

  static let unfinished = BackupMark(state: .unfinished, catalogByteCount: 0, catalogChecksum: 0)

  /// - Returns: Nil if there is none, or none that makes sense.
  static func read(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) -> BackupMark? {
    guard let file = try files.openIfPresent("\(directory)/\(fileName)", .readOnly) else {
      return nil
    }
    defer { file.close() }
    let bytes = try file.read(at: 0, byteCountMax: byteCount)
    return bytes.withUnsafeBufferPointer { parse(UnsafeRawBufferPointer($0)) }
  }

  private static func parse(_ bytes: UnsafeRawBufferPointer) -> BackupMark? {
    guard bytes.count == byteCount else { return nil }
    func integer<T: FixedWidthInteger>(_: T.Type, at offset: Int) -> T {
      T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
    let covered = UnsafeRawBufferPointer(rebasing: bytes[..<28])
    guard bytes.starts(with: magic), integer(UInt32.self, at: 8) == format,
      CRC32C.checksum(of: covered) == integer(UInt32.self, at: 28),
      let state = State(rawValue: integer(UInt32.self, at: 12))
    else { return nil }
    return BackupMark(
      state: state, catalogByteCount: integer(UInt64.self, at: 16),
      catalogChecksum: integer(UInt32.self, at: 24))
  }

  /// Writes the file durably, in place of an earlier one.
  func write(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) {
    var writer = ByteWriter(byteCountExpected: Self.byteCount)
    for byte in Self.magic { writer.write(byte) }
    writer.write(Self.format)
    writer.write(state.rawValue)
    writer.write(catalogByteCount)
    writer.write(catalogChecksum)
    writer.write(CRC32C.checksum(of: writer.bytes))
    let path = "\(directory)/\(Self.fileName)"
    let file = try files.open("\(path).tmp", .create)
    defer { file.close() }
    try file.setByteCount(0)
    try file.write(writer.bytes, at: 0)
    try file.sync()
    try files.rename("\(path).tmp", to: path)
    try files.syncDirectory(directory)
  }
}
