// One collection of a new catalog, brought in line with what its payloads hold.
//
//   * A segment that cannot be read whole becomes one of those of its rows that can be read; a missing
//     one goes.
//   * A batch that cannot be read becomes one that changes nothing: an update that gives no column, of
//     as many rows. So positions stay without a hole.
//   * An index that is damaged goes, as does one whose records have changed. It is built again.
//   * No two live records have one slot or one id afterwards: of two with one id the one counts whose
//     segment reaches further.

import ChromaBase
import ChromaCatalog
import ChromaIndex
import ChromaSQLite
import ChromaSegment
import ChromaStorage

final class CollectionRepair {
  /// What the batch in the place of a lost one names.
  private static let nobody: Text = "lost"

  private let record: CollectionRecord
  private let version: Int64
  private let connection: SQLiteConnection
  private let repairer: Repairer
  private var notes: RepairNotes { repairer.notes }
  private var title: CollectionName { record.title }
  private var compactedPosition: Int64
  private var dimension: Int64?
  private var isChanged = false
  /// Whether records have other slots than the index knows, or came back.
  private var areRecordsChanged = false

  init(
    _ record: CollectionRecord, version: Int64, in connection: SQLiteConnection,
    of repairer: Repairer
  ) {
    self.record = record
    self.version = version
    self.connection = connection
    self.repairer = repairer
    compactedPosition = max(0, min(record.compactedPosition, Int64.max - 1))
    dimension = record.dimension
  }

  func run() throws(ChromaError) {
    try repairSegments()
    let next = try repairLog()
    try repairIndex()
    try connection.execute(
      """
      UPDATE collections SET version = ?2, dimension = ?3, next_position = ?4,
        compacted_position = ?5,
        (log_row_count, log_byte_count) = (
          SELECT count(*), ifnull(sum(ifnull(length(payload), blob_byte_count)), 0)
          FROM log WHERE collection_key = ?1)
      WHERE key = ?1
      """,
      [
        .integer(record.key),
        .integer(
          isChanged || compactedPosition > 0 && record.version < 1 ? version : record.version),
        dimension.map { .integer($0) } ?? .null, .integer(next), .integer(compactedPosition),
      ])
  }

  // MARK: The index

  private func repairIndex() throws(ChromaError) {
    let isDamaged = repairer.damagedIndexes.contains(record.id)
    guard isDamaged || areRecordsChanged else { return }
    let blobs = try connection.firstRow(
      "SELECT count(*) FROM index_blobs WHERE collection_key = ?1", [.integer(record.key)]
    ) { (row) throws(ChromaError) in try row.integer(0) }
    guard record.generation != 0 || record.indexedPosition != 0 || blobs ?? 0 > 0 else { return }
    try connection.dropIndex(ofCollection: record.key)
    notes.act(
      "The index of \"\(record.name)\" was dropped, "
        + (isDamaged ? "which was damaged" : "since its records are not what they were")
        + ": the next writer builds it again.")
  }

  // MARK: Segments

  /// A segment of the version: as it is, or as rows that were read out of it.
  private struct Part {
    let row: SegmentRecord
    let rescue: SegmentRescue
    /// Of the rows that were dead already, and of those that another segment has newer.
    var dead: Bitset
    /// Whether the segment has to be written anew.
    var isBroken: Bool
    /// Whether its blob has to be: its bytes are known, its file is damaged.
    var payload: [UInt8]?
    var isDeadChanged = false
  }

  private func repairSegments() throws(ChromaError) {
    var rows: [SegmentRecord] = []
    try connection.forEachRow(SegmentRecord.select, [.integer(record.key)]) {
      (row) throws(ChromaError) in
      rows.append(try SegmentRecord(row))
      return true
    }
    var parts: [Part] = []
    for row in rows {
      if let part = try open(row) {
        parts.append(part)
      } else {
        try remove(row)
      }
    }
    guard !parts.isEmpty else { return }
    dimension = dimension ?? parts.map { Int64($0.rescue.dimension) }.first
    try settleConfiguration(parts)
    settleIDs(&parts)
    try write(parts)
  }

