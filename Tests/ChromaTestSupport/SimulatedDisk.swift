// A disk that can lose power.
//
// It keeps apart what is durable and what is only shown (`DiskState`), writes down every call in one
// trace, whoever makes it, and can keep an image of the moment after each change. Calls fail where a
// test says so, and the disk can be full. Everything follows from the seed and the calls.
//
//     let disk = SimulatedDisk(seed: 7)
//     disk.keepsHistory = true
//     … the code under test, on `disk` …
//     for image in disk.history {
//       let found = SimulatedDisk(image.afterPowerCut(&random))
//       … the code under test reopens `found` …
//     }

package import ChromaBase
package import ChromaStorage
import Glibc
import Synchronization

/// The simulated conformer of `FileSystem`. Thread-safe; deterministic when one thread uses it.
package final class SimulatedDisk: FileSystem {
  struct Volatile {
    var locks: [Int: FileLockTable] = [:]
    var regions: [Int: SharedRegions] = [:]
  }

  struct Content {
    var state: DiskState
    var volatile = Volatile()
    var random: SeededRandom
    var trace: [DiskCall] = []
    var faults: [(fault: DiskFault, seenCount: Int)] = []
    var capacityByteCount = Int.max
    var syncsAreIgnored = false
    var directorySyncsAreIgnored = false
    var keepsHistory = false
    var history: [DiskImage] = []
    /// Raised when the process dies: files of an earlier one are closed.
    var processNumber = 0
  }

  let content: Mutex<Content>

  /// An empty disk: only "/".
  package init(seed: UInt64 = 0) {
    content = Mutex(Content(state: DiskState(), random: SeededRandom(seed)))
  }

  /// A disk with what an image holds. Nobody has a file open, and no memory is shared.
  package init(_ image: DiskImage, seed: UInt64 = 0) {
    content = Mutex(Content(state: image.state, random: SeededRandom(seed)))
  }

  // MARK: What a test says

  package func inject(_ fault: DiskFault) {
    content.withLock { $0.faults.append((fault, 0)) }
  }

  package func removeFaults() {
    content.withLock { $0.faults = [] }
  }

  /// Bytes that all files together may have; more is ENOSPC.
  package var capacityByteCount: Int {
    get { content.withLock { $0.capacityByteCount } }
    set { content.withLock { $0.capacityByteCount = newValue } }
  }

  /// Defects for tests of the tests: syncs that answer success and do nothing.
  package func ignoreSyncs(ofFiles: Bool = false, ofDirectories: Bool = false) {
    content.withLock {
      $0.syncsAreIgnored = ofFiles
      $0.directorySyncsAreIgnored = ofDirectories
    }
  }

  /// Ends the process: all its files close, its locks go, unsynced writes stay, as the operating
  /// system keeps them.
  package func killProcess() {
    content.withLock {
      $0.processNumber += 1
      $0.volatile.locks = [:]
    }
  }

  /// What all shared memory holds.
  package var sharedMemory: SharedMemory {
    content.withLock { content in
      var copy = SharedMemory()
      for (node, regions) in content.volatile.regions {
        let byteCount = content.state.nodes[node]?.shown.byteCount ?? 0
        copy.regions[node] = stride(from: 0, to: byteCount, by: FileLimits.sharedRegionByteCount)
          .map { offset in
            Array(
              UnsafeRawBufferPointer(
                start: regions.region(at: UInt64(offset)), count: FileLimits.sharedRegionByteCount))
          }
      }
      return copy
    }
  }

  /// Gives shared memory back what it held.
  package func restore(_ memory: SharedMemory) {
    content.withLock { content in
      for (node, regions) in memory.regions {
        for (number, bytes) in regions.enumerated() {
          let offset = UInt64(number * FileLimits.sharedRegionByteCount)
          content.volatile.regions[node]?.region(at: offset)
            .copyMemory(from: bytes, byteCount: bytes.count)
        }
      }
    }
  }

  // MARK: What a test asks

  package var trace: [DiskCall] { content.withLock { $0.trace } }
  package var callCount: Int { content.withLock { $0.trace.count } }
  package var byteCount: Int { content.withLock { $0.state.byteCount } }

  /// Whether an image is kept after each change from now on.
  package var keepsHistory: Bool {
    get { content.withLock { $0.keepsHistory } }
    set { content.withLock { $0.keepsHistory = newValue } }
  }

  /// The images kept, oldest first.
  package var history: [DiskImage] { content.withLock { $0.history } }

  /// The disk as it is.
  package var image: DiskImage {
    content.withLock { DiskImage(state: $0.state, callCount: $0.trace.count) }
  }

  // MARK: FileSystem

  package func openIfPresent(
    _ path: String, _ mode: FileOpenMode
  ) throws(ChromaError) -> (any File)? {
    let place = try Place(path)
    let (node, process): (Int?, Int) = try call(.open, path, "open") { (content) throws(Errno) in
      guard let directory = content.state.directory(place.parent) else {
        if mode == .readOnly || mode == .readWrite { return (nil, 0) }
        throw Errno(ENOENT)
      }
      switch (content.state.directories[directory]?.shown[place.name], mode) {
      case (.directory, _): throw Errno(EISDIR)
      case (.file, .createNew): throw Errno(EEXIST)
      case (.file(let node), _): return (node, content.processNumber)
      case (nil, .readOnly), (nil, .readWrite): return (nil, 0)
      case (nil, .create), (nil, .createNew):
        return (content.state.makeFile(place.name, in: directory), content.processNumber)
      }
    }
    return node.map {
      SimulatedFile(
        disk: self, path: path, node: $0, process: process, isWritable: mode != .readOnly)
    }
  }

  @discardableResult
  package func createDirectory(_ path: String) throws(ChromaError) -> Bool {
    if path == "/" { return false }
    let place = try Place(path)
    return try call(.createDirectory, path, "create the directory") { (content) throws(Errno) in
      guard let parent = content.state.directory(place.parent) else { throw Errno(ENOENT) }
      switch content.state.directories[parent]?.shown[place.name] {
      case .directory: return false
      case .file: throw Errno(ENOTDIR)
      case nil:
        content.state.makeDirectory(place.name, in: parent)
        return true
      }
    }
  }

  package func list(_ path: String) throws(ChromaError) -> [String] {
    try checkPath(path)
    return try call(.list, path, "list the directory") { (content) throws(Errno) in
      guard let directory = content.state.directory(Text(path)) else { throw Errno(ENOENT) }
      return content.state.directories[directory]?.shown.keys.sorted().map(\.string) ?? []
    }
  }

  package func attributes(_ path: String) throws(ChromaError) -> FileAttributes? {
    try checkPath(path)
    let device = UInt64(UInt(bitPattern: ObjectIdentifier(self)))
    return try call(.attributes, path, "look at") { (content) throws(Errno) in
      switch content.state.entry(Text(path)) {
      case nil: nil
      case .directory(let id):
        FileAttributes(
          kind: .directory, byteCount: 0,
          identity: FileIdentity(device: device, inode: UInt64(id)))
      case .file(let id):
        FileAttributes(
          kind: .file, byteCount: UInt64(content.state.nodes[id]?.shown.byteCount ?? 0),
          identity: FileIdentity(device: device, inode: UInt64(id)))
      }
    }
  }

  package func rename(_ source: String, to target: String) throws(ChromaError) {
    let from = try Place(source)
    let to = try Place(target)
    try call(.rename, source, "rename to \(target) the file") { (content) throws(Errno) in
      guard case .file(let node) = content.state.entry(from.path),
        let fromDirectory = content.state.directory(from.parent),
        let toDirectory = content.state.directory(to.parent)
      else { throw Errno(ENOENT) }
      if case .directory = content.state.entry(to.path) { throw Errno(EISDIR) }
      if fromDirectory == toDirectory {
        content.state.change(fromDirectory, .rename(from.name, to: to.name, .file(node)))
      } else {
        content.state.change(toDirectory, .link(to.name, .file(node)))
        content.state.change(fromDirectory, .unlink(from.name))
      }
    }
  }

  @discardableResult
  package func remove(_ path: String) throws(ChromaError) -> Bool {
    let place = try Place(path)
    return try call(.remove, path, "remove") { (content) throws(Errno) in
      guard let parent = content.state.directory(place.parent),
        let entry = content.state.directories[parent]?.shown[place.name]
      else { return false }
      if case .directory(let id) = entry,
        content.state.directories[id]?.shown.isEmpty == false
      {
        throw Errno(ENOTEMPTY)
      }
      content.state.change(parent, .unlink(place.name))
      return true
    }
  }

  package func syncDirectory(_ path: String) throws(ChromaError) {
    try checkPath(path)
    try call(.syncDirectory, path, "sync the directory") { (content) throws(Errno) in
      guard let directory = content.state.directory(Text(path)) else { throw Errno(ENOENT) }
      if !content.directorySyncsAreIgnored { content.state.syncDirectory(directory) }
    }
  }
}

