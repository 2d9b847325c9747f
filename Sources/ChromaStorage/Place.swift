// Paths, taken apart.

package import ChromaBase

/// A path's place in the tree. Compared by bytes, as the operating system does; `String` compares by
/// canonical equivalence, and would take two files for one.
package struct Place: Hashable, Sendable {
  package let path: Text
  package let parent: Text
  package let name: Text

  /// Any absolute path but "/".
  package init(_ path: String) throws(ChromaError) {
    try checkPath(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")),
      path.utf8.index(after: slash) != path.utf8.endIndex
    else { throw .invalidArgument("The path '\(path)' names no file.") }
    self.path = Text(path)
    parent = Text(Self.parent(of: path))
    name = Text(String(path[path.utf8.index(after: slash)...]))
  }

  /// The directory that a path lies in; "/" for "/".
  package static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex
    else { return "/" }
    return String(path[..<slash])
  }
}
