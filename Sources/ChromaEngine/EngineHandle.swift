// Handles on engines: what a door gives out.
//
// Invariants:
//   * One engine for each directory and process, whatever the path was called, and one more for
//     those who only read: engines are known by the identity of a file that they keep open, so that
//     it cannot be reused while they live: LOCK, or chroma.db where nothing is written, since there
//     may be no LOCK. A directory that was removed and made again is a new engine, and so is one
//     that was renamed: the old engine would look for its files where they were.
//   * The last handle closes the engine: the registry holds it weakly.
//   * After a fork the child abandons the parent's engine, never closes it (its locks, connections
//     and threads are the parent's), and opens its own at the first call. A database in memory
//     cannot be opened again: its handles throw.

import CChromaPlatform
package import ChromaBase
import ChromaCatalog
import ChromaStorage
import Glibc

package struct EngineOptions: Sendable {
  /// The directory; nil for a database in memory.
  package let path: String?
  package let allowsReset: Bool
  /// How long a write waits for other processes.
  package let writeTurnTimeoutMilliseconds: Int
  /// Whether nothing may be written: see `EngineEnvironment`.
  package let isReadOnly: Bool
  /// Whether a thread compacts and indexes what writers leave to it. The first handle on a directory
  /// decides.
  package let compactsInBackground: Bool
  /// See `EngineEnvironment`; nil for no limit. The first handle on a directory decides.
  package let memoryByteCountMax: Int?
  /// Threads that index at once, at least 1; nil for half as many as there are processors. The first
  /// handle on a directory decides.
  package let indexingThreadCount: Int?

  package init(
    path: String?, allowsReset: Bool = false,
    writeTurnTimeoutMilliseconds: Int = Limits.writeTurnTimeoutMilliseconds,
    isReadOnly: Bool = false, compactsInBackground: Bool = true, memoryByteCountMax: Int? = nil,
    indexingThreadCount: Int? = nil
  ) {
    self.path = path
    self.allowsReset = allowsReset
    self.writeTurnTimeoutMilliseconds = writeTurnTimeoutMilliseconds
    self.isReadOnly = isReadOnly
    self.compactsInBackground = compactsInBackground
    self.memoryByteCountMax = memoryByteCountMax
    self.indexingThreadCount = indexingThreadCount
  }

  var indexingThreads: Int {
    indexingThreadCount ?? max(1, EngineEnvironment.processorCount / 2)
  }
}

