// Real processes beside the test's own, for what only another process can show.

import Glibc

/// A program that runs beside the test; killed when the object goes.
package final class ChildProcess {
  private var process: pid_t = 0
  private var output: Int32 = -1
  private var input: Int32 = -1

  /// Starts a program that is found by its name; `nil` if there is none of that name.
  package init?(_ arguments: [String]) {
    var toChild: [Int32] = [-1, -1]
    var fromChild: [Int32] = [-1, -1]
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { return nil }
    // Another program started at once must not hold our ends open.
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
    var pointers = arguments.map { strdup($0) } + [nil]
    let result = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
    for pointer in pointers { free(pointer) }
    posix_spawn_file_actions_destroy(&actions)
    Glibc.close(toChild[0])
    Glibc.close(fromChild[1])
    input = toChild[1]
    output = fromChild[0]
    guard result == 0 else {
      process = 0
      return nil
    }
  }

  deinit {
    if process > 0 { kill() }
    Glibc.close(input)
    Glibc.close(output)
  }

  /// The next line that the program prints, without its end; nil once it has closed its output.
  package func readLine() -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(output, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  /// Gives the program a line to read.
  package func writeLine(_ line: String) {
    let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
    _ = write(input, bytes, bytes.count)
  }

  /// Ends the program as `kill -9` does, and waits until it is gone.
  package func kill() {
    Glibc.kill(process, SIGKILL)
    wait()
  }

  /// Waits for the program's end.
  @discardableResult
  package func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    process = 0
    return status
  }
}
