// Files of the operating system. The calls themselves are in C (`chroma_file.h`); here their answers
// become errors that say what failed.

internal import CChromaPlatform
package import ChromaBase
internal import Glibc
internal import Synchronization

/// The operating system's file system. Has no state of its own.
package final class FolderFileSystem: FileSystem {
  package init() {}

  package func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    try checkPath(path)
    var descriptor: Int32 = -1
    let code = chroma_file_open(path, Self.constant(of: mode), &descriptor)
    if code == ENOENT, mode == .readOnly || mode == .readWrite { return nil }
    guard code == 0 else { throw .failedCall("open", path, code) }
    return FolderFile(path: path, descriptor: descriptor, isWritable: mode != .readOnly)
  }

  @discardableResult
  package func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    try checkPath(path)
    let code = chroma_path_create_directory(path)
    if code == EEXIST, try attributes(path)?.kind == .directory { return false }
    guard code == 0 else { throw .failedCall("create the directory", path, code) }
    return true
  }

  package func list(_ path: String) throws(ChromaError) -> [String] {
    try checkPath(path)
    var names: [[UInt8]] = []
    let code = withUnsafeMutablePointer(to: &names) { pointer in
      chroma_path_list(path, pointer) { context, name in
        guard let context, let name else { return }
        let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
        context.assumingMemoryBound(to: [[UInt8]].self).pointee.append(Array(bytes))
      }
    }
    guard code == 0 else { throw .failedCall("list the directory", path, code) }
    names.sort { $0.lexicographicallyPrecedes($1) }
    return names.map { String(decoding: $0, as: UTF8.self) }
  }

  package func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try checkPath(path)
    var status = chroma_file_attributes()
    let code = chroma_path_attributes(path, &status)
    if code == ENOENT || code == ENOTDIR { return nil }
    guard code == 0 else { throw .failedCall("look at", path, code) }
    let kind: FileAttributes.Kind
    switch status.kind {
    case Int32(CHROMA_FILE_KIND_FILE): kind = .file
    case Int32(CHROMA_FILE_KIND_DIRECTORY): kind = .directory
    default: kind = .other
    }
    return FileAttributes(
      kind: kind, byteCount: status.byte_count,
      identity: FileIdentity(device: status.device, inode: status.inode))
  }

  package func rename(_ source: String, to target: String) throws(ChromaError) {
    try checkPath(source)
    try checkPath(target)
    let code = chroma_path_rename(source, target)
    guard code == 0 else { throw .failedCall("rename to \(target) the file", source, code) }
  }

  @discardableResult
  package func remove(_ path: String) throws(ChromaError) -> Bool {
    try checkPath(path)
    let code = chroma_path_remove(path)
    if code == ENOENT { return false }
    guard code == 0 else { throw .failedCall("remove", path, code) }
    return true
  }

  package func syncDirectory(_ path: String) throws(ChromaError) {
    try checkPath(path)
    let code = chroma_path_sync_directory(path)
    guard code == 0 else { throw .failedCall("sync the directory", path, code) }
  }

  private static func constant(of mode: FileOpenMode) -> Int32 {
    switch mode {
    case .readOnly: Int32(CHROMA_FILE_READ_ONLY)
    case .readWrite: Int32(CHROMA_FILE_READ_WRITE)
    case .create: Int32(CHROMA_FILE_CREATE)
    case .createNew: Int32(CHROMA_FILE_CREATE_NEW)
    }
  }
}

/// A descriptor of the process that opened it. In a forked child every call but `close` throws.
private final class FolderFile: File {
  let path: String
  /// -1 once closed.
  private let descriptor: Atomic<Int32>
  private let isWritable: Bool
  private let forkGeneration = chroma_fork_generation()
  private let regions = Mutex<[Region]>([])

  private struct Region {
    let address: UInt
    let byteCount: Int
  }

  init(path: String, descriptor: Int32, isWritable: Bool) {
    self.path = path
    self.descriptor = Atomic(descriptor)
    self.isWritable = isWritable
  }

