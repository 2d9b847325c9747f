// Indexes for the collections of a sample, whose links are of no use to a search and whose codes are
// right: recovery looks at no more.

import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaSegment
import ChromaStorage

/// Publishes an index of each collection that has segments: a base, and a delta after it.
struct SampleIndex {
  /// How the names of its blobs end.
  static let suffix = ".index"

  /// What an index can have that is not its own, with all checksums right.
  enum Mistake: CaseIterable {
    case otherVector, missingNode, otherCollection, otherGeneration
  }

  let catalog: any Catalog
  let blobs: BlobStore
  var mistake: Mistake?
  private let maxNeighbors = 4

  init(catalog: any Catalog, blobs: BlobStore, mistake: Mistake? = nil) {
    self.catalog = catalog
    self.blobs = blobs
    self.mistake = mistake
  }

  /// - Returns: Collections that have one now.
  @discardableResult
  func publishAll() throws -> [UUID] {
    try catalog.collectionIDs().filter { try publish($0) }
  }

  private struct Row {
    let slot: UInt32
    let position: Int64
    var vector: [Float]
  }

  /// - Returns: Whether the collection has an index now.
  func publish(_ id: UUID) throws -> Bool {
    guard let (row, manifest, _) = try catalog.manifest(of: id) else { return false }
    var (rows, space) = try liveRows(manifest)
    guard let space, rows.count > 1, rows[0].position < manifest.position else { return false }
    if mistake == .otherVector { rows[0].vector[0] += 1 }
    if mistake == .missingNode { rows.removeFirst() }
    let middle = min(rows[rows.count / 2].position, manifest.position - 1)
    let quantizer = Quantizer(space: space, center: rows[0].vector)
    let first = rows.filter { $0.position <= middle }
    let label = GraphPatch.Label(
      collection: mistake == .otherCollection ? .zero : id, previousGeneration: 0,
      position: middle)
    let base = try graph(of: first, after: Graph(quantizer: quantizer, maxNeighbors: maxNeighbors))
    let generation = try publish(
      GraphPatchEncoder(base, label: label), label, id, row.generation, replacesAll: true)

    let delta = try graph(of: rows.filter { $0.position > middle }, after: base)
    let next = GraphPatch.Label(
      collection: id, previousGeneration: generation - (mistake == .otherGeneration ? 1 : 0),
      position: manifest.position)
    let encoder = GraphPatchEncoder(
      delta, after: base, codes: Bitset(rows.map(\.slot)), links: delta.members, label: next)
    _ = try publish(encoder, next, id, generation, replacesAll: false)
    return true
  }

  /// Live rows by the positions of their vectors.
  private func liveRows(_ manifest: VersionManifest) throws -> (rows: [Row], space: Space?) {
    var rows: [Row] = []
    var space: Space?
    for part in manifest.segments {
      let segment = try segment(part.reference)
      space = segment.space
      let dead = try part.deleted.map {
        try DeleteBitmap.decode($0, rowCount: segment.rowCount, source: "sample")
      }
      for number in 0..<segment.rowCount where dead?.contains(UInt32(number)) != true {
        try segment.withVector(number) { vector in
          rows.append(
            Row(
              slot: segment.slot(number), position: segment.vectorPosition(number),
              vector: Array(vector)))
        }
      }
    }
    return (rows.sorted { ($0.position, $0.slot) < ($1.position, $1.slot) }, space)
  }

  private func segment(_ reference: SegmentReference) throws -> Segment {
    let cache = DocumentBlockCache(byteCountMax: 1 << 20)
    switch reference.payload {
    case .inline(let bytes):
      return try Segment(inline: bytes, source: "sample", cache: cache)
    case .blob(let name, _):
      guard let blob = try blobs.open(name.string) else {
        throw ChromaError(.notFound, "The blob \(name) is missing.")
      }
      return try Segment(blob: blob, cache: cache)
    }
  }

  /// Every node has those before it in the order of slots for its neighbors.
  private func graph(of rows: [Row], after before: Graph) throws -> Graph {
    var graph = before
    let quantizer = graph.quantizer
    let code = UnsafeMutableRawPointer.allocate(
      byteCount: quantizer.rowByteCount, alignment: 64)
    defer { code.deallocate() }
    for row in rows {
      let isCode = row.vector.withUnsafeBufferPointer { quantizer.encode($0, into: code) }
      guard isCode else { continue }
      try graph.setCode(row.slot, from: code)
      try graph.insertMember(row.slot)
    }
    for level in 0...Graph.levelMax {
      var last: [UInt32] = []
      for slot in graph.members where graph.level(of: slot) >= level {
        try graph.setLinks(slot, level: level, last)
        last = Array((last + [slot]).suffix(maxNeighbors))
      }
    }
    let members = Array(graph.members)
    graph.setEntry(members.max { graph.level(of: $0) < graph.level(of: $1) })
    return graph
  }

  /// - Returns: The generation.
  private func publish(
    _ encoder: GraphPatchEncoder, _ label: GraphPatch.Label, _ id: UUID, _ expected: Int64,
    replacesAll: Bool
  ) throws -> Int64 {
    let name = "\(UUID(random: SystemRandomSource()))\(Self.suffix)"
    let writer = try blobs.writer(name)
    try encoder.write { (bytes) throws(ChromaError) in try writer.append(bytes) }
    let byteCount = writer.byteCount
    try writer.finish()
    let result = try catalog.publishIndex(
      IndexPublication(
        collection: id, expectedGeneration: expected, position: label.position,
        added: [IndexBlob(name: Text(name), byteCount: byteCount)], replacesAll: replacesAll))
    guard case .published(let generation, _) = result else {
      throw ChromaError(.conflict, "Somebody else published an index of the sample.")
    }
    return generation
  }
}
