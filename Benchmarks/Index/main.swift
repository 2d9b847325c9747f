// Our vector index, driven by Benchmarks/index.py as other libraries are by index_peer.py:
//
//     measure-index VECTORS QUERIES COUNT
//
//     build THREADS          -> CPU-SECONDS WALL-SECONDS
//     query EF FIRST COUNT   -> CPU-SECONDS WALL-SECONDS ROW ROW …
//
// The two files are numpy's, of float32; the first COUNT vectors are indexed. The space is cosine; a
// query's answer is ten rows, on one thread. Requests are lines of standard input, answers lines of
// standard output that begin with "answer".

import ChromaBase
import ChromaIndex
import Glibc

let maxNeighbors = 16
let efConstruction = 100
let resultCount = 10
/// The center of the codes is the mean of so many vectors, as in the engine.
let centerCount = 4096

/// Ends the program with a sentence.
func give(up sentence: String) -> Never {
  let message = "measure-index: \(sentence)\n"
  _ = write(STDERR_FILENO, message, message.utf8.count)
  exit(1)
}

/// Seconds of a clock.
func now(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Rows of floats, as numpy.save writes them.
struct Matrix {
  let values: [Float]
  let dimension: Int

  init(file path: String, rowCountMax: Int = .max) {
    guard let file = fopen(path, "rb") else { give(up: "There is no file \(path).") }
    defer { fclose(file) }
    var head = [UInt8](repeating: 0, count: 10)
    guard fread(&head, 1, 10, file) == 10 else { give(up: "\(path) is too short.") }
    // Magic and version, then the length of a Python literal: {…, 'shape': (50000, 384), }.
    var literal = [UInt8](repeating: 0, count: Int(head[8]) + Int(head[9]) << 8)
    guard fread(&literal, 1, literal.count, file) == literal.count else {
      give(up: "\(path) is too short.")
    }
    let text = String(decoding: literal, as: UTF8.self)
    let shape = text.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
      .split(separator: ",").compactMap { Int($0.drop { $0 == " " }) }
    guard text.contains("'<f4'"), text.contains("'fortran_order': False"), shape.count == 2 else {
      give(up: "\(path) holds no rows of float32: \(text)")
    }
    dimension = shape[1]
    let count = min(shape[0], rowCountMax) * dimension
    values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = fread(buffer.baseAddress, 4, count, file)
    }
    guard values.count == count else { give(up: "\(path) is too short.") }
  }

  var count: Int { values.count / dimension }

  func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try values.withUnsafeBufferPointer { buffer in
      try body(UnsafeBufferPointer(rebasing: buffer[row * dimension..<(row + 1) * dimension]))
    }
  }
}

/// The vectors, their graph once it is built, and the search with the ef of the latest query.
struct Subject {
  let vectors: VectorTable
  let queries: Matrix
  private let slots: [UInt32]
  private let scratch = SearchScratch()
  private var graph: Graph?
  private var prepared: (ef: Int, search: IndexSearch)?

  init(_ base: Matrix, queries: Matrix) throws {
    self.queries = queries
    vectors = try VectorTable(dimension: base.dimension, space: .cosine)
    vectors.reserve(slotCount: base.count)
    slots = (0..<base.count).map { UInt32($0) }
    for slot in slots {
      try base.withRow(Int(slot)) { try vectors.set(slot, to: $0) }
    }
  }

  mutating func build(threadCount: Int) throws {
    graph = nil
    prepared = nil
    let stride = max(1, slots.count / centerCount)
    let sample = slots.filter { Int($0) % stride == 0 }.prefix(centerCount)
    let center = Quantizer.center(of: sample, in: vectors)
    var builder = GraphBuilder(
      Graph(quantizer: Quantizer(space: .cosine, center: center), maxNeighbors: maxNeighbors),
      efConstruction: efConstruction, threadCount: threadCount)
    _ = try builder.insert(slots, vectors: vectors)
    graph = builder.graph
  }

  mutating func query(ef: Int, first: Int, count: Int) throws -> [UInt32] {
    if prepared?.ef != ef {
      let candidates = Bitset(firstSlots: slots.count)
      prepared = (
        ef,
        IndexSearch(
          graph: graph, vectors: vectors, candidates: candidates, unindexed: Bitset(), ef: ef,
          isExact: false)
      )
    }
    guard let search = prepared?.search else { return [] }
    var rows: [UInt32] = []
    rows.reserveCapacity(count * resultCount)
    for row in first..<first + count {
      let (neighbors, _) = try queries.withRow(row) { query in
        try search.nearest(
          resultCount, to: query, scratch: scratch, order: { UInt64($0) },
          verify: { (_) throws(ChromaError) in }, poll: { () throws(ChromaError) in })
      }
      rows.append(contentsOf: neighbors.map(\.slot))
    }
    return rows
  }
}

guard CommandLine.arguments.count == 4, let vectorCount = Int(CommandLine.arguments[3]) else {
  give(up: "The arguments are a file of vectors, a file of queries, and a count.")
}
var subject = try Subject(
  Matrix(file: CommandLine.arguments[1], rowCountMax: vectorCount),
  queries: Matrix(file: CommandLine.arguments[2]))
while let line = readLine() {
  let words = line.split(separator: " ")
  let numbers = words.dropFirst().compactMap { Int($0) }
  let (cpu, wall) = (now(CLOCK_PROCESS_CPUTIME_ID), now(CLOCK_MONOTONIC))
  var rows: [UInt32] = []
  switch (words.first, numbers.count) {
  case ("build", 1): try subject.build(threadCount: numbers[0])
  case ("query", 3): rows = try subject.query(ef: numbers[0], first: numbers[1], count: numbers[2])
  default: give(up: "There is no request \(line).")
  }
  let taken = (now(CLOCK_PROCESS_CPUTIME_ID) - cpu, now(CLOCK_MONOTONIC) - wall)
  print("answer", taken.0, taken.1, rows.map(String.init).joined(separator: " "))
  fflush(nil)
}
