// Files that are never stored: the disk of an ephemeral database.
//
// A tree of directories by path; each file is a node with its bytes, its locks and its shared
// memory. A removed or replaced file lives on for those who have it open. Syncs do nothing: the end
// of the process loses everything, as the caller asked.

package import ChromaBase
internal import Glibc
internal import Synchronization

/// A file system of its own in this process's memory, with an empty root directory "/".
package final class MemoryFileSystem: FileSystem {
  private struct Tree {
    /// By full path; names within.
    var directories: [Text: Directory] = ["/": Directory(inode: 1, entries: [:])]
    var inodeLast: UInt64 = 1

    mutating func nextInode() -> UInt64 {
      inodeLast += 1
      return inodeLast
    }
  }

  private struct Directory {
    var inode: UInt64
    var entries: [Text: Entry]
  }

  private enum Entry {
    case file(MemoryNode)
    case directory
  }

  private let tree = Mutex(Tree())

  package init() {}

  package func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    let place = try Place(path)
    let isWritable = mode != .readOnly
    let (node, code): (MemoryNode?, Int32) = tree.withLock { tree in
      guard let directory = tree.directories[place.parent] else { return (nil, ENOENT) }
      switch (directory.entries[place.name], mode) {
      case (.directory, _): return (nil, EISDIR)
      case (.file, .createNew): return (nil, EEXIST)
      case (.file(let node), _): return (node, 0)
      case (nil, .readOnly), (nil, .readWrite): return (nil, ENOENT)
      case (nil, .create), (nil, .createNew):
        let node = MemoryNode(inode: tree.nextInode())
        tree.directories[place.parent]?.entries[place.name] = .file(node)
        return (node, 0)
      }
    }
    if let node { return MemoryFile(path: path, node: node, isWritable: isWritable) }
    if code == ENOENT, mode == .readOnly || mode == .readWrite { return nil }
    throw .failedCall("open", path, code)
  }

  @discardableResult
  package func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    if path == "/" { return false }
    let place = try Place(path)
    let code: Int32 = tree.withLock { tree in
      guard let parent = tree.directories[place.parent] else { return ENOENT }
      switch parent.entries[place.name] {
      case .file: return ENOTDIR
      case .directory: return EEXIST
      case nil:
        tree.directories[place.parent]?.entries[place.name] = .directory
        tree.directories[place.path] = Directory(inode: tree.nextInode(), entries: [:])
        return 0
      }
    }
    guard code == 0 || code == EEXIST else {
      throw .failedCall("create the directory", path, code)
    }
    return code == 0
  }

  package func list(_ path: String) throws(ChromaError) -> [String] {
    try checkPath(path)
    let names = tree.withLock { $0.directories[Text(path)]?.entries.keys.sorted() }
    guard let names else { throw .failedCall("list the directory", path, ENOENT) }
    return names.map(\.string)
  }

  package func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try checkPath(path)
    let place = path == "/" ? nil : try Place(path)
    let device = UInt64(UInt(bitPattern: ObjectIdentifier(self)))
    return tree.withLock { tree in
      if let directory = tree.directories[Text(path)] {
        let identity = FileIdentity(device: device, inode: directory.inode)
        return FileAttributes(kind: .directory, byteCount: 0, identity: identity)
      }
      guard let place, case .file(let node) = tree.directories[place.parent]?.entries[place.name]
      else { return nil }
      return FileAttributes(
        kind: .file, byteCount: node.byteCount,
        identity: FileIdentity(device: device, inode: node.inode))
    }
  }

  package func rename(_ source: String, to target: String) throws(ChromaError) {
    let from = try Place(source)
    let to = try Place(target)
    let code: Int32 = tree.withLock { tree in
      guard case .file(let node) = tree.directories[from.parent]?.entries[from.name],
        let parent = tree.directories[to.parent]
      else { return ENOENT }
      if case .directory = parent.entries[to.name] { return EISDIR }
      tree.directories[from.parent]?.entries[from.name] = nil
      tree.directories[to.parent]?.entries[to.name] = .file(node)
      return 0
    }
    guard code == 0 else { throw .failedCall("rename to \(target) the file", source, code) }
  }

  @discardableResult
  package func remove(_ path: String) throws(ChromaError) -> Bool {
    let place = try Place(path)
    let code: Int32 = tree.withLock { tree in
      guard let entry = tree.directories[place.parent]?.entries[place.name] else { return ENOENT }
      if case .directory = entry {
        guard tree.directories[place.path]?.entries.isEmpty ?? true else { return ENOTEMPTY }
        tree.directories[place.path] = nil
      }
      tree.directories[place.parent]?.entries[place.name] = nil
      return 0
    }
    guard code == 0 || code == ENOENT else { throw .failedCall("remove", path, code) }
    return code == 0
  }

  package func syncDirectory(_ path: String) throws(ChromaError) {
    try checkPath(path)
    let isThere = tree.withLock { $0.directories[Text(path)] != nil }
    guard isThere else { throw .failedCall("sync the directory", path, ENOENT) }
  }
}

