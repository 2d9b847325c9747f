// The tables of a damaged chroma.db, as far as their rows can be read, put into a new one.
//
// Which table a row is of, its columns say: no two tables have rows of one shape. Where a row was found
// twice, that in the WAL is the newer one. What is lost of a row is filled so that what comes next (see
// `Repairer`) recognises it: an empty payload is no batch and no segment.

import ChromaBase
import ChromaCatalog
import ChromaSQLite
import ChromaSegment

struct CatalogSalvage {
  private enum Table: Hashable {
    case databases, collections, log, segments, deletions, versions
  }

  private struct Key: Hashable {
    let table: Table
    let rowID: Int64
  }

  private var rows: [Key: (row: SalvagedRow, isFromWAL: Bool)] = [:]
  private var tenants: Set<[UInt8]> = []

  /// Nothing, of a catalog that is gone.
  init() {}

  init(_ image: CatalogImage, _ meter: Meter) throws(ChromaError) {
    let scanner = PageScanner(image)
    meter.expect(image.byteCount)
    guard image.pageCount > 0 else { return }
    for number in 1...image.pageCount {
      let isFromWAL = image.place(of: number).file == DatabaseFiles.wal
      for row in try scanner.rows(ofPage: number) { take(row, isFromWAL) }
      try meter.finish(PageSeal.pageByteCount)
    }
  }

  private mutating func take(_ row: SalvagedRow, _ isFromWAL: Bool) {
    guard let rowID = row.rowID else {
      // The only table or index whose rows are one text.
      if row.values.count == 1, case .text(let name) = row.values[0] { tenants.insert(name) }
      return
    }
    guard let table = Self.table(of: row.values) else { return }
    let key = Key(table: table, rowID: rowID)
    if let known = rows[key], known.isFromWAL, !isFromWAL { return }
    rows[key] = (row, isFromWAL)
  }

  private static func table(of values: [SalvagedValue]) -> Table? {
    func isInteger(_ column: Int) -> Bool {
      if case .integer = values[column] { true } else { false }
    }
    func isID(_ column: Int) -> Bool {
      if case .blob(let bytes) = values[column] { bytes.count == 16 } else { false }
    }
    switch values.count {
    case 1 where isInteger(0): return .versions
    case 4 where values[0] == .null && isID(1): return .databases
    case 4 where values[0] == .null && isInteger(1) && isInteger(2): return .deletions
    case 8 where isInteger(1) && isInteger(2) && isInteger(3): return .log
    case 9 where isInteger(1) && isID(2) && isInteger(3): return .segments
    case 9... where isID(1) && isInteger(2): return .collections
    default: return nil
    }
  }

  private func all(_ table: Table) -> [(key: Int64, values: [SalvagedValue])] {
    rows.filter { $0.key.table == table }.map { ($0.key.rowID, $0.value.row.values) }
      .sorted { $0.0 < $1.0 }
  }

  // MARK: Into a new catalog

  /// - Returns: What had to be made up, as sentences.
  func insert(into connection: SQLiteConnection) throws(ChromaError) -> [String] {
    var remarks: [String] = []
    for name in tenants {
      try connection.execute("INSERT OR IGNORE INTO tenants VALUES (?1)", [Self.text(name)])
    }
    let databases = all(.databases)
    if !databases.isEmpty { try connection.execute("DELETE FROM databases") }
    for (key, values) in databases {
      try connection.execute(
        "INSERT OR IGNORE INTO databases (key, id, tenant, name) VALUES (?1, ?2, ?3, ?4)",
        [
          .integer(key), Self.bound(values[1]), Self.text(values[2]) ?? .text("default_tenant"),
          Self.text(values[3]) ?? .text(Text("recovered-\(key)")),
        ])
    }
    try requireDefaultDatabase(connection)
    for (key, values) in all(.collections) {
      if let remark = try insertCollection(key, values, into: connection) { remarks.append(remark) }
    }
    for key in try orphans(connection) {
      try insertOrphan(key, into: connection)
      remarks.append(
        "What the catalog said of a collection was lost: it is called recovered-\(key) now.")
    }
    try insertDependants(into: connection)
    return remarks
  }

  private func requireDefaultDatabase(_ connection: SQLiteConnection) throws(ChromaError) {
    try connection.execute(
      """
      INSERT OR IGNORE INTO databases (id, tenant, name)
      VALUES (zeroblob(16), 'default_tenant', 'default_database')
      """)
  }

  private func insertCollection(
    _ key: Int64, _ values: [SalvagedValue], into connection: SQLiteConnection
  ) throws(ChromaError) -> String? {
    let databaseKey = Self.integer(values[2]) ?? 0
    let hasDatabase =
      try connection.firstRow("SELECT 1 FROM databases WHERE key = ?1", [.integer(databaseKey)]) {
        (_) throws(ChromaError) in true
      } ?? false
    let fallback = "(SELECT key FROM databases WHERE id = zeroblob(16))"
    let name = Self.text(values[3]) ?? .text(Text("recovered-\(key)"))
    let isTaken =
      try connection.firstRow(
        "SELECT 1 FROM collections WHERE database_key = ?1 AND name = ?2",
        [.integer(databaseKey), name]
      ) { (_) throws(ChromaError) in true } ?? false
    let nextPosition = max(1, Self.integer(values[8]) ?? 1)
    let compacted = values.count > 10 ? Self.integer(values[10]) ?? 0 : 0
    try connection.execute(
      """
      INSERT OR IGNORE INTO collections (key, id, database_key, name, configuration, schema, metadata,
        dimension, next_position, version, compacted_position)
      VALUES (?1, ?2, \(hasDatabase ? "?3" : fallback + " + 0 * ?3"), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
      """,
      [
        .integer(key), Self.bound(values[1]), .integer(databaseKey),
        isTaken ? .text(Text("recovered-\(key)")) : name,
        Self.text(values[4]) ?? .text("{}"), Self.text(values[5]) ?? .null, Self.bound(values[6]),
        Self.bound(values[7]), .integer(nextPosition),
        .integer(values.count > 9 ? Self.integer(values[9]) ?? 0 : 0),
        .integer(min(compacted, nextPosition - 1)),
      ])
    guard values[3...6].contains(.lost) else { return nil }
    return "A part of what the catalog said of the collection in row \(key) was lost: its name, "
      + "configuration, schema or metadata."
  }

