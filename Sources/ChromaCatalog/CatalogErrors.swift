// The sentences of a catalog, one for each thing that can be wrong, so that every conformer says the
// same. Where official Chroma 1.5.9 has a wording, it is that.

package import ChromaBase

extension ChromaError {
  static func tenantExists(_ name: Text) -> ChromaError {
    ChromaError(.alreadyExists, "Tenant [\(name)] already exists")
  }

  static func tenantNotFound(_ name: Text) -> ChromaError {
    .notFound("Tenant [\(name)] not found")
  }

  /// By name, or by id if that is what is taken.
  static func databaseExists(_ nameOrID: some CustomStringConvertible) -> ChromaError {
    ChromaError(.alreadyExists, "Database [\(nameOrID)] already exists")
  }

  static func databaseNotFound(_ name: Text) -> ChromaError {
    .notFound("Database [\(name)] not found. Are you sure it exists?")
  }

  static func databaseToDeleteNotFound(_ name: Text) -> ChromaError {
    .notFound("Database [\(name)] not found")
  }

  static func databaseOfCollectionNotFound(_ name: Text) -> ChromaError {
    .invalidArgument("Database [\(name)] does not exist")
  }

  /// By name, or by id if that is what is taken.
  static func collectionExists(_ nameOrID: some CustomStringConvertible) -> ChromaError {
    ChromaError(.alreadyExists, "Collection [\(nameOrID)] already exists")
  }

  static func collectionNotFound(_ nameOrID: some CustomStringConvertible) -> ChromaError {
    .notFound("Collection [\(nameOrID)] does not exist")
  }

  /// Of a record operation, where official Chroma's sentence ends in a period.
  static func collectionOfRecordsNotFound(_ id: UUID) -> ChromaError {
    .notFound("Collection [\(id)] does not exist.")
  }

  static func newCollectionNameTaken() -> ChromaError {
    ChromaError(
      .alreadyExists,
      "Database error: error returned from database: (code: 2067) "
        + "UNIQUE constraint failed: collections.name, collections.database_id")
  }

  static func impossibleBatch() -> ChromaError {
    .invalidArgument(
      "A batch in the log must hold at least 1 record, in vectors of at least 1 element if any, "
        + "and at most \(Limits.batchByteCountMax) bytes.")
  }

  package static func dimensionMismatch(expected: Int, actual: Int) -> ChromaError {
    .invalidArgument("Collection expecting embedding with dimension of \(expected), got \(actual)")
  }

  static func positionMismatch(expected: Int64, actual: Int64) -> ChromaError {
    ChromaError(
      .conflict,
      "The collection's next log position is \(actual), not \(expected) as this write expects: "
        + "another write came first. Read the collection again and decide anew.")
  }

  static func positionsExhausted(_ id: UUID) -> ChromaError {
    ChromaError(
      .resourceExhausted,
      "Collection [\(id)] has no log positions left for this batch: they end at 2^63 - 1. "
        + "Copy what is live into a new collection.")
  }

  static func pinExists(_ id: UUID) -> ChromaError {
    ChromaError(.alreadyExists, "Pin [\(id)] already exists")
  }

  /// For every call that would change something.
  package static func openedReadOnly(_ directory: String) -> ChromaError {
    ChromaError(
      .permissionDenied,
      "The database in \(directory) was opened read-only, so nothing can be written or deleted "
        + "through this client. Open it without read-only to change it.")
  }

  static func catalogClosed() -> ChromaError {
    .closed("The database is closed. Open it again to go on.")
  }
}
