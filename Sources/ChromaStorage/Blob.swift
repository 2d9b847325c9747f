// An open blob: its payload as memory, each block checked at its first use.
//
// The payload is either the file itself, mapped, or memory of ours that is filled as it is asked
// for, where files cannot be mapped or shall not be.
//
// Invariants:
//   * Header, length and table of checksums were checked before the object is there.
//   * The bit of a block is set after its bytes were found right, and the bytes do not change then:
//     blobs are immutable, and memory of ours is filled under a lock, each block once.
//   * Bytes whose block's bit is not set may be wrong, or not there yet.
//   * Removing the file takes nothing away: a map stays valid, and so does an open file.

package import ChromaBase
internal import Glibc
package import Synchronization

/// An immutable blob of a `BlobStore`. Any thread.
package final class Blob: @unchecked Sendable {
  // @unchecked: pointers are set once, and lead to memory that only `load` writes, under its lock,
  // and only where no bit lets a reader in yet.

  /// Bytes read at once while the file is not mapped.
  private static let loadBlockCountMax = 32

  package let name: String
  package let path: String
  /// Bytes of the payload.
  package let byteCount: Int
  /// Where the payload begins, at a multiple of 64. Bytes may be looked at once they are verified.
  package let baseAddress: UnsafeRawPointer

  /// Which blocks were found right.
  package let verifiedBlocks: VerifiedBlocks

  private let blockCount: Int
  private let unverifiedCount: Atomic<Int>
  private let identity: UInt32
  /// As they stand in the file.
  private let checksums: UnsafeMutableRawBufferPointer
  private let mapping: FileMapping?
  /// Nil when mapped.
  private let memory: UnsafeMutableRawPointer?
  /// What is still to be read from; nil when mapped, or when everything was read.
  private let source: Mutex<Source?>

  /// An open file, and the account of how many are.
  struct Source {
    let file: any File
    let held: HeldFiles
  }

  /// Checks what stands around the payload, and maps it or makes room for it.
  ///
  /// - Parameter file: Taken over: closed at once if it can be mapped, else when all was read.
  init(_ file: any File, name: String, mapsFiles: Bool, held: HeldFiles) throws(ChromaError) {
    let header: BlobHeader
    do throws(ChromaError) {
      header = try BlobHeader(of: file, name: name)
      checksums = try Self.allocate(header.tableByteCount, alignment: 16, for: file.path)
    } catch {
      file.close()
      throw error
    }
    let parts: (mapping: FileMapping?, memory: UnsafeMutableRawPointer?)
    do throws(ChromaError) {
      try header.readTable(of: file, into: checksums)
      parts.mapping = mapsFiles ? try file.mapReadOnly(byteCount: header.tableOffset) : nil
      parts.memory =
        parts.mapping == nil
        ? try Self.allocate(header.payloadByteCount, alignment: 64, for: file.path).baseAddress
        : nil
    } catch {
      free(checksums.baseAddress)
      file.close()
      throw error
    }
    self.name = name
    path = file.path
    byteCount = header.payloadByteCount
    blockCount = header.blockCount
    identity = BlobChecksum.identity(of: name)
    unverifiedCount = Atomic(header.blockCount)
    mapping = parts.mapping
    memory = parts.memory
    let wordCount = header.blockCount / 64 + 1
    verifiedBlocks = VerifiedBlocks(wordCount: wordCount)
    if let mapped = parts.mapping?.bytes.baseAddress {
      baseAddress = mapped + BlobHeader.byteCount
      source = Mutex(nil)
      file.close()
      return
    }
    // Zero bytes are allocated as one: the address is there.
    baseAddress = UnsafeRawPointer(parts.memory ?? checksums.baseAddress.unsafelyUnwrapped)
    let isWithinLimit = held.take()
    source = Mutex(Source(file: file, held: held))
    // Descriptors are few: who may hold no more of them reads everything now.
    if !isWithinLimit || header.blockCount == 0 { try verify(0..<byteCount) }
    if header.blockCount == 0 { release() }
  }

  deinit {
    release()
    verifiedBlocks.deallocate(wordCount: blockCount / 64 + 1)
    free(checksums.baseAddress)
    free(memory)
  }

  /// Bytes of memory that it takes for good: those of a map are the operating system's.
  package var memoryByteCount: Int { checksums.count + (memory == nil ? 0 : byteCount) }

  /// Whether every block was found right.
  package var isVerified: Bool { unverifiedCount.load(ordering: .acquiring) == 0 }

  /// Whether every block of the range was found right.
  package func isVerified(_ range: Range<Int>) -> Bool {
    guard !isVerified, !range.isEmpty else { return true }
    return firstUnverified(in: blocks(of: range)) == nil
  }

  /// Whether another blob of this name says that it has the same bytes.
  package func hasChecksums(of other: Blob) -> Bool {
    name == other.name && byteCount == other.byteCount
      && checksums.elementsEqual(other.checksums)
  }

  /// Makes sure that the bytes of the range are there and right.
  ///
  /// Costs some nanoseconds where that was done before.
  ///
  /// - Throws: `.corruption` naming file and offset, also for a range outside the payload; `.io`.
  @inlinable
  package func verify(_ range: Range<Int>) throws(ChromaError) {
    if range.lowerBound >= 0, range.upperBound <= byteCount,
      verifiedBlocks.hold(range.lowerBound, range.upperBound &- range.lowerBound)
    {
      return
    }
    try verifyBlocks(of: range)
  }

  /// The bytes of a range, found right. They live as long as the blob.
  @inlinable
  package func bytes(_ range: Range<Int>) throws(ChromaError) -> UnsafeRawBufferPointer {
    try verify(range)
    return UnsafeRawBufferPointer(start: baseAddress + range.lowerBound, count: range.count)
  }

  @usableFromInline
  func verifyBlocks(of range: Range<Int>) throws(ChromaError) {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw .corruption(
        "The blob \(path) is damaged: bytes \(range) of its payload are wanted, it has "
          + "\(byteCount).")
    }
    if range.isEmpty { return }
    var blocks = blocks(of: range)
    while let block = firstUnverified(in: blocks) {
      if memory == nil {
        try check(block)
        blocks = block + 1..<blocks.upperBound
      } else {
        blocks = try load(from: block, below: blocks.upperBound)..<blocks.upperBound
      }
    }
  }

  // MARK: Blocks

  /// The blocks that a range, not empty and inside the payload, lies in.
  private func blocks(of range: Range<Int>) -> Range<Int> {
    range.lowerBound >> BlobHeader.blockShift..<(range.upperBound - 1) >> BlobHeader.blockShift + 1
  }

  private func isBlockVerified(_ block: Int) -> Bool {
    verifiedBlocks.words[block >> 6].load(ordering: .acquiring) >> UInt64(block & 63) & 1 == 1
  }

  /// Looks at 64 blocks at once.
  private func firstUnverified(in blocks: Range<Int>) -> Int? {
    var block = blocks.lowerBound
    while block < blocks.upperBound {
      let missing =
        ~verifiedBlocks.words[block >> 6].load(ordering: .acquiring) >> UInt64(block & 63)
      if missing != 0 {
        block += missing.trailingZeroBitCount
        return block < blocks.upperBound ? block : nil
      }
      block = (block >> 6 + 1) << 6
    }
    return nil
  }

  private func byteRange(of block: Int) -> Range<Int> {
    let start = block << BlobHeader.blockShift
    return start..<min(start + BlobHeader.blockByteCount, byteCount)
  }

  /// Compares a block that is in memory with its checksum, and sets its bit.
  private func check(_ block: Int) throws(ChromaError) {
    let range = byteRange(of: block)
    let stored = UInt32(
      littleEndian: checksums.loadUnaligned(fromByteOffset: 4 * block, as: UInt32.self))
    let found = CRC32C.checksum(
      of: UnsafeRawBufferPointer(start: baseAddress + range.lowerBound, count: range.count),
      continuing: BlobChecksum.seed(identity: identity, block: block))
    guard stored == found else { throw BlobChecksum.damagedBlock(block, path: path) }
    let bit: UInt64 = 1 << UInt64(block & 63)
    let (before, _) = verifiedBlocks.words[block >> 6].bitwiseOr(
      bit, ordering: .acquiringAndReleasing)
    if before & bit == 0 { unverifiedCount.subtract(1, ordering: .acquiringAndReleasing) }
  }

  /// Reads a run of blocks that are not there yet, and checks them. Returns the block to go on with.
  private func load(from first: Int, below end: Int) throws(ChromaError) -> Int {
    let result: Result<Int, ChromaError> = source.withLock { source in
      // Somebody else may have read it while this thread waited.
      guard let file = source?.file, !isBlockVerified(first) else { return .success(first + 1) }
      var last = first
      while last + 1 < end, last + 1 - first < Self.loadBlockCountMax, !isBlockVerified(last + 1) {
        last += 1
      }
      let range = byteRange(of: first).lowerBound..<byteRange(of: last).upperBound
      do throws(ChromaError) {
        let target = UnsafeMutableRawBufferPointer(
          start: memory.map { $0 + range.lowerBound }, count: range.count)
        let count = try file.read(
          at: UInt64(BlobHeader.byteCount + range.lowerBound), into: target)
        guard count == range.count else { throw BlobHeader.cutShort(path) }
        for block in first...last { try check(block) }
      } catch {
        return .failure(error)
      }
      return .success(last + 1)
    }
    if isVerified { release() }
    return try result.get()
  }

  /// Closes the file, if it is still open.
  private func release() {
    source.withLock { source in
      source?.file.close()
      source?.held.giveBack()
      source = nil
    }
  }

  private static func allocate(
    _ byteCount: Int, alignment: Int, for path: String
  ) throws(ChromaError) -> UnsafeMutableRawBufferPointer {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, alignment, max(byteCount, 1)) == 0, let memory else {
      throw ChromaError(
        .resourceExhausted, "There is no memory for \(byteCount) bytes of the blob \(path).")
    }
    return UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
  }
}

