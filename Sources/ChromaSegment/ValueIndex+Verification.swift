// Whether indexes say what their columns say. They are made again, and compared.

internal import ChromaBase

extension Segment {
  /// - Throws: `.corruption`, `.io`, `.cancelled`.
  func verifyValueIndexes(_ cancel: CancelToken?) throws(ChromaError) {
    guard let section = try valueIndexes() else { return }
    guard let metadatas else { throw section.damage("the metadata that it is for is missing") }
    for number in metadatas.columns.indices {
      try cancel?.check()
      try section.index(number, of: metadatas)?.verify(cancel)
    }
  }
}

extension ValueIndex {
  fileprivate func verify(_ cancel: CancelToken?) throws(ChromaError) {
    guard column.scalarCount <= Int(UInt32.max) else {
      throw damage("\(column.scalarCount) values are too many for an index")
    }
    var builder = MetadataColumnBuilder(key: column.key, kind: column.kind)
    for place in 0..<column.rowCount {
      if place % Limits.cancellationRowInterval == 0 { try cancel?.check() }
      builder.append(try column.value(place), row: place)
    }
    let order = builder.order()
    var isRight = order.ends.count == distinctCount
    for number in 0..<distinctCount where isRight {
      let first = try first(number)
      isRight = order.ends[number] == ends[number] && Int(order.firsts[number]) == first
    }
    guard isRight else { throw damage("its distinct values are not those of the column") }
    switch postings {
    case .lists(let places):
      isRight = order.places.indices.allSatisfy { Int64(order.places[$0]) == places[$0] }
    case .bitmaps(let words, let wordCount):
      isRight = order.bitmaps(wordCount: wordCount).withUnsafeBytes {
        $0.elementsEqual(UnsafeRawBufferPointer(start: words, count: $0.count))
      }
    }
    guard isRight else { throw damage("a value is not where it says") }
  }
}
