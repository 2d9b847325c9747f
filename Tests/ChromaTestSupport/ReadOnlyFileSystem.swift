// A medium that nobody can write to, whatever the rights of the test's user.

package import ChromaBase
package import ChromaStorage
import Glibc
import Synchronization

/// Shows another file system, and refuses, and writes down, every call that could change it: a file
/// opened for anything but reading, a lock that needs such a file, a change of a directory, a sync.
package final class ReadOnlyFileSystem: FileSystem {
  private let base: any FileSystem
  private let refusals = Mutex<[String]>([])

  package init(_ base: any FileSystem) {
    self.base = base
  }

  /// What was refused, in order.
  package var refusedCalls: [String] { refusals.withLock { $0 } }

  package func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    guard mode == .readOnly else { throw refusal("open", path) }
    guard let file = try base.openIfPresent(path, mode) else { return nil }
    return ReadOnlyFile(file, self)
  }

  package func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    throw refusal("create the directory", path)
  }

  package func list(_ path: String) throws(ChromaError) -> [String] {
    try base.list(path)
  }

  package func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try base.attributes(path)
  }

  package func rename(_ source: String, to target: String) throws(ChromaError) {
    throw refusal("rename", source)
  }

  package func remove(_ path: String) throws(ChromaError) -> Bool {
    throw refusal("remove", path)
  }

  package func syncDirectory(_ path: String) throws(ChromaError) {
    throw refusal("sync the directory", path)
  }

  fileprivate func refusal(_ operation: String, _ path: String) -> ChromaError {
    refusals.withLock { $0.append("\(operation) \(path)") }
    return .failedCall(operation, path, EROFS)
  }
}

private final class ReadOnlyFile: File {
  private let base: any File
  private let fileSystem: ReadOnlyFileSystem

  init(_ base: any File, _ fileSystem: ReadOnlyFileSystem) {
    self.base = base
    self.fileSystem = fileSystem
  }

  var path: String { base.path }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    try base.read(at: offset, into: buffer)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    throw fileSystem.refusal("write", path)
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    throw fileSystem.refusal("set the size of", path)
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    try base.byteCount()
  }

  func sync() throws(ChromaError) {
    throw fileSystem.refusal("sync", path)
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    guard kind == .shared else { throw fileSystem.refusal("lock exclusively", path) }
    return try base.tryLock(range, kind)
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    try base.unlock(range)
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    try base.isLockedElsewhere(range, against: kind)
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try base.mapShared(at: offset, byteCount: byteCount)
  }

  func mapReadOnly(byteCount: Int) throws(ChromaError) -> FileMapping? {
    try base.mapReadOnly(byteCount: byteCount)
  }

  func close() {
    base.close()
  }
}
