import ChromaBase
import ChromaCatalog
import ChromaSegment
import ChromaStorage

/// Opens the segments that manifests name. One for an engine. Thread-safe.
struct SegmentOpener: Sendable {
  let blobs: BlobStore
  let cache: DocumentBlockCache

  /// - Returns: Nil if the segment's blob is gone.
  /// - Throws: `.corruption` naming the blob; `.unsupportedFormat`, `.io`.
  func open(_ reference: SegmentReference) throws(ChromaError) -> Segment? {
    switch reference.payload {
    case .inline(let bytes):
      return try Segment(
        inline: bytes, source: "segment \(reference.id) in the catalog", cache: cache)
    case .blob(let name, let byteCount):
      guard let blob = try blobs.open(name.string) else { return nil }
      guard blob.byteCount == byteCount else {
        throw .corruption(
          "The blob \(blob.path) has \(blob.byteCount) bytes; the catalog says \(byteCount).")
      }
      return try Segment(blob: blob, cache: cache)
    }
  }
}
