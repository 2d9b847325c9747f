// A file seen as memory.

internal import CChromaPlatform

/// Owns a read-only map of a file's first bytes, and gives it back when the object goes.
package final class FileMapping: @unchecked Sendable {
  // @unchecked: the pointer never changes, and nobody writes to what it points to.
  package let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  deinit {
    chroma_file_unmap_read_only(bytes.baseAddress, bytes.count)
  }
}
