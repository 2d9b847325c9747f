import ChromaBase
import ChromaQuery
import ChromaSegment
import ChromaTestSupport
import Testing

@testable import ChromaEngine

/// Where ascending values are searched by halves, the same are found as by asking the condition of
/// each. Method: sorted values of every kind, and conditions whose literals stand among, between and
/// beyond them.
@Suite struct ValueIntervalTests {
  private static let ints: [Int64] = [
    .min, .min + 1, -(1 << 53) - 1, -(1 << 53), -3, -1, 0, 1, 2, 3, 1 << 53, (1 << 53) + 1,
    .max - 1, .max,
  ]
  private static let floats: [Double] = [
    -.greatestFiniteMagnitude, -0x1p63, -0x1p53, -2.5, -1, -.leastNonzeroMagnitude, 0,
    .leastNonzeroMagnitude, 0.5, 1, 1.5, 2, 3, 0x1p53, 0x1p53 + 2, 0x1p63, .greatestFiniteMagnitude,
  ]
  private static let texts: [Text] = [
    "", "\0", "A", "a", "a\0", "ab", "b", "é", "e\u{301}", "\u{FFFF}",
  ]
  .sorted()

  private static let columns: [(kind: MetadataKind, values: [MetadataValue])] = [
    (.bool, [.bool(false), .bool(true)]), (.int, ints.map { .int($0) }),
    (.float, floats.map { .float($0) }), (.string, texts.map { .string($0) }),
    (.bools, [.bool(false), .bool(true)]), (.ints, ints.map { .int($0) }),
    (.floats, floats.map { .float($0) }), (.strings, texts.map { .string($0) }),
  ]

  private static let literals: [Literal] =
    [.bool(false), .bool(true), .number(.float(-0.0)), .number(.float(0.25)), .string("aa")]
    + ints.map { .number(.int($0)) } + floats.map { .number(.float($0)) }
    + texts.map { .string($0) }

  private static let conditions: [Filter.Condition] = {
    var conditions: [Filter.Condition] = [.exists]
    for literal in literals {
      conditions += [.equals(literal), .contains(literal)]
      guard case .number(let number) = literal else { continue }
      conditions += [
        .isLess(than: number), .isLessOrEqual(to: number), .isGreater(than: number),
        .isGreaterOrEqual(to: number), .isAmong(.numbers([number])),
      ]
    }
    let numbers: [Number] = [.int(-3), .float(-1), .int(1), .float(1), .float(1.5), .int(3)]
    conditions += [
      .isAmong(.numbers(numbers)), .isAmong(.bools([true])), .isAmong(.bools([true, false])),
      .isAmong(.strings(["a", "é", "z"])),
    ]
    return conditions
  }()

  private func array(of value: MetadataValue) -> MetadataValue {
    switch value {
    case .bool(let value): .bools([value])
    case .int(let value): .ints([value])
    case .float(let value): .floats([value])
    case .string(let value): .strings([value])
    default: value
    }
  }

  @Test func intervalsHoldTheValuesOfWhichTheConditionHolds() {
    for (kind, values) in Self.columns {
      for condition in Self.conditions {
        let expected = values.map {
          condition.holds(of: kind.element == nil ? $0 : array(of: $0))
        }
        let found: [Bool]
        switch condition.test(of: kind) {
        case .none: found = values.map { _ in false }
        case .all: found = values.map { _ in true }
        case .each: continue
        case .intervals(let intervals):
          found = values.map { value in
            intervals.contains {
              ($0.start?.isBefore(value) ?? true) && !($0.end?.isBefore(value) ?? false)
            }
          }
        }
        #expect(found == expected, "\(condition) of \(kind)")
      }
    }
  }

  @Test func aCutHasAllValuesBehindItThatFollowOneBehindIt() {
    for (kind, values) in Self.columns where kind.element == nil {
      for literal in Self.literals {
        for isBehindEqual in [false, true] {
          let cut = ValueCut(literal: literal, isBehindEqual: isBehindEqual)
          let sides = values.map(cut.isBefore)
          #expect(sides.sorted { !$0 && $1 } == sides, "\(cut) in \(kind)")
        }
      }
    }
  }
}
