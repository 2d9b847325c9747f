// Long random histories: a stored catalog does what the memory model does.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport
import Testing

@Suite("Stored catalogs: random histories")
struct CatalogHistoryTests {
  private let stores = CatalogStores()

  /// Runs one history on a store and on the model, closing and reopening the store's catalogs on
  /// the way. Two of them are open on it, as two processes would be.
  private func compare(_ kind: CatalogKind, seed: UInt64, stepCount: Int) throws {
    let store = stores.make(kind)
    let model = MemoryCatalog(clock: store.clock)
    var catalogs = [try store.open(), try store.open()]
    var generator = CatalogStepGenerator(seed: seed, clock: store.clock)
    var random = SeededRandom(~seed)
    var failureCount = 0
    var publicationCount = 0
    var indexPublicationCount = 0
    for number in 1...stepCount {
      if random.oneIn(100) {
        let index = random.int(in: 0...1)
        catalogs[index].close()
        catalogs[index] = try store.open()
      }
      let step = generator.next()
      let expected = step.run(on: model)
      let actual = step.run(on: random.element(of: catalogs))
      // Not in an `#expect`, which would take minutes to describe two states that differ.
      if actual != expected {
        Issue.record(
          "Seed \(seed), step \(number), \(step): expected \(expected), got \(actual).")
        return
      }
      failureCount += expected.isFailure ? 1 : 0
      if case .published(.published) = expected { publicationCount += 1 }
      if case .publishedIndex(.published) = expected { indexPublicationCount += 1 }
      guard random.oneIn(500) || number == stepCount else { continue }
      if random.element(of: catalogs).everything() != model.everything() {
        Issue.record("Seed \(seed), step \(number), \(step): the states differ after it.")
        return
      }
      #expect(try catalogs[0].inconsistencies() == [], "Seed \(seed), step \(number), \(step).")
    }
    for probe in CatalogStepGenerator.probes {
      let expected = probe.run(on: model)
      let actual = probe.run(on: catalogs[0])
      if actual != expected {
        Issue.record("Seed \(seed), \(probe) at the end: expected \(expected), got \(actual).")
      }
    }
    // A history of nothing but failures, or without any, would show little.
    #expect((stepCount / 20...stepCount / 2).contains(failureCount), "Seed \(seed).")
    #expect(publicationCount > stepCount / 100, "Seed \(seed).")
    #expect(indexPublicationCount > stepCount / 200, "Seed \(seed).")
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func aStoredCatalogDoesWhatTheModelDoes(seed: UInt64) throws {
    try compare(.sqliteInMemory, seed: seed, stepCount: 5_000)
  }

  @Test
  func aCatalogInAFolderDoesWhatTheModelDoes() throws {
    try compare(.sqliteInFolder, seed: 5, stepCount: 3_000)
  }
}
