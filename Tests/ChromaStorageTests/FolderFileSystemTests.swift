import CChromaPlatform
import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Glibc
import Testing

/// What only the operating system's files have: links and pipes that somebody planted, descriptors
/// that must not leak, and processes that fork.
@Suite(.serialized) struct FolderFileSystemTests {
  private let directory = TemporaryDirectory()

  private var files: FolderFileSystem { directory.fileSystem }

  private func path(_ name: String) -> String { "\(directory.path)/\(name)" }

  @Test("links, pipes and directories in the place of a file are refused, without waiting")
  func plantedFiles() throws {
    try files.open(path("target"), .create).write([1], at: 0)
    #expect(symlink(path("target"), path("link")) == 0)
    #expect(mkfifo(path("pipe"), 0o600) == 0)
    try files.createDirectory(path("directory"))
    for name in ["link", "pipe", "directory"] {
      for mode in [FileOpenMode.readOnly, .readWrite, .create] {
        let error = #expect(throws: ChromaError.self) { _ = try files.open(path(name), mode) }
        #expect(error?.kind == .io)
        #expect(error?.message.contains(path(name)) == true)
      }
    }
    #expect(try files.attributes(path("pipe"))?.kind == .other)
  }

  @Test("errors name the path, what was tried and the reason")
  func errorSentences() throws {
    let error = #expect(throws: ChromaError.self) {
      _ = try files.open(path("no/such/folder"), .create)
    }
    #expect(
      error?.message
        == "Could not open \(path("no/such/folder")): No such file or directory.")
    let readOnly = try files.open(path("a"), .create)
    readOnly.close()
    let full = ChromaError.failedCall("write", path("a"), ENOSPC)
    #expect(full.kind == .outOfSpace)
    #expect(ChromaError.failedCall("write", path("a"), EDQUOT).kind == .outOfSpace)
  }

  @Test("a name that is not UTF-8 is listed, and harms nobody")
  func foreignNames() throws {
    let bytes = Array(path("").utf8CString.dropLast()) + [-1, 0]
    let descriptor = Glibc.open(bytes, O_CREAT | O_WRONLY, 0o600)
    #expect(descriptor >= 0)
    Glibc.close(descriptor)
    #expect(try files.list(directory.path) == ["\u{FFFD}"])
    #expect(unlink(bytes) == 0)
  }

  @Test("a fork closes our files in the child, and leaves the parent its locks")
  func fork() throws {
    let file = try files.open(path("a"), .create)
    try file.write([7], at: 0)
    #expect(try file.tryLock(0..<1, .exclusive))
    let memory = try file.mapShared(at: 0, byteCount: FileLimits.sharedRegionByteCount)
    memory.storeBytes(of: 9, as: UInt8.self)
    let generation = chroma_fork_generation()

    // Swift hides fork(2), since most of a process does not survive it; this child only looks.
    typealias Fork = @convention(c) () -> pid_t
    let symbol = try #require(dlsym(nil, "fork"))
    let child = unsafeBitCast(symbol, to: Fork.self)()
    if child == 0 {
      var answer: Int32 = 0
      if chroma_fork_generation() != generation + 1 { answer |= 1 }
      if chroma_file_open_count() != 0 { answer |= 2 }
      if (try? file.byteCount()) != nil { answer |= 4 }
      if (try? file.unlock(0..<1)) != nil { answer |= 8 }
      file.close()
      // The number that the file had now belongs to this one, which the close above must leave.
      guard let other = try? files.open(path("a"), .readWrite) else { _exit(16) }
      file.close()
      if (try? other.read(at: 0, byteCountMax: 1)) == nil { answer |= 32 }
      if (try? other.tryLock(0..<1, .shared)) != false { answer |= 64 }
      _exit(answer)
    }
    var status: Int32 = 0
    #expect(waitpid(child, &status, 0) == child)
    #expect(status == 0)
    let other = try files.open(path("a"), .readWrite)
    #expect(try !other.tryLock(0..<1, .shared))
    #expect(chroma_fork_generation() == generation)
    file.close()
    #expect(try other.tryLock(0..<1, .exclusive))
  }

  @Test("a killed process gives back its locks")
  func killedProcess() throws {
    _ = try files.open(path("a"), .create)
    let script = """
      import fcntl, struct, sys
      file = open(sys.argv[1], "r+b")
      lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1 << 62, 10, 0)
      fcntl.fcntl(file.fileno(), fcntl.F_OFD_SETLK, lock)
      print("locked", flush=True)
      sys.stdin.read()
      """
    guard let child = ChildProcess(["python3", "-c", script, path("a")]),
      child.readLine() == "locked"
    else { return }
    let file = try files.open(path("a"), .readWrite)
    let range = (UInt64(1) << 62)..<(UInt64(1) << 62) + 1
    #expect(try file.isLockedElsewhere(range, against: .shared))
    #expect(try !file.tryLock(range, .exclusive))
    child.kill()
    #expect(try file.tryLock(range, .exclusive))
  }
}
