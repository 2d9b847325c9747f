// Random writes over few ids, so that every rule of materialisation is met often.

package import ChromaBase

extension RecordBatch {
  /// - Parameter idCount: Ids are drawn from so many; few make collisions frequent.
  package static func random(
    dimension: Int, idCount: Int, rowCountMax: Int, using random: inout SeededRandom
  ) -> RecordBatch {
    let operations: [Operation] = [.add, .add, .upsert, .upsert, .update, .delete, .replace]
    let operation = operations[random.int(in: 0...operations.count - 1)]
    let rowCount = random.int(in: 1...rowCountMax)
    let ids = (0..<rowCount).map { _ in Text("id-\(random.int(in: 1...idCount))") }
    if operation == .delete { return RecordBatch(operation: .delete, ids: ids) }
    return RecordBatch(
      operation: operation, ids: ids,
      embeddings: randomVectors(
        operation: operation, rowCount: rowCount, dimension: dimension, using: &random),
      documents: random.oneIn(2)
        ? ids.map { _ in random.oneIn(3) ? nil : randomText(using: &random) } : nil,
      uris: random.oneIn(4)
        ? ids.map { _ in random.oneIn(3) ? nil : randomText(using: &random) } : nil,
      metadatas: random.oneIn(2)
        ? ids.map { _ in
          random.oneIn(4) ? nil : randomChange(canRemove: !operation.isWhole, using: &random)
        } : nil)
  }

  private static func randomVectors(
    operation: Operation, rowCount: Int, dimension: Int, using random: inout SeededRandom
  ) -> VectorColumn? {
    let isOptional = operation == .update
    if isOptional && random.oneIn(3) { return nil }
    let present =
      isOptional && random.oneIn(2) ? (0..<rowCount).map { _ in random.oneIn(2) } : nil
    // Small integers make ties frequent.
    let values = (0..<rowCount * dimension).map { index in
      present?[index / dimension] ?? true ? Float(random.int(in: -3...3)) : 0
    }
    return VectorColumn(dimension: dimension, values: values, present: present)
  }

  private static func randomText(using random: inout SeededRandom) -> Text {
    let words = ["", "apple", "é", "e\u{301}", "a\u{0}b", "水", "🦆 duck", "Zebra\nline"]
    return Text((0..<random.int(in: 1...3)).map { _ in words[random.int(in: 0...7)] }.joined())
  }

  private static func randomChange(
    canRemove: Bool, using random: inout SeededRandom
  ) -> MetadataChange {
    let keys = (0..<random.int(in: 0...3)).map { _ in Text("k\(random.int(in: 1...4))") }
    return MetadataChange(
      keys.map { key in
        .init(key, canRemove && random.oneIn(4) ? nil : randomValue(using: &random))
      })
  }

  private static func randomValue(using random: inout SeededRandom) -> MetadataValue {
    switch random.int(in: 0...7) {
    case 0: .bool(random.oneIn(2))
    case 1: .int([0, 1, -1, Int64.max, Int64.min, 1 << 53 + 1][random.int(in: 0...5)])
    case 2: .float([0.5, 1, -1e300, .leastNonzeroMagnitude][random.int(in: 0...3)])
    case 3: .string(randomText(using: &random))
    case 4: .bools([true, false])
    case 5: .ints([1, 1, Int64(random.int(in: 0...3))])
    case 6: .floats([0.5, 2])
    default: .strings([randomText(using: &random)])
    }
  }
}
