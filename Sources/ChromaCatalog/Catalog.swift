// The catalog: everything mutable that outlives a process, as transactions.
//
// It holds tenants, databases, collections and each collection's log of writes. The protocol speaks
// of transactions, never of SQL, so that a file, a memory model and a database server can stand
// behind it; one contract suite holds every conformer to the same outcomes and the same sentences.
//
// Invariants:
//   * One call is one transaction: it happened whole, or it threw and nothing happened. The one
//     exception is a commit that the operating system failed: the error is `.io`, the outcome is
//     known only after reopening, and the conformer refuses every later change.
//   * What a call returned is durable, and the next call on any conformer over the same storage, in
//     any process, sees it.
//   * A collection's log positions are 1, 2, 3, … without a hole; none is ever given twice.
//   * Everything that refers to a collection or database goes with it, in the same transaction.
//
// Threads: every call may come from any thread. Calls that change something are made by whoever
// holds the write turn, one at a time over all processes; a conformer stays whole if that is broken,
// but may then throw `.locked`. Reads come at any time and wait for no writer.
//
// Names are compared by their bytes. Whether they are long enough, and all other rules for what a
// caller may ask, are the engine's.

package import ChromaBase

/// Tenants, databases, collections and logs, as transactions.
package protocol Catalog: AnyObject, Sendable {
  // MARK: Tenants

  /// - Throws: `.alreadyExists` if there is one of that name.
  func createTenant(_ name: Text) throws(ChromaError)

  /// Returns if the tenant exists.
  ///
  /// - Throws: `.notFound` if it doesn't.
  func requireTenant(_ name: Text) throws(ChromaError)

  // MARK: Databases

  /// Creates a database. Its tenant need not exist, as in official Chroma.
  ///
  /// - Throws: `.alreadyExists` if the tenant has a database of that name, or the id is taken.
  func createDatabase(_ row: DatabaseRow) throws(ChromaError)

  /// - Throws: `.notFound` if there is none.
  func database(tenant: Text, name: Text) throws(ChromaError) -> DatabaseRow

  /// The tenant's databases ordered by the bytes of their names; empty for an unknown tenant.
  ///
  /// - Parameters:
  ///   - limit: How many at most; nil for all. Negative counts as 0.
  ///   - offset: How many to pass over first. Negative counts as 0.
  func databases(tenant: Text, limit: Int?, offset: Int) throws(ChromaError) -> [DatabaseRow]

  /// Deletes a database with its collections and their logs.
  ///
  /// - Returns: The log blobs that nothing refers to any more, in order of their bytes.
  /// - Throws: `.notFound` if there is none.
  func deleteDatabase(tenant: Text, name: Text) throws(ChromaError) -> [Text]

  // MARK: Collections

  /// Creates a collection with an empty log and no dimension.
  ///
  /// - Parameter getOrCreate: Whether one of the same name is returned as it is, not an error.
  /// - Returns: The collection as stored, and whether this call created it.
  /// - Throws: `.invalidArgument` if the database doesn't exist; `.alreadyExists` if the name is
  ///   taken in the database, or the id anywhere.
  func createCollection(_ new: NewCollection, getOrCreate: Bool) throws(ChromaError)
    -> (row: CollectionRow, isNew: Bool)

  /// - Throws: `.notFound` if there is none, or no such database.
  func collection(tenant: Text, database: Text, name: Text) throws(ChromaError) -> CollectionRow

  /// The collection of that id, in whichever database it is.
  ///
  /// - Throws: `.notFound` if there is none.
  func collection(id: UUID) throws(ChromaError) -> CollectionRow

  /// The database's collections ordered by id; empty for an unknown database.
  ///
  /// - Parameters:
  ///   - limit: How many at most; nil for all. Negative counts as 0.
  ///   - offset: How many to pass over first. Negative counts as 0.
  func collections(tenant: Text, database: Text, limit: Int?, offset: Int) throws(ChromaError)
    -> [CollectionRow]

  /// The number of the database's collections; 0 for an unknown database.
  func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int

  /// Changes what `change` names, and returns the collection as it then is.
  ///
  /// - Throws: `.notFound` if there is no such collection; `.alreadyExists` if another one of its
  ///   database has the new name.
  func modifyCollection(id: UUID, _ change: CollectionChange) throws(ChromaError) -> CollectionRow

  /// Deletes a collection with its log.
  ///
  /// - Throws: `.notFound` if there is none.
  func deleteCollection(tenant: Text, database: Text, name: Text) throws(ChromaError)
    -> DeletedCollection

  /// Deletes everything, then creates the default tenant and database again.
  ///
  /// - Returns: The log blobs that nothing refers to any more, in order of their bytes.
  func reset() throws(ChromaError) -> [Text]

  // MARK: Log

  /// Appends several batches, of one or several collections, in one transaction.
  ///
  /// They apply in order, each seeing those before it. One that is rejected leaves no trace and
  /// doesn't hinder the others. Each is judged in this order: a batch without records
  /// (`.invalidArgument`); a missing collection (`.notFound`); a request key seen before
  /// (`repeated`); an expected position that isn't the next (`.conflict`); another dimension than
  /// the collection's (`.invalidArgument`).
  ///
  /// - Returns: One result for each, in order. All that were appended are durable.
  /// - Throws: If nothing was appended.
  func append(_ appends: [LogAppend]) throws(ChromaError) -> [AppendResult]

  /// The collection and what its log holds after a position, from one state; nil if it is gone.
  ///
  /// Every read of a collection begins with this, so where nothing is new it costs a few
  /// microseconds.
  ///
  /// - Parameters:
  ///   - position: The last position that the caller has; 0 for none. The first row returned may
  ///     begin at or before it, if it also holds later ones.
  ///   - byteCountMax: Rows end before their payloads, blobs included, exceed this many bytes; but
  ///     the first row always comes. See `CollectionChanges.isComplete`.
  func changes(in collection: UUID, after position: Int64, byteCountMax: Int) throws(ChromaError)
    -> CollectionChanges?

  /// The names of all log blobs that rows refer to, in order of their bytes, each once.
  ///
  /// Under the write turn, a log blob that isn't among them belongs to nobody.
  func referencedBlobs() throws(ChromaError) -> [Text]

  // MARK: Closing

  /// Lets go of everything held. Every later call throws `.closed`; closing again does nothing.
  func close()
}
