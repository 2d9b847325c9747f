// The catalog: everything mutable that outlives a process, as transactions.
//
// It holds tenants, databases, collections, and each collection's log of writes, its version (the
// segments that hold what the log no longer does) and its index over the vectors of those. The
// protocol speaks of transactions, never of SQL, so that a file, a memory model and a database server
// can stand behind it; one contract suite holds every conformer to the same outcomes and sentences.
//
// Invariants:
//   * One call is one transaction: it happened whole, or it threw and nothing happened. The one
//     exception is a commit that the operating system failed: the error is `.io`, the outcome is
//     known only after reopening, and the conformer refuses every later change.
//   * What a call returned is durable, and the next call on any conformer over the same storage, in
//     any process, sees it.
//   * A collection's log positions are 1, 2, 3, … without a hole; none is ever given twice.
//   * What a collection holds is its version and the log rows after the version's position. A
//     publication changes which of the two holds a record, never what the collection holds.
//   * Versions, and generations of indexes, are numbered over the whole catalog, upwards. A pin is
//     such a number: what was there under it stays until the pin goes.
//   * An index never covers more than the segments hold. It can be lost without losing a record.
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

  /// Deletes a database with all its collections.
  ///
  /// - Returns: The blobs that nothing refers to any more, in order of their bytes.
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

  /// The ids of all collections of all databases, ordered.
  func collectionIDs() throws(ChromaError) -> [UUID]

  /// The number of the database's collections; 0 for an unknown database.
  func collectionCount(tenant: Text, database: Text) throws(ChromaError) -> Int

  /// Changes what `change` names, and returns the collection as it then is.
  ///
  /// - Throws: `.notFound` if there is no such collection; `.alreadyExists` if another one of its
  ///   database has the new name.
  func modifyCollection(id: UUID, _ change: CollectionChange) throws(ChromaError) -> CollectionRow

  /// Deletes a collection with its log, versions, index and leases.
  ///
  /// - Throws: `.notFound` if there is none.
  func deleteCollection(tenant: Text, database: Text, name: Text) throws(ChromaError)
    -> DeletedCollection

  /// Deletes everything but pins, then creates the default tenant and database again.
  ///
  /// - Returns: The blobs that nothing refers to any more, in order of their bytes.
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

  /// The collection, its version and its index if those aren't the known ones, and what its log holds
  /// beyond what is known, from one state; nil if it is gone.
  ///
  /// Every read of a collection begins with this, so where nothing is new it costs a few
  /// microseconds.
  ///
  /// - Parameters:
  ///   - known: What the caller has. The first row returned may begin at or before its position, if
  ///     it also holds later ones. A position before the version's own counts as that.
  ///   - byteCountMax: Rows end before their payloads, blobs included, exceed this many bytes; but
  ///     the first row always comes. See `CollectionChanges.isComplete`.
  func changes(in collection: UUID, after known: KnownState, byteCountMax: Int)
    throws(ChromaError) -> CollectionChanges?

  // MARK: Versions

  /// The collection, its version and its index, from one state; nil if it is gone.
  func manifest(of collection: UUID) throws(ChromaError)
    -> (row: CollectionRow, manifest: VersionManifest, index: IndexManifest)?

  /// Replaces a collection's version, removes the log rows that the new one holds, and releases the
  /// lease.
  ///
  /// A request key is known after its row is gone, as long as it is among the collection's newest
  /// `Limits.keptRequestKeyCountMax` of those. Expired pins and leases go as well.
  ///
  /// - Throws: `.notFound` if there is no such collection; `.invalidArgument` if the publication
  ///   contradicts what is there.
  func publish(_ publication: Publication) throws(ChromaError) -> PublishResult

  /// Extends, replaces or drops a collection's index, and releases the lease or renews it. Nothing
  /// else of the collection changes, its version neither.
  ///
  /// Expired pins and leases go as well.
  ///
  /// - Throws: `.notFound` if there is no such collection; `.invalidArgument` if the publication
  ///   contradicts what is there.
  func publishIndex(_ publication: IndexPublication) throws(ChromaError) -> PublishResult

  /// Takes the collection's lease of that kind, unless another one is there and has not expired.
  /// Whoever has it may take it again, with another blob or deadline.
  ///
  /// - Returns: Whether it was taken.
  /// - Throws: `.notFound` if there is no such collection.
  func acquireLease(_ lease: Lease) throws(ChromaError) -> Bool

  /// - Parameter deadline: In wall nanoseconds.
  /// - Returns: Whether it is still there, expired or not. If not, another one was taken, or the
  ///   collection is gone.
  func renewLease(id: UUID, deadline: Int64) throws(ChromaError) -> Bool

  /// Gives a lease up; nothing happens if it is gone.
  func releaseLease(id: UUID) throws(ChromaError)

  // MARK: Pins

  /// Keeps every blob that is in use now until the pin goes, or expires and another call finds it so.
  ///
  /// - Parameter deadline: In wall nanoseconds.
  /// - Throws: `.alreadyExists` if there is a pin of that id.
  func pin(id: UUID, deadline: Int64) throws(ChromaError)

  /// - Parameter deadline: In wall nanoseconds.
  /// - Returns: Whether the pin is still there, and has kept everything until now.
  func renewPin(id: UUID, deadline: Int64) throws(ChromaError) -> Bool

  /// Lets go of a pin; nothing happens if it is gone.
  ///
  /// - Returns: The blobs that nothing needs any more, in order of their bytes.
  func unpin(id: UUID) throws(ChromaError) -> [Text]

  // MARK: Blobs and space

  /// The names of all blobs that rows, pins and unexpired leases refer to, in order of their bytes,
  /// each once.
  ///
  /// Under the write turn, a blob that isn't among them belongs to nobody.
  func referencedBlobs() throws(ChromaError) -> [Text]

  /// Whether a lease that has not expired names a blob.
  func isAnyBlobLeased() throws(ChromaError) -> Bool

  /// Gives the space of what was deleted back, where `publish` left some for the next writes. In
  /// several transactions, if it is much.
  func shrink() throws(ChromaError)

  /// Moves everything committed to where it lasts, so that nothing deleted remains on the way there.
  ///
  /// - Returns: Whether everything was moved: a reader, of whichever process, may be in the way.
  func foldBackAll() throws(ChromaError) -> Bool

  // MARK: Closing

  /// Lets go of everything held. Every later call throws `.closed`; closing again does nothing.
  func close()
}

extension Catalog {
  package func hasCollection(_ id: UUID) throws(ChromaError) -> Bool {
    do throws(ChromaError) {
      _ = try collection(id: id)
      return true
    } catch {
      guard error.kind == .notFound else { throw error }
      return false
    }
  }
}
