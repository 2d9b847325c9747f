// One generation of a collection's index: which blobs it is made of, and, once somebody wanted it, its
// graph.
//
// Invariants:
//   * A generation never changes, and its graph is what its blobs say or what the indexer made them
//     from, which is the same to the bit: every process answers alike.
//   * An index is derived. That it is damaged, lost, or too large for the memory is no error to whoever
//     searches: then there is none.

import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaStorage
import Synchronization

/// Where generations are opened from. One for an engine. Thread-safe.
struct IndexOpener: Sendable {
  let blobs: BlobStore
  let meter: MemoryMeter
}

/// Any thread.
final class IndexGeneration: Sendable {
  /// A graph, and what is known of the blobs that it came from.
  struct Contents: Sendable {
    var graph: Graph
    var blobs: [IndexBlob]
    /// Codes in all the blobs: more than the graph has members where some of them are of no use any
    /// more.
    var codeCount: Int
  }

  /// What became of the wish for a graph.
  enum Opening {
    case open(Contents)
    /// A blob is gone: the generation was replaced, or the directory is damaged.
    case gone
    /// Its blobs are damaged, or of a newer release.
    case damaged
    /// There is no room, or the system failed; perhaps it works later.
    case unavailable
  }

  private enum State {
    /// Nobody wanted it so far. An earlier generation may hold most of it.
    case closed(after: Contents?)
    case open(Contents)
    case damaged
  }

  let manifest: IndexManifest
  private let collection: UUID
  private let state: Mutex<State>
  private let memory: Atomic<Int>

  /// - Parameter earlier: Of the same collection, whose graph is used again as far as it goes.
  init(_ manifest: IndexManifest, of collection: UUID, after earlier: IndexGeneration?) {
    self.manifest = manifest
    self.collection = collection
    var known = earlier?.known
    if let blobs = known?.blobs, !manifest.blobs.starts(with: blobs) { known = nil }
    memory = Atomic(known?.graph.byteCount ?? 0)
    state = Mutex(.closed(after: known))
  }

  /// A generation of this process's own making.
  init(_ manifest: IndexManifest, of collection: UUID, contents: Contents) {
    self.manifest = manifest
    self.collection = collection
    memory = Atomic(contents.graph.byteCount)
    state = Mutex(.open(contents))
  }

  /// Bytes of memory that it takes.
  var memoryByteCount: Int { memory.load(ordering: .relaxed) }

  /// Bytes of its blobs.
  var byteCount: Int { manifest.blobs.reduce(0) { $0 &+ $1.byteCount } }

  var isOpen: Bool {
    state.withLock { if case .open = $0 { true } else { false } }
  }

  /// Whether somebody wanted it and found it so.
  var isDamaged: Bool {
    state.withLock { if case .damaged = $0 { true } else { false } }
  }

  private var known: Contents? {
    state.withLock { state in
      switch state {
      case .closed(let contents): contents
      case .open(let contents): contents
      case .damaged: nil
      }
    }
  }

  /// Says that a blob which the catalog names is gone.
  func setDamaged() {
    state.withLock { $0 = .damaged }
    memory.store(0, ordering: .relaxed)
  }

  /// Its graph. Opened by the first who asks; others wait.
  func open(with opener: IndexOpener) -> Opening {
    state.withLock { state in
      switch state {
      case .open(let contents): return .open(contents)
      case .damaged: return .damaged
      case .closed(let earlier):
        do throws(ChromaError) {
          guard let contents = try read(after: earlier, opener) else { return .gone }
          state = .open(contents)
          memory.store(contents.graph.byteCount, ordering: .relaxed)
          return .open(contents)
        } catch {
          guard error.kind == .corruption || error.kind == .unsupportedFormat else {
            return .unavailable
          }
          state = .damaged
          memory.store(0, ordering: .relaxed)
          return .damaged
        }
      }
    }
  }

  /// - Returns: Nil if a blob is gone.
  private func read(
    after earlier: Contents?, _ opener: IndexOpener
  ) throws(ChromaError) -> Contents? {
    var contents = earlier
    let rest = manifest.blobs.dropFirst(earlier?.blobs.count ?? 0)
    // In memory they take about what they take as blobs.
    guard opener.meter.hasRoom(for: rest.reduce(0) { $0 &+ $1.byteCount }) else {
      throw ChromaError(.resourceExhausted, "The memory limit has no room for the index.")
    }
    for blob in rest {
      guard let file = try opener.blobs.open(blob.name.string) else { return nil }
      guard file.byteCount == blob.byteCount else {
        throw .corruption(
          "The blob \(file.path) has \(file.byteCount) bytes; the catalog says \(blob.byteCount).")
      }
      contents = try withExtendedLifetime(file) { () throws(ChromaError) in
        let patch = try GraphPatch(
          try file.bytes(0..<file.byteCount), source: "index blob \(file.path)")
        return try self.contents(patch, blob, after: contents)
      }
    }
    guard let contents else {
      throw .corruption("The catalog names no blob of generation \(manifest.generation).")
    }
    return contents
  }

  private func contents(
    _ patch: GraphPatch, _ blob: IndexBlob, after earlier: Contents?
  ) throws(ChromaError) -> Contents {
    guard patch.label.collection == collection, patch.label.position <= manifest.position,
      patch.isComplete == (earlier == nil)
    else {
      throw .corruption(
        "The index blob \(blob.name) is not the one that the catalog means: it belongs to collection "
          + "\(patch.label.collection), up to position \(patch.label.position).")
    }
    return Contents(
      graph: try patch.graph(after: earlier?.graph), blobs: (earlier?.blobs ?? []) + [blob],
      codeCount: (earlier?.codeCount ?? 0) + patch.codeCount)
  }
}
