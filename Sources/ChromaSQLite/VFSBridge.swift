// What connects SQLite's file layer (`chroma_vfs.h`, in C) to the engine's `FileSystem`.
//
// Each C function takes a pointer to a context or to an open file, calls the file system, and turns
// an error into a status, keeping the error itself for the connection to throw: SQLite's own codes
// would not say which file and why.

import CChromaPlatform
import ChromaBase
import ChromaStorage

/// What the file layer of one connection knows. Used by one thread at a time, as the connection is.
final class VFSContext {
  let database: SQLiteDatabase
  /// The failure that made SQLite's current call fail.
  var failure: ChromaError?
  /// When SQLite began to wait for a lock that it is waiting for now.
  var busySince: UInt64 = 0
  /// Pages in the WAL after the last commit.
  var walPageCount = 0

  init(database: SQLiteDatabase) {
    self.database = database
  }

  static func from(_ pointer: UnsafeMutableRawPointer?) -> VFSContext? {
    pointer.map { Unmanaged<VFSContext>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Runs what SQLite asked for, as a status of `chroma_vfs.h`.
  func status(of work: () throws(ChromaError) -> Int32) -> Int32 {
    do throws(ChromaError) {
      return try work()
    } catch {
      failure = error
      return error.kind == .outOfSpace ? Int32(CHROMA_VFS_FULL) : Int32(CHROMA_VFS_FAILED)
    }
  }
}

/// An open file of SQLite's. Retained from `open` to `close`.
final class VFSFile {
  let file: any File
  let context: VFSContext

  init(file: any File, context: VFSContext) {
    self.file = file
    self.context = context
  }

  static func status(
    _ pointer: UnsafeMutableRawPointer?, _ work: (VFSFile) throws(ChromaError) -> Int32
  ) -> Int32 {
    guard let pointer else { return Int32(CHROMA_VFS_FAILED) }
    let file = Unmanaged<VFSFile>.fromOpaque(pointer).takeUnretainedValue()
    return file.context.status { () throws(ChromaError) in try work(file) }
  }
}

/// The table of functions. Lives as long as the process.
// nonisolated(unsafe): written once, here, and only read afterwards.
nonisolated(unsafe) let vfsCalls: UnsafePointer<chroma_vfs_calls> = {
  let calls = UnsafeMutablePointer<chroma_vfs_calls>.allocate(capacity: 1)
  calls.initialize(
    to: chroma_vfs_calls(
      open: vfsOpen, close: vfsClose, read: vfsRead, write: vfsWrite,
      set_byte_count: vfsSetByteCount, byte_count: vfsByteCount, sync: vfsSync, lock: vfsLock,
      is_locked: vfsIsLocked, map: vfsMap, remove: vfsRemove, path_byte_count: vfsPathByteCount,
      random: vfsRandom, sleep: vfsSleep, wall_nanoseconds: vfsWallNanoseconds,
      damaged: vfsDamaged))
  return UnsafePointer(calls)
}()

private let vfsOK = Int32(CHROMA_VFS_OK)

private func vfsOpen(
  context: UnsafeMutableRawPointer?, path: UnsafePointer<CChar>?, mode: Int32,
  outFile: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  guard let context = VFSContext.from(context) else { return Int32(CHROMA_VFS_FAILED) }
  return context.status { () throws(ChromaError) in
    let file: (any File)? =
      if let path {
        try open(String(cString: path), mode, context.database)
      } else {
        try MemoryFileSystem().open("/temporary", .createNew)
      }
    guard let file else { return Int32(CHROMA_VFS_MISSING) }
    let opened = VFSFile(file: file, context: context)
    outFile?.pointee = Unmanaged.passRetained(opened).toOpaque()
    return vfsOK
  }
}

private func open(
  _ path: String, _ mode: Int32, _ database: SQLiteDatabase
) throws(ChromaError) -> (any File)? {
  switch mode {
  case Int32(CHROMA_FILE_READ_ONLY): return try database.fileSystem.openIfPresent(path, .readOnly)
  case Int32(CHROMA_FILE_READ_WRITE): return try database.fileSystem.open(path, .readWrite)
  default:
    let file = try database.fileSystem.open(path, .create)
    // Always, not only when the file is new: whoever made it may have died before this sync, and a
    // commit in a file without a name is lost. The WAL index is remade after a power cut; and a
    // database that takes no more writes is still opened for reading.
    if !path.hasSuffix("-shm"), database.syncs.isWritable {
      let parent = Place.parent(of: path)
      try database.syncs.syncing { () throws(ChromaError) in
        try database.fileSystem.syncDirectory(parent)
      }
    }
    return file
  }
}

private func vfsClose(file: UnsafeMutableRawPointer?) {
  guard let file else { return }
  Unmanaged<VFSFile>.fromOpaque(file).takeRetainedValue().file.close()
}

private func vfsRead(
  file: UnsafeMutableRawPointer?, buffer: UnsafeMutableRawPointer?, byteCount: Int, offset: UInt64,
  outByteCount: UnsafeMutablePointer<Int>?
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: byteCount)
    outByteCount?.pointee = try file.file.read(at: offset, into: buffer)
    return vfsOK
  }
}

