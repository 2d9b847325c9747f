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

  /// A later entry of the same key replaces an earlier one, as in a Python dict.
  package init(_ unordered: [Entry]) {
    entries = []
    entries.reserveCapacity(unordered.count)
    for entry in unordered { self[entry.key] = entry.value }
  }

  package var count: Int { entries.count }
  package var isEmpty: Bool { entries.isEmpty }

  /// The value under a key. Setting nil removes the key. Cost: a binary search.
  package subscript(key: Text) -> MetadataValue? {
    get {
      let index = firstIndex(notBefore: key)
      guard index < entries.count, entries[index].key == key else { return nil }
      return entries[index].value
    }
    set {
      let index = firstIndex(notBefore: key)
      let isPresent = index < entries.count && entries[index].key == key
      switch (newValue, isPresent) {
      case (let value?, true): entries[index].value = value
      case (let value?, false): entries.insert(Entry(key, value), at: index)
      case (nil, true): entries.remove(at: index)
      case (nil, false): break
      }
    }
  }

  private func firstIndex(notBefore key: Text) -> Int {
    // Encoded maps arrive sorted: appending must not cost a search.
    if let last = entries.last, last.key < key { return entries.count }
    var lower = 0
    var upper = entries.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if entries[middle].key < key { lower = middle + 1 } else { upper = middle }
    }
    return lower
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
