import ChromaBase
import ChromaQuery
import ChromaTestSupport
import Testing

/// The operators that official Chroma does not have: `$exists`, `$like`, `$icontains` and negations.
@Suite struct AdditionTests {
  private static let values: [MetadataValue?] = [
    nil, .bool(false), .int(0), .float(0), .string(""), .string("Ab%"), .string("x"),
    .bools([true]), .ints([1]), .floats([1]), .strings(["Ab%"]),
  ]

  private static let record = FilteredRecord(
    metadata: Metadata([Metadata.Entry("s", .string("Ab%"))]), document: "A Größe\nB",
    uri: "file:///a")
  private static let empty = FilteredRecord(metadata: nil, document: nil, uri: nil)

  @Test("$exists holds of every value, of any type, and its negation of none")
  func exists() throws {
    for value in Self.values {
      let record = Self.record(value)
      #expect(try Filter(json: #"{"k":{"$exists":true}}"#).matches(record) == (value != nil))
      #expect(try Filter(json: #"{"k":{"$exists":false}}"#).matches(record) == (value == nil))
    }
  }

  @Test("$like and $icontains look at strings alone, and their negations match everything else")
  func stringsAlone() throws {
    let conditions: [(name: String, operand: String, holds: (MetadataValue?) -> Bool)] = [
      ("like", #""A%""#, { $0 == .string("Ab%") }),
      ("like", #""__\\%""#, { $0 == .string("Ab%") }),
      ("like", #""a%""#, { _ in false }),
      ("like", #""%""#, { $0 == .string("Ab%") || $0 == .string("x") || $0 == .string("") }),
      ("icontains", #""aB""#, { $0 == .string("Ab%") }),
      ("icontains", #""X""#, { $0 == .string("x") }),
      ("icontains", "\"\"", { $0 == .string("Ab%") || $0 == .string("x") || $0 == .string("") }),
    ]
    for (name, operand, holds) in conditions {
      let filter = try Filter(json: Text(#"{"k":{"$\#(name)":\#(operand)}}"#))
      let negation = try Filter(json: Text(#"{"k":{"$not_\#(name)":\#(operand)}}"#))
      for value in Self.values {
        let note: Comment = "\(name) \(operand) \(String(describing: value))"
        #expect(filter.matches(Self.record(value)) == holds(value), note)
        #expect(negation.matches(Self.record(value)) != holds(value), note)
      }
    }
  }

  @Test(
    "documents and URIs are found by the same operators",
    arguments: [
      (##"{"#document":{"$like":"A%B"}}"##, true, false),
      (##"{"#document":{"$like":"A%b"}}"##, false, false),
      (##"{"#document":{"$not_like":"A%B"}}"##, false, true),
      (##"{"#document":{"$icontains":"GRÖSSE"}}"##, false, false),
      (##"{"#document":{"$icontains":"GRÖẞE"}}"##, true, false),
      (##"{"#document":{"$not_icontains":"GRÖẞE"}}"##, false, true),
      (##"{"#document":{"$exists":true}}"##, true, false),
      (##"{"#document":{"$exists":false}}"##, false, true),
      (#"{"chroma:document":{"$like":"A%B"}}"#, true, false),
      (#"{"chroma:document":{"$exists":true}}"#, true, false),
      (#"{"chroma:uri":{"$like":"file:%"}}"#, true, false),
      (#"{"chroma:uri":{"$exists":false}}"#, false, true),
    ])
  func documentsAndURIs(json: String, isRecord: Bool, isEmpty: Bool) throws {
    let filter = try Filter(json: Text(json))
    #expect(filter.matches(Self.record) == isRecord)
    #expect(filter.matches(Self.empty) == isEmpty)
  }

  @Test(
    "document filters have them too",
    arguments: [
      (#"{"$like":"A%"}"#, true, false),
      (#"{"$like":""}"#, false, false),
      (#"{"$not_like":"%b"}"#, true, true),
      (#"{"$icontains":"größe\nb"}"#, true, false),
      (#"{"$and":[{"$not_icontains":"grösse"},{"$like":"%"}]}"#, true, false),
    ])
  func documentFilters(json: String, isRecord: Bool, isEmpty: Bool) throws {
    let filter = try DocumentFilter(json: Text(json))
    #expect(filter.matches(Self.record) == isRecord)
    #expect(filter.matches(Self.empty) == isEmpty)
  }

  @Test(
    "wrong operands are told with operator and operand",
    arguments: [
      (#"{"k":{"$exists":1}}"#, "Expected operand value to be a bool for operator $exists, got 1"),
      (
        #"{"k":{"$exists":"x"}}"#,
        #"Expected operand value to be a bool for operator $exists, got "x""#
      ),
      (#"{"k":{"$like":1}}"#, "Expected operand value to be a string for operator $like, got 1"),
      (
        #"{"k":{"$not_icontains":["a"]}}"#,
        #"Expected operand value to be a string for operator $not_icontains, got ["a"]"#
      ),
      (
        ##"{"#document":{"$icontains":null}}"##,
        "Expected operand value to be a string for operator $icontains, got null"
      ),
      (#"{"k":{"$not_exists":true}}"#, "Invalid where clause"),
      (#"{"k":{"$regex":"a"}}"#, "Invalid where clause"),
      (#"{"k":{"$like":"a","$exists":true}}"#, "Invalid where clause"),
      (#"{"$like":"a"}"#, "Invalid where clause"),
    ])
  func refusals(json: String, message: String) {
    #expect(throws: ChromaError.invalidArgument(message)) { try Filter(json: Text(json)) }
  }

  @Test("a document filter knows no $exists and refuses operands that are no strings")
  func documentRefusals() {
    #expect(throws: ChromaError.invalidArgument("Invalid where document clause")) {
      try DocumentFilter(json: #"{"$exists":true}"#)
    }
    #expect(
      throws: ChromaError.invalidArgument(
        "Expected operand value to be a string for operator $not_like, got {}")
    ) { try DocumentFilter(json: #"{"$not_like":{}}"#) }
  }

  @Test("filters end a search when that is wished for, and answer the same when it is not")
  func cancelled() throws {
    let cancel = CancelToken()
    let filters = [
      #"{"$and":[{"s":{"$like":"A_%"}},{"s":{"$exists":true}}]}"#,
      ##"{"$or":[{"s":"x"},{"#document":{"$regex":"[A-Z] Gr"}}]}"##,
    ]
    for json in filters {
      #expect(try Filter(json: Text(json)).matches(Self.record, cancel: cancel))
    }
    cancel.request()
    for json in filters {
      let filter = try Filter(json: Text(json))
      let error = #expect(throws: ChromaError.self) {
        try filter.matches(Self.record, cancel: cancel)
      }
      #expect(error?.kind == .cancelled)
      #expect(filter.matches(Self.record))
    }
  }

  private static func record(_ value: MetadataValue?) -> FilteredRecord {
    FilteredRecord(
      metadata: value.map { Metadata([Metadata.Entry("k", $0)]) }, document: nil, uri: nil)
  }
}
