// Writing a blob from first byte to last, of any length, in bounded memory.
//
// Payload and checksums go out as they come, the header last: it tells their length.

package import ChromaBase

/// A blob that is being written, under a temporary name. One thread; ends with `finish`, or else
/// leaves nothing.
package final class BlobWriter {
  /// Bytes that are gathered before they are written: few enough calls, little enough memory.
  private static let bufferByteCountMax = 1 << 20

  package let name: String
  /// Bytes of payload so far.
  package private(set) var byteCount = 0

  private let store: BlobStore
  private let path: String
  private let file: any File
  private let identity: UInt32
  private var buffer: [UInt8] = []
  /// Bytes of payload that are written.
  private var writtenByteCount = 0
  private var checksums = ByteWriter()
  /// Of the last block's bytes so far.
  private var blockChecksum: UInt32
  private var isEnded = false

  init(_ name: String, in store: BlobStore) throws(ChromaError) {
    self.name = name
    self.store = store
    path = store.path(of: name)
    identity = BlobChecksum.identity(of: name)
    blockChecksum = BlobChecksum.seed(identity: identity, block: 0)
    file = try store.fileSystem.open(path + BlobStore.temporarySuffix, .createNew)
  }

  deinit {
    abandon()
  }

  /// Adds bytes to the payload. After an error the blob can only be abandoned.
  ///
  /// - Throws: `.io`, `.outOfSpace`; `.invalidArgument` beyond `Limits.blobByteCountMax`.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(ChromaError) {
    guard bytes.count <= Limits.blobByteCountMax - byteCount else {
      throw .invalidArgument(
        "The blob \(path) would exceed its limit of \(Limits.blobByteCountMax) bytes.")
    }
    addToChecksums(bytes)
    byteCount += bytes.count
    if buffer.count + bytes.count < Self.bufferByteCountMax {
      buffer.append(contentsOf: bytes)
      return
    }
    try flush()
    try file.write(bytes, at: UInt64(BlobHeader.byteCount + writtenByteCount))
    writtenByteCount += bytes.count
  }

  /// Adds zeros up to the next multiple.
  package func align(to alignment: Int) throws(ChromaError) {
    let rest = byteCount % alignment
    guard rest > 0 else { return }
    let zeros = [UInt8](repeating: 0, count: alignment - rest)
    try zeros.withUnsafeBufferPointer { (zeros) throws(ChromaError) in
      try append(UnsafeRawBufferPointer(zeros))
    }
  }

  /// Makes the blob durable under its name.
  ///
  /// - Throws: `.io`, `.outOfSpace`. Then the blob is not there, or at least not known to be durable.
  package func finish() throws(ChromaError) {
    precondition(!isEnded, "a blob is finished once")
    do throws(ChromaError) {
      if byteCount % BlobHeader.blockByteCount > 0 { checksums.write(blockChecksum) }
      buffer.append(contentsOf: checksums.bytes)
      let header = BlobHeader(
        payloadByteCount: byteCount, tableChecksum: CRC32C.checksum(of: checksums.bytes))
      try flush()
      try file.write(header.encoded(name: name), at: 0)
      try store.syncs.syncing { () throws(ChromaError) in try file.sync() }
      try store.fileSystem.rename(path + BlobStore.temporarySuffix, to: path)
    } catch {
      abandon()
      throw error
    }
    isEnded = true
    file.close()
    try store.syncDirectory()
  }

  /// Removes what was written; nothing after `finish`.
  package func abandon() {
    guard !isEnded else { return }
    isEnded = true
    file.close()
    _ = try? store.fileSystem.remove(path + BlobStore.temporarySuffix)
  }

  private func flush() throws(ChromaError) {
    guard !buffer.isEmpty else { return }
    try file.write(buffer, at: UInt64(BlobHeader.byteCount + writtenByteCount))
    writtenByteCount += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }

  private func addToChecksums(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    var position = byteCount
    while !rest.isEmpty {
      let room = BlobHeader.blockByteCount - position % BlobHeader.blockByteCount
      let piece = rest.prefix(room)
      blockChecksum = CRC32C.checksum(
        of: UnsafeRawBufferPointer(rebasing: piece), continuing: blockChecksum)
      position += piece.count
      rest = rest.dropFirst(piece.count)
      if piece.count == room {
        checksums.write(blockChecksum)
        blockChecksum = BlobChecksum.seed(
          identity: identity, block: position >> BlobHeader.blockShift)
      }
    }
  }
}
