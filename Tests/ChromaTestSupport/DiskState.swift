// What a disk holds: what is durable, what the operating system shows, and what lies between.
//
// A value. Copies share their pages, so that an image of every moment of a history costs little.
//
//   file:       shown bytes · durable bytes · the writes since the last sync, in order
//   directory:  shown entries · durable entries · the changes since the last sync, in order
//
// Invariants:
//   * Shown = durable + all pending, save for writes that a failed sync dropped: those are shown,
//     and neither durable nor pending, as ext4, XFS and Btrfs leave them (Rebello et al., "Can
//     Applications Recover from fsync Failures?", ATC 2020).
//   * A file's data and its name are independent: each has its own sync.

import ChromaBase
import ChromaStorage

struct DiskState: Sendable {
  enum Entry: Equatable, Sendable {
    case file(Int)
    case directory(Int)
  }

  enum Write: Sendable {
    case bytes(offset: UInt64, [UInt8])
    case byteCount(UInt64)
  }

  enum Change: Sendable {
    case link(Text, Entry)
    case unlink(Text)
    /// Within one directory, where it is atomic; across directories it is a link and an unlink.
    case rename(Text, to: Text, Entry)
  }

  struct Node: Sendable {
    var shown = PagedBytes()
    var durable = PagedBytes()
    var pending: [Write] = []
    var hasDroppedWrites = false
  }

  struct Directory: Sendable {
    var shown: [Text: Entry] = [:]
    var durable: [Text: Entry] = [:]
    var pending: [Change] = []
  }

  static let root = 1

  private(set) var nodes: [Int: Node] = [:]
  private(set) var directories: [Int: Directory] = [root: Directory()]
  private var idLast = root

  // MARK: Names

  func entry(_ path: Text) -> Entry? {
    var entry = Entry.directory(Self.root)
    for name in path.bytes.split(separator: UInt8(ascii: "/")) {
      guard case .directory(let id) = entry, let text = Text(validating: Array(name)),
        let next = directories[id]?.shown[text]
      else { return nil }
      entry = next
    }
    return entry
  }

  /// The directory that a path names; nil if it names none.
  func directory(_ path: Text) -> Int? {
    if case .directory(let id) = entry(path) { id } else { nil }
  }

  mutating func makeFile(_ name: Text, in directory: Int) -> Int {
    idLast += 1
    nodes[idLast] = Node()
    change(directory, .link(name, .file(idLast)))
    return idLast
  }

  mutating func makeDirectory(_ name: Text, in directory: Int) {
    idLast += 1
    directories[idLast] = Directory()
    change(directory, .link(name, .directory(idLast)))
  }

  mutating func change(_ directory: Int, _ change: Change) {
    directories[directory]?.pending.append(change)
    Self.apply(change, to: &directories[directory, default: Directory()].shown)
  }

  mutating func syncDirectory(_ directory: Int) {
    guard let shown = directories[directory]?.shown else { return }
    directories[directory]?.durable = shown
    directories[directory]?.pending = []
  }

  static func apply(_ change: Change, to entries: inout [Text: Entry]) {
    switch change {
    case .link(let name, let entry): entries[name] = entry
    case .unlink(let name): entries[name] = nil
    case .rename(let source, let target, let entry):
      entries[source] = nil
      entries[target] = entry
    }
  }

  // MARK: Bytes

  /// Returns false if the file would grow too large.
  mutating func write(_ node: Int, _ write: Write) -> Bool {
    guard Self.apply(write, to: &nodes[node, default: Node()].shown) else { return false }
    nodes[node]?.pending.append(write)
    return true
  }

  mutating func sync(_ node: Int) {
    guard var synced = nodes[node] else { return }
    if synced.hasDroppedWrites {
      for write in synced.pending { _ = Self.apply(write, to: &synced.durable) }
    } else {
      synced.durable = synced.shown
    }
    synced.pending = []
    nodes[node] = synced
  }

  /// A sync that fails: every pending write either reached the disk or never will, and which is
  /// chance. What the operating system shows stays.
  mutating func failSync(_ node: Int, random: inout SeededRandom) {
    guard var failed = nodes[node] else { return }
    for write in failed.pending where random.oneIn(2) {
      _ = Self.apply(write, to: &failed.durable)
    }
    failed.hasDroppedWrites = failed.hasDroppedWrites || !failed.pending.isEmpty
    failed.pending = []
    nodes[node] = failed
  }

  static func apply(_ write: Write, to bytes: inout PagedBytes) -> Bool {
    switch write {
    case .bytes(let offset, let content):
      content.withUnsafeBytes { bytes.write($0, at: offset) }
    case .byteCount(let byteCount):
      bytes.setByteCount(byteCount)
    }
  }

  /// Bytes that all files show.
  var byteCount: Int { nodes.values.reduce(0) { $0 + $1.shown.byteCount } }

  // MARK: Power cuts

  /// Things that a power cut may keep or lose, each by itself.
  ///
  /// - Parameter kept: Files that are not counted.
  func pendingCount(except kept: Set<Int> = []) -> Int {
    nodes.reduce(0) { $0 + (kept.contains($1.key) ? 0 : $1.value.pending.count) }
      + directories.values.reduce(0) { $0 + $1.pending.count }
  }

  /// The files at these paths.
  func files(at paths: [String]) -> Set<Int> {
    Set(
      paths.compactMap { path in
        if case .file(let id) = entry(Text(path)) { id } else { nil }
      })
  }

  /// The same, all of it durable.
  func settled() -> DiskState {
    var settled = self
    for (id, node) in nodes { settled.nodes[id] = Node(shown: node.shown, durable: node.shown) }
    for (id, directory) in directories {
      settled.directories[id] = Directory(shown: directory.shown, durable: directory.shown)
    }
    return settled
  }

  /// What is found after a power cut.
  ///
  /// - Parameters:
  ///   - choices: decides for each pending write and change, in the order of their making within a
  ///     file or directory. Keeping any of them in this order also covers every reordering: of two
  ///     writes to one place the later one wins, or was lost.
  ///   - kept: Files that lose nothing.
  func afterPowerCut(
    _ choices: inout some PowerCutChoices, keeping kept: Set<Int> = []
  ) -> DiskState {
    var after = DiskState()
    after.idLast = idLast
    for (id, directory) in directories.sorted(by: { $0.key < $1.key }) {
      choices.begin()
      var entries = directory.durable
      for change in directory.pending { choices.choose(change, &entries) }
      after.directories[id] = Directory(shown: entries, durable: entries)
    }
    for (id, node) in nodes.sorted(by: { $0.key < $1.key }) {
      if kept.contains(id) {
        after.nodes[id] = Node(shown: node.shown, durable: node.shown)
        continue
      }
      choices.begin()
      var bytes = node.durable
      for write in node.pending { choices.choose(write, &bytes) }
      after.nodes[id] = Node(shown: bytes, durable: bytes)
    }
    return after
  }
}