/// A handle on an engine. Thread-safe.
package final class EngineHandle: @unchecked Sendable {  // State is guarded by ProcessLock.
  package let options: EngineOptions
  /// Absolute: the working directory may change before a reopening.
  private let directory: String?
  private var engine: Engine?
  private var generation: UInt64

  /// Opens the directory, or shares the engine that has it open in the same way.
  package init(_ options: EngineOptions) throws(ChromaError) {
    self.options = options
    directory = try options.path.map { (path) throws(ChromaError) in try Self.absolute(path) }
    generation = chroma_fork_generation()
    engine = try Self.open(directory, options)
  }

  deinit {
    if let engine, generation != chroma_fork_generation() { engine.abandon() }
  }

  /// The engine to use for one call.
  ///
  /// - Throws: `.closed` after `close`, and in a child process for a database in memory.
  package func current() throws(ChromaError) -> Engine {
    let now = chroma_fork_generation()
    let (known, isForked) = ProcessLock.withLock { (engine, generation != now) }
    guard let known else { throw .closed("The client was closed. Create a new one.") }
    if !isForked { return known }
    guard directory != nil else {
      throw .closed(
        "The database in memory belongs to the process that forked. Create a new client here.")
    }
    let fresh = try Self.open(directory, options)
    return ProcessLock.withLock {
      // Another thread of the child may have been faster.
      if generation != now {
        engine?.abandon()
        engine = fresh
        generation = now
      }
      return engine ?? fresh
    }
  }

  /// Where the database's files are, for those who copy them.
  ///
  /// - Throws: As `current`; `.invalidArgument` for a database in memory.
  package func requireDirectory() throws(ChromaError) -> String {
    _ = try current()
    guard let directory else {
      throw .invalidArgument("A database in memory has no files that could be copied.")
    }
    // A copy is made beside writers, which is told them in the catalog.
    if options.isReadOnly { throw .openedReadOnly(directory) }
    return directory
  }

  /// Lets go of the engine; calls in progress finish. Closing again does nothing.
  package func close() {
    let (last, isForked) = ProcessLock.withLock {
      defer { engine = nil }
      return (engine, generation != chroma_fork_generation())
    }
    if isForked { last?.abandon() }
  }

  private static func open(
    _ directory: String?, _ options: EngineOptions
  ) throws(ChromaError) -> Engine {
    guard let directory else {
      guard !options.isReadOnly else {
        throw .invalidArgument(
          "A database in memory begins empty, so it cannot be read-only. Give the path of one.")
      }
      return try Engine(
        EngineEnvironment(
          fileSystem: MemoryFileSystem(), directory: "/chroma", clock: SystemClock(),
          random: SystemRandomSource(), isShared: false,
          compactsInBackground: options.compactsInBackground,
          memoryByteCountMax: options.memoryByteCountMax,
          indexingThreadCount: options.indexingThreads))
    }
    let files = FolderFileSystem()
    if let engine = try EngineRegistry.engine(
      at: directory, isReadOnly: options.isReadOnly, files)
    {
      return engine
    }
    let engine = try Engine(
      EngineEnvironment(
        fileSystem: files, directory: directory, clock: SystemClock(),
        random: SystemRandomSource(), isShared: true, isReadOnly: options.isReadOnly,
        compactsInBackground: options.compactsInBackground,
        memoryByteCountMax: options.memoryByteCountMax,
        indexingThreadCount: options.indexingThreads))
    return try EngineRegistry.register(engine, at: directory, files)
  }

  /// The path from the root, whatever the working directory is later.
  package static func absolute(_ path: String) throws(ChromaError) -> String {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw .invalidArgument("The path of a database must not be empty or contain NUL.")
    }
    var components: [Substring] = []
    let whole = path.utf8.first == UInt8(ascii: "/") ? path : "\(try workingDirectory())/\(path)"
    for component in whole.split(separator: "/") where component != "." {
      components.append(component)
    }
    return "/" + components.joined(separator: "/")
  }

  private static func workingDirectory() throws(ChromaError) -> String {
    guard let buffer = getcwd(nil, 0) else {
      throw ChromaError(.io, "The working directory is gone. Use an absolute path.")
    }
    defer { free(buffer) }
    return String(cString: buffer)
  }
}

/// The engines of this process, by directory.
private enum EngineRegistry {
  private struct Entry {
    weak var engine: Engine?
    let generation: UInt64
  }

  private struct Key: Hashable {
    let identity: FileIdentity
    let isReadOnly: Bool
  }

  /// Guarded by ProcessLock.
  nonisolated(unsafe) private static var entries: [Key: Entry] = [:]

  static func engine(
    at directory: String, isReadOnly: Bool, _ files: FolderFileSystem
  ) throws(ChromaError) -> Engine? {
    guard let key = try key(directory, isReadOnly, files),
      let engine = ProcessLock.withLock({ live(key) }),
      try Self.key(engine.environment.directory, isReadOnly, files) == key
    else { return nil }
    return engine
  }

  private static func key(
    _ directory: String, _ isReadOnly: Bool, _ files: FolderFileSystem
  ) throws(ChromaError) -> Key? {
    let name = isReadOnly ? SQLiteCatalog.fileName : "LOCK"
    guard let found = try files.attributes("\(directory)/\(name)") else { return nil }
    return Key(identity: found.identity, isReadOnly: isReadOnly)
  }

  /// Makes the engine the directory's, unless another thread was faster: then returns that one.
  static func register(
    _ engine: Engine, at directory: String, _ files: FolderFileSystem
  ) throws(ChromaError) -> Engine {
    guard let key = try key(directory, engine.environment.isReadOnly, files) else { return engine }
    let (chosen, _) = ProcessLock.withLock { () -> (Engine, [Key: Engine]) in
      // Whoever is looked at here leaves the lock with the answer: if it is the last reference by
      // then, the engine closes, and that blocks.
      let living = entries.compactMapValues(\.engine)
      if let known = live(key),
        known.environment.directory == engine.environment.directory
      {
        return (known, living)
      }
      entries = entries.filter { living[$0.key] != nil }
      entries[key] = Entry(engine: engine, generation: chroma_fork_generation())
      return (engine, living)
    }
    return chosen
  }

  private static func live(_ key: Key) -> Engine? {
    guard let entry = entries[key], entry.generation == chroma_fork_generation() else {
      return nil
    }
    return entry.engine
  }
}
