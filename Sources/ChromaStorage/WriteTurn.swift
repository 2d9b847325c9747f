// Whose turn it is to write, among processes: first come, first served.
//
// SQLite lets writers poll, which starves some of them for seconds. Here each takes a ticket, a
// number drawn from a counter in the file LOCK, and locks the byte of that number. Its turn has come
// when nobody holds the byte of a smaller number. Locks belong to open files, so whoever dies leaves
// the queue at once, wherever it stood.
//
//     LOCK, little-endian: | "ChromaLK" | next ticket: UInt64 | 16 zeros |
//                          | holder's process: UInt32 | zeros: UInt32 | since: Int64, wall ns |
//
//     locked bytes (beyond the file's end): presence, door, turn, and queue + ticket
//
// Invariants:
//   * Whoever holds the turn has the byte `turn` locked exclusively: that alone excludes, whatever
//     the counter says. A LOCK file that is lost, zeroed or full of garbage costs order, not safety.
//   * The counter changes only under the byte `door`.
//   * LOCK is never removed by us, and nothing in it needs to be durable. It stands for the
//     directory: whoever finds another one at its path, or none, was left with files that nobody
//     else will open, and must not write.

package import ChromaBase
import Glibc

/// The write turn of one directory. One thread at a time: the engine queues its threads before it.
package final class WriteTurn: Sendable {
  private static let magic: [UInt8] = Array("ChromaLK".utf8)
  private static let holderOffset: UInt64 = 32
  private static let doorByte: UInt64 = 1 << 62
  /// Held as long as the file is open: shared, or by a repair alone.
  private static let presenceByte = doorByte - 1
  private static let turnByte = doorByte + 1
  private static let queueByte = doorByte + 2
  /// Tickets start over at 1 beyond this; 2^61 writes away unless the file holds garbage.
  private static let ticketMax: UInt64 = 1 << 61
  /// The first nap; each is twice as long as the one before, up to the longest. Short, since a turn
  /// usually takes a sync; bounded, so that nobody waits long after a turn has ended.
  private static let napNanosecondsRange: ClosedRange<UInt64> = 50_000...2_000_000

  /// When a caller's patience ends.
  package struct Deadline: Sendable {
    fileprivate let nanoseconds: UInt64
    fileprivate let timeoutMilliseconds: Int
  }

  private let directory: String
  private let fileSystem: any FileSystem
  private let clock: any Clock
  private let file: any File
  private let identity: FileIdentity?
  private let ticket = Ticket()

  /// Guarded by the rule that one thread at a time uses the turn.
  private final class Ticket: @unchecked Sendable {
    var number: UInt64 = 0
  }

  /// Opens or creates LOCK in an existing directory.
  ///
  /// - Parameter isSole: Whether nobody else may have the directory open, as long as this lives.
  /// - Throws: `.locked` if somebody has it open, or has it alone; `.io`.
  package init(
    fileSystem: any FileSystem, directory: String, clock: any Clock, isSole: Bool = false
  ) throws(ChromaError) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.clock = clock
    let path = "\(directory)/LOCK"
    file = try fileSystem.open(path, .create)
    guard
      try file.tryLock(
        Self.presenceByte..<Self.presenceByte + 1, isSole ? .exclusive : .shared)
    else {
      file.close()
      throw ChromaError(
        .locked,
        isSole
          ? "The database \(directory) is open, here or in another process. Close it everywhere first."
          : "The database \(directory) is being repaired. Try again later.")
    }
    identity = try fileSystem.attributes(path)?.identity
  }

  deinit {
    file.close()
  }

  /// The deadline of somebody who begins to wait now.
  package func deadline(afterMilliseconds timeoutMilliseconds: Int) -> Deadline {
    Deadline(
      nanoseconds: clock.monotonicNanoseconds()
        &+ UInt64(clamping: timeoutMilliseconds) &* 1_000_000,
      timeoutMilliseconds: timeoutMilliseconds)
  }

  package func acquire(timeoutMilliseconds: Int) throws(ChromaError) {
    try acquire(by: deadline(afterMilliseconds: timeoutMilliseconds))
  }

  /// Waits for the turn.
  ///
  /// - Throws: `.locked` naming the holder's process when the time is over; `.io`, also if the
  ///   directory is no longer at its path.
  package func acquire(by deadline: Deadline) throws(ChromaError) {
    try wait(until: deadline) { () throws(ChromaError) in
      try file.tryLock(Self.doorByte..<Self.doorByte + 1, .exclusive)
    }
    do throws(ChromaError) {
      try drawTicket()
      try file.unlock(Self.doorByte..<Self.doorByte + 1)
      try wait(until: deadline) { () throws(ChromaError) in
        let ahead = Self.queueByte..<Self.queueByte + ticket.number
        if try file.isLockedElsewhere(ahead, against: .exclusive) { return false }
        return try file.tryLock(Self.turnByte..<Self.turnByte + 1, .exclusive)
      }
      try checkPlace()
      try signIn()
    } catch {
      release()
      throw error
    }
  }

  /// Gives the turn to the next in the queue.
  package func release() {
    // Everything that this file may hold; a lock that cannot be given back ends with the file.
    try? file.unlock(Self.doorByte..<Self.queueByte + ticket.number + 1)
  }

  /// Under the door: takes the next number and locks its byte.
  private func drawTicket() throws(ChromaError) {
    let head = try file.read(at: 0, byteCountMax: 16)
    var next: UInt64 = 1
    if head.count == 16, head.starts(with: Self.magic) {
      let stored = head.withUnsafeBytes {
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      if (1...Self.ticketMax).contains(stored) { next = stored }
    }
    // A counter that started over may meet numbers that are still held.
    while try !file.tryLock(Self.queueByte + next..<Self.queueByte + next + 1, .exclusive) {
      next = next % Self.ticketMax + 1
    }
    // Before anything else can fail: `release` has to know of the byte.
    ticket.number = next
    var writer = ByteWriter(byteCountExpected: 16)
    for byte in Self.magic { writer.write(byte) }
    writer.write(next % Self.ticketMax + 1)
    try file.write(writer.bytes, at: 0)
  }

  private func checkPlace() throws(ChromaError) {
    let path = "\(directory)/LOCK"
    guard try fileSystem.attributes(path)?.identity == identity else {
      throw ChromaError(
        .io,
        "The directory \(directory) was removed, renamed or replaced while it was open: its file "
          + "LOCK is another one now, or gone. Nothing was written. Close the database, and open "
          + "it where it is now.")
    }
  }

  private func signIn() throws(ChromaError) {
    var writer = ByteWriter(byteCountExpected: 16)
    writer.write(UInt32(bitPattern: getpid()))
    writer.write(0 as UInt32)
    writer.write(clock.wallNanoseconds())
    try file.write(writer.bytes, at: Self.holderOffset)
  }

  private func wait(
    until deadline: Deadline, for isReady: () throws(ChromaError) -> Bool
  ) throws(ChromaError) {
    var nap = Self.napNanosecondsRange.lowerBound
    while try !isReady() {
      guard clock.monotonicNanoseconds() < deadline.nanoseconds else {
        throw ChromaError(
          .locked,
          "\(try holder()) writes to \(directory); waited \(deadline.timeoutMilliseconds) ms for the turn. "
            + "Try again, or allow more time.")
      }
      clock.sleep(nanoseconds: nap)
      nap = min(2 * nap, Self.napNanosecondsRange.upperBound)
    }
  }

  private func holder() throws(ChromaError) -> String {
    let record = try file.read(at: Self.holderOffset, byteCountMax: 16)
    guard record.count == 16 else { return "Another process" }
    let (process, since) = record.withUnsafeBytes {
      (
        UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)),
        Int64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: Int64.self))
      )
    }
    let seconds =
      max(0, clock.wallNanoseconds().subtractingReportingOverflow(since).partialValue)
      / 1_000_000_000
    return "Process \(process), since \(seconds) s,"
  }
}