/// A copy of the shared memory of a disk's files.
package struct SharedMemory: Sendable {
  fileprivate var regions: [Int: [[UInt8]]] = [:]
}

struct Errno: Error {
  let code: Int32

  init(_ code: Int32) {
    self.code = code
  }
}

extension SimulatedDisk {
  /// Makes a call: writes it into the trace, lets it fail if a fault says so, keeps an image.
  ///
  /// - Parameter failing: What a call that fails leaves behind.
  func call<T: Sendable>(
    _ kind: DiskCall.Kind, _ path: String, offset: UInt64 = 0, byteCount: Int = 0,
    _ operation: String, failing: (inout Content) -> Void = { _ in },
    _ body: (inout Content) throws(Errno) -> T
  ) throws(ChromaError) -> T {
    let result: Result<T, Errno> = content.withLock { content in
      if kind.isSync, content.keepsHistory, !content.history.isEmpty {
        content.history[content.history.count - 1].isBeforeSync = true
      }
      content.trace.append(DiskCall(kind: kind, path: path, offset: offset, byteCount: byteCount))
      let result: Result<T, Errno>
      if let code = content.faultCode(kind, path) {
        failing(&content)
        content.trace[content.trace.count - 1].isInjected = true
        result = .failure(Errno(code))
      } else {
        do throws(Errno) {
          result = .success(try body(&content))
        } catch {
          result = .failure(error)
        }
      }
      if case .failure = result { content.trace[content.trace.count - 1].isFailed = true }
      // An open may have made a file.
      if content.keepsHistory, kind.isChange || kind == .open {
        content.history.append(DiskImage(state: content.state, callCount: content.trace.count))
      }
      return result
    }
    switch result {
    case .success(let value): return value
    case .failure(let failure): throw .failedCall(operation, path, failure.code)
    }
  }
}

extension SimulatedDisk.Content {
  /// The errno of the fault that this call meets, if any.
  fileprivate mutating func faultCode(_ kind: DiskCall.Kind, _ path: String) -> Int32? {
    var code: Int32?
    for index in faults.indices {
      let fault = faults[index].fault
      guard fault.kind == nil || fault.kind == kind, path.hasSuffix(fault.pathSuffix) else {
        continue
      }
      faults[index].seenCount += 1
      let seenCount = faults[index].seenCount
      if seenCount == fault.ordinal || (fault.isLasting && seenCount > fault.ordinal) {
        code = fault.code
      }
    }
    return code
  }
}
