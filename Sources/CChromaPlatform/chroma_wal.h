/*
 * SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4) between SQLite and the disk.
 *
 *     | header: 32 bytes | frames: 24 bytes of header, 4096 of page |
 *
 * SQLite protects frames with a chain of checksums, each over its frame and all before it, which it
 * looks at only when it recovers. This layer adds what that leaves open:
 *
 *   - The page in a frame is sealed like one in the database file, and verified at each read.
 *     The chain is made anew over the sealed pages, since SQLite computed it over its own
 *     buffers. So any SQLite may recover and checkpoint the log: what it moves is sealed.
 *   - Before SQLite recovers, the log is audited. SQLite takes the first broken frame for the
 *     end of the log: right for a torn tail, which nobody was promised, wrong for damage in the
 *     midst of acknowledged transactions, which it would drop in silence. A frame that a later
 *     transaction was chained to had been synced: if it is broken, that is damage.
 *   - The last transaction found is written and synced once more. Its writer may have been
 *     killed before its sync, or its sync may have failed, leaving pages that are in memory,
 *     clean, and not on the disk; what readers see now must not vanish later.
 */
#ifndef CHROMA_WAL_H
#define CHROMA_WAL_H

#include "chroma_page.h"

#define WAL_HEADER_BYTE_COUNT ((size_t)32)
#define WAL_FRAME_HEADER_BYTE_COUNT ((size_t)24)
#define WAL_FRAME_BYTE_COUNT (WAL_FRAME_HEADER_BYTE_COUNT + PAGE_BYTE_COUNT)

/** One connection's log file. */
typedef struct chroma_wal {
  const chroma_vfs_calls *calls;
  void *file;
  bool is_read_only;
  /* The header of a frame whose page SQLite is about to write: they go out together. */
  bool has_header;
  uint64_t header_offset;
  /* The chain's value before the frame at chain_offset, as long as this connection has the write
     lock; after that another may have written there. */
  bool has_chain;
  bool is_big_endian;
  uint64_t chain_offset;
  uint32_t chain[2];
  uint8_t frame[WAL_FRAME_BYTE_COUNT];
} chroma_wal;

/* Each answers a result code of SQLite. */

int chroma_wal_read(chroma_wal *wal, void *buffer, size_t byte_count, uint64_t offset);

int chroma_wal_write(chroma_wal *wal, const void *bytes, size_t byte_count, uint64_t offset);

/** Writes a header that still waits for its page: before anything else is done with the file. */
int chroma_wal_flush(chroma_wal *wal);

/**
 * Before SQLite recovers: audits the log and makes its last transaction durable, for which SQLite's
 * recovery lock must be held. A log that is only read is only audited.
 */
int chroma_wal_audit(chroma_wal *wal);

#endif
