// The Swift door: backup, restore, verify, repair.

import ChromaBase
import ChromaEngine
import ChromaRecovery

/// Is told how far a long call has come, on another thread. The total may grow.
public typealias ProgressHandler =
  @Sendable (_ doneByteCount: Int64, _ totalByteCount: Int64) ->
  Void

extension Client {
  /// Copies the whole database into a directory as it is at one moment, while anybody goes on reading
  /// and writing. The copy is a database like any other.
  ///
  /// - Parameter path: Made if missing; an earlier backup there is brought up to date, by what is
  ///   new.
  /// - Throws: `.invalidArgument` if the database is in memory, or the directory is the database,
  ///   lies in it, or holds something that is no backup; `.corruption` with the file's name if the
  ///   database is damaged, and then an earlier backup stays as it was; `.cancelled`, `.locked`,
  ///   `.io`, `.outOfSpace`.
  @discardableResult
  public func backup(
    to path: String, progress: @escaping ProgressHandler = { _, _ in }
  ) async throws(ChromaError) -> CopyReport {
    try await inBackground { [self] (cancel) throws(ChromaBase.ChromaError) in
      CopyReport(
        try Recovery.backup(
          engine.requireDirectory(), to: EngineHandle.absolute(path), cancel: cancel,
          progress: { progress($0.doneByteCount, $0.totalByteCount) }))
    }
  }

  /// Copies a finished backup into a new or empty directory, checking every byte.
  ///
  /// - Throws: `.alreadyExists` if it is not empty, `.invalidArgument` if the source is no
  ///   finished backup, `.corruption`, `.cancelled`, `.io`, `.outOfSpace`.
  @discardableResult
  public static func restore(
    _ source: String, to path: String, progress: @escaping ProgressHandler = { _, _ in }
  ) async throws(ChromaError) -> CopyReport {
    try await inBackground { (cancel) throws(ChromaBase.ChromaError) in
      CopyReport(
        try Recovery.restore(
          EngineHandle.absolute(source), to: EngineHandle.absolute(path), cancel: cancel,
          progress: { progress($0.doneByteCount, $0.totalByteCount) }))
    }
  }

  /// Reads all of a directory, which anybody may have open, and changes nothing.
  ///
  /// - Returns: Everything that is damaged; empty if the database is sound.
  /// - Throws: `.notFound`, `.unsupportedFormat`, `.cancelled`, `.io`. Damage is no error.
  public static func verify(
    path: String, progress: @escaping ProgressHandler = { _, _ in }
  ) async throws(ChromaError) -> [Finding] {
    try await inBackground { (cancel) throws(ChromaBase.ChromaError) in
      try Recovery.verify(
        EngineHandle.absolute(path), cancel: cancel,
        progress: { progress($0.doneByteCount, $0.totalByteCount) }
      ).map { Finding($0) }
    }
  }

  /// Rebuilds what can be rebuilt of a damaged directory, the catalog included, and takes out what
  /// cannot be read, so that the rest works. A second repair finds nothing to do.
  ///
  /// - Throws: `.locked` if any process has the directory open, this one included; `.notFound`,
  ///   `.unsupportedFormat`, `.cancelled`, `.io`, `.outOfSpace`.
  @discardableResult
  public static func repair(
    path: String, progress: @escaping ProgressHandler = { _, _ in }
  ) async throws(ChromaError) -> RepairReport {
    try await inBackground { (cancel) throws(ChromaBase.ChromaError) in
      RepairReport(
        try Recovery.repair(
          EngineHandle.absolute(path), cancel: cancel,
          progress: { progress($0.doneByteCount, $0.totalByteCount) }))
    }
  }
}

/// What a backup or a restoration took. Blobs are files of data, beside the catalog.
public struct CopyReport: Equatable, Sendable {
  public let blobCount: Int
  public let byteCount: Int64
  /// Blobs that were not there from an earlier backup.
  public let copiedBlobCount: Int
  public let copiedByteCount: Int64
  /// Blobs of the earlier backup that the new one needs no more.
  public let removedBlobCount: Int

  init(_ report: BackupReport) {
    blobCount = report.blobCount
    byteCount = report.byteCount
    copiedBlobCount = report.copiedBlobCount
    copiedByteCount = report.copiedByteCount
    removedBlobCount = report.removedBlobCount
  }
}

/// One thing in a directory that is not as it should be.
public struct Finding: Equatable, Sendable {
  public enum Severity: Equatable, Sendable {
    /// Stored bytes are wrong or missing.
    case damage
    /// Bytes that nothing needs, and that go by themselves.
    case waste
  }

  public let severity: Severity
  /// A sentence.
  public let what: String
  /// In the directory, as "chroma.db".
  public let file: String
  /// Where in the file, as "page 17"; nil for all of it.
  public let place: String?
  /// Whose data it is, if that is known.
  public let collectionName: String?
  /// Whether `Client.repair` does away with it; what the bytes held may be lost.
  public let isRepairable: Bool

  init(_ finding: ChromaRecovery.Finding) {
    severity = finding.severity == .damage ? .damage : .waste
    what = finding.what
    file = finding.file
    place = finding.place.isEmpty ? nil : finding.place
    collectionName = finding.collectionName?.string
    isRepairable = finding.isRepairable
  }
}

/// What a repair did. Without actions there was nothing to do.
public struct RepairReport: Equatable, Sendable {
  /// What could not be read.
  public struct Loss: Equatable, Sendable {
    /// A sentence.
    public let what: String
    public let collectionName: String?
    /// How many records are lost, if that is known.
    public let recordCount: Int?
    /// Their ids, as far as they could be read; at most 1,000.
    public let ids: [String]
  }

  /// What was done, in sentences.
  public let actions: [String]
  public let losses: [Loss]
  /// Where what was replaced is kept, in the directory; nil if nothing was replaced.
  public let savedDirectory: String?

  init(_ report: ChromaRecovery.RepairReport) {
    actions = report.actions
    losses = report.losses.map {
      Loss(
        what: $0.what, collectionName: $0.collectionName?.string, recordCount: $0.recordCount,
        ids: $0.ids.map(\.string))
    }
    savedDirectory = report.savedDirectory
  }
}
