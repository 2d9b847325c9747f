// A file system with a planted defect, between the engines and the simulated disk.

import ChromaBase
import ChromaStorage
import Synchronization

enum FileDefect: Sendable {
  enum Part: Sendable {
    case above, directory, database, wal, journal, blobFolder, blob, segment, index

    static func of(_ path: String) -> Part? {
      switch path {
      case "/", "/data": .above
      case Player.directory: .directory
      case "\(Player.directory)/chroma.db": .database
      case "\(Player.directory)/chroma.db-wal": .wal
      case "\(Player.directory)/chroma.db-journal": .journal
      case "\(Player.directory)/blobs": .blobFolder
      case _ where path.hasPrefix("\(Player.directory)/blobs/"):
        path.contains(".segment") ? .segment : path.contains(".index") ? .index : .blob
      default: nil
      }
    }
  }

  /// A sync of a file or directory does nothing.
  case skipsSync(Part)
  /// A sync does not cover the last write before it.
  case syncsBeforeLastWrite(Part)
  /// Of so many writes one is lost.
  case losesWrite(Part, interval: Int)
  /// Of so many writes one is torn, and passes for whole.
  case tearsWrite(Part, interval: Int)
  /// Files are made under the name that they are to have in the end.
  case skipsTemporaryName
  /// A file gets its name before it is synced.
  case renamesBeforeSync
  /// A file that is removed stays.
  case skipsRemoval(Part)
  case hidesFailedSync
  case retriesFailedSync
  case hidesFailedWrite
  /// Locks exclude nobody.
  case grantsEveryLock
}

final class DefectiveFileSystem: FileSystem {
  let defect: FileDefect
  private let base: any FileSystem
  fileprivate let state = Mutex(State())

  fileprivate struct State {
    var writeCount = 0
    /// Temporary blobs that wait for their name before they are synced.
    var unsynced: [String: any File] = [:]
  }

  init(_ base: any FileSystem, _ defect: FileDefect) {
    self.base = base
    self.defect = defect
  }

  func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    var actualPath = path
    if case .skipsTemporaryName = defect, path.hasSuffix(".tmp") {
      actualPath = String(path.dropLast(4))
    }
    guard let file = try base.openIfPresent(actualPath, mode) else { return nil }
    return DefectiveFile(file, in: self)
  }

  func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    try base.createDirectory(path)
  }

  func list(_ path: String) throws(ChromaError) -> [String] {
    try base.list(path)
  }

  func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try base.attributes(path)
  }

  func rename(_ source: String, to target: String) throws(ChromaError) {
    if case .skipsTemporaryName = defect { return }
    try base.rename(source, to: target)
    if let file = state.withLock({ $0.unsynced.removeValue(forKey: source) }) { try file.sync() }
  }

  func remove(_ path: String) throws(ChromaError) -> Bool {
    if case .skipsRemoval(let part) = defect, FileDefect.Part.of(path) == part { return true }
    return try base.remove(path)
  }

  func syncDirectory(_ path: String) throws(ChromaError) {
    try sync(path) { () throws(ChromaError) in try base.syncDirectory(path) }
  }

  /// A sync of anything, as the defect has it.
  fileprivate func sync(
    _ path: String, _ body: () throws(ChromaError) -> Void
  ) throws(ChromaError) {
    if case .skipsSync(let part) = defect, FileDefect.Part.of(path) == part { return }
    do throws(ChromaError) {
      try body()
    } catch {
      switch defect {
      case .hidesFailedSync: return
      case .retriesFailedSync: try body()
      default: throw error
      }
    }
  }

  /// Whether this write is the one in so many that goes wrong.
  fileprivate func isHit(_ path: String, _ part: FileDefect.Part, _ interval: Int) -> Bool {
    guard FileDefect.Part.of(path) == part else { return false }
    return state.withLock { state in
      state.writeCount += 1
      return state.writeCount.isMultiple(of: interval)
    }
  }
}

private final class DefectiveFile: File {
  let path: String
  private let file: any File
  private let files: DefectiveFileSystem
  /// For `syncsBeforeLastWrite`.
  private let held = Mutex<(offset: UInt64, bytes: [UInt8])?>(nil)

  init(_ file: any File, in files: DefectiveFileSystem) {
    path = file.path
    self.file = file
    self.files = files
  }

  deinit {
    close()
  }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    try writeHeld()
    return try file.read(at: offset, into: buffer)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    try writeHeld()
    switch files.defect {
    case .syncsBeforeLastWrite(let part) where FileDefect.Part.of(path) == part:
      let bytes = Array(bytes)
      held.withLock { $0 = (offset, bytes) }
    case .losesWrite(let part, let interval) where files.isHit(path, part, interval):
      break
    case .tearsWrite(let part, let interval) where files.isHit(path, part, interval):
      try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
    case .hidesFailedWrite:
      try? file.write(bytes, at: offset)
    default:
      try file.write(bytes, at: offset)
    }
  }

  private func writeHeld() throws(ChromaError) {
    let write = held.withLock { held in
      defer { held = nil }
      return held
    }
    if let write { try file.write(write.bytes, at: write.offset) }
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    try writeHeld()
    try file.setByteCount(byteCount)
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    try writeHeld()
    return try file.byteCount()
  }

  func sync() throws(ChromaError) {
    if case .renamesBeforeSync = files.defect, path.hasSuffix(".tmp") {
      files.state.withLock { $0.unsynced[path] = file }
      return
    }
    try files.sync(path) { () throws(ChromaError) in try file.sync() }
    try writeHeld()
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    if case .grantsEveryLock = files.defect { return true }
    return try file.tryLock(range, kind)
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    try file.unlock(range)
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    if case .grantsEveryLock = files.defect { return false }
    return try file.isLockedElsewhere(range, against: kind)
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try file.mapShared(at: offset, byteCount: byteCount)
  }

  func close() {
    // A file that waits to be synced is closed by then; the sync is for its name.
    if case .renamesBeforeSync = files.defect, path.hasSuffix(".tmp") { return }
    file.close()
  }
}
