import ChromaBase
import ChromaTestSupport
import Testing

/// A map merges as a dictionary does, key by key. Method: random changes on the map and on a
/// dictionary.
@Suite struct MetadataTests {
  @Test("changes merge as in a dictionary", arguments: 0..<100 as Range<UInt64>)
  func merging(seed: UInt64) {
    var random = SeededRandom(seed)
    var metadata = Metadata()
    var model: [Text: MetadataValue] = [:]
    for step in 0..<20 {
      let change = MetadataChange(
        (0..<random.int(in: 0...6)).map { _ in
          let key = Text(["a", "b", "é", "e\u{301}", "c", ""][random.int(in: 0...5)])
          return .init(key, random.oneIn(3) ? nil : .int(Int64(random.int(in: 0...9))))
        })
      metadata = metadata.merging(change)
      for entry in change.entries { model[entry.key] = entry.value }
      #expect(metadata.entries.map(\.key) == model.keys.sorted(), "seed \(seed), step \(step)")
      for key in model.keys { #expect(metadata[key] == model[key], "seed \(seed)") }
      #expect(metadata["absent"] == nil)
    }
  }
}