/// What a file is, whatever name it has, if any.
private final class MemoryNode: Sendable {
  struct Content: Sendable {
    var bytes = PagedBytes()
    var locks = FileLockTable()
    let regions = SharedRegions()
  }

  let inode: UInt64
  let content = Mutex(Content())

  init(inode: UInt64) {
    self.inode = inode
  }

  var byteCount: UInt64 { content.withLock { UInt64($0.bytes.byteCount) } }
}

private final class MemoryFile: File {
  let path: String
  private let node: MemoryNode
  private let isWritable: Bool
  private let isClosed = Atomic(false)

  init(path: String, node: MemoryNode, isWritable: Bool) {
    self.path = path
    self.node = node
    self.isWritable = isWritable
  }

  deinit {
    close()
  }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    try checkOpen()
    return node.content.withLock { $0.bytes.read(at: offset, into: buffer) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    try checkWritable("write")
    let isWritten = node.content.withLock { $0.bytes.write(bytes, at: offset) }
    guard isWritten else {
      throw .failedCall("write \(bytes.count) bytes at offset \(offset) of", path, EFBIG)
    }
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    try checkWritable("set the size of")
    let isSet = node.content.withLock {
      $0.regions.clear(from: byteCount)
      return $0.bytes.setByteCount(byteCount)
    }
    guard isSet else { throw .failedCall("set to \(byteCount) bytes the file", path, EFBIG) }
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    try checkOpen()
    return node.byteCount
  }

  func sync() throws(ChromaError) {
    try checkOpen()
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    if kind == .exclusive { try checkWritable("lock") } else { try checkOpen() }
    let owner = ObjectIdentifier(self)
    return node.content.withLock { $0.locks.tryLock(range, kind, by: owner) }
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    try checkOpen()
    let owner = ObjectIdentifier(self)
    node.content.withLock { $0.locks.unlock(range, by: owner) }
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    try checkOpen()
    let owner = ObjectIdentifier(self)
    return node.content.withLock { $0.locks.isLocked(range, against: kind, by: owner) }
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try checkOpen()
    guard byteCount == FileLimits.sharedRegionByteCount,
      offset.isMultiple(of: UInt64(FileLimits.sharedRegionByteCount))
    else { throw .failedCall("map \(byteCount) bytes at offset \(offset) of", path, EINVAL) }
    let address: UInt? = node.content.withLock {
      let end = offset.addingReportingOverflow(UInt64(byteCount))
      if !isWritable, end.overflow || end.partialValue > UInt64($0.bytes.byteCount) { return nil }
      let wanted = max(end.partialValue, UInt64($0.bytes.byteCount))
      guard !end.overflow, $0.bytes.setByteCount(wanted) else { return nil }
      return UInt(bitPattern: $0.regions.region(at: offset))
    }
    guard let address, let memory = UnsafeMutableRawPointer(bitPattern: address) else {
      throw .failedCall("map \(byteCount) bytes at offset \(offset) of", path, EFBIG)
    }
    return memory
  }

  func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let owner = ObjectIdentifier(self)
    node.content.withLock { $0.locks.unlockAll(by: owner) }
  }

  private func checkOpen() throws(ChromaError) {
    if isClosed.load(ordering: .acquiring) { throw .closedFile(path) }
  }

  private func checkWritable(_ operation: String) throws(ChromaError) {
    try checkOpen()
    if !isWritable { throw .failedCall(operation, path, EBADF) }
  }
}
