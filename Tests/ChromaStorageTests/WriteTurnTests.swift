import ChromaBase
import ChromaStorage
import ChromaTestSupport
import Glibc
import Synchronization
import Testing

/// Writers take turns, first come first served, and a writer that dies holds up nobody. Method: each
/// `WriteTurn` opens LOCK for itself, as another process would; a file that closes stands for one
/// that was killed, since that is what the kernel does then.
@Suite struct WriteTurnTests {
  /// A clock that only naps move.
  private final class NappingClock: Clock {
    private let now = Atomic<UInt64>(1)
    func wallNanoseconds() -> Int64 { 1_000_000_000_000 }
    func monotonicNanoseconds() -> UInt64 { now.load(ordering: .relaxed) }
    func sleep(nanoseconds: UInt64) { now.add(nanoseconds, ordering: .relaxed) }
  }

  private let files = MemoryFileSystem()
  private let clock = NappingClock()

  init() throws {
    try files.createDirectories("/d")
  }

  private func turn() throws -> WriteTurn {
    try WriteTurn(fileSystem: files, directory: "/d", clock: clock)
  }

  @Test("one writer after another gets the turn")
  func sequence() throws {
    let first = try turn()
    let second = try turn()
    for _ in 0..<100 {
      try first.acquire(timeoutMilliseconds: 0)
      first.release()
      try second.acquire(timeoutMilliseconds: 0)
      second.release()
    }
  }

