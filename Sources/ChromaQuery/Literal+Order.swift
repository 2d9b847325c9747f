// The order of values: bools, false first; numbers by value, integers and floats together; strings by
// their bytes.
//
// Invariant: values that are equal hash alike. 1 equals 1.0, and 0.0 equals -0.0.

package import ChromaBase

extension Literal: Comparable {
  /// The value of a scalar; nil for an array.
  package init?(_ value: MetadataValue) {
    switch value {
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .number(.int(value))
    case .float(let value): self = .number(.float(value))
    case .string(let value): self = .string(value)
    case .bools, .ints, .floats, .strings: return nil
    }
  }

  package static func < (left: Literal, right: Literal) -> Bool {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): !left && right
    case (.number(let left), .number(let right)): left < right
    case (.string(let left), .string(let right)): left < right
    default: left.rank < right.rank
    }
  }

  private var rank: Int {
    switch self {
    case .bool: 0
    case .number: 1
    case .string: 2
    }
  }
}

extension Number: Hashable {
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .int(let value): hasher.combine(value)
    case .float(let value):
      if let int = Int64(exactly: value) { hasher.combine(int) } else { hasher.combine(value) }
    }
  }
}
