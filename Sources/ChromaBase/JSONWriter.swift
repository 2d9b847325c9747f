// Writing JSON: compact, members in order, valid for every value.

extension JSON {
  /// The value as compact JSON text.
  ///
  /// Floats are the shortest digits that read back as the same bits and always look like floats
  /// (`1.0`, `1e+16`); those that JSON cannot express become `null`, as serde_json writes them.
  package var text: Text {
    var output: [UInt8] = []
    write(to: &output)
    // What is written is ASCII and the bytes of `Text`: always valid.
    return Text(validating: output) ?? ""
  }

  private func write(to output: inout [UInt8]) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .int(let value): output += value.description.utf8
    case .unsigned(let value): output += value.description.utf8
    case .float(let value): output += (value.isFinite ? value.description : "null").utf8
    case .string(let value): Self.write(value, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (position, element) in elements.enumerated() {
        if position > 0 { output.append(UInt8(ascii: ",")) }
        element.write(to: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (position, member) in members.enumerated() {
        if position > 0 { output.append(UInt8(ascii: ",")) }
        Self.write(member.key, to: &output)
        output.append(UInt8(ascii: ":"))
        member.value.write(to: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: Text, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.bytes {
      switch byte {
      case UInt8(ascii: "\""): output += #"\""#.utf8
      case UInt8(ascii: "\\"): output += #"\\"#.utf8
      case 0x08: output += #"\b"#.utf8
      case 0x0C: output += #"\f"#.utf8
      case 0x0A: output += #"\n"#.utf8
      case 0x0D: output += #"\r"#.utf8
      case 0x09: output += #"\t"#.utf8
      case 0..<0x20:
        output += (byte < 0x10 ? #"\u000"# : #"\u001"#).utf8
        output += String(byte & 0xF, radix: 16).utf8
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
