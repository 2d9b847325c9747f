// The statements about segments, indexes, leases, pins, and the blobs that all of them name.

import ChromaBase

extension CatalogSQL {
  // MARK: Versions

  static let selectLastVersion = "SELECT last FROM versions"
  static let updateLastVersion = "UPDATE versions SET last = ?1"

  /// A collection's segments of the current version, in order of publication.
  static let listSegments = """
    SELECT s.key, s.id, s.first_version, s.row_count, s.payload, s.blob_name, s.blob_byte_count,
      d.row_count, d.bitmap, d.first_version
    FROM segments AS s LEFT JOIN deletions AS d ON d.segment_key = s.key
    WHERE s.collection_key = ?1 AND s.end_version IS NULL ORDER BY s.key
    """
  static let selectSegment = "SELECT 1 FROM segments WHERE collection_key = ?1 AND id = ?2"
  static let insertSegment = """
    INSERT INTO segments
      (collection_key, id, first_version, row_count, payload, blob_name, blob_byte_count)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    """
  static let endSegment = """
    UPDATE segments SET end_version = ?3
    WHERE collection_key = ?1 AND id = ?2 AND end_version IS NULL
    """
  static let replaceDeletions = """
    INSERT OR REPLACE INTO deletions (segment_key, first_version, row_count, bitmap)
    SELECT key, ?3, ?4, ?5 FROM segments WHERE collection_key = ?1 AND id = ?2
    """
  static let updateVersion = """
    UPDATE collections SET version = ?2, compacted_position = ?3, compacted_byte_count = ?4,
      log_row_count = ?5, log_byte_count = ?6
    WHERE key = ?1
    """

  // MARK: Indexes

  /// The blobs of a collection's current index, in the order in which they apply.
  static let listIndexBlobs = """
    SELECT first_generation, blob_name, blob_byte_count FROM index_blobs
    WHERE collection_key = ?1 AND end_generation IS NULL ORDER BY key
    """
  static let selectIndexBlob =
    "SELECT 1 FROM index_blobs WHERE collection_key = ?1 AND blob_name = ?2"
  static let endIndexBlobs = """
    UPDATE index_blobs SET end_generation = ?2
    WHERE collection_key = ?1 AND end_generation IS NULL
    """
  static let insertIndexBlob = """
    INSERT INTO index_blobs (collection_key, first_generation, blob_name, blob_byte_count)
    VALUES (?1, ?2, ?3, ?4)
    """
  static let updateGeneration =
    "UPDATE collections SET generation = ?2, indexed_position = ?3 WHERE key = ?1"

  // MARK: The log that a version holds

  /// The last row that begins at or before position ?2.
  static let selectLogRowAt = """
    SELECT first_position, record_count FROM log
    WHERE collection_key = ?1 AND first_position <= ?2 ORDER BY first_position DESC LIMIT 1
    """
  static let listPrunedLog = """
    SELECT first_position, ifnull(length(payload), blob_byte_count), blob_name, request_key FROM log
    WHERE collection_key = ?1 AND first_position <= ?2 ORDER BY first_position
    """
  static let insertRequest = """
    INSERT INTO requests (collection_key, first_position, request_key) VALUES (?1, ?2, ?3)
    """
  static let deleteOldRequests = """
    DELETE FROM requests WHERE collection_key = ?1 AND first_position <= (
      SELECT first_position FROM requests WHERE collection_key = ?1
      ORDER BY first_position DESC LIMIT 1 OFFSET \(Limits.keptRequestKeyCountMax))
    """
  static let deleteLog = "DELETE FROM log WHERE collection_key = ?1 AND first_position <= ?2"

  // MARK: Leases and pins

  static let selectLease = "SELECT id, deadline FROM leases WHERE collection_key = ?1 AND kind = ?2"
  static let replaceLease = """
    INSERT OR REPLACE INTO leases (collection_key, kind, id, blob_name, holder, deadline)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    """
  static let renewLease = "UPDATE leases SET deadline = ?2 WHERE id = ?1"
  static let renewLeaseOfBlob =
    "UPDATE leases SET deadline = ?2, blob_name = ?3 WHERE id = ?1"
  static let deleteLease = "DELETE FROM leases WHERE id = ?1"
  static let deleteExpiredLeases = "DELETE FROM leases WHERE deadline <= ?1"

