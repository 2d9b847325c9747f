// The names in a database directory, and what they say before anything is read.

import ChromaBase
import ChromaCatalog
import ChromaStorage

enum DatabaseFiles {
  static let catalog = SQLiteCatalog.fileName
  static let wal = "\(catalog)-wal"
  static let index = "\(catalog)-shm"
  static let journal = "\(catalog)-journal"
  /// What a repair has made, and is about to put in the catalog's place.
  static let repaired = "\(catalog).repaired"
  static let lock = "LOCK"
  static let blobs = "blobs"

  /// - Throws: `.notFound` if the directory holds no database.
  static func requireDatabase(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) {
    let names =
      try files.attributes(directory)?.kind == .directory ? Set(try files.list(directory)) : []
    let isThere = names.contains(catalog) || names.contains(repaired)
    if isThere { return }
    guard try wasWritten(directory, in: files) else {
      throw .notFound("The directory \(directory) holds no database.")
    }
  }

  /// - Throws: `.notFound` if there is no database; `.corruption` if it cannot be opened.
  static func requireSound(_ directory: String, in files: any FileSystem) throws(ChromaError) {
    try requireDatabase(directory, in: files)
    guard try !isRepairUnfinished(directory, in: files) else {
      throw .corruption(
        "A repair of \(directory) was cut off before its end. Run it again.")
    }
    guard try files.attributes("\(directory)/\(catalog)") != nil else {
      throw .corruption("The file \(directory)/\(catalog) is missing. Repair the database first.")
    }
  }

  static func isRepairUnfinished(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) -> Bool {
    try files.attributes("\(directory)/\(repaired)") != nil
  }

  /// Whether whoever created the catalog was cut off.
  static func isCreationUnfinished(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) -> Bool {
    try files.attributes("\(directory)/\(journal)")?.byteCount ?? 0 > 0
  }

  /// Whether anybody ever wrote to the database, going by what is left beside the catalog.
  static func wasWritten(
    _ directory: String, in files: any FileSystem
  ) throws(ChromaError) -> Bool {
    let folder = "\(directory)/\(blobs)"
    if try files.attributes(folder)?.kind == .directory, try !files.list(folder).isEmpty {
      return true
    }
    guard let file = try files.openIfPresent("\(directory)/\(lock)", .readOnly) else {
      return false
    }
    defer { file.close() }
    // Who had the turn: nobody yet, while the file is shorter.
    return try file.byteCount() >= 48
  }
}
