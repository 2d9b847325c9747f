// One process among those that use a simulated disk, which can be killed between two of its calls.

package import ChromaBase
package import ChromaStorage
import Synchronization

/// Forwards to a file system, and remembers what this process has open. Once it is dead, every call
/// throws and changes nothing, so that code which unwinds does what a killed one does: nothing.
/// Shared memory it can still reach, and SQLite tidies its WAL index while it unwinds: `bury` undoes
/// that.
package final class SimulatedProcess: FileSystem {
  fileprivate struct State {
    var isDead = false
    /// Calls that are still made; nil for any number.
    var callCountLeft: Int?
    var openFiles: [ObjectIdentifier: any File] = [:]
    /// As it was when the process died.
    var sharedMemory: SharedMemory?
  }

  private let disk: SimulatedDisk
  private let fileSystem: any FileSystem
  private let onCall: @Sendable () -> Void
  fileprivate let state = Mutex(State())

  /// - Parameters:
  ///   - fileSystem: What the calls go through, on their way to the disk.
  ///   - onCall: Runs before each call of the living process.
  package init(
    on disk: SimulatedDisk, through fileSystem: any FileSystem,
    onCall: @escaping @Sendable () -> Void = {}
  ) {
    self.disk = disk
    self.fileSystem = fileSystem
    self.onCall = onCall
  }

  package var isDead: Bool { state.withLock { $0.isDead } }

  /// Files opened and not closed.
  package var openFileCount: Int { state.withLock { $0.openFiles.count } }

  /// Lets so many more calls be made; the one after them ends the process.
  package func die(afterCallCount count: Int) {
    state.withLock { $0.callCountLeft = count }
  }

  /// Takes `die` back.
  package func stayAlive() {
    state.withLock { $0.callCountLeft = nil }
  }

  /// Ends the process: its files close, and their locks go. What it wrote stays.
  package func kill() {
    let memory = disk.sharedMemory
    let files = state.withLock { state in
      defer { state.openFiles = [:] }
      if !state.isDead { state.sharedMemory = memory }
      state.isDead = true
      return state.openFiles
    }
    for file in files.values { file.close() }
  }

  /// Once all code of the dead process has unwound, and before others go on: undoes what that wrote
  /// to shared memory.
  package func bury() {
    if let memory = state.withLock({ $0.sharedMemory }) { disk.restore(memory) }
  }

  /// Begins a call, unless the process is dead or dies of it.
  fileprivate func enter(_ path: String) throws(ChromaError) {
    if !isDead { onCall() }
    let isDying = state.withLock { state in
      guard !state.isDead, let left = state.callCountLeft else { return false }
      state.callCountLeft = left - 1
      return left == 0
    }
    if isDying { kill() }
    if isDead { throw .closedFile(path) }
  }

  fileprivate func forget(_ file: ProcessFile) {
    _ = state.withLock { $0.openFiles.removeValue(forKey: ObjectIdentifier(file)) }
  }

  package func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    try enter(path)
    guard let file = try fileSystem.openIfPresent(path, mode) else { return nil }
    let opened = ProcessFile(file, of: self)
    state.withLock { $0.openFiles[ObjectIdentifier(opened)] = file }
    return opened
  }

  package func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    try enter(path)
    return try fileSystem.createDirectory(path)
  }

  package func list(_ path: String) throws(ChromaError) -> [String] {
    try enter(path)
    return try fileSystem.list(path)
  }

  package func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try enter(path)
    return try fileSystem.attributes(path)
  }

  package func rename(_ source: String, to target: String) throws(ChromaError) {
    try enter(source)
    try fileSystem.rename(source, to: target)
  }

  package func remove(_ path: String) throws(ChromaError) -> Bool {
    try enter(path)
    return try fileSystem.remove(path)
  }

  package func syncDirectory(_ path: String) throws(ChromaError) {
    try enter(path)
    try fileSystem.syncDirectory(path)
  }
}

private final class ProcessFile: File {
  let path: String
  private let file: any File
  private let process: SimulatedProcess

  init(_ file: any File, of process: SimulatedProcess) {
    path = file.path
    self.file = file
    self.process = process
  }

  deinit {
    close()
  }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    try process.enter(path)
    return try file.read(at: offset, into: buffer)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    try process.enter(path)
    try file.write(bytes, at: offset)
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    try process.enter(path)
    try file.setByteCount(byteCount)
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    try process.enter(path)
    return try file.byteCount()
  }

  func sync() throws(ChromaError) {
    try process.enter(path)
    try file.sync()
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    try process.enter(path)
    return try file.tryLock(range, kind)
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    try process.enter(path)
    try file.unlock(range)
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    try process.enter(path)
    return try file.isLockedElsewhere(range, against: kind)
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try process.enter(path)
    return try file.mapShared(at: offset, byteCount: byteCount)
  }

  func close() {
    process.forget(self)
    file.close()
  }
}
