// A directory of the operating system that lives as long as the object.

package import ChromaStorage
import Glibc

/// A new empty directory under /tmp; removed with all it holds when the object goes.
package final class TemporaryDirectory: Sendable {
  package let path: String
  package let fileSystem = FolderFileSystem()

  package init() {
    var template = Array("/tmp/chroma-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp failed: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    removeAll(path)
  }

  private func removeAll(_ path: String) {
    if (try? fileSystem.remove(path)) != nil { return }
    for name in (try? fileSystem.list(path)) ?? [] { removeAll("\(path)/\(name)") }
    _ = try? fileSystem.remove(path)
  }
}
