// A file of the simulated disk.

import ChromaBase
import ChromaStorage
import Glibc
import Synchronization

final class SimulatedFile: File {
  let path: String
  private let disk: SimulatedDisk
  private let node: Int
  private let process: Int
  private let isWritable: Bool
  private let isClosed = Atomic(false)

  init(disk: SimulatedDisk, path: String, node: Int, process: Int, isWritable: Bool) {
    self.disk = disk
    self.path = path
    self.node = node
    self.process = process
    self.isWritable = isWritable
  }

  deinit {
    close()
  }

  func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ChromaError) -> Int {
    try checkOpen()
    let operation = "read \(buffer.count) bytes at offset \(offset) of"
    return try disk.call(.read, path, offset: offset, byteCount: buffer.count, operation) {
      $0.state.nodes[node]?.shown.read(at: offset, into: buffer) ?? 0
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ChromaError) {
    try checkWritable("write")
    let operation = "write \(bytes.count) bytes at offset \(offset) of"
    let content = Array(bytes)
    // A write that fails may have been written up to any byte.
    let failing = { (disk: inout SimulatedDisk.Content) in
      let written = Array(content.prefix(disk.random.int(in: 0...content.count)))
      if !written.isEmpty {
        _ = disk.state.write(self.node, .bytes(offset: offset, written))
      }
    }
    try disk.call(
      .write, path, offset: offset, byteCount: bytes.count, operation, failing: failing
    ) { (disk) throws(Errno) in
      guard !content.isEmpty else { return }
      let (end, isOverflow) = offset.addingReportingOverflow(UInt64(content.count))
      if isOverflow { throw Errno(EFBIG) }
      let room = try room(upTo: end, disk)
      // A full disk takes what fits, as the operating system's short write does.
      let fitting = content.prefix(Int(clamping: room > offset ? room - offset : 0))
      guard disk.state.write(node, .bytes(offset: offset, Array(fitting))) else {
        throw Errno(EFBIG)
      }
      if fitting.count < content.count { throw Errno(ENOSPC) }
    }
  }

  func setByteCount(_ byteCount: UInt64) throws(ChromaError) {
    try checkWritable("set the size of")
    try disk.call(.setByteCount, path, offset: byteCount, "set to \(byteCount) bytes the file") {
      (disk) throws(Errno) in
      if try room(upTo: byteCount, disk) < byteCount { throw Errno(ENOSPC) }
      guard disk.state.write(node, .byteCount(byteCount)) else { throw Errno(EFBIG) }
      disk.volatile.regions[node]?.clear(from: byteCount)
    }
  }

  func byteCount() throws(ChromaError) -> UInt64 {
    try checkOpen()
    return disk.content.withLock { UInt64($0.state.nodes[node]?.shown.byteCount ?? 0) }
  }

  func sync() throws(ChromaError) {
    try checkOpen()
    let failing = { (disk: inout SimulatedDisk.Content) in
      disk.state.failSync(self.node, random: &disk.random)
    }
    try disk.call(.sync, path, "sync", failing: failing) {
      if !$0.syncsAreIgnored { $0.state.sync(node) }
    }
  }

  func tryLock(_ range: Range<UInt64>, _ kind: FileLockKind) throws(ChromaError) -> Bool {
    if kind == .exclusive { try checkWritable("lock") } else { try checkOpen() }
    let owner = ObjectIdentifier(self)
    return try disk.call(.lock, path, offset: range.lowerBound, "lock") {
      $0.volatile.locks[node, default: FileLockTable()].tryLock(range, kind, by: owner)
    }
  }

  func unlock(_ range: Range<UInt64>) throws(ChromaError) {
    try checkOpen()
    let owner = ObjectIdentifier(self)
    disk.content.withLock { $0.volatile.locks[node]?.unlock(range, by: owner) }
  }

  func isLockedElsewhere(
    _ range: Range<UInt64>, against kind: FileLockKind
  ) throws(ChromaError) -> Bool {
    try checkOpen()
    let owner = ObjectIdentifier(self)
    return disk.content.withLock {
      $0.volatile.locks[node]?.isLocked(range, against: kind, by: owner) ?? false
    }
  }

  func mapShared(
    at offset: UInt64, byteCount: Int
  ) throws(ChromaError) -> UnsafeMutableRawPointer {
    try checkOpen()
    let address = try disk.call(.map, path, offset: offset, byteCount: byteCount, "map") {
      (disk) throws(Errno) in
      guard byteCount == FileLimits.sharedRegionByteCount,
        offset.isMultiple(of: UInt64(FileLimits.sharedRegionByteCount)),
        offset <= PagedBytes.byteCountMax
      else { throw Errno(EINVAL) }
      let end = offset + UInt64(byteCount)
      let isThere = end <= UInt64(disk.state.nodes[node]?.shown.byteCount ?? 0)
      if !isThere, !isWritable { throw Errno(EINVAL) }
      if try room(upTo: end, disk) < end { throw Errno(ENOSPC) }
      if !isThere {
        _ = disk.state.write(node, .byteCount(end))
      }
      let regions = disk.volatile.regions[node] ?? SharedRegions()
      disk.volatile.regions[node] = regions
      return UInt(bitPattern: regions.region(at: offset))
    }
    guard let memory = UnsafeMutableRawPointer(bitPattern: address) else {
      throw .failedCall("map", path, EINVAL)
    }
    return memory
  }

  func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let owner = ObjectIdentifier(self)
    disk.content.withLock { $0.volatile.locks[node]?.unlockAll(by: owner) }
  }

  /// How far the file may reach, up to what is wanted: the disk may be full.
  private func room(
    upTo wanted: UInt64, _ disk: borrowing SimulatedDisk.Content
  ) throws(Errno) -> UInt64 {
    if wanted > PagedBytes.byteCountMax { throw Errno(EFBIG) }
    let present = disk.state.nodes[node]?.shown.byteCount ?? 0
    guard disk.capacityByteCount < .max, Int(wanted) > present else { return wanted }
    let free = max(0, disk.capacityByteCount - disk.state.byteCount)
    return min(wanted, UInt64(present + free))
  }

  private func checkOpen() throws(ChromaError) {
    let isAlive = disk.content.withLock { $0.processNumber == process }
    if !isAlive || isClosed.load(ordering: .acquiring) { throw .closedFile(path) }
  }

  private func checkWritable(_ operation: String) throws(ChromaError) {
    try checkOpen()
    if !isWritable { throw .failedCall(operation, path, EBADF) }
  }
}