  deinit {
    close()
  }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    let descriptor = try openDescriptor()
    guard let base = buffer.baseAddress else { return 0 }
    var byteCount = 0
    let code = chroma_file_read(descriptor, base, buffer.count, offset, &byteCount)
    guard code == 0 else {
      throw .failedCall("read \(buffer.count) bytes at offset \(offset) of", path, code)
    }
    return byteCount
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    let descriptor = try openDescriptor()
    guard let base = bytes.baseAddress else { return }
    let code = chroma_file_write(descriptor, base, bytes.count, offset)
    guard code == 0 else {
      throw .failedCall("write \(bytes.count) bytes at offset \(offset) of", path, code)
    }
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    let code = chroma_file_set_byte_count(try openDescriptor(), byteCount)
    guard code == 0 else { throw .failedCall("set to \(byteCount) bytes the file", path, code) }
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    var byteCount: UInt64 = 0
    let code = chroma_file_byte_count(try openDescriptor(), &byteCount)
    guard code == 0 else { throw .failedCall("ask for the size of", path, code) }
    return byteCount
  }

  func sync() throws(ChromaError) {
    let code = chroma_file_sync(try openDescriptor())
    guard code == 0 else { throw .failedCall("sync", path, code) }
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    let constant = Self.constant(of: kind)
    let count = range.upperBound - range.lowerBound
    let code = chroma_file_lock(try openDescriptor(), range.lowerBound, count, constant)
    if code == EAGAIN { return false }
    guard code == 0 else { throw .failedCall("lock bytes \(range) of", path, code) }
    return true
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    let count = range.upperBound - range.lowerBound
    let code = chroma_file_lock(
      try openDescriptor(), range.lowerBound, count, Int32(CHROMA_FILE_UNLOCK))
    guard code == 0 else { throw .failedCall("unlock bytes \(range) of", path, code) }
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    let constant = Self.constant(of: kind)
    let count = range.upperBound - range.lowerBound
    var isLocked = false
    let code = chroma_file_is_locked(
      try openDescriptor(), range.lowerBound, count, constant, &isLocked)
    guard code == 0 else { throw .failedCall("look at the locks of", path, code) }
    return isLocked
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    let code = chroma_file_map(try openDescriptor(), offset, byteCount, isWritable, &memory)
    guard code == 0, let memory else {
      throw .failedCall("map \(byteCount) bytes at offset \(offset) of", path, code)
    }
    let region = Region(address: UInt(bitPattern: memory), byteCount: byteCount)
    regions.withLock { $0.append(region) }
    return memory
  }

  func mapReadOnly(byteCount: Int) throws(ChromaError) -> FileMapping? {
    var memory: UnsafeRawPointer?
    // What cannot be mapped, for want of a file system that maps or of room for one more map, can
    // still be read.
    guard chroma_file_map_read_only(try openDescriptor(), byteCount, &memory) == 0, let memory
    else { return nil }
    return FileMapping(UnsafeRawBufferPointer(start: memory, count: byteCount))
  }

  func close() {
    let descriptor = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
    // In a forked child the number may already be somebody else's file; the maps are left, since
    // an abandoned engine must not be pulled from under whoever still looks at it.
    guard descriptor >= 0, chroma_fork_generation() == forkGeneration else { return }
    for region in regions.withLock({ $0 }) {
      chroma_file_unmap(UnsafeMutableRawPointer(bitPattern: region.address), region.byteCount)
    }
    chroma_file_close(descriptor)
  }

  private func openDescriptor() throws(ChromaError) -> Int32 {
    let descriptor = descriptor.load(ordering: .acquiring)
    guard descriptor >= 0, chroma_fork_generation() == forkGeneration else {
      throw .closedFile(path)
    }
    return descriptor
  }

  private static func constant(of kind: FileLockKind) -> Int32 {
    switch kind {
    case .shared: Int32(CHROMA_FILE_LOCK_SHARED)
    case .exclusive: Int32(CHROMA_FILE_LOCK_EXCLUSIVE)
    }
  }
}
