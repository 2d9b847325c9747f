// What a filter compares with.

package import ChromaBase

/// A scalar in a filter.
package enum Literal: Hashable, Sendable {
  case bool(Bool)
  case number(Number)
  case string(Text)
}

/// An integer or a float. The two compare by their values, exactly: no integer is rounded to a float
/// first, so 2^53 + 1 is greater than 2^53 as a float.
package enum Number: Comparable, Sendable {
  case int(Int64)
  case float(Double)

  package static func == (left: Number, right: Number) -> Bool {
    switch (left, right) {
    case (.int(let left), .int(let right)): left == right
    case (.float(let left), .float(let right)): left == right
    case (.int(let int), .float(let float)), (.float(let float), .int(let int)):
      Int64(exactly: float) == int
    }
  }

  package static func < (left: Number, right: Number) -> Bool {
    switch (left, right) {
    case (.int(let left), .int(let right)): left < right
    case (.float(let left), .float(let right)): left < right
    // i < x exactly if i < ⌈x⌉, and x < i exactly if ⌊x⌋ < i. Without such an Int64 the sign tells.
    case (.int(let int), .float(let float)):
      Int64(exactly: float.rounded(.up)).map { int < $0 } ?? (float > 0)
    case (.float(let float), .int(let int)):
      Int64(exactly: float.rounded(.down)).map { $0 < int } ?? (float < 0)
    }
  }
}

/// The literals of a list, all of one type. Membership takes logarithmic or constant time: lists of
/// thousands are common.
package enum LiteralSet: Equatable, Sendable {
  case bools(Set<Bool>)
  /// Ascending.
  case numbers([Number])
  case strings(Set<Text>)

  func contains(_ value: Bool) -> Bool {
    guard case .bools(let bools) = self else { return false }
    return bools.contains(value)
  }

  func contains(_ value: Number) -> Bool {
    guard case .numbers(let numbers) = self else { return false }
    var lower = 0
    var upper = numbers.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if numbers[middle] < value { lower = middle + 1 } else { upper = middle }
    }
    return lower < numbers.count && numbers[lower] == value
  }

  func contains(_ value: Text) -> Bool {
    guard case .strings(let strings) = self else { return false }
    return strings.contains(value)
  }
}
