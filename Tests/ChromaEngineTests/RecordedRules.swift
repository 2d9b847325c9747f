import ChromaBase
import ChromaTestSupport
import Testing

/// What official Chroma made of configurations and names, recorded by `Fixtures/record_rules.py`.
enum RecordedRules {
  /// The lines of some kinds, without the kind. There is at least one.
  static func lines(of kinds: String...) throws -> [(kind: Text, columns: [JSON])] {
    let lines = try Fixture.lines("rules.jsonl").compactMap { line -> (Text, [JSON])? in
      guard case .array(let columns) = try JSON(parsing: Array(line.utf8)),
        case .string(let kind) = columns.first, kinds.contains(kind.string)
      else { return nil }
      return (kind, Array(columns.dropFirst()))
    }
    try #require(!lines.isEmpty)
    return lines
  }

  /// The result as the fixture has it: the value, or the message of an error.
  static func answer(_ action: () throws(ChromaError) -> JSON) -> JSON {
    do throws(ChromaError) {
      return try action()
    } catch {
      #expect(error.kind == .invalidArgument)
      return .string(Text(error.message))
    }
  }

  static func text(_ value: JSON) -> Text? {
    if case .string(let text) = value { text } else { nil }
  }

  static func metadata(_ value: JSON) -> Metadata? {
    guard case .object(let members) = value else { return nil }
    return Metadata(
      members.compactMap { member in
        switch member.value {
        case .bool(let value): Metadata.Entry(member.key, .bool(value))
        case .int(let value): Metadata.Entry(member.key, .int(value))
        case .float(let value): Metadata.Entry(member.key, .float(value))
        case .string(let value): Metadata.Entry(member.key, .string(value))
        default: nil
        }
      })
  }
}
