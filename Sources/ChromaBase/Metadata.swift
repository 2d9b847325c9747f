// Metadata of records and collections.
//
// Integers stay 64-bit and floats double; the two are different types that compare across in
// filters. Arrays are homogeneous and not empty.

package enum MetadataValue: Equatable, Sendable {
  case bool(Bool)
  case int(Int64)
  /// Always finite: the doors refuse NaN and infinity.
  case float(Double)
  case string(Text)
  case bools([Bool])
  case ints([Int64])
  case floats([Double])
  case strings([Text])
}

/// A map from key to value, ordered by the bytes of the key, so that equal maps encode equally.
package struct Metadata: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package let key: Text
    package var value: MetadataValue

    package init(_ key: Text, _ value: MetadataValue) {
      self.key = key
      self.value = value
    }
  }

  /// Sorted by key, no key twice.
  package private(set) var entries: [Entry]

  package init() {
    entries = []
  }

  /// - Parameter sorted: Entries whose keys ascend.
  package init(sorted entries: [Entry]) {
    self.entries = entries
  }

  /// A later entry of the same key replaces an earlier one, as in a Python dict.
  package init(_ unordered: [Entry]) {
    self = Metadata().merging(MetadataChange(unordered.map { .init($0.key, $0.value) }))
  }

  /// The map after a change, whose later entries win. Cost: sorting the change, then one walk; a
  /// record may have any number of keys.
  package func merging(_ change: MetadataChange) -> Metadata {
    let order = change.entries.indices.sorted {
      let (left, right) = (change.entries[$0].key, change.entries[$1].key)
      return left == right ? $0 < $1 : left < right
    }
    var merged = Metadata()
    merged.entries.reserveCapacity(entries.count + order.count)
    var rest = entries[...]
    for (place, index) in order.enumerated() {
      let entry = change.entries[index]
      let isLast = place + 1 == order.count || change.entries[order[place + 1]].key != entry.key
      guard isLast else { continue }
      while let old = rest.first, old.key < entry.key {
        merged.entries.append(old)
        rest = rest.dropFirst()
      }
      if rest.first?.key == entry.key { rest = rest.dropFirst() }
      if let value = entry.value { merged.entries.append(Entry(entry.key, value)) }
    }
    merged.entries.append(contentsOf: rest)
    return merged
  }

  package var count: Int { entries.count }
  package var isEmpty: Bool { entries.isEmpty }

  /// The value under a key. Cost: a binary search.
  package subscript(key: Text) -> MetadataValue? {
    var lower = 0
    var upper = entries.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if entries[middle].key < key { lower = middle + 1 } else { upper = middle }
    }
    guard lower < entries.count, entries[lower].key == key else { return nil }
    return entries[lower].value
  }
}

/// A change to a record's metadata: a value to set, or nil to remove the key.
package struct MetadataChange: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package let key: Text
    package let value: MetadataValue?

    package init(_ key: Text, _ value: MetadataValue?) {
      self.key = key
      self.value = value
    }
  }

  package var entries: [Entry]

  package init(_ entries: [Entry]) {
    self.entries = entries
  }
}
