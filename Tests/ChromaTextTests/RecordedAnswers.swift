import ChromaBase
import ChromaTestSupport

/// How official Chroma answered `$regex`, recorded by `Fixtures/record_regex.py`.
struct RecordedAnswers {
  struct Answer {
    let pattern: Text
    /// Either which documents match, one 0 or 1 for each, or the error's message.
    let matches: String?
    let error: String?
  }

  let documents: [Text]
  let answers: [Answer]

  init() throws {
    let lines = try Fixture.lines("regex.jsonl").map { try JSON(parsing: Array($0.utf8)) }
    guard let head = lines.first, case .array(let documents) = head["documents"] else {
      throw ChromaError.corruption("The fixture does not begin with documents.")
    }
    self.documents = try documents.map { try Self.text($0) }
    answers = try lines.dropFirst().map { line in
      Answer(
        pattern: try Self.text(line["pattern"]),
        matches: try line["matches"].map { try Self.text($0).string },
        error: try line["error"].map { try Self.text($0).string })
    }
  }

  private static func text(_ value: JSON?) throws -> Text {
    guard case .string(let text) = value else {
      throw ChromaError.corruption("The fixture lacks a string.")
    }
    return text
  }
}
