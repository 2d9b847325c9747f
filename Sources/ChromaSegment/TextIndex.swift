// Which rows of a segment may hold a text.

package import ChromaBase

/// The index of a segment's documents.
package struct TextIndex: Sendable {
  private let rowsWithDocument: Bitset

  init(rowsWithDocument: Bitset) {
    self.rowsWithDocument = rowsWithDocument
  }

  /// Rows that hold a literal, at most. Costs a few looks at the entries of each chunk.
  package func estimate(_ literal: [UInt8]) throws(ChromaError) -> Int {
    rowsWithDocument.count
  }

  /// The rows that may hold a literal; if they are exact, the rows that do.
  ///
  /// - Parameters:
  ///   - literal: Any bytes. Of an empty one the rows are those with a document.
  ///   - candidates: Other rows are left out.
  package func rows(
    holding literal: [UInt8], within candidates: Bitset? = nil
  ) throws(ChromaError) -> (rows: Bitset, isExact: Bool) {
    let rows = candidates.map { $0.intersection(rowsWithDocument) } ?? rowsWithDocument
    return (rows, literal.isEmpty)
  }
}
