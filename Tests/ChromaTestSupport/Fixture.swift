// Files that stand beside the tests.

import ChromaBase
import Glibc

package enum Fixture {
  /// The bytes of `Fixtures/<name>` beside the test file that asks.
  package static func bytes(_ name: String, beside testFile: String = #filePath) throws -> [UInt8] {
    let folder = testFile[..<(testFile.lastIndex(of: "/") ?? testFile.startIndex)]
    let path = "\(folder)/Fixtures/\(name)"
    guard let file = fopen(path, "rb") else {
      throw ChromaError(.io, "Cannot open \(path): \(String(cString: strerror(errno))).")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  /// The lines of a fixture, without the line feeds.
  package static func lines(_ name: String, beside testFile: String = #filePath) throws -> [String]
  {
    try bytes(name, beside: testFile)
      .split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
