// Every limit of the engine, with unit and reason. A limit that a user can meet is named in the
// error that reports it.

package enum Limits {
  /// Characters of a tenant or database name, at least (official Chroma's rule).
  package static let nameCharacterCountMin = 3
  /// Bytes of a collection name: official Chroma's rule.
  package static let collectionNameByteCountRange = 3...512

  /// Elements of a vector. Official Chroma has no limit; a row of 4 MiB is one that nobody meets.
  package static let dimensionMax = 1 << 20
  /// Records in one write. Positions are 64-bit; this keeps a batch's row numbers in 32 bits.
  package static let recordCountMax = Int(Int32.max)
  /// Bytes of one string (id, document, key, value, uri): lengths are stored in 32 bits.
  package static let textByteCountMax = Int(Int32.max)
  /// Bytes of an encoded batch: SQLite's and `pread`'s own limit on one value or call is 2^31 − 1.
  package static let batchByteCountMax = Int(Int32.max)
  /// Bytes of a batch that stands in the log row itself; larger ones become a log blob.
  /// Measured for 1.5 MB: 1.3 ms as a blob against 5.9 ms in the row.
  package static let inlineBatchByteCountMax = 64 * 1024

  /// Rows of a segment: their numbers are stored in 32 bits.
  package static let segmentRowCountMax = Int(UInt32.max)
  /// Bytes of metadata that the writer of a segment holds at once, unless one column has more: what
  /// has more is read again for each part.
  package static let segmentMetadataByteCountMax = 32 * 1024 * 1024
  /// Rows from which a segment has indexes, and rows with a value from which a column of metadata
  /// has one: what has fewer is looked through in some microseconds.
  package static let indexedSegmentRowCountMin = 256
  /// Bytes of documents at which a compressed block ends. Reading one document costs decompressing
  /// its block: 16 µs, and 69 µs at four times the size, which takes 5 % fewer bytes.
  package static let documentBlockByteCount = 16 * 1024
  /// Rows of a chunk of a text index: their numbers have 16 bits while it is made.
  package static let textIndexChunkRowCount = 1 << 16
  /// Bytes of documents of a chunk of a text index, unless one row has more. Making it takes 16 bytes
  /// of memory for each; smaller chunks have more entries, 7 % of the text at this size.
  package static let textIndexChunkByteCount = 2 * 1024 * 1024
  /// Grams of a literal that a text index looks up, at most.
  package static let textIndexGramCount = 32
  /// Bytes of a blob's payload: 1 TiB, whose table of checksums, 128 MiB, is in memory while it is
  /// open.
  package static let blobByteCountMax = 1 << 40
  /// Files that blobs of one database keep open where they cannot be mapped. Beyond it a blob is
  /// read whole: thousands of collections have to do with 128 descriptors.
  package static let heldBlobFileCountMax = 32

  /// Levels of a filter or of any JSON: a parser that recurses must end before the stack does.
  package static let nestingDepthMax = 256
  /// Bytes of a filter, configuration or schema as JSON.
  package static let jsonByteCountMax = 256 * 1024 * 1024

  /// Connections of a catalog for reading. Each costs up to 2 MiB of page cache, and a read takes
  /// microseconds: more would help only many cores that do nothing but read the catalog.
  package static let catalogReaderCount = 4
  /// Bytes of the catalog's WAL from which it is folded back into the file after a commit. It counts
  /// among the 1 MiB that a database may take beyond its live bytes, so it is not SQLite's 4 MiB. A
  /// fold costs two syncs, and a small commit takes 16 KiB: one in 32 pays for it.
  package static let walByteCountMax = 512 * 1024
  /// Bytes of the WAL from which its file is cut at once, after one large transaction. The next
  /// commit would cut it, but may never come.
  package static let walFileByteCountMax = 1024 * 1024
  /// Free pages, of 4 KiB, that a deletion leaves in the catalog for the next writes.
  package static let catalogFreePageCountMax = 64
  /// Pages that one transaction gives back at most: 16 MiB, as much as a publication may free. In
  /// the worst case each is read and written elsewhere. The rest goes with the next transactions.
  package static let catalogGiveBackPageCountMax = 4096
  /// Changed pages that a transaction of the catalog keeps in memory, 20 MiB, before it writes some
  /// to the WAL.
  package static let catalogDirtyPageCountMax = 5120
  /// Request keys that a collection keeps of log rows that are gone. A retry comes within seconds.
  package static let keptRequestKeyCountMax = 1000

  /// Bytes of a regular expression. What it compiles to meets the next two limits first.
  package static let regexByteCountMax = 1024 * 1024
  /// Levels of a regular expression, as the `regex` crate of official Chroma limits them.
  package static let regexNestingDepthMax = 250
  /// Steps of a regular expression with its repetitions written out; twelve bytes each. Official
  /// Chroma's limit, 10 MiB for what a pattern compiles to, refuses about the same patterns.
  package static let regexStepCountMax = 500_000
  /// Ranges in all character classes of a regular expression: 16 MB. `[^\w-]` has some 1,500.
  package static let regexRangeCountMax = 2_000_000
  /// Bytes of what one search keeps of its automaton: enough for thousands of states.
  package static let regexStateByteCountMax = 2 * 1024 * 1024

  /// Milliseconds that a writer waits for its turn when the caller names no time.
  package static let writeTurnTimeoutMilliseconds = 10_000
  /// Bytes of log that a read takes from the catalog at once: bounds memory while it catches up.
  package static let catchUpByteCountMax = 16 * 1024 * 1024

  /// Bytes of a segment that stands in the catalog itself; larger ones become a blob. Ten thousand
  /// small collections must not cost a file each.
  package static let inlineSegmentByteCountMax = 64 * 1024
  /// Rows of a collection's log, which are its writes since the last compaction, beyond which a
  /// writer compacts it. It bounds what an opener has to read.
  package static let logRowCountMax = 64
  /// Bytes of a collection's log, from which it is compacted if they exceed twice what its records
  /// take: a few records that are written over and over must not fill a disk.
  package static let logByteCountMin = 128 * 1024
  /// Bytes that a collection may waste, however small it is, once nobody writes to it: a page.
  package static let wastedByteCountMin = 4096
  /// Records of a collection's log from which a writer compacts it.
  package static let tailRecordCountMax = 8192
  /// Bytes of a collection's log from which a writer compacts it, and live bytes that one such step
  /// may write: some 50 ms.
  package static let tailByteCountMax = 16 * 1024 * 1024
  /// Live bytes of a segment that a merge may make: bounds the time that a merge takes and the
  /// space that it needs beside what it replaces.
  package static let mergedSegmentByteCountMax = 512 * 1024 * 1024
  /// Nanoseconds for which a lease keeps others from merging a collection, for each 16 MiB to merge:
  /// so long do they wait for a process that was killed.
  package static let mergeLeaseNanoseconds: Int64 = 2_000_000_000
  /// Bytes of documents that an engine keeps unpacked.
  package static let documentCacheByteCount = 32 * 1024 * 1024
  /// Collections of which a process remembers how they store vectors; then it looks again.
  package static let vectorTypeCountMax = 4096

  /// Vectors of a collection beyond which it gets an index: so many are measured in half a
  /// millisecond.
  package static let indexRecordCountMin = 4096
  /// Vectors, or nanoseconds of work, after which an indexer publishes: what a kill may cost.
  package static let indexPublishRecordCount = 4096
  package static let indexPublishNanoseconds: UInt64 = 2_000_000_000
  /// Vectors in segments that may wait for the index: every query measures all of them.
  package static let unindexedCountMax = 8192
  /// Nanoseconds that a writer gives the index where no thread of its own does that.
  package static let indexStepNanoseconds: UInt64 = 50_000_000
  /// Bytes of an index that is not open beyond which such a writer leaves it to others: opening that
  /// many takes as long.
  package static let boundedIndexByteCountMax = 32 * 1024 * 1024
  /// Nanoseconds for which a lease keeps others from indexing a collection, beside those for what it
  /// writes: so long do they wait for a process that was killed.
  package static let indexLeaseNanoseconds: Int64 = 10_000_000_000
  /// Blobs of an index: each is a file, and all are read when it is opened.
  package static let indexBlobCountMax = 64

  /// Rows between two looks at a cancel token; at 1 µs a row about 4 ms.
  package static let cancellationRowInterval = 4096

  /// Nanoseconds that a backup's pin outlives a backup that was killed: what is deleted meanwhile
  /// takes space for so long. A running backup renews it three times as often.
  package static let backupPinNanoseconds: Int64 = 60_000_000_000
  /// Ids that a repair names of the records that one damage cost.
  package static let reportedIDCountMax = 1000
}
