// The syntax tree of a regular expression, as written.
//
// Nodes lie in one array and name their children by index, for two reasons: a pattern from outside
// may nest a million levels deep, and neither building, checking nor freeing such a tree may use
// the stack; and an index is four bytes.
//
// Invariants:
//   * A child's index is below its parent's: the tree has no cycles.
//   * Positions count Unicode scalars of the pattern, not bytes: error messages count columns so.

/// A stretch of the pattern, in scalars. May be empty: a place between two scalars.
struct RegexSpan: Equatable {
  var start: Int
  var end: Int

  init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = end
  }
}

/// Switches that `(?i)` and its like turn on or off.
struct RegexFlags: OptionSet {
  let rawValue: UInt8

  static let caseInsensitive = RegexFlags(rawValue: 1 << 0)
  static let multiLine = RegexFlags(rawValue: 1 << 1)
  static let dotMatchesNewLine = RegexFlags(rawValue: 1 << 2)
  /// `U`: `a*` is lazy and `a*?` greedy. It is read and has no effect: greed decides where a match
  /// ends, never whether there is one.
  static let swapGreed = RegexFlags(rawValue: 1 << 3)
  static let unicode = RegexFlags(rawValue: 1 << 4)
  static let crlf = RegexFlags(rawValue: 1 << 5)
  static let verbose = RegexFlags(rawValue: 1 << 6)
}

/// What one group of flag letters asks for, such as `i-s` in `(?i-s)`.
struct RegexFlagChange {
  var enabled: RegexFlags = []
  var disabled: RegexFlags = []

  func applied(to flags: RegexFlags) -> RegexFlags {
    flags.union(enabled).subtracting(disabled)
  }
}

enum RegexAssertion {
  case caret, dollar
  case textStart, textEnd
  case wordBoundary, notWordBoundary
  case wordStart, wordEnd, wordStartHalf, wordEndHalf
}

enum PerlClass {
  case digit, space, word
}

/// The name inside `[[:name:]]`.
enum PosixClass: String {
  case alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word
  case xdigit
}

/// What stands behind `\p`.
enum UnicodeClassQuery {
  /// `\pL` or `\p{Greek}`.
  case name(String)
  /// `\p{Script=Greek}`; `\p{Script!=Greek}` is its negation.
  case value(property: String, value: String, isNegated: Bool)
}

enum RegexSetOperation {
  case intersection, difference, symmetricDifference
}

struct RegexSyntaxTree {
  typealias NodeID = UInt32

  enum Kind {
    case empty
    /// `(?i)`: holds until the enclosing group ends.
    case flags(RegexFlagChange)
    /// `isByte` marks `\xNN`, which names a byte, not a scalar, where Unicode is off.
    case literal(Unicode.Scalar, isByte: Bool)
    case dot
    case assertion(RegexAssertion)
    case perlClass(PerlClass, isNegated: Bool)
    case unicodeClass(UnicodeClassQuery, isNegated: Bool)
    /// `[…]`, outermost or nested. The child is an item, a union, an operation or `empty`.
    case bracketed(NodeID, isNegated: Bool)
    case group(NodeID, RegexFlagChange, isCapturing: Bool)
    case repetition(NodeID, minimum: UInt32, maximum: UInt32?)
    case alternation([NodeID])
    case concatenation([NodeID])

    // Only within brackets.
    case posixClass(PosixClass, isNegated: Bool)
    /// Both ends are literals.
    case range(NodeID, NodeID)
    case union([NodeID])
    case operation(RegexSetOperation, NodeID, NodeID)
  }

  struct Node {
    var kind: Kind
    var span: RegexSpan
  }

  private(set) var nodes: [Node] = []
  /// The whole pattern; meaningful once the parser is done.
  var root: NodeID = 0

  subscript(id: NodeID) -> Node { nodes[Int(id)] }

  mutating func add(_ kind: Kind, _ span: RegexSpan) -> NodeID {
    nodes.append(Node(kind: kind, span: span))
    return NodeID(nodes.count - 1)
  }
}

extension RegexSyntaxTree {
  /// The first node, in reading order, that lies deeper than `depthMax` levels; nil if none does.
  ///
  /// Levels are what the `regex` crate counts: groups, repetitions, concatenations, alternations,
  /// brackets, and unions and operations within brackets. Whatever runs after this check may
  /// recurse over the tree.
  func firstNode(deeperThan depthMax: Int) -> NodeID? {
    var pending: [(id: NodeID, depth: Int)] = [(root, 0)]
    while let (id, parentDepth) = pending.popLast() {
      let children: [NodeID]
      switch self[id].kind {
      case .group(let child, _, _), .repetition(let child, _, _), .bracketed(let child, _):
        children = [child]
      case .alternation(let branches):
        children = branches
      case .concatenation(let parts):
        children = parts
      case .union(let items):
        children = items
      case .operation(_, let left, let right):
        children = [left, right]
      case .empty, .flags, .literal, .dot, .assertion, .perlClass, .unicodeClass, .posixClass,
        .range:
        continue
      }
      if parentDepth == depthMax { return id }
      for child in children.reversed() { pending.append((child, parentDepth + 1)) }
    }
    return nil
  }
}