/// Which blocks of a blob were found right, one bit each. Lives as long as the blob; for who asks so
/// often that counting references to the blob would cost more than asking.
package struct VerifiedBlocks: Sendable {
  // Sound: atomics, allocated and freed by the blob.
  @usableFromInline nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>

  fileprivate init(wordCount: Int) {
    words = .allocate(capacity: wordCount)
    for word in 0..<wordCount { (words + word).initialize(to: Atomic(0)) }
  }

  /// Of bytes in memory, of which some blocks are known to be damaged. To be deallocated by its maker.
  package init(byteCount: Int, except damaged: Bitset) {
    let wordCount = Self.wordCount(byteCount: byteCount)
    self.init(wordCount: wordCount)
    for word in 0..<wordCount {
      (words + word).pointee.store(
        word < damaged.words.count ? ~damaged.words[word] : ~0, ordering: .releasing)
    }
  }

  package func deallocate(byteCount: Int) {
    deallocate(wordCount: Self.wordCount(byteCount: byteCount))
  }

  private static func wordCount(byteCount: Int) -> Int {
    byteCount >> (BlobHeader.blockShift + 6) + 1
  }

  fileprivate func deallocate(wordCount: Int) {
    words.deinitialize(count: wordCount)
    words.deallocate()
  }

  /// Whether bytes of the payload are known to be right. They must be inside it. False also for
  /// what is empty or lies in several blocks: `Blob.verify` says more.
  @inlinable
  @inline(__always)
  package func hold(_ offset: Int, _ count: Int) -> Bool {
    let block = offset >> 15
    return count > 0 && block == (offset &+ count &- 1) >> 15
      && words[block >> 6].load(ordering: .acquiring) >> UInt64(block & 63) & 1 == 1
  }
}

/// Counts the files that blobs keep open because they are not mapped.
final class HeldFiles: Sendable {
  private let count = Atomic(0)

  /// Counts one more; returns whether so many may be held.
  func take() -> Bool {
    count.add(1, ordering: .relaxed).newValue <= Limits.heldBlobFileCountMax
  }

  func giveBack() {
    count.subtract(1, ordering: .relaxed)
  }
}
