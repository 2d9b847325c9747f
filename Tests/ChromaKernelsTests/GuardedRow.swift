import Glibc

/// A row in memory whose every other byte is watched: each row ends where a page that cannot be read
/// begins, so a read past it ends the process; a row moved up by some bytes begins behind such a
/// page instead.
final class GuardedRow<Element: BitwiseCopyable> {
  private let mapping: UnsafeMutableRawPointer
  private let byteCount: Int
  let elements: UnsafeMutableBufferPointer<Element>

  enum Edge: CaseIterable { case first, last }

  /// - Parameter edge: which end of the row touches the page that cannot be read.
  init(_ elements: [Element], at edge: Edge) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let rowByteCount = elements.count * MemoryLayout<Element>.stride
    let roomByteCount = (rowByteCount + page - 1) / page * page
    byteCount = roomByteCount + 2 * page
    mapping = mmap(nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(mapping != MAP_FAILED)
    mprotect(mapping + page, roomByteCount, PROT_READ | PROT_WRITE)
    let start = mapping + page + (edge == .first ? 0 : roomByteCount - rowByteCount)
    self.elements = UnsafeMutableBufferPointer(
      start: start.bindMemory(to: Element.self, capacity: elements.count), count: elements.count)
    _ = self.elements.initialize(fromContentsOf: elements)
  }

  deinit {
    munmap(mapping, byteCount)
  }

  var row: UnsafePointer<Element> { UnsafePointer(elements.baseAddress!) }

  var bytes: UnsafeRawPointer { UnsafeRawPointer(elements.baseAddress!) }
}
