// A moment of a simulated disk.

/// What a disk held after a call of its history, unsynced writes included. Cheap to keep and to copy.
package struct DiskImage: Sendable {
  let state: DiskState
  /// Calls that had been made.
  package let callCount: Int
  /// Whether the next change was a sync. Between two syncs what may be lost only grows, so the
  /// images before syncs, and the last one, leave whatever any moment can leave.
  package internal(set) var isBeforeSync = false

  /// The same, with everything durable.
  package var settled: DiskImage { DiskImage(state: state.settled(), callCount: 0) }

  /// Pending writes and directory changes: a cut leaves one of two to this power, torn writes not
  /// counted.
  ///
  /// - Parameter paths: Files that are not counted, because what they hold does not matter.
  package func pendingCount(except paths: [String] = []) -> Int {
    state.pendingCount(except: state.files(at: paths))
  }

  /// A disk as a power cut at this moment leaves it, by chance: unsynced writes torn, lost or
  /// reordered, unsynced directory entries lost.
  package func afterPowerCut(_ random: inout SeededRandom) -> DiskImage {
    var choices = RandomChoices(random: SeededRandom(random.next()))
    return DiskImage(state: state.afterPowerCut(&choices), callCount: 0)
  }

  /// One of the two-to-the-`pendingCount` disks that a power cut leaves if it tears no write.
  ///
  /// - Parameter paths: Files that lose nothing.
  package func afterPowerCut(number: UInt64, keeping paths: [String] = []) -> DiskImage {
    var choices = EnumeratedChoices(number)
    let kept = state.files(at: paths)
    return DiskImage(state: state.afterPowerCut(&choices, keeping: kept), callCount: 0)
  }
}
