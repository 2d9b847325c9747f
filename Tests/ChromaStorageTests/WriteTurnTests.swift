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

  @Test("a holder that dies gives the turn away at once")
  func deadHolder() throws {
    var holder: WriteTurn? = try turn()
    try holder?.acquire(timeoutMilliseconds: 0)
    holder = nil
    try turn().acquire(timeoutMilliseconds: 0)
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
}
