// Backups of a database that is in use.

package import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaStorage

/// What a backup, or restoring one, came to.
package struct BackupReport: Equatable, Sendable {
  /// What the copy holds.
  package let blobCount: Int
  package let byteCount: Int64
  /// What this call copied.
  package let copiedBlobCount: Int
  package let copiedByteCount: Int64
  /// Blobs of an earlier backup that nothing needs any more.
  package let removedBlobCount: Int
}

extension Recovery {
  /// Copies a database, as it is at one moment, into a directory, while others read and write it.
  ///
  /// The copy is a database directory like any other. Where the target is an earlier backup, only
  /// what it lacks is copied; until the end it stays what it was. A call that was cut off is gone on
  /// with by calling again.
  ///
  /// - Parameters:
  ///   - source: An absolute path.
  ///   - target: An absolute path; made if nothing is there.
  /// - Throws: `.invalidArgument` if the target lies in the source, or holds something that is no
  ///   backup, or one that was written to since; `.corruption` naming a damaged file of the source;
  ///   `.notFound`, `.locked`, `.cancelled`, `.io`, `.outOfSpace`.
  @discardableResult
  package static func backup(
    _ source: String, to target: String, _ environment: RecoveryEnvironment = .system,
    cancel: CancelToken? = nil, progress: ProgressReport? = nil
  ) throws(ChromaError) -> BackupReport {
    let files = environment.fileSystem
    try DatabaseFiles.requireSound(source, in: files)
    try refuse(target, asCopyOf: source, in: files)
    try files.createDirectories(target)
    try refuseOwnData(of: target, in: files)
    let turn = try WriteTurn(fileSystem: files, directory: target, clock: environment.clock)
    try turn.acquire(timeoutMilliseconds: Limits.writeTurnTimeoutMilliseconds)
    defer { turn.release() }
    let pin = try BackupPin(source, environment)
    do throws(ChromaError) {
      let report = try backup(source, target, environment, Meter(cancel, progress), pin)
      pin.release()
      return report
    } catch {
      pin.release()
      throw error
    }
  }

  private static func backup(
    _ source: String, _ target: String, _ environment: RecoveryEnvironment, _ meter: Meter,
    _ pin: BackupPin
  ) throws(ChromaError) -> BackupReport {
    let files = environment.fileSystem
    let copy = DatabaseCopy(from: source, to: target, environment, meter) {
      () throws(ChromaError) in try pin.renew()
    }
    try BackupMark.unfinished.write(target, in: files)
    let blobs = try copy.copy(
      try copy.copyCatalog(
        from: SQLiteDatabase(
          path: "\(source)/\(DatabaseFiles.catalog)", fileSystem: files, clock: environment.clock,
          random: environment.random)))
    try copy.replaceCatalog()
    let catalog = try DatabaseCopy.fingerprint(target, in: files)
    try BackupMark(
      state: .whole, catalogByteCount: catalog.byteCount, catalogChecksum: catalog.checksum
    ).write(target, in: files)
    let removedCount = try copy.removeBlobs(but: blobs)
    return BackupReport(
      blobCount: blobs.count,
      byteCount: Int64(catalog.byteCount) + blobs.reduce(0) { $0 + Int64($1.byteCount) },
      copiedBlobCount: copy.copiedBlobCount, copiedByteCount: copy.copiedByteCount,
      removedBlobCount: removedCount)
  }

  /// Copies a whole backup into a directory that holds nothing yet, checking every byte.
  ///
  /// - Parameters:
  ///   - source: The backup's absolute path.
  ///   - target: An absolute path; made if nothing is there.
  /// - Throws: `.invalidArgument` if the source is no whole backup, or the target lies in it;
  ///   `.alreadyExists` if the target holds anything but what restoring left when it was cut off;
  ///   `.corruption` naming the damaged file; `.cancelled`, `.io`, `.outOfSpace`.
  @discardableResult
  package static func restore(
    _ source: String, to target: String, _ environment: RecoveryEnvironment = .system,
    cancel: CancelToken? = nil, progress: ProgressReport? = nil
  ) throws(ChromaError) -> BackupReport {
    let files = environment.fileSystem
    guard try BackupMark.read(source, in: files)?.state == .whole else {
      throw .invalidArgument(
        "The directory \(source) is no backup, or one that was cut off before its end.")
    }
    try refuse(target, asCopyOf: source, in: files)
    try files.createDirectories(target)
    let names = try files.list(target)
    let isUnfinished =
      try BackupMark.read(target, in: files)?.state == .unfinished
      && !names.contains(DatabaseFiles.catalog)
    guard names.isEmpty || isUnfinished else {
      throw ChromaError(
        .alreadyExists,
        "The directory \(target) is not empty. Restore into a new directory.")
    }
    try BackupMark.unfinished.write(target, in: files)
    let held = try CatalogGuard(source, environment)
    guard let image = try CatalogImage(source, in: files), image.pageCount > 0,
      image.walDamages.isEmpty
    else { throw .corruption("The file \(source)/\(DatabaseFiles.catalog) is damaged.") }
    let frozen = try FrozenFileSystem(image, directory: source, mends: false)
    let copy = DatabaseCopy(from: source, to: target, environment, Meter(cancel, progress))
    let blobs = try copy.copy(
      try copy.copyCatalog(
        from: SQLiteDatabase(
          path: "\(source)/\(DatabaseFiles.catalog)", fileSystem: frozen,
          clock: environment.clock, random: environment.random)))
    guard try held.holds() else {
      throw ChromaError(.locked, "The backup \(source) was opened while it was copied. Try again.")
    }
    try copy.replaceCatalog()
    _ = try copy.removeBlobs(but: blobs)
    try files.remove("\(target)/\(BackupMark.fileName)")
    try files.syncDirectory(target)
    let catalogByteCount = try DatabaseCopy.fingerprint(target, in: files).byteCount
    return BackupReport(
      blobCount: blobs.count,
      byteCount: Int64(catalogByteCount) + blobs.reduce(0) { $0 + Int64($1.byteCount) },
      copiedBlobCount: copy.copiedBlobCount, copiedByteCount: copy.copiedByteCount,
      removedBlobCount: 0)
  }

