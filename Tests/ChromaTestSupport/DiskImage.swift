// A moment of a simulated disk.

/// What a disk held after a call of its history, unsynced writes included. Cheap to keep and to copy.
package struct DiskImage: Sendable {
  let state: DiskState
  /// Calls that had been made.
  package let callCount: Int
  /// Whether the next change was a sync. Between two syncs what may be lost only grows, so the
  /// images before syncs, and the last one, leave whatever any moment can leave.
  package internal(set) var isBeforeSync = false

  /// Pending writes and directory changes: a cut leaves one of two to this power, torn writes not
  /// counted.
  package var pendingCount: Int { state.pendingCount }

  /// A disk as a power cut at this moment leaves it, by chance: unsynced writes torn, lost or
  /// reordered, unsynced directory entries lost.
  package func afterPowerCut(_ random: inout SeededRandom) -> DiskImage {
    var choices = RandomChoices(random: SeededRandom(random.next()))
    return DiskImage(state: state.afterPowerCut(&choices), callCount: 0)
  }

  /// One of the two-to-the-`pendingCount` disks that a power cut leaves if it tears no write.
  package func afterPowerCut(number: UInt64) -> DiskImage {
    var choices = EnumeratedChoices(number)
    return DiskImage(state: state.afterPowerCut(&choices), callCount: 0)
  }
}
