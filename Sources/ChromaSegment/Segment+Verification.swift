// Everything that can be wrong with a segment, looked for.

package import ChromaBase
internal import ChromaKernels

extension Segment {
  /// Reads the whole segment and checks every rule of its format, beyond what reading needs.
  ///
  /// - Throws: `.corruption` naming the file and the first place that is wrong; `.io`, `.cancelled`.
  package func verifyAll(cancel: CancelToken? = nil) throws(ChromaError) {
    _ = try payload.bytes(from: 0, count: payload.byteCount)
    try trailer.verifySections(of: payload)
    try verifySlots()
    try ids.verify()
    try forEachRow(cancel) { (row) throws(ChromaError) in
      try verifyVector(row)
      let id = try id(row)
      guard !id.isEmpty else { throw damage("the id of row \(row) is empty") }
      guard try self.row(of: id) == row else { throw damage("the id of row \(row) is not found") }
      _ = try document(row)
      _ = try uri(row)
      _ = try metadata(row)
    }
    try metadatas?.verify()
    try verifyValueIndexes(cancel)
    try verifyTextIndex(cancel)
  }

  /// Whether the index of the documents, if there is one, is that of these documents.
  private func verifyTextIndex(_ cancel: CancelToken?) throws(ChromaError) {
    // Found wrong when the segment was opened, it only is not there.
    let index = try trailer.textIndex(trailer.sections(of: payload), of: documents)
    guard let index else { return }
    var builder = TextIndexBuilder()
    var reader = DocumentReader(self)
    for chunk in index.chunks {
      try cancel?.check()
      for row in chunk.firstRow..<chunk.firstRow + chunk.rowCount {
        let isThere: Void? = try reader.withDocument(row) { builder.append($0) }
        if isThere == nil { builder.append(nil as Text?) }
      }
      builder.sort()
      try index.reader(of: chunk).verify(builder.pairs)
      builder.removeAll()
    }
  }

  private func forEachRow(
    _ cancel: CancelToken?, _ body: (Int) throws(ChromaError) -> Void
  ) throws(ChromaError) {
    for row in 0..<rowCount {
      if row % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      try body(row)
    }
  }

  private func verifySlots() throws(ChromaError) {
    let sorted = (0..<rowCount).map { slot($0) }.sorted()
    for index in 1..<max(rowCount, 1) where sorted[index] == sorted[index - 1] {
      throw damage("two rows have the slot \(sorted[index])")
    }
  }

  private func verifyVector(_ row: Int) throws(ChromaError) {
    let bytes = UnsafeRawBufferPointer(
      start: vectorRow(row), count: vectorShape.strideByteCount)
    guard bytes[vectorShape.rowByteCount...].allSatisfy({ $0 == 0 }) else {
      throw damage("what fills up the vector of row \(row) is not zero")
    }
    var isFinite = false
    var isWritten = false
    try withVector(row) { (vector) in
      isFinite = vector.allSatisfy(\.isFinite)
      isWritten = withUnsafeTemporaryAllocation(
        byteCount: vectorShape.rowByteCount, alignment: 4
      ) { written in
        vectorType.encode(vector, into: written.baseAddress!) == nil
          && written.elementsEqual(bytes[..<written.count])
      }
    }
    guard isFinite else { throw damage("the vector of row \(row) is not finite") }
    guard isWritten else {
      throw damage("the vector of row \(row) is none that \(vectorType.rawValue) is written as")
    }
    if space == .cosine, inverseNorm(row) < 0 || inverseNorm(row).isInfinite {
      throw damage("the norm of row \(row) is \(inverseNorm(row))")
    }
  }

  private func damage(_ what: String) -> ChromaError {
    payload.damage(what, at: 0)
  }
}

extension IDColumn {
  /// Ends, order of the hashes, and that each row stands where its id's hash is looked for.
  fileprivate func verify() throws(ChromaError) {
    guard try ends.total(limit: textByteCount) == textByteCount else {
      throw ends.values.damage("the ids do not fill their place")
    }
    var isSeen = [Bool](repeating: false, count: ends.count)
    var previous: (hash: UInt64, id: Text)?
    for index in 0..<ends.count {
      let row = try rows.number(index, below: ends.count)
      let id = try id(row)
      let hash = try hash(index)
      guard hash == IDHash.of(id), !isSeen[row] else {
        throw rows.values.damage("the id of row \(row) is not where its hash is looked for")
      }
      if let previous, (hash, id) <= previous {
        throw rows.values.damage("the id of row \(row) is out of order, or there twice")
      }
      isSeen[row] = true
      previous = (hash, id)
    }
  }
}

extension MetadataColumns {
  /// Order of the rows of each column, and that arrays fill their place.
  fileprivate func verify() throws(ChromaError) {
    for column in columns {
      if let ends = column.arrayEnds,
        try ends.total(limit: column.scalarCount) != column.scalarCount
      {
        throw ends.values.damage("the metadata arrays do not fill their place")
      }
      guard let rows = column.rows else { continue }
      var previous = -1
      for place in 0..<rows.count {
        let row = try rows.number(place, below: rowCount)
        guard row > previous else { throw rows.values.damage("row \(row) is out of order") }
        previous = row
      }
    }
  }
}

extension TextIndexChunkReader {
  /// Whether entries and lists are those of some pairs, ascending.
  fileprivate func verify(_ pairs: [UInt64]) throws(ChromaError) {
    var place = 0
    for index in 0..<chunk.gramCount {
      let gram = UInt64(entry(index).gram)
      let start = place
      let isRight = try list(index).forEach(below: chunk.rowCount) { row in
        guard place < pairs.count, pairs[place] == gram << 16 | UInt64(row) else { return false }
        place += 1
        return true
      }
      let isWhole = place == pairs.count || pairs[place] >> 16 != gram
      guard isRight, isWhole, place > start else { throw difference() }
    }
    let listByteCount = chunk.gramCount == 0 ? 0 : entry(chunk.gramCount - 1).end
    guard place == pairs.count, listByteCount == chunk.listByteCount else { throw difference() }
  }
}
