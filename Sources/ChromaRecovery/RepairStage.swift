// Where a repair makes the new catalog, and how that takes the old one's place.
//
//     1. damaged-<n>/new/chroma.db is made, from what can be read.
//     2. It is renamed to chroma.db.repaired: from here on the repair goes forward only, and nobody
//        opens the database until it is done.
//     3. chroma.db and its WAL are copied to damaged-<n>/, blobs that the new catalog does not name
//        are moved there.
//     4. The old WAL goes; chroma.db.repaired is renamed to chroma.db.
//
// Whoever is cut off before 2 has changed nothing that counts; whoever is cut off later is followed by
// one who goes on at 3. Each step can be taken twice.

import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaStorage

final class RepairStage {
  private static let newDirectory = "new"

  private let directory: String
  private let environment: RecoveryEnvironment
  private let files: any FileSystem
  /// "damaged-<n>".
  let name: String
  private var saved: String { "\(directory)/\(name)" }
  private var staging: String { "\(saved)/\(Self.newDirectory)" }
  private var repairedPath: String { "\(directory)/\(DatabaseFiles.repaired)" }

  /// Takes the first name that is free, or that of a repair that was cut off.
  init(_ directory: String, _ environment: RecoveryEnvironment) throws(ChromaError) {
    self.directory = directory
    self.environment = environment
    files = environment.fileSystem
    let last = try Self.lastNumber(in: directory, files)
    let staging = "\(directory)/damaged-\(last)/\(Self.newDirectory)"
    let isStaged = try files.attributes(staging) != nil
    let isUnfinished = try DatabaseFiles.isRepairUnfinished(directory, in: files) || isStaged
    name = "damaged-\(isUnfinished ? max(last, 1) : last + 1)"
  }

  private static func lastNumber(
    in directory: String, _ files: any FileSystem
  ) throws(ChromaError) -> Int {
    try files.list(directory).compactMap { name in
      name.hasPrefix("damaged-") ? Int(name.dropFirst("damaged-".count)) : nil
    }.max() ?? 0
  }

  /// Folders of damaged files, the newest first.
  static func savedDirectories(
    of directory: String, _ files: any FileSystem
  ) throws(ChromaError) -> [String] {
    let last = try lastNumber(in: directory, files)
    return stride(from: last, to: 0, by: -1).map { "\(directory)/damaged-\($0)" }
  }

  /// Makes the folder in which a new catalog is made, empty.
  ///
  /// - Returns: Its path.
  func begin() throws(ChromaError) -> String {
    try files.createDirectories(staging)
    for name in try files.list(staging) { try files.remove("\(staging)/\(name)") }
    return staging
  }

  /// The new catalog is whole, closed and synced: it counts from now on.
  func commit() throws(ChromaError) {
    try files.rename("\(staging)/\(DatabaseFiles.catalog)", to: repairedPath)
    try files.syncDirectory(directory)
  }

  /// Puts the new catalog in the old one's place.
  func finish() throws(ChromaError) {
    try files.createDirectories(saved)
    for name in [DatabaseFiles.catalog, DatabaseFiles.wal] { try save(name) }
    try saveBlobs()
    for name in [DatabaseFiles.wal, DatabaseFiles.index, DatabaseFiles.journal] {
      try files.remove("\(directory)/\(name)")
    }
    try files.syncDirectory(directory)
    if try files.attributes(staging) != nil {
      for name in try files.list(staging) { try files.remove("\(staging)/\(name)") }
      try files.remove(staging)
      try files.syncDirectory(saved)
    }
    try files.rename(repairedPath, to: "\(directory)/\(DatabaseFiles.catalog)")
    try files.syncDirectory(directory)
  }

  /// Copies a file that is about to be replaced, unless that was done.
  private func save(_ name: String) throws(ChromaError) {
    guard try files.attributes("\(saved)/\(name)") == nil,
      let source = try files.openIfPresent("\(directory)/\(name)", .readOnly)
    else { return }
    defer { source.close() }
    let copy = try files.open("\(saved)/\(name).tmp", .create)
    defer { copy.close() }
    try copy.setByteCount(0)
    var offset: UInt64 = 0
    while true {
      let piece = try source.read(at: offset, byteCountMax: 1 << 20)
      if piece.isEmpty { break }
      try copy.write(piece, at: offset)
      offset += UInt64(piece.count)
    }
    try copy.sync()
    try files.rename("\(saved)/\(name).tmp", to: "\(saved)/\(name)")
    try files.syncDirectory(saved)
  }

  /// Moves the blobs that the new catalog does not name out of the way of the next writer, who would
  /// remove them.
  private func saveBlobs() throws(ChromaError) {
    let folder = "\(directory)/\(DatabaseFiles.blobs)"
    guard try files.attributes(folder) != nil else { return }
    let wanted = try namedBlobs()
    let unwanted = try files.list(folder).filter { !wanted.contains($0) }
    guard !unwanted.isEmpty else { return }
    try files.createDirectories("\(saved)/\(DatabaseFiles.blobs)")
    for name in unwanted {
      try files.rename("\(folder)/\(name)", to: "\(saved)/\(DatabaseFiles.blobs)/\(name)")
    }
    // First the names where they are now: a blob with two is better than one with none.
    try files.syncDirectory("\(saved)/\(DatabaseFiles.blobs)")
    try files.syncDirectory(folder)
  }

  private func namedBlobs() throws(ChromaError) -> Set<String> {
    let database = SQLiteDatabase(
      path: repairedPath, fileSystem: files, clock: environment.clock, random: environment.random)
    let connection = try database.connect()
    defer { connection.close() }
    var names: Set<String> = []
    try connection.forEachRow(
      """
      SELECT blob_name FROM log WHERE blob_name IS NOT NULL
      UNION SELECT blob_name FROM segments WHERE blob_name IS NOT NULL
      UNION SELECT blob_name FROM index_blobs
      """
    ) { (row) throws(ChromaError) in
      names.insert(try row.text(0).string)
      return true
    }
    return names
  }
}
