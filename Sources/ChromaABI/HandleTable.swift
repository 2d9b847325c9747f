// The handles that C callers hold.
//
// A handle looks like a pointer and is a number: | generation: 32 bits | index + 1: 32 bits |. The
// table knows for each index the current generation, so that a handle which was ended, or never
// given, is found out instead of followed.
//
// Invariants:
//   * No two handles that were ever given are equal, until one index was used 2^32 times.
//   * What stands in the table is alive; a call keeps what it looked up alive until it returns, so
//     that ending a handle on another thread never pulls an object away.

import ChromaBase
import ChromaEngine

enum HandleTable {
  private struct Slot {
    var generation: UInt32 = 1
    var object: AnyObject?
  }

  // Both are guarded by ProcessLock, which a fork holds: a child finds the table whole.
  nonisolated(unsafe) private static var slots: [Slot] = []
  nonisolated(unsafe) private static var freeIndices: [Int] = []

  /// Gives out a handle on an object, which the table keeps alive until `end`.
  static func give(_ object: AnyObject) -> OpaquePointer? {
    let (index, generation) = ProcessLock.withLock { () -> (Int, UInt32) in
      let index: Int
      if let free = freeIndices.popLast() {
        index = free
      } else {
        index = slots.count
        slots.append(Slot())
      }
      slots[index].object = object
      return (index, slots[index].generation)
    }
    return OpaquePointer(bitPattern: UInt(generation) << 32 | UInt(index + 1))
  }

  /// The object behind a handle, if it is of that type and was not ended.
  static func find<T: AnyObject>(_ handle: OpaquePointer?, _ type: T.Type) -> T? {
    guard let (index, generation) = parts(of: handle) else { return nil }
    let object = ProcessLock.withLock { () -> AnyObject? in
      guard index < slots.count, slots[index].generation == generation else { return nil }
      return slots[index].object
    }
    return object as? T
  }

  /// Ends a handle. A handle of another type, or one that was ended before, is left alone.
  @discardableResult
  static func end<T: AnyObject>(_ handle: OpaquePointer?, _ type: T.Type) -> T? {
    guard let (index, generation) = parts(of: handle) else { return nil }
    // The object leaves the lock before it may die: its end may block.
    let object = ProcessLock.withLock { () -> AnyObject? in
      guard index < slots.count, slots[index].generation == generation,
        let object = slots[index].object, object is T
      else { return nil }
      slots[index].object = nil
      slots[index].generation &+= 1
      freeIndices.append(index)
      return object
    }
    return object as? T
  }

  static var liveCount: Int {
    ProcessLock.withLock { slots.count - freeIndices.count }
  }

  private static func parts(of handle: OpaquePointer?) -> (index: Int, generation: UInt32)? {
    let bits = UInt(bitPattern: handle)
    guard bits & 0xFFFF_FFFF != 0 else { return nil }
    return (Int(bits & 0xFFFF_FFFF) - 1, UInt32(bits >> 32))
  }
}