  /// Collections whose rows are lost, and whose logs or segments are not.
  private func orphans(_ connection: SQLiteConnection) throws(ChromaError) -> [Int64] {
    var known: Set<Int64> = []
    try connection.forEachRow("SELECT key FROM collections") { (row) throws(ChromaError) in
      known.insert(try row.integer(0))
      return true
    }
    let named = (all(.log) + all(.segments)).compactMap { Self.integer($0.values[1]) }
    return Set(named).subtracting(known).sorted()
  }

  private func insertOrphan(
    _ key: Int64, into connection: SQLiteConnection
  ) throws(ChromaError) {
    let id = segmentCollection(key) ?? UUID(high: 0x4000, low: 1 << 63 | UInt64(bitPattern: key))
    let ends = all(.log).filter { Self.integer($0.values[1]) == key }.compactMap { row in
      Self.integer(row.values[2]).map { $0 &+ (Self.integer(row.values[3]) ?? 0) }
    }
    let starts = all(.log).filter { Self.integer($0.values[1]) == key }.compactMap {
      Self.integer($0.values[2])
    }
    let isCompacted = all(.segments).contains { Self.integer($0.values[1]) == key }
    let next = max(1, ends.max() ?? 1)
    let compacted = isCompacted ? max(0, min(next, starts.min() ?? next) - 1) : 0
    try connection.execute(
      """
      INSERT OR IGNORE INTO collections
        (key, id, database_key, name, configuration, next_position, version, compacted_position)
      VALUES (?1, ?2, (SELECT key FROM databases WHERE id = zeroblob(16)), ?3, '{}', ?4, ?5, ?6)
      """,
      [
        .integer(key), .blob(id.bytes), .text(Text("recovered-\(key)")), .integer(next),
        .integer(isCompacted ? 1 : 0), .integer(compacted),
      ])
  }

  /// The collection that a segment in the catalog says it is of.
  private func segmentCollection(_ key: Int64) -> UUID? {
    for (_, values) in all(.segments) where Self.integer(values[1]) == key {
      if case .blob(let bytes) = values[8],
        let segment = try? SegmentRescue(inline: bytes, source: "segment in the catalog")
      {
        return segment.description.collection
      }
    }
    return nil
  }

  private func insertDependants(into connection: SQLiteConnection) throws(ChromaError) {
    for (key, values) in all(.log) {
      let isWhole = Self.text(values[5]) != nil || Self.isBlob(values[4])
      try connection.execute(
        """
        INSERT OR IGNORE INTO log (key, collection_key, first_position, record_count, payload,
          blob_name, blob_byte_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """,
        [
          .integer(key), Self.bound(values[1]), Self.bound(values[2]), Self.bound(values[3]),
          isWhole ? Self.bound(values[4]) : .blob([]),
          isWhole ? Self.text(values[5]) ?? .null : .null, Self.bound(values[6]),
        ])
    }
    for (key, values) in all(.segments) where Self.integer(values[4]) == nil {
      let isWhole = Self.text(values[6]) != nil || Self.isBlob(values[8])
      try connection.execute(
        """
        INSERT OR IGNORE INTO segments (key, collection_key, id, first_version, row_count, blob_name,
          blob_byte_count, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """,
        [
          .integer(key), Self.bound(values[1]), Self.bound(values[2]), Self.bound(values[3]),
          .integer(Self.integer(values[5]) ?? 1), isWhole ? Self.text(values[6]) ?? .null : .null,
          Self.bound(values[7]), isWhole ? Self.bound(values[8]) : .blob([]),
        ])
    }
    for (key, values) in all(.deletions) where Self.isBlob(values[3]) {
      try connection.execute(
        """
        INSERT OR IGNORE INTO deletions (segment_key, first_version, row_count, bitmap)
        SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM segments WHERE key = ?1)
        """,
        [.integer(key), Self.bound(values[1]), Self.bound(values[2]), Self.bound(values[3])])
    }
    let last = all(.versions).compactMap { Self.integer($0.values[0]) }.max() ?? 0
    try connection.execute(
      "UPDATE versions SET last = max(?1, (SELECT ifnull(max(version), 0) FROM collections))",
      [.integer(last)])
  }

  // MARK: Values

  private static func integer(_ value: SalvagedValue) -> Int64? {
    if case .integer(let integer) = value { integer } else { nil }
  }

  private static func isBlob(_ value: SalvagedValue) -> Bool {
    if case .blob = value { true } else { false }
  }

  private static func text(_ bytes: [UInt8]) -> SQLiteValue {
    .text(Text(validating: bytes) ?? "recovered")
  }

  private static func text(_ value: SalvagedValue) -> SQLiteValue? {
    guard case .text(let bytes) = value, let text = Text(validating: bytes) else { return nil }
    return .text(text)
  }

  private static func bound(_ value: SalvagedValue) -> SQLiteValue {
    switch value {
    case .null, .lost: .null
    case .integer(let integer): .integer(integer)
    case .text(let bytes): text(bytes)
    case .blob(let bytes): .blob(bytes)
    }
  }
}
