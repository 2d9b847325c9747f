// Searching a text for a match, in time linear in its length.
//
// The automaton is run by sets of states, as a deterministic one whose states and transitions are
// made when the text first asks for them and then kept (Aho, Sethi and Ullman, "Compilers", 1986,
// section 3.7). So a scalar costs one look-up once its transition is known, and at most one pass
// over the program when it is not. Nothing is ever tried twice: no pattern takes longer than the
// program's size times the text's length.
//
// A state is a set of instructions, not yet followed through conditions, with the traits of the
// scalar before: a condition can be judged only when the scalar behind is known. The start is in
// every set, because a match may begin anywhere.
//
//     table row of a state: | letter 0 | letter 1 | … | end of text |
//
// Invariants:
//   * A positive entry is the offset of another state's row; `unknown`, `matched` and `dead` are
//     not positive.
//   * What is kept stays below a limit in bytes, or is one state: beyond it, all states are
//     forgotten.

import ChromaBase

/// Belongs to one thread at a time.
final class RegexSearch: @unchecked Sendable {
  // @unchecked because its owner hands it from thread to thread under a lock, and never to two.

  private typealias State = Int32
  /// The transition was not needed yet.
  private static let unknown: State = 0
  /// A match ends here, whatever follows.
  private static let matched: State = -1
  /// No match can come any more.
  private static let dead: State = -2

  /// Bytes that are searched without a look at whether to go on: less than a millisecond.
  private static let stretchByteCount = 256 * 1024

  private struct Key: Hashable {
    let members: [RegexProgram.Index]
    let before: RegexScalarTraits
  }

  private let program: RegexProgram
  private let rowWidth: Int
  private var table: [State] = []
  /// By row number. The first row is not used: its offset would be `unknown`.
  private var keys: [Key] = []
  private var states: [Key: State] = [:]
  private var initialState = unknown
  private var byteCount = 0
  /// How often the states were forgotten.
  private var forgottenCount = 0

  private var resolved: RegexStateSet
  private var targets: RegexStateSet
  /// Letters of scalars seen lately, beside the scalars, by the scalars' last bits.
  private var recentLetters = [(scalar: UInt32, letter: RegexAlphabet.Letter)](
    repeating: (0xFFFF_FFFF, 0), count: 256)

  init(_ program: RegexProgram) {
    self.program = program
    rowWidth = program.alphabet.letterCount + 1
    resolved = RegexStateSet(instructionCount: program.instructions.count)
    targets = resolved
    forgetStates()
  }

  /// Whether the text, valid UTF-8, holds a match.
  ///
  /// - Parameter check: Called whenever some time has passed; what it throws ends the search.
  func matches<Failure: Error>(
    _ utf8: UnsafeBufferPointer<UInt8>, _ check: () throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    if initialState == Self.unknown { initialState = makeInitialState() }
    var state = initialState
    var offset = 0
    while state > 0 {
      // A transition that is not known yet may take a pass over the whole program.
      try check()
      let end = min(utf8.count, offset + Self.stretchByteCount)
      guard let (letter, byteCount) = advance(&state, &offset, in: utf8, to: end) else { continue }
      state = transition(from: state, on: letter)
      offset += byteCount
    }
    return state == Self.matched
  }

  /// Follows known transitions. Returns at the first one that leads to no state, or is not known,
  /// its letter and the bytes of the scalar; at the text's end, the end's letter; nil at an earlier
  /// end.
  private func advance(
    _ state: inout State, _ offset: inout Int, in utf8: UnsafeBufferPointer<UInt8>, to end: Int
  ) -> (letter: Int, byteCount: Int)? {
    program.alphabet.asciiLetters.withUnsafeBufferPointer { asciiLetters in
      table.withUnsafeBufferPointer { table in
        while offset < end {
          let letter: Int
          var byteCount = 1
          let byte = utf8[offset]
          if byte < 0x80 {
            letter = Int(asciiLetters[Int(byte)])
          } else {
            let scalar: UInt32
            (scalar, byteCount) = Self.decode(utf8, at: offset)
            letter = letterOfScalar(scalar)
          }
          let next = table[Int(state) + letter]
          if next <= 0 { return (letter, byteCount) }
          state = next
          offset += byteCount
        }
        return offset < utf8.count ? nil : (rowWidth - 1, 0)
      }
    }
  }

  private func letterOfScalar(_ scalar: UInt32) -> Int {
    let slot = Int(scalar & 0xFF)
    if recentLetters[slot].scalar == scalar { return Int(recentLetters[slot].letter) }
    let letter = program.alphabet.letter(of: scalar)
    recentLetters[slot] = (scalar, letter)
    return Int(letter)
  }