  static let selectPin = "SELECT 1 FROM pins WHERE id = ?1"
  static let insertPin = "INSERT INTO pins (id, version, deadline) VALUES (?1, ?2, ?3)"
  static let renewPin = "UPDATE pins SET deadline = ?2 WHERE id = ?1"
  static let deletePin = "DELETE FROM pins WHERE id = ?1"
  static let deleteExpiredPins = "DELETE FROM pins WHERE deadline <= ?1"
  static let selectAnyPin = "SELECT 1 FROM pins LIMIT 1"

  // MARK: Blobs

  /// Under the write turn, what is left of the deadline of a lease is what its holder has.
  static let listBlobs = """
    SELECT blob_name FROM log WHERE blob_name IS NOT NULL
    UNION SELECT blob_name FROM segments WHERE blob_name IS NOT NULL
    UNION SELECT blob_name FROM index_blobs
    UNION SELECT blob_name FROM leases WHERE blob_name IS NOT NULL AND deadline > ?1
    UNION SELECT blob_name FROM garbage
    ORDER BY blob_name
    """
  static let selectLeasedBlob =
    "SELECT 1 FROM leases WHERE blob_name IS NOT NULL AND deadline > ?1 LIMIT 1"
  static let listBlobsOfRows = """
    SELECT blob_name FROM log WHERE blob_name IS NOT NULL
    UNION SELECT blob_name FROM segments WHERE blob_name IS NOT NULL
    UNION SELECT blob_name FROM index_blobs
    """
  static let listBlobsOfCollection = """
    SELECT blob_name FROM log WHERE blob_name IS NOT NULL AND collection_key = ?1
    UNION SELECT blob_name FROM segments WHERE blob_name IS NOT NULL AND collection_key = ?1
    UNION SELECT blob_name FROM index_blobs WHERE collection_key = ?1
    """
  static let listBlobsOfDatabase = """
    SELECT l.blob_name FROM collections AS c JOIN log AS l ON l.collection_key = c.key
    WHERE c.database_key = ?1 AND l.blob_name IS NOT NULL
    UNION SELECT s.blob_name FROM collections AS c JOIN segments AS s ON s.collection_key = c.key
    WHERE c.database_key = ?1 AND s.blob_name IS NOT NULL
    UNION SELECT i.blob_name FROM collections AS c JOIN index_blobs AS i
      ON i.collection_key = c.key
    WHERE c.database_key = ?1
    """
  static let selectBlob = """
    SELECT 1 FROM log WHERE blob_name = ?1
    UNION ALL SELECT 1 FROM segments WHERE blob_name = ?1
    UNION ALL SELECT 1 FROM index_blobs WHERE blob_name = ?1
    """

  /// Segments that ended, and that no pin saw before their end.
  static let isUnpinnedSegment = """
    end_version > 0 AND NOT EXISTS (SELECT 1 FROM pins
      WHERE pins.version >= first_version AND pins.version < end_version)
    """
  static let listBlobsOfUnpinnedSegments =
    "SELECT blob_name FROM segments WHERE blob_name IS NOT NULL AND \(isUnpinnedSegment)"
  static let deleteUnpinnedSegments = "DELETE FROM segments WHERE \(isUnpinnedSegment)"
  /// Blobs of indexes that ended, and that no pin saw before their end.
  static let isUnpinnedIndexBlob = """
    end_generation > 0 AND NOT EXISTS (SELECT 1 FROM pins
      WHERE pins.version >= first_generation AND pins.version < end_generation)
    """
  static let listUnpinnedIndexBlobs =
    "SELECT blob_name FROM index_blobs WHERE \(isUnpinnedIndexBlob)"
  static let deleteUnpinnedIndexBlobs = "DELETE FROM index_blobs WHERE \(isUnpinnedIndexBlob)"
  static let isUnpinnedGarbage =
    "NOT EXISTS (SELECT 1 FROM pins WHERE pins.version < end_version)"
  static let listUnpinnedGarbage = "SELECT blob_name FROM garbage WHERE \(isUnpinnedGarbage)"
  static let deleteUnpinnedGarbage = "DELETE FROM garbage WHERE \(isUnpinnedGarbage)"
  static let replaceGarbage =
    "INSERT OR REPLACE INTO garbage (blob_name, end_version) VALUES (?1, ?2)"
}
