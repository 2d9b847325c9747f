// A finished play, to be cut anywhere.

import ChromaTestSupport

/// What was done to a disk, and what each moment of it allows.
struct History {
  private let start: DiskImage
  let images: [DiskImage]
  let timeline: [Player.Moment]
  let callCount: Int
  let elapsedNanoseconds: UInt64
  private let works: [CompactionWatch.Span]

  init(_ player: Player) {
    start = player.start
    images = player.disk.history
    timeline = player.timeline
    callCount = player.disk.callCount
    elapsedNanoseconds = player.clock.monotonicNanoseconds()
    works = player.watch.spans
  }

  /// A moment to cut the power: when a call has just returned, when much is pending, or any.
  func moment(_ random: inout SeededRandom) -> Int {
    switch random.int(in: 0...3) {
    case 0: return timeline[random.int(in: 0...timeline.count - 1)].callCount
    case 1:
      let full = images.filter(\.isBeforeSync)
      return full.isEmpty ? callCount : random.element(of: full).callCount
    default: return random.int(in: 0...callCount)
    }
  }

  /// The disk after so many calls.
  func image(atCall callCount: Int) -> DiskImage {
    var lower = 0
    var upper = images.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if images[middle].callCount <= callCount { lower = middle + 1 } else { upper = middle }
    }
    return lower == 0 ? start : images[lower - 1]
  }

  func allowed(atCall callCount: Int) -> Player.Moment {
    timeline.last { $0.callCount <= callCount } ?? Player.Moment(callCount: 0, allowed: [])
  }

  /// Notes a power cut after so many calls.
  func countCut(atCall callCount: Int) {
    CutCensus.all.count(callCount, in: works)
  }
}