  /// A collection whose row was lost came back without a configuration: what its segments say of it,
  /// they must agree with.
  private func settleConfiguration(_ parts: [Part]) throws(ChromaError) {
    guard let part = parts.first else { return }
    let rescue = part.rescue
    let definition = parts.lazy.compactMap { $0.rescue.description.definition }.first
    let least =
      #"{"hnsw":{"space":"\#(rescue.space.rawValue)"},"#
      + #""vector_dtype":"\#(rescue.vectorShape.type.rawValue)"}"#
    try connection.execute(
      """
      UPDATE collections SET configuration = ?2, schema = coalesce(schema, ?3)
      WHERE key = ?1 AND configuration = '{}'
      """,
      [
        .integer(record.key), .text(definition?.configuration ?? Text(least)),
        definition?.schema.map { .text($0) } ?? .null,
      ])
  }

  private func open(_ row: SegmentRecord) throws(ChromaError) -> Part? {
    var isRestored = false
    let rescue: SegmentRescue
    var payload: [UInt8]?
    do throws(ChromaError) {
      switch row.payload {
      case .inline(let bytes):
        rescue = try SegmentRescue(inline: bytes, source: "segment \(row.id)")
      case .blob(let name, let byteCount):
        guard let blob = try repairer.rescueBlob(name.string) else { return nil }
        let isIntact = try isIntact(name.string, byteCount: byteCount)
        rescue = try SegmentRescue(blob, source: "segment \(name)")
        isRestored = !isIntact
        if isRestored { payload = blob.payload }
      }
    } catch {
      guard error.kind == .corruption else { throw error }
      return nil
    }
    var dead = Bitset()
    if let bitmap = row.bitmap {
      dead =
        (try? DeleteBitmap.decode(bitmap, rowCount: rescue.rowCount, source: "delete bitmap"))
        ?? Bitset()
    }
    var part = Part(
      row: row, rescue: rescue, dead: dead,
      isBroken: !rescue.isWhole || Int64(rescue.dimension) != dimension ?? Int64(rescue.dimension),
      payload: payload)
    part.isDeadChanged =
      dead.count != Int(clamping: row.deletedCount ?? 0)
      || Int64(rescue.rowCount) != row.rowCount
    return part
  }

  private func isIntact(_ name: String, byteCount: Int) throws(ChromaError) -> Bool {
    do throws(ChromaError) {
      guard let blob = try repairer.blobs.open(name), blob.byteCount == byteCount else {
        return false
      }
      try blob.verify(0..<blob.byteCount)
      return true
    } catch {
      guard error.kind == .corruption else { throw error }
      return false
    }
  }

  private func remove(_ row: SegmentRecord) throws(ChromaError) {
    try connection.execute("DELETE FROM deletions WHERE segment_key = ?1", [.integer(row.key)])
    try connection.execute("DELETE FROM segments WHERE key = ?1", [.integer(row.key)])
    isChanged = true
    notes.act("The segment \(row.id), which cannot be read, was left out.")
    notes.lose(
      "The segment \(row.id) is missing, or cannot be read.", of: title,
      count: Int(clamping: row.rowCount - (row.deletedCount ?? 0)))
  }

  /// Of records with one id, all but the newest are dead.
  private func settleIDs(_ parts: inout [Part]) {
    var seen: Set<Text> = []
    let newestFirst = parts.indices.sorted { left, right in
      let (left, right) = (parts[left], parts[right])
      return (left.rescue.description.lastPosition, left.rescue.description.version, left.row.key)
        > (right.rescue.description.lastPosition, right.rescue.description.version, right.row.key)
    }
    for index in newestFirst {
      for row in 0..<parts[index].rescue.rowCount where !parts[index].dead.contains(UInt32(row)) {
        guard let id = parts[index].rescue.id(row), !seen.insert(id).inserted else { continue }
        parts[index].dead.insert(UInt32(row))
        parts[index].isDeadChanged = true
      }
    }
  }

