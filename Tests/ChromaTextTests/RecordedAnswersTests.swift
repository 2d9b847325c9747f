import ChromaBase
import Testing

@testable import ChromaText

/// A pattern means what it means to official Chroma, and is refused in the same words. More than a
/// thousand patterns on some fifty documents, recorded from the official package.
@Suite struct RecordedAnswersTests {
  @Test("every recorded pattern matches the documents that it matched in official Chroma")
  func matches() throws {
    let recorded = try RecordedAnswers()
    #expect(recorded.documents.count >= 40)
    var count = 0
    for answer in recorded.answers {
      guard let expected = answer.matches else { continue }
      count += 1
      let expression = try RegularExpression(answer.pattern)
      var actual = ""
      for document in recorded.documents {
        actual += expression.matches(document) ? "1" : "0"
      }
      #expect(actual == expected, "pattern \(answer.pattern)")
    }
    #expect(count >= 600)
  }

  @Test("every recorded refusal has official Chroma's message, to the caret")
  func errors() throws {
    let recorded = try RecordedAnswers()
    var count = 0
    for answer in recorded.answers {
      guard let expected = answer.error else { continue }
      count += 1
      let error = #expect(throws: ChromaError.self, "pattern \(answer.pattern)") {
        try RegularExpression(answer.pattern)
      }
      #expect(error?.kind == .invalidArgument)
      #expect(error?.message == expected)
    }
    #expect(count >= 500)
  }
}
