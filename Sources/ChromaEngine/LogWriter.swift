// Appending to the log: large payloads first become blobs, then one transaction refers to them.

import ChromaBase
import ChromaCatalog
import ChromaStorage

/// A batch on its way to the log.
struct PendingAppend {
  let collection: UUID
  let recordCount: Int
  let payload: [UInt8]
  let dimension: Int?
  let requestKey: RequestKey?
}

/// Belongs to whoever holds the write turn.
struct LogWriter: Sendable {
  private let catalog: any Catalog
  private let blobs: BlobStore
  private let random: any RandomSource
  let sweep: BlobSweep
  private let debts: LogDebts

  init(catalog: any Catalog, blobs: BlobStore, random: any RandomSource, debts: LogDebts) {
    self.catalog = catalog
    self.blobs = blobs
    self.random = random
    self.debts = debts
    sweep = BlobSweep(catalog: catalog, blobs: blobs)
  }

  /// Appends batches in one transaction. A blob is durable before the row that refers to it.
  ///
  /// - Returns: One result for each, in order. A batch that there is no room for is rejected alone.
  /// - Throws: If nothing was appended, as far as one can know: whether a commit that failed happened
  ///   is known only after reopening. So the blobs stay; a sweep after the next commit removes those
  ///   that no row refers to.
  func append(_ appends: [PendingAppend]) throws(ChromaError) -> [AppendResult] {
    var log: [LogAppend] = []
    var results: [AppendResult?] = []
    for append in appends {
      do throws(ChromaError) {
        log.append(
          LogAppend(
            collection: append.collection, recordCount: append.recordCount,
            payload: try store(append.payload), dimension: append.dimension,
            requestKey: append.requestKey))
        results.append(nil)
      } catch {
        results.append(.rejected(error))
      }
    }
    var committed = try commit(log).makeIterator()
    return results.compactMap { $0 ?? committed.next() }
  }

  private func commit(_ log: [LogAppend]) throws(ChromaError) -> [AppendResult] {
    if log.isEmpty { return [] }
    let results: [AppendResult]
    do throws(ChromaError) {
      results = try catalog.append(log)
    } catch {
      sweep.repeatAfterNextCommit()
      throw error
    }
    for (entry, result) in zip(log, results) {
      if case .appended(let position, let debt) = result {
        debts.note(
          debt, upTo: position + Int64(entry.recordCount) - 1, of: entry.collection)
      }
      if case .blob(let name, _) = entry.payload, !result.isAppended {
        sweep.remove([name])
      }
    }
    if results.contains(where: \.isAppended) { sweep.runOnce() }
    return results
  }

  private func store(_ payload: [UInt8]) throws(ChromaError) -> StoredPayload {
    if payload.count <= Limits.inlineBatchByteCountMax { return .inline(payload) }
    let name = "\(UUID(random: random)).log"
    try blobs.put(payload, name: name)
    return .blob(name: Text(name), byteCount: payload.count)
  }
}

extension AppendResult {
  var isAppended: Bool {
    if case .appended = self { true } else { false }
  }
}
