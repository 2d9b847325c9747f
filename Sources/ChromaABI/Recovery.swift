// Safety: backup, restore, verify, repair.
//
// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names and parameters are those of chroma.h.

public import CChroma
import ChromaBase
import ChromaEngine
import ChromaRecovery

/// What a `chroma_report` handle stands for.
final class ReportObject {
  private let arena = Arena()
  let entries: [chroma_report_entry]
  let savedDirectory: chroma_string

  init(_ findings: [Finding]) {
    savedDirectory = arena.string(nil)
    entries = findings.map { [arena] finding in
      var entry = Self.entry(
        finding.severity == .damage ? CHROMA_REPORT_DAMAGE : CHROMA_REPORT_WASTE, finding.what,
        finding.collection, finding.collectionName, arena)
      entry.is_repairable = finding.isRepairable ? 1 : 0
      entry.file = arena.string(Text(finding.file))
      entry.place = arena.string(finding.place.isEmpty ? nil : Text(finding.place))
      return entry
    }
  }

  init(_ report: RepairReport) {
    savedDirectory = arena.string(report.savedDirectory.map { Text($0) })
    let actions = report.actions.map { [arena] action in
      Self.entry(CHROMA_REPORT_ACTION, action, nil, nil, arena)
    }
    let losses = report.losses.map { [arena] loss in
      var entry = Self.entry(
        CHROMA_REPORT_LOSS, loss.what, loss.collection, loss.collectionName, arena)
      entry.lost_record_count = loss.recordCount.map { UInt64(clamping: $0) } ?? .max
      entry.lost_ids = arena.strings(loss.ids)
      entry.lost_id_count = loss.ids.count
      return entry
    }
    entries = actions + losses
  }

  private static func entry(
    _ kind: Int, _ message: String, _ collection: UUID?, _ name: Text?, _ arena: Arena
  ) -> chroma_report_entry {
    var entry = chroma_report_entry()
    entry.struct_size = MemoryLayout<chroma_report_entry>.size
    entry.kind = chroma_report_kind(kind)
    entry.message = arena.string(Text(message))
    entry.collection_id = arena.string(collection.map { Text("\($0)") })
    entry.collection_name = arena.string(name)
    return entry
  }
}

extension LongCall {
  /// What recovery tells of itself.
  fileprivate var report: ProgressReport {
    { tell(done: Int(clamping: $0.doneByteCount), total: Int(clamping: $0.totalByteCount)) }
  }
}

/// A path that a caller gave, as an absolute one.
private func directory(_ path: chroma_string, _ name: String) throws(ChromaError) -> String {
  try EngineHandle.absolute(try path.requiredText(name).string)
}

private func store(
  _ report: BackupReport, to out: UnsafeMutablePointer<chroma_copy_view>?
) throws(ChromaError) {
  guard let out else { return }
  try store(
    chroma_copy_view(
      struct_size: MemoryLayout<chroma_copy_view>.size,
      blob_count: UInt64(clamping: report.blobCount),
      byte_count: UInt64(clamping: report.byteCount),
      copied_blob_count: UInt64(clamping: report.copiedBlobCount),
      copied_byte_count: UInt64(clamping: report.copiedByteCount),
      removed_blob_count: UInt64(clamping: report.removedBlobCount)),
    to: out, "out_copy")
}

/// Refuses a copy's view that was not started from its macro, before anything is copied.
private func check(_ out: UnsafeMutablePointer<chroma_copy_view>?) throws(ChromaError) {
  guard let out else { return }
  _ = try sized(UnsafePointer(out), initial: chroma_copy_view(), "out_copy")
}

@c @implementation
public func chroma_engine_backup(
  _ engine: OpaquePointer!, _ target: chroma_string, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_copy: UnsafeMutablePointer<chroma_copy_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let call = try LongCall(long_call)
    try check(out_copy)
    let handle = try found(engine, EngineHandle.self, "engine")
    let copy = try Recovery.backup(
      handle.requireDirectory(), to: directory(target, "target"), cancel: call.cancel,
      progress: call.report)
    try store(copy, to: out_copy)
  }
}

@c @implementation
public func chroma_restore(
  _ source: chroma_string, _ target: chroma_string, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_copy: UnsafeMutablePointer<chroma_copy_view>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let call = try LongCall(long_call)
    try check(out_copy)
    let copy = try Recovery.restore(
      directory(source, "source"), to: directory(target, "target"), cancel: call.cancel,
      progress: call.report)
    try store(copy, to: out_copy)
  }
}

@c @implementation
public func chroma_verify(
  _ path: chroma_string, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_report: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_report?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_report, "out_report")
    let call = try LongCall(long_call)
    let findings = try Recovery.verify(
      directory(path, "path"), cancel: call.cancel, progress: call.report)
    out.pointee = HandleTable.give(ReportObject(findings))
  }
}

@c @implementation
public func chroma_repair(
  _ path: chroma_string, _ long_call: UnsafePointer<chroma_long_call>!,
  _ out_report: UnsafeMutablePointer<OpaquePointer?>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  out_report?.pointee = nil
  return answer(out_error) { () throws(ChromaError) in
    let out = try required(out_report, "out_report")
    let call = try LongCall(long_call)
    let report = try Recovery.repair(
      directory(path, "path"), cancel: call.cancel, progress: call.report)
    out.pointee = HandleTable.give(ReportObject(report))
  }
}

@c @implementation
public func chroma_report_count(_ report: OpaquePointer!) -> Int {
  HandleTable.find(report, ReportObject.self)?.entries.count ?? 0
}

@c @implementation
public func chroma_report_view(
  _ report: OpaquePointer!, _ index: Int, _ out_entry: UnsafeMutablePointer<chroma_report_entry>!,
  _ out_error: UnsafeMutablePointer<OpaquePointer?>!
) -> chroma_status {
  answer(out_error) { () throws(ChromaError) in
    let entries = try found(report, ReportObject.self, "report").entries
    guard entries.indices.contains(index) else {
      throw .invalidArgument("The index \(index) is out of range: the report has \(entries.count).")
    }
    try store(entries[index], to: out_entry, "out_entry")
  }
}

@c @implementation
public func chroma_report_saved_directory(_ report: OpaquePointer!) -> chroma_string {
  HandleTable.find(report, ReportObject.self)?.savedDirectory
    ?? chroma_string(data: nil, length: 0)
}

@c @implementation
public func chroma_report_free(_ report: OpaquePointer!) {
  HandleTable.end(report, ReportObject.self)
}
