// What `verify` finds.

package import ChromaBase

/// One thing that is not as it should be.
package struct Finding: Equatable, Sendable {
  package enum Severity: Equatable, Sendable {
    /// Bytes that were stored are wrong or missing.
    case damage
    /// Bytes that nothing needs: what a killed writer left, and goes by itself.
    case waste
  }

  /// In the directory: `chroma.db`, `chroma.db-wal`, `blobs/…`.
  package let file: String
  /// Where in the file, as "page 17" or "byte 65600"; empty for all of it.
  package let place: String
  /// Whose data it is, if that is known.
  package let collection: UUID?
  package let collectionName: Text?
  /// A sentence.
  package let what: String
  package let severity: Severity
  /// Whether `repair` does away with it; what the bytes held may be lost.
  package let isRepairable: Bool
}

/// Gathers findings.
struct Findings {
  private(set) var all: [Finding] = []

  mutating func add(
    _ file: String, _ place: String = "", of collection: CollectionName? = nil, _ what: String,
    severity: Finding.Severity = .damage, isRepairable: Bool = true
  ) {
    all.append(
      Finding(
        file: file, place: place, collection: collection?.id, collectionName: collection?.name,
        what: what, severity: severity, isRepairable: isRepairable))
  }

  var hasDamage: Bool { all.contains { $0.severity == .damage } }
}

/// A collection, for people.
struct CollectionName: Hashable {
  let id: UUID
  let name: Text
}
