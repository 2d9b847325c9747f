// What must hold between the rows of chroma.db, whoever wrote them.
//
// Reading checks what it reads, row by row. Here everything is checked against everything: a promise
// that two tables keep together, such as what a collection counts and what it has.

package import ChromaBase
import ChromaSQLite

extension SQLiteCatalog {
  /// A sentence for each promise between rows that does not hold, from one state; empty if all hold.
  ///
  /// Costs a pass over all tables and, for the log, over its rows without their payloads.
  package func inconsistencies() throws(ChromaError) -> [String] {
    try read { (connection) throws(ChromaError) in
      try connection.withTransaction(.deferred) { () throws(ChromaError) in
        var sentences: [String] = []
        for promise in Self.promises {
          let count = try connection.integer("SELECT count(*) FROM (\(promise.violations))")
          if count > 0 {
            sentences.append("The file \(database.path) has \(count) \(promise.sentence).")
          }
        }
        return sentences
      }
    }
  }

  private struct Promise {
    /// What there are too many of.
    let sentence: String
    /// Selects what breaks it.
    let violations: String
  }

  private static let promises = logPromises + versionPromises + indexPromises + retentionPromises

  private static let logPromises = [
    Promise(
      sentence: "collections that count other log rows than they have",
      violations: """
        SELECT 1 FROM collections AS c WHERE (log_row_count, log_byte_count) IS NOT (
          SELECT count(*), ifnull(sum(ifnull(length(payload), blob_byte_count)), 0)
          FROM log WHERE collection_key = c.key)
        """),
    Promise(
      sentence: "log rows that do not follow the one before them, or the version",
      violations: """
        SELECT 1 FROM (
          SELECT first_position, lag(first_position + record_count, 1, c.compacted_position + 1)
            OVER (PARTITION BY c.key ORDER BY first_position) AS expected
          FROM log JOIN collections AS c ON c.key = collection_key)
        WHERE first_position IS NOT expected
        """),
    Promise(
      sentence: "collections whose log does not reach their next position",
      violations: """
        SELECT 1 FROM collections AS c WHERE next_position IS NOT ifnull(
          (SELECT max(first_position + record_count) FROM log WHERE collection_key = c.key),
          c.compacted_position + 1)
        """),
    Promise(
      sentence: "collections with more kept request keys than there may be, or of rows still there",
      violations: """
        SELECT 1 FROM requests JOIN collections AS c ON c.key = collection_key GROUP BY c.key
        HAVING count(*) > \(Limits.keptRequestKeyCountMax)
          OR max(first_position) > c.compacted_position
        """),
    Promise(
      sentence: "request keys that stand twice",
      violations: """
        SELECT 1 FROM log JOIN requests USING (collection_key, request_key)
        """),
  ]

  private static let versionPromises = [
    Promise(
      sentence: "numbers of the last version other than 1",
      violations: "SELECT 1 FROM (SELECT count(*) AS n FROM versions) WHERE n <> 1"),
    Promise(
      sentence: "collections whose version was never given, or begins before it could",
      violations: """
        SELECT 1 FROM collections
        WHERE version NOT BETWEEN 0 AND (SELECT max(last) FROM versions)
          OR compacted_position NOT BETWEEN 0 AND next_position - 1
          OR (version = 0 AND (compacted_position > 0 OR compacted_byte_count > 0))
        """),
    Promise(
      sentence: "segments that cannot be in their collection's versions",
      violations: """
        SELECT 1 FROM segments AS s JOIN collections AS c ON c.key = s.collection_key
        WHERE first_version NOT BETWEEN 1 AND c.version OR row_count < 1
          OR end_version NOT BETWEEN first_version + 1 AND c.version
          OR (payload IS NULL) IS NOT (blob_name IS NOT NULL AND blob_byte_count >= 0)
        """),
    Promise(
      sentence: "deletions that do not fit their segment",
      violations: """
        SELECT 1 FROM deletions AS d JOIN segments AS s ON s.key = d.segment_key
          JOIN collections AS c ON c.key = s.collection_key
        WHERE d.row_count NOT BETWEEN 1 AND s.row_count
          OR d.first_version NOT BETWEEN s.first_version AND c.version
        """),
    Promise(
      sentence: "collections whose segments have more bytes than were ever written",
      violations: """
        SELECT 1 FROM collections AS c WHERE compacted_byte_count < (
          SELECT ifnull(sum(ifnull(length(payload), blob_byte_count)), 0)
          FROM segments WHERE collection_key = c.key)
        """),
  ]

  private static let indexPromises = [
    Promise(
      sentence: "collections whose index was never published, or covers more than their segments",
      violations: """
        SELECT 1 FROM collections
        WHERE generation NOT BETWEEN 0 AND (SELECT max(last) FROM versions)
          OR indexed_position NOT BETWEEN 0 AND compacted_position
          OR (generation = 0 AND indexed_position > 0)
        """),
    Promise(
      sentence: "collections that have an index without blobs, or blobs without an index",
      violations: """
        SELECT 1 FROM collections AS c WHERE (generation > 0) IS NOT EXISTS (
          SELECT 1 FROM index_blobs WHERE collection_key = c.key AND end_generation IS NULL)
        """),
    Promise(
      sentence: "blobs of indexes that cannot be in their collection's generations",
      violations: """
        SELECT 1 FROM index_blobs AS i JOIN collections AS c ON c.key = i.collection_key
        WHERE first_generation < 1 OR blob_byte_count < 1
          OR (end_generation IS NULL AND first_generation > c.generation)
          OR end_generation NOT BETWEEN first_generation + 1 AND (SELECT max(last) FROM versions)
        """),
  ]

  private static let retentionPromises = [
    Promise(
      sentence: "pins or garbage of numbers that were never given",
      violations: """
        SELECT 1 FROM pins WHERE version NOT BETWEEN 0 AND (SELECT max(last) FROM versions)
        UNION ALL SELECT 1 FROM garbage
        WHERE end_version NOT BETWEEN 1 AND (SELECT max(last) FROM versions)
        """),
    Promise(
      sentence: "former segments, blobs of indexes or garbage that no pin keeps",
      violations: """
        SELECT 1 FROM segments WHERE \(CatalogSQL.isUnpinnedSegment)
        UNION ALL SELECT 1 FROM index_blobs WHERE \(CatalogSQL.isUnpinnedIndexBlob)
        UNION ALL SELECT 1 FROM garbage WHERE \(CatalogSQL.isUnpinnedGarbage)
        """),
    Promise(
      sentence: "rows whose collection, database or segment is gone",
      violations: "SELECT 1 FROM pragma_foreign_key_check"),
  ]
}
