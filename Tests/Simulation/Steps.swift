// Random calls: mostly ones that work, and now and then one that has to be refused.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport

/// What kind of calls a history is made of. Drawn once a history.
struct Workload {
  enum Size: CaseIterable {
    /// A record or a few.
    case small
    /// Up to what stands in a log row, so that the WAL grows and is folded back.
    case inline
    /// Beyond it: blobs.
    case blob
  }

  private static let databases: [Text] = [CatalogDefaults.database, "other_database"]
  private static let names: [Text] = ["alpha", "beta", "gamma"]

  /// Of how many writes one is large.
  private let largeInterval: Int
  private let largeSizes: [Size]
  /// Of a hundred calls on a collection, those that write records. Many, all large, fill the WAL
  /// until it is folded back.
  private let writePercentage: Int
  let callCountRange: ClosedRange<Int>

  init(_ random: inout SeededRandom) {
    if random.oneIn(10) {
      (largeInterval, largeSizes, writePercentage, callCountRange) = (1, [.inline], 98, 16...20)
    } else {
      largeInterval = random.element(of: [1, 3, 6, 100])
      largeSizes = random.element(of: [[.inline], [.blob], [.inline, .blob]])
      writePercentage = 60
      callCountRange = 1...20
    }
  }

  /// A call on this world.
  func step(on world: World, _ random: inout SeededRandom) -> Step {
    let present = world.collections.keys.sorted { "\($0)" < "\($1)" }
    if present.isEmpty, !random.oneIn(6) { return create(&random) }
    // Of a missing collection now and then, to be refused.
    let name =
      present.isEmpty || random.oneIn(25)
      ? CollectionName(
        database: random.element(of: Self.databases), name: random.element(of: Self.names))
      : random.element(of: present)
    if random.int(in: 0...99) < writePercentage { return write(to: name, in: world, &random) }
    if random.oneIn(3) {
      return .maintain(
        random.element(of: Maintenance.allCases), random.oneIn(3) ? nil : name)
    }
    switch random.int(in: 66...99) {
    case 66...74:
      let condition: Condition =
        random.oneIn(2)
        ? .isTrue(Text("k\(random.int(in: 1...4))")) : .documentContains("apple")
      let limit = random.oneIn(3) ? random.int(in: 1...3) : nil
      return .deleteMatching(name, condition, limit: limit)
    case 75...83: return create(&random)
    case 84...86:
      let newName = random.oneIn(2) ? random.element(of: Self.names) : nil
      return .modify(name, name: newName, metadata: newName == nil ? metadata(&random) : nil)
    case 87...90: return .deleteCollection(name)
    case 91...93: return .createDatabase(Self.databases[1])
    case 94...96: return .deleteDatabase(Self.databases[1])
    case 97: return .createTenant(Judge.tenants[1])
    default: return .reset
    }
  }

  /// Calls that work in this world: a write, and before it, if need be, the creation of the
  /// collection that it goes to.
  static func probes(of world: World, _ random: inout SeededRandom) -> [Step] {
    let present = world.collections.keys.sorted { "\($0)" < "\($1)" }
    let name =
      present.last ?? CollectionName(database: CatalogDefaults.database, name: names[0])
    let dimension = world.collections[name]?.dimension ?? 2
    let size = random.element(of: Size.allCases)
    let write = Step.write(name, batch(size, dimension: dimension, &random), nil)
    return present.isEmpty ? [.createCollection(name, .l2, nil), write] : [write]
  }

  private func create(_ random: inout SeededRandom) -> Step {
    let name = CollectionName(
      database: random.oneIn(4) ? Self.databases[1] : Self.databases[0],
      name: random.element(of: Self.names))
    return .createCollection(name, random.element(of: Space.allCases), metadata(&random))
  }

  private func metadata(_ random: inout SeededRandom) -> Metadata {
    Metadata([.init("version", .int(Int64(random.int(in: 1...1000))))])
  }

  private func write(
    to name: CollectionName, in world: World, _ random: inout SeededRandom
  ) -> Step {
    let collection = world.collections[name]
    var dimension = collection?.dimension ?? random.int(in: 1...6)
    if random.oneIn(25) { dimension += 1 }
    var key: RequestKey?
    if random.oneIn(3) {
      let known = (collection?.requests ?? []).sorted { $0.high < $1.high }
      let isRepeated = !known.isEmpty && random.oneIn(3)
      key =
        isRepeated
        ? random.element(of: known) : RequestKey(high: random.next(), low: random.next())
    }
    let size = random.oneIn(largeInterval) ? random.element(of: largeSizes) : .small
    return .write(name, Self.batch(size, dimension: dimension, &random), key)
  }

  static func batch(
    _ size: Size, dimension: Int, _ random: inout SeededRandom
  ) -> RecordBatch {
    let byteCountRange: ClosedRange<Int>
    switch size {
    case .small:
      return .random(dimension: dimension, idCount: 12, rowCountMax: 6, using: &random)
    case .inline: byteCountRange = 40_000...62_000
    case .blob: byteCountRange = 66_000...140_000
    }
    let ids = (0..<random.int(in: 1...4)).map { _ in Text("id-\(random.int(in: 1...12))") }
    let text = text(byteCount: random.int(in: byteCountRange), &random)
    return RecordBatch(
      operation: random.oneIn(2) ? .add : .upsert, ids: ids,
      embeddings: VectorColumn(
        dimension: dimension,
        values: (0..<ids.count * dimension).map { _ in Float(random.int(in: -3...3)) }),
      documents: ids.indices.map { $0 == 0 ? text : Text("document \($0)") })
  }

  /// Letters that do not repeat, so that no block of a file passes for another.
  private static func text(byteCount: Int, _ random: inout SeededRandom) -> Text {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + 8)
    while bytes.count < byteCount {
      var bits = random.next()
      for _ in 0..<8 {
        bytes.append(UInt8(ascii: "a") + UInt8(bits & 15))
        bits >>= 8
      }
    }
    return Text(validating: bytes) ?? ""
  }
}
