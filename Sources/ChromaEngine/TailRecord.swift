import ChromaBase

/// What the log changed about a record since the version: a new record, or what differs from a row of
/// a segment. Its vector stands in the `VectorTable`.
struct TailRecord {
  /// A field of a record that may stand in a segment.
  enum Field<Value> {
    /// As the segment has it.
    case inherited
    case changed(Value?)
  }

  let id: Text
  let order: Int64
  /// The row that this record replaces; nil for one that was inserted since the version.
  let replaced: RecordLocation?
  var document: Field<Text>
  var uri: Field<Text>
  var metadata: Field<Metadata>
  /// The log position at which its vector was set; nil if it is the replaced row's.
  var vectorPosition: Int64?

  /// About what it takes in memory beside its vector.
  var byteCount: Int {
    // 160: the struct, its slot in the tables, and the arrays' own headers.
    var total = 160 + id.byteCount
    if case .changed(let text?) = document { total += text.byteCount + 32 }
    if case .changed(let text?) = uri { total += text.byteCount + 32 }
    if case .changed(let metadata?) = metadata { total += 96 * metadata.count + 32 }
    return total
  }
}