  // MARK: What is refused

  private static func refuse(
    _ target: String, asCopyOf source: String, in files: any FileSystem
  ) throws(ChromaError) {
    let sourceIdentity = try files.attributes(source)?.identity
    // Upwards from the target: it may be reached by another path.
    var path = target
    while true {
      if let identity = try files.attributes(path)?.identity, identity == sourceIdentity {
        throw .invalidArgument(
          "The directory \(target) is the database \(source), or lies in it. Choose another one.")
      }
      if path == "/" { return }
      path = Place.parent(of: path)
    }
  }

  /// Refuses a target that holds more than an earlier backup.
  private static func refuseOwnData(
    of target: String, in files: any FileSystem
  ) throws(ChromaError) {
    let names = try files.list(target).filter { $0 != DatabaseFiles.lock }
    if names.isEmpty { return }
    guard let mark = try BackupMark.read(target, in: files) else {
      // Cut off before anything else was written.
      if names == ["\(BackupMark.fileName).tmp"] { return }
      throw .invalidArgument(
        "The directory \(target) holds something that is no backup. Choose another one.")
    }
    guard mark.state == .whole else { return }
    let wal = try files.attributes("\(target)/\(DatabaseFiles.wal)")?.byteCount ?? 0
    let catalog = try DatabaseCopy.fingerprint(target, in: files)
    guard wal == 0,
      catalog == (mark.catalogByteCount, mark.catalogChecksum)
    else {
      throw .invalidArgument(
        "The backup \(target) was written to, or damaged, since it was made: it is a database of its "
          + "own now. Choose another directory.")
    }
  }
}

/// Keeps what a backup reads until it is done.
final class BackupPin {
  private let catalog: SQLiteCatalog
  private let turn: WriteTurn
  private let blobs: BlobStore
  private let clock: any Clock
  private let id: UUID
  private var renewalTime: Int64

  init(_ directory: String, _ environment: RecoveryEnvironment) throws(ChromaError) {
    let files = environment.fileSystem
    clock = environment.clock
    id = UUID(random: environment.random)
    catalog = try SQLiteCatalog(
      fileSystem: files, directory: directory, clock: clock, random: environment.random)
    turn = try WriteTurn(fileSystem: files, directory: directory, clock: clock)
    blobs = BlobStore(fileSystem: files, directory: "\(directory)/blobs")
    renewalTime = 0
    let deadline = nextDeadline()
    let (catalog, id) = (catalog, id)
    do throws(ChromaError) {
      try Self.exclusively(turn) { () throws(ChromaError) in
        try catalog.pin(id: id, deadline: deadline)
      }
    } catch {
      catalog.close()
      throw error
    }
  }

  /// Keeps it for longer, if it is time.
  ///
  /// - Throws: `.conflict` if it was too late.
  func renew() throws(ChromaError) {
    guard clock.wallNanoseconds() >= renewalTime else { return }
    let deadline = nextDeadline()
    let isKept = try Self.exclusively(turn) { () throws(ChromaError) in
      try catalog.renewPin(id: id, deadline: deadline)
    }
    guard isKept else {
      throw ChromaError(
        .conflict,
        "The backup stood still for so long that the database went on without it. Call again to go "
          + "on with what was copied.")
    }
  }

  func release() {
    // Whatever fails here, the pin expires.
    _ = try? Self.exclusively(turn) { () throws(ChromaError) in
      for name in try catalog.unpin(id: id) { try? blobs.delete(name.string) }
    }
    catalog.close()
  }

  private func nextDeadline() -> Int64 {
    let now = clock.wallNanoseconds()
    renewalTime = now &+ Limits.backupPinNanoseconds / 3
    return now &+ Limits.backupPinNanoseconds
  }

  private static func exclusively<R>(
    _ turn: WriteTurn, _ work: () throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    try turn.acquire(timeoutMilliseconds: Limits.writeTurnTimeoutMilliseconds)
    defer { turn.release() }
    return try work()
  }
}
