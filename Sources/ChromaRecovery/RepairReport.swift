// What `repair` did.

package import ChromaBase

package struct RepairReport: Equatable, Sendable {
  /// What was done, as sentences; empty if there was nothing to do.
  package var actions: [String] = []
  package var losses: [RepairLoss] = []
  /// Where everything that was replaced is kept, in the directory; nil if nothing was.
  package var savedDirectory: String?

  package var isUnchanged: Bool { actions.isEmpty }
}

/// Something that could not be read any more.
package struct RepairLoss: Equatable, Sendable {
  package let collection: UUID?
  package let collectionName: Text?
  /// A sentence.
  package let what: String
  /// How many records it concerns, if that is known.
  package let recordCount: Int?
  /// Their ids, as far as those can be read, `Limits.reportedIDCountMax` at most.
  package let ids: [Text]
}

/// Gathers a report.
final class RepairNotes {
  var report = RepairReport()

  func act(_ what: String) {
    report.actions.append(what)
  }

  func lose(
    _ what: String, of collection: CollectionName?, count: Int? = nil, ids: [Text] = []
  ) {
    report.losses.append(
      RepairLoss(
        collection: collection?.id, collectionName: collection?.name, what: what,
        recordCount: count, ids: Array(ids.prefix(Limits.reportedIDCountMax))))
  }
}