  /// Writes anew what is broken, or has slots that others have.
  private func write(_ parts: [Part]) throws(ChromaError) {
    var slots = Bitset()
    var orders: Set<Int64> = []
    var broken: [Part] = []
    for part in parts {
      for row in 0..<part.rescue.rowCount where !part.dead.contains(UInt32(row)) {
        if let order = part.rescue.order(row) { orders.insert(order) }
      }
      if !part.isBroken, claim(part, &slots) {
        try keep(part)
      } else {
        broken.append(part)
      }
    }
    for part in broken { try rewrite(part, &slots, &orders) }
  }

  /// Takes the slots of a whole segment, unless one is taken or cannot be.
  private func claim(_ part: Part, _ slots: inout Bitset) -> Bool {
    var mine = Bitset()
    for row in 0..<part.rescue.rowCount where !part.dead.contains(UInt32(row)) {
      guard let slot = part.rescue.slot(row), Int64(slot) < compactedPosition,
        let order = part.rescue.order(row), order <= compactedPosition,
        !slots.contains(slot), mine.insert(slot)
      else { return false }
    }
    slots.formUnion(mine)
    return true
  }

  private func keep(_ part: Part) throws(ChromaError) {
    if let payload = part.payload {
      let name = "\(UUID(random: repairer.environment.random)).segment"
      try repairer.blobs.put(payload, name: name)
      try connection.execute(
        "UPDATE segments SET blob_name = ?2, blob_byte_count = ?3 WHERE key = ?1",
        [.integer(part.row.key), .text(Text(name)), .integer(Int64(payload.count))])
      isChanged = true
      notes.act("The segment \(part.row.id) was restored whole.")
    }
    guard part.isDeadChanged else { return }
    try connection.execute(
      "UPDATE segments SET row_count = ?2 WHERE key = ?1",
      [.integer(part.row.key), .integer(Int64(part.rescue.rowCount))])
    try connection.execute(
      "DELETE FROM deletions WHERE segment_key = ?1", [.integer(part.row.key)])
    isChanged = true
    areRecordsChanged = true
    guard !part.dead.isEmpty else { return }
    try connection.execute(
      """
      INSERT INTO deletions (segment_key, first_version, row_count, bitmap)
      VALUES (?1, ?2, ?3, ?4)
      """,
      [
        .integer(part.row.key), .integer(version), .integer(Int64(part.dead.count)),
        .blob(DeleteBitmap.encode(part.dead, rowCount: part.rescue.rowCount)),
      ])
  }

  private func rewrite(
    _ part: Part, _ slots: inout Bitset, _ orders: inout Set<Int64>
  ) throws(ChromaError) {
    isChanged = true
    areRecordsChanged = true
    var records: [RescuedRecord] = []
    var lostIDs: [Text] = []
    var namelessCount = 0
    var incomplete: [Text] = []
    var moved: [Text] = []
    var lastOrder: Int64 = 0
    var slot: UInt32 = 0
    let isUsable = Int64(part.rescue.dimension) == dimension
    for row in 0..<part.rescue.rowCount where !part.dead.contains(UInt32(row)) {
      guard isUsable, var record = part.rescue.record(row) else {
        if let id = part.rescue.id(row) { lostIDs.append(id) } else { namelessCount += 1 }
        continue
      }
      var order = record.order.flatMap { $0 > lastOrder ? $0 : nil } ?? lastOrder + 1
      if record.order != order {
        while !orders.insert(order).inserted { order += 1 }
        moved.append(record.id)
      }
      while slots.contains(slot) { slot += 1 }
      slots.insert(slot)
      record.order = order
      record.slot = slot
      lastOrder = order
      if !record.lostFields.isEmpty { incomplete.append(record.id) }
      records.append(record)
    }
    report(part, records.count, lostIDs, namelessCount, incomplete)
    if !moved.isEmpty {
      notes.lose(
        "When records were inserted stood in damaged bytes of the segment \(part.row.id): they may "
          + "be listed elsewhere among the others.", of: title, count: moved.count, ids: moved)
    }
    try connection.execute(
      "DELETE FROM deletions WHERE segment_key = ?1", [.integer(part.row.key)])
    guard !records.isEmpty else {
      try connection.execute("DELETE FROM segments WHERE key = ?1", [.integer(part.row.key)])
      return
    }
    compactedPosition = max(compactedPosition, lastOrder)
    try store(records, of: part)
  }

