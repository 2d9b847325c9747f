// What a selection cost and how it was found: for explaining it, and for tests of the choice.

package import ChromaBase

/// How ids and filters became a set of records.
package struct FilterReport: Equatable, Sendable {
  /// How a condition was answered; in one segment by this way, in another by that.
  package enum Way: String, CaseIterable, Sendable {
    /// Rows listed with the values of an index.
    case postings
    /// The values of the few rows that were left.
    case values
    /// All values of a column that has no index.
    case columnScan = "column_scan"
    /// Rows whose documents hold the grams of a text.
    case grams
    /// Nothing but reading documents.
    case documents
    /// Records one by one.
    case records
  }

  /// A condition, or what connects some.
  package struct Node: Equatable, Sendable {
    /// As a filter writes it: `$and`, `$gte`.
    package let name: Text
    /// The key that it looks at; nil for documents and connectives.
    package let key: Text?
    /// How many records were expected to match, in segments, of those that got so far.
    package internal(set) var estimatedCount = 0
    /// How many did or, where documents have the last word, may; in segments.
    package internal(set) var matchCount = 0
    package internal(set) var ways: Set<Way> = []
    package internal(set) var children: [Node]
  }

  /// Both filters as one; nil without any.
  package internal(set) var plan: Node?
  /// Records that match.
  package internal(set) var matchCount = 0
  /// Segments that were filtered as a whole.
  package internal(set) var segmentCount = 0
  /// Records that were looked at one by one: those of the tail, or those whose ids were given.
  package internal(set) var recordCount = 0
  /// Documents that were read because no index could tell.
  package internal(set) var verifiedDocumentCount = 0
  /// Blocks of documents that were unpacked.
  package internal(set) var unpackedBlockCount = 0
  /// How long all of it took.
  package internal(set) var nanoseconds: UInt64 = 0
}

extension FilterReport {
  /// The report as an object, for callers outside.
  package var json: JSON {
    JSON.object([
      .init("plan", plan?.json ?? .null),
      .init("match_count", .int(Int64(matchCount))),
      .init("segment_count", .int(Int64(segmentCount))),
      .init("record_count", .int(Int64(recordCount))),
      .init("verified_document_count", .int(Int64(verifiedDocumentCount))),
      .init("unpacked_block_count", .int(Int64(unpackedBlockCount))),
      .init("nanoseconds", .int(Int64(clamping: nanoseconds))),
    ])
  }
}

extension FilterReport.Node {
  fileprivate var json: JSON {
    var members: [JSON.Member] = [.init("operator", .string(name))]
    if let key { members.append(.init("key", .string(key))) }
    members.append(.init("estimated_count", .int(Int64(estimatedCount))))
    members.append(.init("match_count", .int(Int64(matchCount))))
    if children.isEmpty {
      let ways = FilterReport.Way.allCases.filter(ways.contains)
      members.append(.init("ways", .array(ways.map { .string(Text($0.rawValue)) })))
    } else {
      members.append(.init("children", .array(children.map(\.json))))
    }
    return .object(members)
  }
}
