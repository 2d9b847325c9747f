// Which derived indexes a segment gets: over the values of its metadata, and over its documents.
//
// An index makes filters fast and changes no answer, so a segment may do without any of them: it is
// too small for one to pay, or the collection's schema has no use for it.

package import ChromaBase

/// The indexes that a segment is to have.
package struct SegmentIndexes: Equatable, Sendable {
  /// A segment of fewer rows has none, nor has a column of metadata that fewer rows have a value in.
  package var rowCountMin: Int
  /// Whether documents are to be indexed.
  package let hasTextIndex: Bool
  /// The kinds of values that are indexed under keys that `kindsByKey` does not name.
  private let kinds: MetadataKinds
  private let kindsByKey: [Text: MetadataKinds]

  package init(
    rowCountMin: Int = Limits.indexedSegmentRowCountMin, hasTextIndex: Bool = true,
    kinds: MetadataKinds = .all, kindsByKey: [Text: MetadataKinds] = [:]
  ) {
    self.rowCountMin = rowCountMin
    self.hasTextIndex = hasTextIndex
    self.kinds = kinds
    self.kindsByKey = kindsByKey
  }

  /// All that there are, in segments that are large enough.
  package static let all = SegmentIndexes()

  /// Whether the values of a kind under a key are to be indexed. Arrays count as their elements.
  package func hasValueIndex(_ key: Text, _ kind: MetadataKind) -> Bool {
    (kindsByKey[key] ?? kinds).contains(MetadataKinds(kind))
  }
}

/// Kinds of scalars. An array counts as its elements.
package struct MetadataKinds: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  package init(_ kind: MetadataKind) {
    rawValue = 1 << (kind.element ?? kind).rawValue
  }

  package static let bool = MetadataKinds(.bool)
  package static let int = MetadataKinds(.int)
  package static let float = MetadataKinds(.float)
  package static let string = MetadataKinds(.string)
  package static let all: MetadataKinds = [.bool, .int, .float, .string]
}
