// From what a pattern means to an automaton.
//
// The automaton is built from its end: a part is compiled knowing what comes behind it, so nothing
// is patched but the one instruction that closes a loop. Counted repetitions are written out.
// Branches of an alternation share what they begin with, which keeps lists of thousands of words
// small; order does not matter, so branches need not stand side by side for that.
//
// Recurses over the expression, whose depth the parser has limited.

import ChromaBase

struct RegexCompiler {
  typealias Index = RegexProgram.Index

  /// The pattern, written out, is too large.
  struct TooLarge: Error {}

  private var instructions: [RegexProgram.Instruction] = [.match]
  private var sets: [ScalarSet]
  private var literalIndexes: [Unicode.Scalar: UInt32] = [:]
  private var lookedAt: RegexScalarTraits = []

  static func compile(_ meaning: RegexMeaning) throws(TooLarge) -> RegexProgram {
    var compiler = RegexCompiler(sets: meaning.sets)
    let start = try compiler.compile(meaning.expression, before: 0)
    let traitSets = compiler.lookedAt.sets
    guard
      let alphabet = RegexAlphabet(dividedBy: compiler.sets + traitSets.map { $0.1 })
    else { throw TooLarge() }
    let traits = alphabet.representatives.map { scalar in
      traitSets.reduce(into: RegexScalarTraits()) { traits, entry in
        if entry.1.contains(scalar) { traits.insert(entry.trait) }
      }
    }
    return RegexProgram(
      instructions: compiler.instructions, sets: compiler.sets, start: start,
      isAnchored: isAnchored(meaning.expression), lookedAt: compiler.lookedAt,
      alphabet: alphabet, traits: traits)
  }

  private init(sets: [ScalarSet]) {
    self.sets = sets
  }

  private static func isAnchored(_ expression: RegexExpression) -> Bool {
    switch expression {
    case .look(.textStart): true
    case .group(let child): isAnchored(child)
    case .repetition(let child, let minimum, _): minimum > 0 && isAnchored(child)
    case .concatenation(let parts): parts.first.map(isAnchored) ?? false
    case .alternation(let branches): branches.allSatisfy(isAnchored)
    case .empty, .literal, .set, .look: false
    }
  }

  private mutating func add(_ instruction: RegexProgram.Instruction) throws(TooLarge) -> Index {
    guard instructions.count < Limits.regexStepCountMax else { throw TooLarge() }
    instructions.append(instruction)
    return Index(instructions.count - 1)
  }

  /// Compiles an expression that goes on at `next`, and says where it begins.
  private mutating func compile(
    _ expression: RegexExpression, before next: Index
  ) throws(TooLarge) -> Index {
    if let set = setIndex(of: expression) { return try add(.consume(set: set, next: next)) }
    switch expression {
    case .empty, .literal, .set:
      return next
    case .look(let look):
      lookedAt.formUnion(look.lookedAt)
      return try add(.look(look, next: next))
    case .group(let child):
      return try compile(child, before: next)
    case .repetition(let child, let minimum, let maximum):
      return try compileRepetition(of: child, minimum: minimum, maximum: maximum, before: next)
    case .concatenation(let parts):
      return try compileSequence(parts[...], before: next)
    case .alternation(let branches):
      return try compileAlternation(branches, before: next)
    }
  }

  private mutating func compileSequence(
    _ parts: ArraySlice<RegexExpression>, before next: Index
  ) throws(TooLarge) -> Index {
    var entry = next
    for part in parts.reversed() { entry = try compile(part, before: entry) }
    return entry
  }

  private mutating func compileRepetition(
    of child: RegexExpression, minimum: UInt32, maximum: UInt32?, before next: Index
  ) throws(TooLarge) -> Index {
    var entry = next
    var required = minimum
    if let maximum {
      for _ in minimum..<max(minimum, maximum) {
        let copy = try compile(child, before: entry)
        if copy == entry { break }
        entry = try add(.split(copy, next))
      }
    } else {
      let loop = try add(.split(next, next))
      let body = try compile(child, before: loop)
      instructions[Int(loop)] = .split(body, next)
      // The body of `a+` is its own first copy.
      entry = minimum > 0 ? body : loop
      required = minimum > 0 ? minimum - 1 : 0
    }
    for _ in 0..<required {
      let copy = try compile(child, before: entry)
      // Four thousand million copies of nothing are nothing, but would take a while.
      if copy == entry { break }
      entry = copy
    }
    return entry
  }

  // MARK: Alternations

  /// The sets that branches begin with, as a tree. The root is node 0; every edge makes a node,
  /// whose number is the edge's plus one.
  private struct PrefixTree {
    struct Edge: Hashable {
      let parent: Int
      let set: UInt32
    }

    var edges: [Edge] = []
    var children: [Edge: Int] = [:]
    /// What is left of each branch behind a node.
    var rests: [(node: Int, parts: ArraySlice<RegexExpression>)] = []

    /// The node behind an edge, made if there is none yet.
    mutating func child(_ edge: Edge) -> Int {
      if let child = children[edge] { return child }
      edges.append(edge)
      children[edge] = edges.count
      return edges.count
    }
  }

  private mutating func compileAlternation(
    _ branches: [RegexExpression], before next: Index
  ) throws(TooLarge) -> Index {
    let tree = try prefixTree(of: branches)
    var entries = [Index?](repeating: nil, count: tree.edges.count + 1)
    for (node, parts) in tree.rests {
      entries[node] = try either(try compileSequence(parts, before: next), entries[node])
    }
    // A child's number is above its parent's, so from the last edge on every child is complete.
    for (number, edge) in tree.edges.enumerated().reversed() {
      let entry = try add(.consume(set: edge.set, next: entries[number + 1] ?? next))
      entries[edge.parent] = try either(entry, entries[edge.parent])
    }
    return entries[0] ?? next
  }

  private mutating func either(_ left: Index, _ right: Index?) throws(TooLarge) -> Index {
    guard let right, right != left else { return left }
    return try add(.split(left, right))
  }

  private mutating func prefixTree(
    of branches: [RegexExpression]
  ) throws(TooLarge) -> PrefixTree {
    var tree = PrefixTree()
    for branch in branches {
      var parts = [branch][...]
      if case .concatenation(let ownParts) = branch { parts = ownParts[...] }
      var node = 0
      while let part = parts.first, let set = setIndex(of: part) {
        node = tree.child(PrefixTree.Edge(parent: node, set: set))
        parts = parts.dropFirst()
      }
      tree.rests.append((node, parts))
      if tree.edges.count > Limits.regexStepCountMax { throw TooLarge() }
    }
    return tree
  }

  /// The set of an expression that is one scalar; nil if it is something else.
  private mutating func setIndex(of expression: RegexExpression) -> UInt32? {
    switch expression {
    case .set(let index, _):
      return UInt32(index)
    case .literal(let scalar):
      if let index = literalIndexes[scalar] { return index }
      let index = UInt32(sets.count)
      sets.append(ScalarSet(scalar))
      literalIndexes[scalar] = index
      return index
    default:
      return nil
    }
  }
}
