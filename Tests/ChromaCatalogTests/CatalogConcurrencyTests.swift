// Readers and writers on threads.

import ChromaBase
import ChromaCatalog
import ChromaTestSupport
import Synchronization
import Testing

@Suite("Every catalog: threads")
struct CatalogConcurrencyTests {
  private let stores = CatalogStores()

  /// What the threads of a test found wrong.
  private final class Findings: Sendable {
    private let sentences = Mutex<[String]>([])

    func add(_ sentence: String) {
      sentences.withLock { $0.append(sentence) }
    }

    var all: [String] { sentences.withLock { $0 } }
  }

  /// Reads a log to its end again and again, each time from where it was, until it has so many
  /// records; tells of everything that no state of the log can have been.
  private static func follow(
    _ catalog: any Catalog, id: UInt64, recordCount: Int64, _ findings: Findings
  ) {
    var position: Int64 = 0
    while position < recordCount {
      do throws(ChromaError) {
        guard
          let changes = try catalog.changes(
            in: .numbered(id), after: KnownState(version: 0, position: position),
            byteCountMax: 40)
        else { return findings.add("Collection \(id) is gone.") }
        for row in changes.rows {
          if row.firstPosition != position + 1 {
            findings.add("Position \(row.firstPosition) after \(position).")
          }
          if row.payload != .inline([UInt8(truncatingIfNeeded: row.firstPosition)]) {
            findings.add("Position \(row.firstPosition) holds \(row.payload).")
          }
          position = row.endPosition - 1
        }
        if changes.isComplete && position != changes.row.nextPosition - 1 {
          findings.add("Ends at \(position), the collection at \(changes.row.nextPosition).")
        }
      } catch {
        return findings.add(error.message)
      }
    }
  }

  @Test(arguments: CatalogKind.allCases)
  func readersSeeWholeStatesWhileAWriterCommits(_ kind: CatalogKind) throws {
    let store = stores.make(kind)
    let catalogs = [try store.open(), try store.open()]
    for id in 1...2 as ClosedRange<UInt64> {
      try catalogs[0].createCollection(Text("c\(id)"), id: id)
    }
    let findings = Findings()
    let commitCount = 200
    onThreads(7) { index in
      if index > 0 {
        // Six readers, so that they outnumber whatever a catalog keeps for them.
        return Self.follow(
          catalogs[index % 2], id: UInt64(index % 2 + 1), recordCount: Int64(2 * commitCount),
          findings)
      }
      for number in 0..<commitCount {
        let mark = UInt8(truncatingIfNeeded: 2 * number + 1)
        let results = try? catalogs[0].append([
          .batch(mark, to: 1, recordCount: 2), .batch(mark, to: 2),
          .batch(mark &+ 1, to: 2),
        ])
        let first = Int64(2 * number + 1)
        let expected = [first, first, first + 1].map { AppendOutcome.appended(firstPosition: $0) }
        if results?.map(\.outcome) != expected {
          findings.add("Got \(String(describing: results)).")
        }
      }
    }
    #expect(findings.all == [])
  }

  @Test(arguments: CatalogKind.allCases)
  func writersOfOneCatalogTakeTurns(_ kind: CatalogKind) throws {
    let catalog = try stores.make(kind).open()
    try catalog.createCollection("one", id: 1)
    let findings = Findings()
    let firstPositions = Mutex<Set<Int64>>([])
    onThreads(4) { index in
      for number in 0..<50 {
        let key = UInt64(index * 1000 + number)
        let append = LogAppend.batch(UInt8(index), to: 1, recordCount: 2, requestKey: key)
        let first = try? catalog.append(append)
        let second = try? catalog.append(append)
        guard case .appended(let position) = first, second == .repeated(firstPosition: position)
        else {
          findings.add("Got \(String(describing: (first, second))).")
          continue
        }
        _ = firstPositions.withLock { $0.insert(position) }
      }
    }
    #expect(findings.all == [])
    #expect(firstPositions.withLock { $0 } == Set(stride(from: 1, to: 400, by: 2)))
    #expect(try catalog.allChanges(1)?.row.nextPosition == 401)
  }
}
