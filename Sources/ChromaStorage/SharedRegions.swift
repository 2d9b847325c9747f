// Shared memory for files that live in memory: what `File.mapShared` is for an operating system.

/// Zeroed regions by offset, each of `FileLimits.sharedRegionByteCount`; freed with the object.
package final class SharedRegions: @unchecked Sendable {
  // @unchecked: `regions` is touched only under the lock of the file system that owns this object.
  private var regions: [UInt64: UnsafeMutableRawPointer] = [:]

  package init() {}

  deinit {
    for region in regions.values { region.deallocate() }
  }

  /// The region at an offset, made at its first use.
  package func region(at offset: UInt64) -> UnsafeMutableRawPointer {
    if let region = regions[offset] { return region }
    let byteCount = FileLimits.sharedRegionByteCount
    let region = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
    region.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    regions[offset] = region
    return region
  }

  /// The file was cut: what lay beyond reads as zeros, should it grow again. The memory stays, since
  /// somebody may still look at it.
  package func clear(from byteCount: UInt64) {
    for (offset, region) in regions where offset >= byteCount {
      let byteCount = FileLimits.sharedRegionByteCount
      region.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }
  }
}
