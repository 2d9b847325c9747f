// Which calls of the disk belong to compactions and to indexing, so that a suite can say how many of
// its power cuts fell into one.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport
import Synchronization

/// What engines do beside what they are asked for.
enum CompactionWork: String, CaseIterable, Sendable {
  /// From the first byte of the segment to the end of the publication.
  case step, merge
  /// The same of an index.
  case generation
  /// The removal of what nothing refers to any more: after a publication or a deletion, and by the
  /// next who writes.
  case retirement, sweep
}

/// Follows the compactions of all engines over one disk.
final class CompactionWatch: Sendable {
  struct Span: Sendable {
    let work: CompactionWork
    /// Calls of the disk that had been made.
    let calls: ClosedRange<Int>
  }

  private struct Notes {
    var spans: [Span] = []
    /// Blobs that are written for merges and for indexes.
    var leased: Set<String> = []
    var published: [String: Int] = [:]
    /// Where sweeps began.
    var sweeps: [Int] = []
  }

  private let disk: SimulatedDisk
  private let notes = Mutex(Notes())

  init(_ disk: SimulatedDisk) {
    self.disk = disk
  }

  /// Puts itself between an engine and its catalog.
  func watch(_ catalog: any Catalog) -> any Catalog { WatchedCatalog(catalog, self) }

  /// All that was done so far, from the notes and the disk's trace.
  var spans: [Span] {
    let notes = notes.withLock { $0 }
    var spans = notes.spans
    /// Blobs that are being written: by the path of their temporary file, since when.
    var writing: [String: Int] = [:]
    func end(_ path: String, at call: Int) {
      guard let start = writing.removeValue(forKey: path) else { return }
      let name = String(path.dropLast(4).split(separator: "/").last ?? "")
      let work: CompactionWork =
        name.hasSuffix(".index")
        ? .generation : notes.leased.contains(name) ? .merge : .step
      spans.append(Span(work: work, calls: start...max(start, notes.published[name] ?? call)))
    }
    let trace = disk.trace
    for start in notes.sweeps {
      let calls = trace[start...].prefix { [.attributes, .list, .remove].contains($0.kind) }
      if calls.contains(where: { $0.kind == .remove }) {
        spans.append(Span(work: .sweep, calls: start...start + calls.count))
      }
    }
    for (index, call) in trace.enumerated()
    where call.path.hasSuffix(".segment.tmp") || call.path.hasSuffix(".index.tmp") {
      switch call.kind {
      case .open: writing[call.path] = index + 1
      case .rename, .remove: end(call.path, at: index + 1)
      default: break
      }
    }
    for path in writing.keys.sorted() { end(path, at: trace.count) }
    return spans
  }

  private final class WatchedCatalog: ForwardingCatalog, @unchecked Sendable {
    private let watch: CompactionWatch

    init(_ base: any Catalog, _ watch: CompactionWatch) {
      self.watch = watch
      super.init(base)
    }

    override func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool {
      if let name = lease.blobName { watch.notes.withLock { _ = $0.leased.insert(name.string) } }
      return try super.acquireLease(lease)
    }

    override func publish(_ publication: Publication) throws(ChromaError) -> PublishResult {
      let work = publication.lease == nil ? CompactionWork.step : .merge
      let result = try watch.note(work) { () throws(ChromaError) in try super.publish(publication) }
      for case .blob(let name, _) in publication.added.map(\.payload) {
        watch.notes.withLock { $0.published[name.string] = watch.disk.callCount }
      }
      if case .published(_, let retired) = result { watch.noteRemoval(of: retired.count) }
      return result
    }

    override func publishIndex(
      _ publication: IndexPublication
    ) throws(ChromaError) -> PublishResult {
      let result = try watch.note(.generation) { () throws(ChromaError) in
        try super.publishIndex(publication)
      }
      for blob in publication.added {
        watch.notes.withLock { $0.published[blob.name.string] = watch.disk.callCount }
      }
      if case .published(_, let retired) = result { watch.noteRemoval(of: retired.count) }
      return result
    }

    override func deleteCollection(
      tenant: Text, database: Text, name: Text
    ) throws(ChromaError) -> DeletedCollection {
      let deleted = try super.deleteCollection(tenant: tenant, database: database, name: name)
      watch.noteRemoval(of: deleted.blobs.count)
      return deleted
    }

    override func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text] {
      let blobs = try super.deleteDatabase(tenant: tenant, name: name)
      watch.noteRemoval(of: blobs.count)
      return blobs
    }

    override func reset() throws(ChromaError) -> [Text] {
      let blobs = try super.reset()
      watch.noteRemoval(of: blobs.count)
      return blobs
    }

    override func referencedBlobs() throws(ChromaError) -> [Text] {
      let referenced = try super.referencedBlobs()
      watch.notes.withLock { $0.sweeps.append(watch.disk.callCount) }
      return referenced
    }
  }

  private func note<R>(
    _ work: CompactionWork, _ body: () throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    let start = disk.callCount
    defer { notes.withLock { $0.spans.append(Span(work: work, calls: start...disk.callCount)) } }
    return try body()
  }

  /// The removals that follow are one call each.
  private func noteRemoval(of count: Int) {
    guard count > 0 else { return }
    let start = disk.callCount
    notes.withLock { $0.spans.append(Span(work: .retirement, calls: start...start + count)) }
  }
}

/// How many power cuts fell into which work.
final class CutCensus: Sendable {
  static let all = CutCensus()

  private let counts = Mutex<[CompactionWork: Int]>([:])

  func count(_ callCount: Int, in spans: [CompactionWatch.Span]) {
    let works = Set(spans.filter { $0.calls.contains(callCount) }.map(\.work))
    if works.isEmpty { return }
    counts.withLock { counts in
      for work in works { counts[work, default: 0] += 1 }
    }
  }

  /// In words; nil if there were none.
  var summary: String? {
    let counts = counts.withLock { $0 }
    if counts.isEmpty { return nil }
    return CompactionWork.allCases.map { "\(counts[$0] ?? 0) in a \($0)" }.joined(separator: ", ")
  }
}