  /// The scalar that begins here with a byte above ASCII, and its bytes.
  private static func decode(
    _ utf8: UnsafeBufferPointer<UInt8>, at offset: Int
  ) -> (scalar: UInt32, byteCount: Int) {
    let first = UInt32(utf8[offset])
    let byteCount = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    // Never true of valid UTF-8; without it, bytes that are not would be read past their end.
    guard byteCount <= utf8.count - offset else { return (0xFFFD, utf8.count - offset) }
    var scalar = first & (0x7F >> UInt32(byteCount))
    for index in 1..<byteCount {
      scalar = scalar << 6 | UInt32(utf8[offset + index] & 0x3F)
    }
    return (scalar, byteCount)
  }
}

// MARK: - Making states

extension RegexSearch {
  private func makeInitialState() -> State {
    targets.removeAll()
    if targets.follow(program.start, in: program.instructions) { return Self.matched }
    return state(before: .none)
  }

  /// The state behind a letter, or behind the text's end.
  private func transition(from state: State, on letter: Int) -> State {
    let entry = Int(state) + letter
    if table[entry] != Self.unknown { return table[entry] }
    let forgottenBefore = forgottenCount
    let next = makeTransition(from: keys[Int(state) / rowWidth], on: letter)
    // If the states were forgotten meanwhile, so was the row.
    if forgottenCount == forgottenBefore { table[entry] = next }
    return next
  }

  private func makeTransition(from key: Key, on letter: Int) -> State {
    let isEnd = letter == rowWidth - 1
    let after = isEnd ? .none : program.traits[letter]
    var members = key.members
    if !program.lookedAt.isEmpty {
      resolved.removeAll()
      for member in members
      where resolved.follow(member, in: program.instructions, between: (key.before, after)) {
        return Self.matched
      }
      members = resolved.members
    }
    if isEnd { return Self.dead }

    let scalar = program.alphabet.representatives[letter]
    targets.removeAll()
    for member in members {
      guard case .consume(let set, let next) = program.instructions[Int(member)],
        program.sets[Int(set)].contains(scalar)
      else { continue }
      if targets.follow(next, in: program.instructions) { return Self.matched }
    }
    if !program.isAnchored, targets.follow(program.start, in: program.instructions) {
      return Self.matched
    }
    return targets.members.isEmpty ? Self.dead : self.state(before: after)
  }

  /// The state of `targets`, made if there is none yet.
  private func state(before: RegexScalarTraits) -> State {
    // Sorted, so that equal sets are equal states however they came about.
    let key = Key(
      members: targets.members.sorted(), before: before.intersection(program.lookedAt))
    if let state = states[key] { return state }
    let addedByteCount =
      (rowWidth + key.members.count) * MemoryLayout<State>.stride + 2 * MemoryLayout<Key>.stride
    if byteCount + addedByteCount > Limits.regexStateByteCountMax { forgetStates() }
    byteCount += addedByteCount
    let state = State(table.count)
    table.append(contentsOf: repeatElement(Self.unknown, count: rowWidth))
    keys.append(key)
    states[key] = state
    return state
  }

  private func forgetStates() {
    states.removeAll(keepingCapacity: true)
    table.removeAll(keepingCapacity: true)
    table.append(contentsOf: repeatElement(Self.unknown, count: rowWidth))
    keys = [Key(members: [], before: [])]
    initialState = Self.unknown
    byteCount = 0
    forgottenCount += 1
  }
}

/// A set of instructions on the way to becoming a state.
struct RegexStateSet {
  /// Those that consume a scalar or, where conditions were not judged, are conditions.
  private(set) var members: [RegexProgram.Index] = []
  /// Which instructions were visited: those with the number of the current round.
  private var visits: [UInt32]
  private var round: UInt32 = 0
  private var pending: [RegexProgram.Index] = []

  init(instructionCount: Int) {
    visits = Array(repeating: 0, count: instructionCount)
  }

  mutating func removeAll() {
    members.removeAll(keepingCapacity: true)
    if round == .max {
      for index in visits.indices { visits[index] = 0 }
      round = 0
    }
    round += 1
  }

  /// Adds all that can be reached from an instruction without consuming a scalar, and says whether
  /// a match is among it.
  ///
  /// - Parameter place: The traits on both sides, to judge conditions by; if nil, they are kept as
  ///   members.
  mutating func follow(
    _ start: RegexProgram.Index, in instructions: [RegexProgram.Instruction],
    between place: (before: RegexScalarTraits, after: RegexScalarTraits)? = nil
  ) -> Bool {
    pending.removeAll(keepingCapacity: true)
    pending.append(start)
    while let index = pending.popLast() {
      if visits[Int(index)] == round { continue }
      visits[Int(index)] = round
      switch instructions[Int(index)] {
      case .match:
        return true
      case .split(let left, let right):
        pending.append(right)
        pending.append(left)
      case .look(let look, let next):
        guard let place else {
          members.append(index)
          continue
        }
        if look.holds(between: place.before, and: place.after) { pending.append(next) }
      case .consume:
        members.append(index)
      }
    }
    return false
  }
}
