import ChromaBase
import ChromaTestSupport
import Testing

/// The reader accepts what official Chroma's parser accepts, with the values that Python reads, and
/// refuses the rest in its words. Recorded by `Fixtures/record_json.py`.
@Suite struct JSONReaderTests {
  @Test func everyRecordedTextReadsAsRecorded() throws {
    let lines = try Fixture.lines("json.tsv")
    #expect(lines.count > 400)
    for line in lines {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
      let bytes = unescaped(columns[0])
      do throws(ChromaError) {
        #expect(canonical(try JSON(parsing: bytes)) == columns[1], "\(columns[0])")
      } catch {
        #expect("!\(error.message)" == columns[1], "\(columns[0])")
        #expect(error.kind == .invalidArgument)
      }
    }
  }

  @Test func whatFollowsTheValueIsRefused() {
    #expect(message(#"{"a":1} x"#) == "trailing characters at line 1 column 9")
    #expect(message("[1]\n]") == "trailing characters at line 2 column 1")
  }

  @Test func invalidUTF8IsRefusedInsideAndOutsideStrings() {
    #expect(
      message(bytes: [0x22, 0x61, 0xFF, 0x22]) == "invalid unicode code point at line 1 column 4")
    #expect(
      message(bytes: [0x22, 0xED, 0xA0, 0x80, 0x22])
        == "invalid unicode code point at line 1 column 5")
    #expect(message(bytes: [0xFF]) == "expected value at line 1 column 1")
  }

  @Test func nestingEndsAtTheLimit() throws {
    let limit = Limits.nestingDepthMax
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try JSON(parsing: Array(nested(limit).utf8)) != .null)
    let tooDeep = "recursion limit exceeded at line 1 column \(limit + 1)"
    #expect(message(nested(limit + 1)) == tooDeep)
    #expect(message(String(repeating: "[", count: 1_000_000)) == tooDeep)
    #expect(
      message(String(repeating: #"{"":"#, count: 1_000_000))
        == "recursion limit exceeded at line 1 column \(limit * 4 + 1)")
    // Depth counts what is open, not what was opened.
    let wide = "[" + String(repeating: "[],", count: 2 * limit) + "0]"
    #expect(try JSON(parsing: Array(wide.utf8)) != .null)
  }

  @Test func moreBytesThanTheLimitAreRefusedUnread() {
    let byteCount = Limits.jsonByteCountMax + 1
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { $1 = byteCount }
    #expect(
      message(bytes: bytes)
        == "JSON of \(byteCount) bytes is longer than the limit of \(byteCount - 1) bytes.")
  }

  @Test(arguments: [1, 15, 16, 17, 18, 40, 5_000])
  func aRepeatedKeyKeepsItsPlaceAndTakesTheLastValue(keyCount: Int) throws {
    let first = (0..<keyCount).map { #""k\#($0)":0"# }
    let again = (0..<keyCount).reversed().map { #""k\#($0)":\#($0)"# }
    let text = "{" + (first + again).joined(separator: ",") + "}"
    let expected = (0..<keyCount).map { JSON.Member(Text("k\($0)"), .int(Int64($0))) }
    #expect(try JSON(parsing: Array(text.utf8)) == .object(expected))
  }

  @Test func keysAreComparedByBytes() throws {
    let value = try JSON(parsing: Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8))
    #expect(value["\u{E9}"] == 1)
    #expect(value["e\u{301}"] == 2)
    #expect(value["e"] == nil)
    #expect(JSON.null["e"] == nil)
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func arbitraryBytesGiveAValueOrAnError(seed: UInt64) throws {
    var random = SeededRandom(seed)
    // Bytes that mean something to JSON come up often enough to lead deep into the reader.
    let alphabet = Array("[]{}:,\"\\/ubnrtfalse10-+.eE \n\tdDcC8".utf8)
    var acceptedCount = 0
    for _ in 0..<10_000 {
      let bytes = (0..<random.int(in: 0...40)).map { _ in
        random.oneIn(8) ? UInt8.random(in: 0...255, using: &random) : random.element(of: alphabet)
      }
      guard let value = try? JSON(parsing: bytes) else { continue }
      acceptedCount += 1
      #expect(try JSON(parsing: value.text.bytes) == value, "seed \(seed): \(bytes)")
    }
    #expect(acceptedCount > 0)
  }

  @Test(arguments: [11, 12] as [UInt64])
  func damagedTextsGiveAValueOrAnError(seed: UInt64) throws {
    var random = SeededRandom(seed)
    for _ in 0..<2_000 {
      var bytes = randomValue(&random).text.bytes
      for _ in 0..<random.int(in: 1...3) where !bytes.isEmpty {
        let index = random.int(in: 0...bytes.count - 1)
        switch random.int(in: 0...2) {
        case 0: bytes.remove(at: index)
        case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
        default: bytes.removeSubrange(index...)
        }
      }
      guard let value = try? JSON(parsing: bytes) else { continue }
      #expect(try JSON(parsing: value.text.bytes) == value, "seed \(seed): \(bytes)")
    }
  }

  private func message(_ text: String) -> String? {
    message(bytes: Array(text.utf8))
  }

  private func message(bytes: [UInt8]) -> String? {
    do throws(ChromaError) {
      _ = try JSON(parsing: bytes)
      return nil
    } catch {
      return error.message
    }
  }

  /// Undoes the fixture's `\xNN`.
  private func unescaped(_ text: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\") {
        let digits = rest.dropFirst().prefix(2).compactMap(Hexadecimal.value(of:))
        bytes.append(digits[0] << 4 | digits[1])
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  /// The notation of the fixture.
  private func canonical(_ value: JSON) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "i\(value)"
    case .unsigned(let value): "i\(value)"
    case .float(let value):
      "f"
        + hexadecimal((0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (56 - 8 * $0)) })
    case .string(let value): "s" + hexadecimal(value.bytes)
    case .array(let elements): "[" + elements.map(canonical).joined(separator: ";") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }
        .map { "s\(hexadecimal($0.key.bytes))=\(canonical($0.value))" }
        .joined(separator: ";") + "}"
    }
  }

  private func hexadecimal(_ bytes: [UInt8]) -> String {
    String(bytes.flatMap { [Hexadecimal.digits[Int($0 >> 4)], Hexadecimal.digits[Int($0 & 15)]] })
  }
}

