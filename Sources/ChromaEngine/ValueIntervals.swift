// What a condition asks of the values of one kind, where these stand in ascending order.
//
// A filter means what `Filter.Condition.holds(of:)` says. What stands here only says where among
// ascending values the first one is of which it holds, and the first one beyond.

import ChromaBase
import ChromaQuery
import ChromaSegment

/// A place between ascending values.
struct ValueCut {
  let literal: Literal
  /// Whether values equal to the literal stand before the cut.
  let isBehindEqual: Bool

  func isBefore(_ value: MetadataValue) -> Bool {
    switch (value, literal) {
    case (.int(let value), .number(let bound)): isBefore(Number.int(value), bound)
    case (.float(let value), .number(let bound)): isBefore(Number.float(value), bound)
    case (.string(let value), .string(let bound)): isBefore(value, bound)
    case (.bool(let value), .bool(let bound)): isBefore(value ? 1 : 0, bound ? 1 : 0)
    default: false
    }
  }

  private func isBefore<Value: Comparable>(_ value: Value, _ bound: Value) -> Bool {
    isBehindEqual ? bound < value : bound <= value
  }
}

/// The values from one cut to another, or to the end where there is none.
struct ValueInterval {
  let start: ValueCut?
  let end: ValueCut?

  init(_ literal: Literal) {
    start = ValueCut(literal: literal, isBehindEqual: false)
    end = ValueCut(literal: literal, isBehindEqual: true)
  }

  init(from start: ValueCut?, to end: ValueCut?) {
    self.start = start
    self.end = end
  }
}

/// Which values of a kind a condition holds of.
enum ValueTest {
  case none
  case all
  /// Those in any of the intervals, which may overlap.
  case intervals([ValueInterval])
  /// There is no telling but by looking at each.
  case each
}

extension Filter.Condition {
  func test(of kind: MetadataKind) -> ValueTest {
    switch self {
    case .equals(let literal):
      literal.isComparable(with: kind) ? .intervals([ValueInterval(literal)]) : .none
    case .isAmong(let literals):
      literals.test(of: kind)
    case .isLess(let bound):
      range(of: kind, to: ValueCut(literal: .number(bound), isBehindEqual: false))
    case .isLessOrEqual(let bound):
      range(of: kind, to: ValueCut(literal: .number(bound), isBehindEqual: true))
    case .isGreater(let bound):
      range(of: kind, from: ValueCut(literal: .number(bound), isBehindEqual: true))
    case .isGreaterOrEqual(let bound):
      range(of: kind, from: ValueCut(literal: .number(bound), isBehindEqual: false))
    case .contains(let literal):
      kind.element == literal.kind ? .intervals([ValueInterval(literal)]) : .none
    case .exists: .all
    case .matches: kind == .string ? .each : .none
    }
  }

  private func range(
    of kind: MetadataKind, from start: ValueCut? = nil, to end: ValueCut? = nil
  ) -> ValueTest {
    kind == .int || kind == .float ? .intervals([ValueInterval(from: start, to: end)]) : .none
  }
}

extension Literal {
  fileprivate func isComparable(with kind: MetadataKind) -> Bool {
    switch self {
    case .bool: kind == .bool
    case .number: kind == .int || kind == .float
    case .string: kind == .string
    }
  }

  fileprivate var kind: MetadataKind {
    switch self {
    case .bool: .bool
    case .number(.int): .int
    case .number(.float): .float
    case .string: .string
    }
  }
}

extension LiteralSet {
  fileprivate func test(of kind: MetadataKind) -> ValueTest {
    switch (self, kind) {
    case (.bools(let bools), .bool): .intervals(bools.map { ValueInterval(.bool($0)) })
    case (.numbers(let numbers), .int), (.numbers(let numbers), .float):
      .intervals(numbers.map { ValueInterval(.number($0)) })
    case (.strings(let strings), .string):
      .intervals(strings.map { ValueInterval(.string($0)) })
    default: .none
    }
  }
}
