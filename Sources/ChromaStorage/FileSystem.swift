// The seam between the engine and the disk.
//
// Everything that the engine stores goes through these two protocols: blobs, the lock file, and
// SQLite, whose file layer of ours (`ChromaSQLite`) calls the same `File`. There are three
// conformers: `FolderFileSystem` (the operating system), `MemoryFileSystem` (a database that is
// never stored) and the tests' simulated disk, which loses, tears and reorders whatever was not
// synced. One suite, FileSystemContractTests, holds all three to what is said here.
//
// Rules:
//   * Paths are absolute, '/'-separated, without a final '/'; a path that holds NUL is refused.
//     A name that is not valid UTF-8 cannot be said, and so is never one of ours.
//   * A write is visible at once to every opener of the file, and durable once `sync` has returned.
//     A directory entry (created, renamed, removed) is durable once `syncDirectory` has returned.
//   * A failed call is a `ChromaError` that names the path, the call and the reason: `.outOfSpace`
//     for a full disk or quota, `.closed` for a file that was closed or belongs to the process that
//     forked, else `.io`. An interrupted call is repeated and a short write continued: callers see
//     all or an error. After an error a prefix of the bytes may have been written.
//   * Any thread may call anything, also at once, save that nobody may use a file while another
//     thread closes it.

package import ChromaBase

/// Files in directories: the operating system's, or a model of them.
package protocol FileSystem: AnyObject, Sendable {
  /// Opens a file, or returns nil if it does not exist and the mode does not create it.
  ///
  /// A new file is empty. Its directory entry is not durable before `syncDirectory`. What is not a
  /// regular file (a directory, a device, a symbolic link) is refused: following a link would let a
  /// hostile directory point our writes elsewhere.
  func openIfPresent(_ path: String, _ mode: FileOpenMode) throws(ChromaError) -> (any File)?

  /// Creates a directory in an existing one. Returns false if it is already there.
  @discardableResult
  func createDirectory(_ path: String) throws(ChromaError) -> Bool

  /// The names in a directory, ordered by their bytes, without "." and "..".
  func list(_ path: String) throws(ChromaError) -> [String]

  /// What stands at the path; nil if there is nothing. Symbolic links are followed.
  func attributes(_ path: String) throws(ChromaError) -> FileAttributes?

  /// Moves a file to another name of this file system, atomically replacing a file of that name.
  func rename(_ source: String, to target: String) throws(ChromaError)

  /// Removes a file or an empty directory. Returns false if there is nothing of that name. Those
  /// who have the file open keep it.
  @discardableResult
  func remove(_ path: String) throws(ChromaError) -> Bool

  /// Makes the entries of a directory durable.
  func syncDirectory(_ path: String) throws(ChromaError)
}

/// One opened file. Two opens of one path are two files: their locks exclude each other.
package protocol File: AnyObject, Sendable {
  /// The path under which it was opened.
  var path: String { get }

  /// Fills the buffer from the offset on; returns fewer bytes than asked only at the file's end.
  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int

  /// Writes all bytes; a gap before the offset reads as zeros.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError)

  /// Cuts the file, or extends it with zeros; shared memory alike, which nobody may be using then.
  func setByteCount(_ byteCount: UInt64) throws(ChromaError)

  func byteCount() throws(ChromaError) -> UInt64

  /// Makes every write so far durable, and the file's length; not its directory entry.
  ///
  /// A failure means that data may be lost for good: the operating system may already have marked
  /// the pages clean. Nobody may repeat it.
  func sync() throws(ChromaError)

  /// Takes, or changes to this kind, a lock on a range of bytes, which may lie beyond the end.
  /// Returns false at once if another open file's lock conflicts. Locks are held until unlocked,
  /// closed, or the process dies; a fork does not duplicate them.
  ///
  /// An exclusive lock needs a file opened for writing.
  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool

  /// Gives back whatever this file holds in the range.
  func unlock(_ range: Range<UInt64>) throws(ChromaError)

  /// Whether another open file holds a lock in the range that a lock of this kind would conflict
  /// with.
  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool

  /// Memory that every opener of this path, in every process, shares.
  ///
  /// The file is extended to hold the region, whose bytes begin as zeros. Offset and count are
  /// multiples of `FileLimits.sharedRegionByteCount`. The memory lives until `close`. What is
  /// written there is never durable, and must not be looked for with `read`.
  ///
  /// Of a file opened for reading the region must be there, and may only be looked at.
  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer

  /// The file's first bytes as memory, to be read only; nil where that cannot be had, and the bytes
  /// have to be read. The memory outlives the file, its name and `close`.
  ///
  /// The file must be so long, and nobody may cut it while the memory is in use.
  func mapReadOnly(byteCount: Int) throws(ChromaError) -> FileMapping?

  /// Gives up locks and shared memory and closes the file. Again: nothing. In a forked child,
  /// where the file was closed at the fork: nothing.
  func close()
}

package enum FileOpenMode: Sendable {
  /// An existing file, for reading.
  case readOnly
  /// An existing file.
  case readWrite
  /// An existing file, or a new empty one.
  case create
  /// A new empty file; an error if there is one of that name.
  case createNew
}

package enum FileLockKind: Sendable {
  /// Any number of open files may hold it together.
  case shared
  /// Excludes every other lock.
  case exclusive
}

package struct FileAttributes: Equatable, Sendable {
  package enum Kind: Sendable {
    case file, directory, other
  }

  package var kind: Kind
  package var byteCount: UInt64
  package var identity: FileIdentity

  package init(kind: Kind, byteCount: UInt64, identity: FileIdentity) {
    self.kind = kind
    self.byteCount = byteCount
    self.identity = identity
  }
}

/// Tells whether two paths are one file or directory, whatever they are called.
package struct FileIdentity: Hashable, Sendable {
  package var device: UInt64
  package var inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

package enum FileLimits {
  /// Bytes of a region of shared memory: SQLite's unit of its WAL index, and a multiple of every
  /// page size in use.
  package static let sharedRegionByteCount = 32 * 1024
  /// Offsets are signed in the operating system's calls.
  package static let offsetMax = UInt64(Int64.max)
}

extension FileSystem {
  /// Opens a file that has to be there, or is created.
  package func open(_ path: String, _ mode: FileOpenMode) throws(ChromaError) -> any File {
    guard let file = try openIfPresent(path, mode) else {
      throw ChromaError(.io, "The file \(path) does not exist.")
    }
    return file
  }

  /// Creates a directory and what is missing above it, durably: every directory above it is synced,
  /// since whoever made what is there already may have died, or failed, before it was durable.
  package func createDirectories(_ path: String) throws(ChromaError) {
    if path == "/" { return }
    let parent = Place.parent(of: path)
    try createDirectories(parent)
    if try attributes(path)?.kind != .directory { try createDirectory(path) }
    try syncDirectory(parent)
  }
}

extension File {
  /// Nil: what files in memory and models of a disk answer.
  package func mapReadOnly(byteCount: Int) throws(ChromaError) -> FileMapping? { nil }

  /// The bytes from the offset on, fewer than asked only at the file's end.
  package func read(at offset: UInt64, byteCountMax: Int) throws(ChromaError) -> [UInt8] {
    var failure: ChromaError?
    let bytes = [UInt8](unsafeUninitializedCapacity: max(byteCountMax, 0)) { buffer, count in
      do throws(ChromaError) {
        count = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Writes all bytes at the offset.
  package func write(_ bytes: [UInt8], at offset: UInt64) throws(ChromaError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ChromaError) in
      try write(UnsafeRawBufferPointer(buffer), at: offset)
    }
  }
}