/// What is written is compact JSON and reads back as the same value.
@Suite struct JSONWriterTests {
  @Test func everyKindOfValueHasItsText() {
    let value: JSON = [
      nil, true, false, 1, -1, 1.0, "a", [], [:], ["k": [1, 2.5]], .unsigned(.max), .int(.min),
    ]
    #expect(
      value.text
        == #"[null,true,false,1,-1,1.0,"a",[],{},{"k":[1,2.5]},18446744073709551615,-9223372036854775808]"#
    )
  }

  @Test func stringsEscapeWhatTheyMust() {
    let value = JSON.string("\"\\/\u{8}\u{C}\n\r\t\0\u{1F}\u{10}\u{7F}é\u{1F600}")
    #expect(value.text == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u0010\u{7F}é\u{1F600}\"")
  }

  @Test func floatsStayFloats() {
    let texts: [(Double, Text)] = [
      (1, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
      (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"),
      (1.7976931348623157e308, "1.7976931348623157e+308"),
      (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
    ]
    for (value, text) in texts { #expect(JSON.float(value).text == text) }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func randomValuesReadBackEqual(seed: UInt64) throws {
    var random = SeededRandom(seed)
    for _ in 0..<2_000 {
      let value = randomValue(&random)
      #expect(try JSON(parsing: value.text.bytes) == value, "seed \(seed): \(value.text)")
    }
  }

  @Test func everyFloatReadsBackWithTheSameBits() throws {
    var random = SeededRandom(4)
    for _ in 0..<20_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      guard case .float(let read) = try JSON(parsing: JSON.float(value).text.bytes) else {
        Issue.record("\(value) is no longer a float")
        continue
      }
      #expect(read.bitPattern == value.bitPattern)
    }
  }
}

private func randomValue(_ random: inout SeededRandom, depth: Int = 0) -> JSON {
  switch random.int(in: 0...(depth < 4 ? 8 : 6)) {
  case 0: return .null
  case 1: return .bool(random.oneIn(2))
  case 2: return .int(Int64(truncatingIfNeeded: random.next()) >> random.int(in: 0...63))
  case 3: return .unsigned(random.next() | 1 << 63)
  case 4:
    let value = Double(bitPattern: random.next())
    return .float(value.isFinite ? value : 0.5)
  case 5, 6: return .string(randomText(&random))
  case 7:
    return .array((0..<random.int(in: 0...4)).map { _ in randomValue(&random, depth: depth + 1) })
  default:
    var keys: Set<Text> = []
    for _ in 0..<random.int(in: 0...4) { keys.insert(randomText(&random)) }
    return .object(keys.sorted().map { JSON.Member($0, randomValue(&random, depth: depth + 1)) })
  }
}

private func randomText(_ random: inout SeededRandom) -> Text {
  let scalars = ["a", "\"", "\\", "\n", "\0", "\u{1F}", "\u{7F}", "é", "\u{301}", "漢", "\u{1F600}"]
  return Text((0..<random.int(in: 0...6)).map { _ in random.element(of: scalars) }.joined())
}
