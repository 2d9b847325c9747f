// What was being tried when the process crashed: a trap in the engine must not hide its seed.

import Glibc

enum CrashNote {
  private static let threadCountMax = 64
  private static let byteCountMax = 64
  private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE]

  /// A line for each thread, ended by a line feed; zeros where there is none.
  // nonisolated(unsafe): each thread writes its own line, and the handler only reads.
  nonisolated(unsafe) private static let lines: UnsafeMutablePointer<UInt8> = {
    let byteCount = threadCountMax * byteCountMax
    let lines = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)
    lines.initialize(repeating: 0, count: byteCount)
    return lines
  }()

  /// Has a crash print the notes.
  static func install() {
    _ = lines
    for number in signals {
      signal(number) { number in
        // Only what a signal handler may call.
        _ = Glibc.write(STDERR_FILENO, "crashed in one of --suite:\n", 27)
        for thread in 0..<CrashNote.threadCountMax {
          let line = CrashNote.lines + thread * CrashNote.byteCountMax
          let byteCount = strnlen(UnsafeRawPointer(line).assumingMemoryBound(to: CChar.self), 64)
          _ = Glibc.write(STDERR_FILENO, line, byteCount)
        }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// Notes what a thread is at.
  static func write(thread: Int, _ text: String) {
    guard (0..<threadCountMax).contains(thread) else { return }
    let line = lines + thread * byteCountMax
    let bytes = Array("  \(text)\n".utf8.prefix(byteCountMax - 1)) + [0]
    for (offset, byte) in bytes.enumerated() { line[offset] = byte }
  }
}
