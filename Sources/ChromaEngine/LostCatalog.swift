// A directory whose catalog is gone while its blobs are there.

import ChromaBase
import ChromaCatalog
import ChromaStorage

/// Tells a directory that lost its catalog from a new one. Opened as a new one, the first sweep would
/// remove its blobs, which hold what the catalog can be rebuilt from.
enum LostCatalog {
  /// Refuses a directory that has blobs, or the mark of a copy, and no catalog or one that nothing was
  /// ever written to.
  ///
  /// No crash leaves that: the first blob is written after the catalog's creation is durable. Nor a
  /// backup or restoration that was cut off: its catalog comes last.
  ///
  /// - Throws: `.corruption` naming the catalog's file; the directory is as it was.
  static func refuse(
    in directory: String, blobs: BlobStore, fileSystem: any FileSystem
  ) throws(ChromaError) {
    guard try SQLiteCatalog.isUnwritten(in: directory, fileSystem) else { return }
    let mark = "\(directory)/\(SQLiteCatalog.backupMarkName)"
    if try fileSystem.attributes(mark) != nil {
      throw .corruption(
        "The directory \(directory) holds a backup or a restoration that was cut off before its end: "
          + "\(mark) is there, and no catalog. Nothing was changed. Make the backup again; restore "
          + "into an empty directory.")
    }
    let count = try blobs.list().count
    // Asked again: another process may have created the catalog, and written blobs, since.
    guard count > 0, try SQLiteCatalog.isUnwritten(in: directory, fileSystem) else { return }
    throw .corruption(
      "The file \(directory)/\(SQLiteCatalog.fileName) is missing or empty, but blobs of a database "
        + "are there (\(count) files). Nothing was changed. Put the file back, from a backup for one, or "
        + "repair the directory: that rebuilds the file from the blobs.")
  }
}