  private func report(
    _ part: Part, _ rescuedCount: Int, _ lostIDs: [Text], _ namelessCount: Int,
    _ incomplete: [Text]
  ) {
    notes.act(
      "The segment \(part.row.id) was written anew with the \(rescuedCount) records that can be read."
    )
    let lostCount = lostIDs.count + namelessCount
    if lostCount > 0 {
      notes.lose(
        "Records stood in damaged bytes of the segment \(part.row.id).", of: title,
        count: lostCount, ids: lostIDs)
    }
    if !incomplete.isEmpty {
      notes.lose(
        "Records lost their document, uri or metadata, which stood in damaged bytes of the segment "
          + "\(part.row.id).", of: title, count: incomplete.count, ids: incomplete)
    }
  }

  private func store(_ records: [RescuedRecord], of part: Part) throws(ChromaError) {
    let source = RescuedRecords(
      records, dimension: part.rescue.dimension, space: part.rescue.space,
      vectorType: part.rescue.vectorShape.type
    ) { vector in
      vector.withUnsafeBufferPointer { Norm(of: $0).inverse }
    }
    let id = UUID(random: repairer.environment.random)
    var description = part.rescue.description
    description.version = version
    description.lastPosition = max(description.lastPosition, records.last?.order ?? 1)
    let place: [SQLiteValue]
    var isInline = false
    if case .inline = part.row.payload { isInline = true }
    if isInline,
      let bytes = try SegmentWriter.encode(source, description, cancel: repairer.meter.token)
    {
      place = [.blob(bytes), .null, .null]
    } else {
      let name = "\(id).segment"
      let writer = try repairer.blobs.writer(name)
      do throws(ChromaError) {
        try SegmentWriter.write(source, description, to: writer, cancel: repairer.meter.token)
      } catch {
        writer.abandon()
        throw error
      }
      let byteCount = writer.byteCount
      try writer.finish()
      place = [.null, .text(Text(name)), .integer(Int64(byteCount))]
    }
    try connection.execute(
      """
      UPDATE segments SET id = ?2, first_version = ?3, row_count = ?4, payload = ?5, blob_name = ?6,
        blob_byte_count = ?7 WHERE key = ?1
      """,
      [
        .integer(part.row.key), .blob(id.bytes), .integer(version),
        .integer(Int64(records.count)),
      ] + place)
  }

  // MARK: The log

  /// - Returns: The next position.
  private func repairLog() throws(ChromaError) -> Int64 {
    var rows: [LogRecord] = []
    var damaged: [Int64] = []
    try connection.forEachRow(LogRecord.select, [.integer(record.key)]) {
      (row) throws(ChromaError) in
      do throws(ChromaError) {
        rows.append(try LogRecord(row))
      } catch {
        guard error.kind == .corruption else { throw error }
        damaged.append(try row.integer(0))
      }
      return true
    }
    for key in damaged { try deleteLog(key) }
    var next = compactedPosition + 1
    for row in rows {
      guard row.firstPosition >= next else {
        // Segments hold it, or what overlaps it came first.
        try deleteLog(row.key)
        if row.endPosition > next {
          try fill(next..<row.endPosition)
          next = row.endPosition
        }
        continue
      }
      if row.firstPosition > next { try fill(next..<row.firstPosition) }
      try repair(row)
      next = row.endPosition
    }
    if next < record.nextPosition {
      try fill(next..<record.nextPosition)
      next = record.nextPosition
    }
    return next
  }