private func vfsWrite(
  file: UnsafeMutableRawPointer?, bytes: UnsafeRawPointer?, byteCount: Int, offset: UInt64
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    try file.context.database.syncs.checkWritable()
    try file.file.write(UnsafeRawBufferPointer(start: bytes, count: byteCount), at: offset)
    return vfsOK
  }
}

private func vfsSetByteCount(file: UnsafeMutableRawPointer?, byteCount: UInt64) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    try file.context.database.syncs.checkWritable()
    try file.file.setByteCount(byteCount)
    return vfsOK
  }
}

private func vfsByteCount(
  file: UnsafeMutableRawPointer?, outByteCount: UnsafeMutablePointer<UInt64>?
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    outByteCount?.pointee = try file.file.byteCount()
    return vfsOK
  }
}

private func vfsSync(file: UnsafeMutableRawPointer?) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    try file.context.database.syncs.syncing { () throws(ChromaError) in try file.file.sync() }
    return vfsOK
  }
}

private func vfsLock(
  file: UnsafeMutableRawPointer?, offset: UInt64, byteCount: UInt64, kind: Int32
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    let range = offset..<offset + byteCount
    switch kind {
    case Int32(CHROMA_FILE_UNLOCK):
      try file.file.unlock(range)
      return vfsOK
    case Int32(CHROMA_FILE_LOCK_SHARED):
      return try file.file.tryLock(range, .shared) ? vfsOK : Int32(CHROMA_VFS_BUSY)
    default:
      return try file.file.tryLock(range, .exclusive) ? vfsOK : Int32(CHROMA_VFS_BUSY)
    }
  }
}

private func vfsIsLocked(
  file: UnsafeMutableRawPointer?, offset: UInt64, byteCount: UInt64, kind: Int32,
  outIsLocked: UnsafeMutablePointer<Bool>?
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    let range = offset..<offset + byteCount
    outIsLocked?.pointee = try file.file.isLockedElsewhere(
      range, against: kind == Int32(CHROMA_FILE_LOCK_SHARED) ? .shared : .exclusive)
    return vfsOK
  }
}

private func vfsMap(
  file: UnsafeMutableRawPointer?, offset: UInt64, byteCount: Int,
  outMemory: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  VFSFile.status(file) { (file) throws(ChromaError) in
    outMemory?.pointee = try file.file.mapShared(at: offset, byteCount: byteCount)
    return vfsOK
  }
}

private func vfsRemove(
  context: UnsafeMutableRawPointer?, path: UnsafePointer<CChar>?, isDurable: Bool
) -> Int32 {
  guard let context = VFSContext.from(context), let path else { return Int32(CHROMA_VFS_FAILED) }
  return context.status { () throws(ChromaError) in
    let database = context.database
    let path = String(cString: path)
    try database.syncs.checkWritable()
    guard try database.fileSystem.remove(path) else { return Int32(CHROMA_VFS_MISSING) }
    if isDurable {
      try database.syncs.syncing { () throws(ChromaError) in
        try database.fileSystem.syncDirectory(Place.parent(of: path))
      }
    }
    return vfsOK
  }
}

private func vfsPathByteCount(
  context: UnsafeMutableRawPointer?, path: UnsafePointer<CChar>?,
  outByteCount: UnsafeMutablePointer<UInt64>?
) -> Int32 {
  guard let context = VFSContext.from(context), let path else { return Int32(CHROMA_VFS_FAILED) }
  return context.status { () throws(ChromaError) in
    guard let found = try context.database.fileSystem.attributes(String(cString: path)) else {
      return Int32(CHROMA_VFS_MISSING)
    }
    outByteCount?.pointee = found.byteCount
    return vfsOK
  }
}

private func vfsRandom(context: UnsafeMutableRawPointer?) -> UInt64 {
  VFSContext.from(context)?.database.random.next() ?? 0
}

private func vfsSleep(context: UnsafeMutableRawPointer?, nanoseconds: UInt64) {
  VFSContext.from(context)?.database.clock.sleep(nanoseconds: nanoseconds)
}

private func vfsWallNanoseconds(context: UnsafeMutableRawPointer?) -> Int64 {
  VFSContext.from(context)?.database.clock.wallNanoseconds() ?? 0
}

private func vfsDamaged(file: UnsafeMutableRawPointer?, offset: UInt64) {
  _ = VFSFile.status(file) { (file) throws(ChromaError) in
    throw .corruption(
      "The file \(file.file.path) is damaged, or was written by another program: what stands "
        + "at offset \(offset) fails its checksum. Restore the directory from a backup.")
  }
}