  @Test("a writer that waits too long learns who holds the turn, and leaves the queue")
  func timeout() throws {
    let holder = try turn()
    let waiting = try turn()
    try holder.acquire(timeoutMilliseconds: 0)
    let error = #expect(throws: ChromaError.self) {
      try waiting.acquire(timeoutMilliseconds: 50)
    }
    #expect(error?.kind == .locked)
    #expect(error?.message.contains("Process \(getpid()),") == true)
    #expect(error?.message.contains("50 ms") == true)
    holder.release()
    try holder.acquire(timeoutMilliseconds: 0)
    holder.release()
    try waiting.acquire(timeoutMilliseconds: 0)
  }

  @Test("a turn that could not be taken because the disk failed is held by nobody")
  func failedAcquisition() throws {
    for ordinal in 1...8 {
      let disk = SimulatedDisk()
      try disk.createDirectories("/d")
      let failing = try WriteTurn(fileSystem: disk, directory: "/d", clock: clock)
      let other = try WriteTurn(fileSystem: disk, directory: "/d", clock: clock)
      disk.inject(DiskFault(nil, ordinal: ordinal, code: EIO))
      do throws(ChromaError) {
        try failing.acquire(timeoutMilliseconds: 0)
        failing.release()
      } catch {
        #expect(error.kind == .io, "call \(ordinal)")
      }
      disk.removeFaults()
      try other.acquire(timeoutMilliseconds: 0)
      other.release()
      try failing.acquire(timeoutMilliseconds: 0)
    }
  }

  @Test("a holder that dies gives the turn away at once")
  func deadHolder() throws {
    var holder: WriteTurn? = try turn()
    try holder?.acquire(timeoutMilliseconds: 0)
    holder = nil
    try turn().acquire(timeoutMilliseconds: 0)
  }

  @Test("whoever is left with the files of a directory that is gone gets no turn")
  func goneDirectory() throws {
    let left = try turn()
    try files.rename("/d/LOCK", to: "/d/moved")
    let gone = #expect(throws: ChromaError.self) { try left.acquire(timeoutMilliseconds: 0) }
    #expect(gone?.kind == .io)
    #expect(gone?.message.contains("/d was removed, renamed or replaced") == true)
    let other = try turn()
    #expect(throws: ChromaError.self) { try left.acquire(timeoutMilliseconds: 0) }
    try other.acquire(timeoutMilliseconds: 0)
    other.release()
    // Nothing was lost: the file that is the directory's comes back.
    try files.rename("/d/moved", to: "/d/LOCK")
    try left.acquire(timeoutMilliseconds: 0)
  }

  @Test(
    "garbage in the file costs order, never exclusion",
    arguments: [[], [0], Array(repeating: 0xFF, count: 64), Array("ChromaLK".utf8) + [0xFF, 0xFF]])
  func garbage(bytes: [UInt8]) throws {
    let holder = try turn()
    try holder.acquire(timeoutMilliseconds: 0)
    let file = try files.open("/d/LOCK", .readWrite)
    try file.setByteCount(0)
    try file.write(bytes, at: 0)
    let other = try turn()
    #expect(throws: ChromaError.self) { try other.acquire(timeoutMilliseconds: 10) }
    holder.release()
    try other.acquire(timeoutMilliseconds: 0)
  }

  @Test("many threads of many openers never hold the turn together")
  func exclusion() throws {
    let holders = Atomic<Int>(0)
    let violations = Atomic<Int>(0)
    let turnCount = Atomic<Int>(0)
    let files = FolderFileSystem()
    let directory = TemporaryDirectory()
    let failures = Mutex<[String]>([])
    onThreads(6) { _ in
      do {
        let turn = try WriteTurn(
          fileSystem: files, directory: directory.path, clock: SystemClock())
        for _ in 0..<40 {
          try turn.acquire(timeoutMilliseconds: 60_000)
          if holders.add(1, ordering: .sequentiallyConsistent).newValue != 1 {
            violations.add(1, ordering: .relaxed)
          }
          turnCount.add(1, ordering: .relaxed)
          holders.subtract(1, ordering: .sequentiallyConsistent)
          turn.release()
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(violations.load(ordering: .relaxed) == 0)
    #expect(turnCount.load(ordering: .relaxed) == 240)
  }

  @Test("those who wait get the turn in the order in which they came")
  func fairness() throws {
    let waiterCount = 4
    let order = Mutex<[Int]>([])
    let holder = try turn()
    try holder.acquire(timeoutMilliseconds: 0)
    let probe = try files.open("/d/LOCK", .readWrite)
    onThreads(waiterCount + 1) { index in
      // Ticket 1 is the holder's; a waiter comes when the one before it stands in the queue.
      let ticketBefore = (UInt64(1) << 62) + 2 + UInt64(index + 1)
      while (try? probe.isLockedElsewhere(ticketBefore..<ticketBefore + 1, against: .shared))
        == false
      { sched_yield() }
      if index == waiterCount { return holder.release() }
      let waiter = try? WriteTurn(fileSystem: files, directory: "/d", clock: SystemClock())
      guard (try? waiter?.acquire(timeoutMilliseconds: 60_000)) != nil else { return }
      order.withLock { $0.append(index) }
      waiter?.release()
    }
    #expect(order.withLock { $0 } == Array(0..<waiterCount))
  }

  @Test("a killed process holds up nobody")
  func killedHolder() throws {
    let directory = TemporaryDirectory()
    // Holds what a holder holds: the door for a moment, a ticket, and the turn.
    let script = """
      import fcntl, os, struct, sys
      file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
      os.pwrite(file, b"ChromaLK" + struct.pack("<Q16xIIq", 2, os.getpid(), 0, 0), 0)
      for byte in (1, 3):
          lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, (1 << 62) + byte, 1, 0)
          fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
      print(os.getpid(), flush=True)
      sys.stdin.read()
      """
    guard let child = ChildProcess(["python3", "-c", script, "\(directory.path)/LOCK"]),
      let process = child.readLine()
    else { return }
    let turn = try WriteTurn(
      fileSystem: directory.fileSystem, directory: directory.path, clock: clock)
    let error = #expect(throws: ChromaError.self) { try turn.acquire(timeoutMilliseconds: 20) }
    #expect(error?.kind == .locked)
    #expect(error?.message.contains("Process \(process),") == true)
    child.kill()
    try turn.acquire(timeoutMilliseconds: 0)
  }
}
