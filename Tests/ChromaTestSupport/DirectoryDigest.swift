// What a directory is, to the byte and to the moment of the last change.

import ChromaBase
import ChromaStorage
import Glibc

/// The directory itself and everything in it: names, kinds, rights, identities, sizes, contents, and
/// when each was last changed. Two that are equal differ in nothing but the times of reading.
package struct DirectoryDigest: Equatable, CustomStringConvertible {
  private var entries: [String: String] = [:]

  package init(_ path: String) throws {
    try add(path, as: ".")
  }

  package var description: String {
    entries.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
  }

  private mutating func add(_ path: String, as name: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw ChromaError.failedCall("look at", path, errno) }
    var parts = [
      "mode \(status.st_mode)", "inode \(status.st_ino)", "\(status.st_size) bytes",
      "modified \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)",
      "changed \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)",
    ]
    let files = FolderFileSystem()
    if status.st_mode & S_IFMT == S_IFDIR {
      for entry in try files.list(path) { try add("\(path)/\(entry)", as: "\(name)/\(entry)") }
    } else {
      let file = try files.open(path, .readOnly)
      defer { file.close() }
      let bytes = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
      parts.append("checksum \(CRC32C.checksum(of: bytes))")
    }
    entries[name] = parts.joined(separator: ", ")
  }
}