  private func deleteLog(_ key: Int64) throws(ChromaError) {
    try connection.execute("DELETE FROM log WHERE key = ?1", [.integer(key)])
  }

  private func repair(_ row: LogRecord) throws(ChromaError) {
    let source = "batch at position \(row.firstPosition)"
    switch row.payload {
    case .inline(let bytes):
      if isUsable(bytes, row, source) { return }
    case .blob(let name, let byteCount):
      if try isIntact(name.string, byteCount: byteCount),
        let bytes = try repairer.blobs.read(name.string), isUsable(bytes, row, source)
      {
        return
      }
      if let rescue = try repairer.rescueBlob(name.string), isUsable(rescue.payload, row, source) {
        notes.act("The \(source) of \"\(record.name)\" was restored whole.")
        return try setPayload(rescue.payload, of: row.key)
      }
    }
    areRecordsChanged = true
    notes.lose(
      "The \(source) cannot be read.", of: title, count: Int(clamping: row.recordCount))
    notes.act("The \(source) of \"\(record.name)\" was replaced by one that changes nothing.")
    try setPayload(try Self.emptyBatch(count: row.recordCount), of: row.key)
  }

  private func isUsable(_ bytes: [UInt8], _ row: LogRecord, _ source: String) -> Bool {
    guard let batch = try? LogBatch.decode(bytes, source: source),
      Int64(batch.count) == row.recordCount
    else { return false }
    guard let found = batch.embeddings?.dimension else { return true }
    dimension = dimension ?? Int64(found)
    return Int64(found) == dimension
  }

  /// Puts a batch that changes nothing where positions have none.
  private func fill(_ positions: Range<Int64>) throws(ChromaError) {
    areRecordsChanged = true
    notes.lose(
      "The batches at positions \(positions.lowerBound) to \(positions.upperBound - 1) are lost.",
      of: title, count: Int(clamping: positions.upperBound - positions.lowerBound))
    notes.act(
      "A batch that changes nothing was put at position \(positions.lowerBound) of "
        + "\"\(record.name)\".")
    var first = positions.lowerBound
    while first < positions.upperBound {
      let count = min(positions.upperBound - first, Self.emptyRowCountMax)
      try connection.execute(
        """
        INSERT INTO log (collection_key, first_position, record_count, payload)
        VALUES (?1, ?2, ?3, ?4)
        """,
        [
          .integer(record.key), .integer(first), .integer(count),
          .blob(try Self.emptyBatch(count: count)),
        ])
      first += count
    }
  }

  /// Rows of one batch that changes nothing: it stands in its row of the catalog.
  private static let emptyRowCountMax: Int64 = 4096

  private static func emptyBatch(count: Int64) throws(ChromaError) -> [UInt8] {
    guard count <= Int64(Limits.recordCountMax) else {
      throw .corruption("A batch of the log has \(count) records, which cannot be.")
    }
    return try LogBatch.encode(
      RecordBatch(operation: .update, ids: Array(repeating: nobody, count: Int(count))))
  }

  private func setPayload(_ bytes: [UInt8], of key: Int64) throws(ChromaError) {
    var place: [SQLiteValue] = [.blob(bytes), .null, .null]
    if bytes.count > Limits.inlineBatchByteCountMax {
      let name = "\(UUID(random: repairer.environment.random)).log"
      try repairer.blobs.put(bytes, name: name)
      place = [.null, .text(Text(name)), .integer(Int64(bytes.count))]
    }
    try connection.execute(
      "UPDATE log SET payload = ?2, blob_name = ?3, blob_byte_count = ?4 WHERE key = ?1",
      [.integer(key)] + place)
  }
}
