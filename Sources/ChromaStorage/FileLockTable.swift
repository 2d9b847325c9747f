// Open-file-description locks for files that live in memory, with the operating system's rules: an
// owner's new lock replaces what it held in the range, a lock may be given back in parts, and locks
// of one owner never conflict with each other.

package struct FileLockTable: Sendable {
  private struct Lock {
    var owner: ObjectIdentifier
    var range: Range<UInt64>
    var kind: FileLockKind
  }

  private var locks: [Lock] = []

  package init() {}

  package func isLocked(
    _ range: Range<UInt64>, against kind: FileLockKind, by owner: ObjectIdentifier
  ) -> Bool {
    locks.contains {
      $0.owner != owner && $0.range.overlaps(range) && (kind == .exclusive || $0.kind == .exclusive)
    }
  }

  package mutating func tryLock(
    _ range: Range<UInt64>, _ kind: FileLockKind, by owner: ObjectIdentifier
  ) -> Bool {
    guard !isLocked(range, against: kind, by: owner) else { return false }
    unlock(range, by: owner)
    locks.append(Lock(owner: owner, range: range, kind: kind))
    return true
  }

  package mutating func unlock(_ range: Range<UInt64>, by owner: ObjectIdentifier) {
    var kept: [Lock] = []
    for lock in locks {
      guard lock.owner == owner, lock.range.overlaps(range) else {
        kept.append(lock)
        continue
      }
      if lock.range.lowerBound < range.lowerBound {
        let rest = lock.range.lowerBound..<range.lowerBound
        kept.append(Lock(owner: owner, range: rest, kind: lock.kind))
      }
      if range.upperBound < lock.range.upperBound {
        let rest = range.upperBound..<lock.range.upperBound
        kept.append(Lock(owner: owner, range: rest, kind: lock.kind))
      }
    }
    locks = kept
  }

  package mutating func unlockAll(by owner: ObjectIdentifier) {
    locks.removeAll { $0.owner == owner }
  }
}
