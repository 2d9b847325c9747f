/* SQLite's write-ahead log, sealed and audited; see chroma_wal.h. */
#include "chroma_wal.h"

#include <string.h>

/* The last bit says that checksums read words with the most significant byte first. */
#define WAL_MAGIC 0x377F0682u
/* What a disk writes whole at least. */
#define SECTOR_BYTE_COUNT 512u

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
         (uint32_t)bytes[3];
}

static void store_big_endian(uint8_t *bytes, uint32_t value) {
  bytes[0] = (uint8_t)(value >> 24);
  bytes[1] = (uint8_t)(value >> 16);
  bytes[2] = (uint8_t)(value >> 8);
  bytes[3] = (uint8_t)value;
}

/* ---- The chain of checksums (section 4.2 of the format) ------------------------------------- */

static void extend_chain(bool is_big_endian, const uint8_t *bytes, size_t byte_count,
                         uint32_t chain[2]) {
  uint32_t first = chain[0];
  uint32_t second = chain[1];
  for (size_t offset = 0; offset < byte_count; offset += 8) {
    uint32_t words[2];
    for (int index = 0; index < 2; index += 1) {
      const uint8_t *word = bytes + offset + 4 * index;
      words[index] = is_big_endian ? big_endian(word)
                                   : (uint32_t)word[3] << 24 | (uint32_t)word[2] << 16 |
                                         (uint32_t)word[1] << 8 | (uint32_t)word[0];
    }
    first += words[0] + second;
    second += words[1] + first;
  }
  chain[0] = first;
  chain[1] = second;
}

/* The chain's value after a frame, from its value before. */
static void chain_frame(bool is_big_endian, const uint8_t *frame, uint32_t chain[2]) {
  extend_chain(is_big_endian, frame, 8, chain);
  extend_chain(is_big_endian, frame + WAL_FRAME_HEADER_BYTE_COUNT, PAGE_BYTE_COUNT, chain);
}

static void stored_chain(const uint8_t *frame, uint32_t out_chain[2]) {
  out_chain[0] = big_endian(frame + 16);
  out_chain[1] = big_endian(frame + 20);
}

/* ---- Bytes ---------------------------------------------------------------------------------- */

static int result_of(int status, int failure) {
  return status == CHROMA_VFS_OK ? SQLITE_OK : status == CHROMA_VFS_FULL ? SQLITE_FULL : failure;
}

/* Reads; bytes beyond the end are zeros, and SHORT_READ. */
static int read_bytes(chroma_wal *wal, void *buffer, size_t byte_count, uint64_t offset) {
  size_t done = 0;
  int status = wal->calls->read(wal->file, buffer, byte_count, offset, &done);
  if (status != CHROMA_VFS_OK) {
    return result_of(status, SQLITE_IOERR_READ);
  }
  if (done < byte_count) {
    memset((uint8_t *)buffer + done, 0, byte_count - done);
    return SQLITE_IOERR_SHORT_READ;
  }
  return SQLITE_OK;
}

static int write_bytes(chroma_wal *wal, const void *bytes, size_t byte_count, uint64_t offset) {
  return result_of(wal->calls->write(wal->file, bytes, byte_count, offset), SQLITE_IOERR_WRITE);
}

static bool is_frame_start(uint64_t offset) {
  return offset >= WAL_HEADER_BYTE_COUNT &&
         (offset - WAL_HEADER_BYTE_COUNT) % WAL_FRAME_BYTE_COUNT == 0;
}

static bool is_frame_page(uint64_t offset, size_t byte_count) {
  return byte_count == PAGE_BYTE_COUNT && offset >= WAL_FRAME_HEADER_BYTE_COUNT &&
         is_frame_start(offset - WAL_FRAME_HEADER_BYTE_COUNT);
}

/* ---- Reading and writing -------------------------------------------------------------------- */

int chroma_wal_flush(chroma_wal *wal) {
  if (!wal->has_header) {
    return SQLITE_OK;
  }
  wal->has_header = false;
  wal->has_chain = false;
  return write_bytes(wal, wal->frame, WAL_FRAME_HEADER_BYTE_COUNT, wal->header_offset);
}

int chroma_wal_read(chroma_wal *wal, void *buffer, size_t byte_count, uint64_t offset) {
  int result = chroma_wal_flush(wal);
  if (result != SQLITE_OK) {
    return result;
  }
  if (!is_frame_page(offset, byte_count)) {
    /* Headers, and whole frames: SQLite recovers, and judges for itself. */
    return read_bytes(wal, buffer, byte_count, offset);
  }
  result = read_bytes(wal, wal->frame, WAL_FRAME_BYTE_COUNT, offset - WAL_FRAME_HEADER_BYTE_COUNT);
  if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) {
    return result;
  }
  const uint8_t *page = wal->frame + WAL_FRAME_HEADER_BYTE_COUNT;
  if (result != SQLITE_OK || !chroma_page_is_intact(page, big_endian(wal->frame))) {
    wal->calls->damaged(wal->file, offset);
    return SQLITE_IOERR_DATA;
  }
  memcpy(buffer, page, PAGE_BYTE_COUNT);
  return SQLITE_OK;
}

/* Finds the chain's value before the frame at an offset, in the file. */
static int load_chain(chroma_wal *wal, uint64_t offset) {
  uint8_t header[WAL_HEADER_BYTE_COUNT];
  int result = read_bytes(wal, header, sizeof header, 0);
  if (result != SQLITE_OK) {
    return result;
  }
  wal->is_big_endian = big_endian(header) & 1;
  const uint8_t *stored = header + 24;
  uint8_t previous[8];
  if (offset > WAL_HEADER_BYTE_COUNT) {
    result = read_bytes(wal, previous, sizeof previous, offset - WAL_FRAME_BYTE_COUNT + 16);
    if (result != SQLITE_OK) {
      return result;
    }
    stored = previous;
  }
  wal->chain[0] = big_endian(stored);
  wal->chain[1] = big_endian(stored + 4);
  wal->chain_offset = offset;
  wal->has_chain = true;
  return SQLITE_OK;
}

/* The page of the header that waits: both go out, sealed and chained. */
static int write_frame(chroma_wal *wal, const void *page) {
  static const uint8_t none[16] = {0};
  uint64_t offset = wal->header_offset;
  uint8_t *frame = wal->frame;
  wal->has_header = false;
  memcpy(frame + WAL_FRAME_HEADER_BYTE_COUNT, page, PAGE_BYTE_COUNT);
  chroma_page_seal(frame + WAL_FRAME_HEADER_BYTE_COUNT, big_endian(frame));
  if (memcmp(frame + 8, none, sizeof none) == 0) {
    /* SQLite has overwritten an earlier frame of this transaction, and will chain anew all from
       there on before it commits, from what it reads in the file. */
    wal->has_chain = false;
    return write_bytes(wal, frame, WAL_FRAME_BYTE_COUNT, offset);
  }
  if (!wal->has_chain || wal->chain_offset != offset) {
    int result = load_chain(wal, offset);
    if (result != SQLITE_OK) {
      return result;
    }
  }
  chain_frame(wal->is_big_endian, frame, wal->chain);
  store_big_endian(frame + 16, wal->chain[0]);
  store_big_endian(frame + 20, wal->chain[1]);
  wal->chain_offset = offset + WAL_FRAME_BYTE_COUNT;
  int result = write_bytes(wal, frame, WAL_FRAME_BYTE_COUNT, offset);
  wal->has_chain = result == SQLITE_OK;
  return result;
}

/* A page written over that of an earlier frame of the same transaction. */
static int overwrite_page(chroma_wal *wal, const void *page, uint64_t offset) {
  uint8_t number[4];
  int result = read_bytes(wal, number, sizeof number, offset - WAL_FRAME_HEADER_BYTE_COUNT);
  if (result != SQLITE_OK) {
    return result;
  }
  wal->has_chain = false;
  memcpy(wal->frame, page, PAGE_BYTE_COUNT);
  chroma_page_seal(wal->frame, big_endian(number));
  return write_bytes(wal, wal->frame, PAGE_BYTE_COUNT, offset);
}

int chroma_wal_write(chroma_wal *wal, const void *bytes, size_t byte_count, uint64_t offset) {
  if (wal->has_header && byte_count == PAGE_BYTE_COUNT &&
      offset == wal->header_offset + WAL_FRAME_HEADER_BYTE_COUNT) {
    return write_frame(wal, bytes);
  }
  int result = chroma_wal_flush(wal);
  if (result != SQLITE_OK) {
    return result;
  }
  if (byte_count == WAL_FRAME_HEADER_BYTE_COUNT && is_frame_start(offset)) {
    memcpy(wal->frame, bytes, byte_count);
    wal->has_header = true;
    wal->header_offset = offset;
    return SQLITE_OK;
  }
  if (is_frame_page(offset, byte_count)) {
    return overwrite_page(wal, bytes, offset);
  }
  wal->has_chain = false;
  return write_bytes(wal, bytes, byte_count, offset);
}

/* ---- The audit ------------------------------------------------------------------------------ */

/* Where a walk over the frames stands. */
typedef struct audit {
  bool is_big_endian;
  uint8_t salts[8];
  /* The chain's value after the frame before, as that frame says and as it should say. They differ
     where the frame is broken. */
  uint32_t stored[2];
  uint32_t expected[2];
  /* Whether every frame so far is as it was written. */
  bool is_whole;
  /* Offset of the first broken frame. */
  uint64_t broken_offset;
  /* Whether the frame before ends a transaction, at or after the first broken frame. */
  bool is_after_commit;
  /* Where the last whole transaction begins, and where it ends. */
  uint64_t last_start;
  uint64_t last_end;
} audit;

/* Reads the log's header; false if it is none. */
static bool begin_audit(audit *audit, const uint8_t *header) {
  uint32_t magic = big_endian(header);
  uint32_t chain[2] = {0, 0};
  memset(audit, 0, sizeof *audit);
  audit->is_big_endian = magic & 1;
  extend_chain(audit->is_big_endian, header, 24, chain);
  memcpy(audit->salts, header + 16, sizeof audit->salts);
  audit->stored[0] = audit->expected[0] = chain[0];
  audit->stored[1] = audit->expected[1] = chain[1];
  audit->is_whole = true;
  audit->last_start = audit->last_end = WAL_HEADER_BYTE_COUNT;
  return (magic & ~1u) == WAL_MAGIC && chain[0] == big_endian(header + 24) &&
         chain[1] == big_endian(header + 28) && big_endian(header + 8) == PAGE_BYTE_COUNT;
}

/* Takes the next frame; true if it proves that an acknowledged one before it is damaged. */
static bool audit_frame(audit *audit, const uint8_t *frame, uint64_t offset) {
  bool is_of_this_log = memcmp(frame + 8, audit->salts, sizeof audit->salts) == 0;
  uint32_t after_stored[2] = {audit->stored[0], audit->stored[1]};
  uint32_t after_expected[2] = {audit->expected[0], audit->expected[1]};
  uint32_t found[2];
  chain_frame(audit->is_big_endian, frame, after_stored);
  chain_frame(audit->is_big_endian, frame, after_expected);
  stored_chain(frame, found);
  bool is_chained = is_of_this_log && (memcmp(found, after_stored, sizeof found) == 0 ||
                                       memcmp(found, after_expected, sizeof found) == 0);
  bool is_proof = is_chained && audit->is_after_commit;
  if (audit->is_whole && !is_chained) {
    audit->is_whole = false;
    audit->broken_offset = offset;
  }
  bool is_commit = big_endian(frame + 4) != 0;
  /* Where a sector ends between the mark of a commit and the salts, a write that a power cut tore
     may have left the mark of an earlier log's frame beside salts of this one. */
  bool is_torn = !is_chained && offset % SECTOR_BYTE_COUNT == SECTOR_BYTE_COUNT - 8;
  audit->is_after_commit = !audit->is_whole && is_of_this_log && is_commit && !is_torn;
  if (audit->is_whole && is_commit) {
    audit->last_start = audit->last_end;
    audit->last_end = offset + WAL_FRAME_BYTE_COUNT;
  }
  memcpy(audit->stored, found, sizeof found);
  memcpy(audit->expected, after_stored, sizeof after_stored);
  return is_proof;
}

/* Writes a range of frames over itself, and syncs. */
static int rewrite(chroma_wal *wal, uint64_t start, uint64_t end) {
  for (uint64_t offset = start; offset < end; offset += WAL_FRAME_BYTE_COUNT) {
    int result = read_bytes(wal, wal->frame, WAL_FRAME_BYTE_COUNT, offset);
    if (result == SQLITE_OK) {
      result = write_bytes(wal, wal->frame, WAL_FRAME_BYTE_COUNT, offset);
    }
    if (result != SQLITE_OK) {
      return result;
    }
  }
  return start < end ? result_of(wal->calls->sync(wal->file), SQLITE_IOERR_FSYNC) : SQLITE_OK;
}

int chroma_wal_audit(chroma_wal *wal) {
  uint64_t byte_count = 0;
  int status = wal->calls->byte_count(wal->file, &byte_count);
  if (status != CHROMA_VFS_OK) {
    return result_of(status, SQLITE_IOERR_FSTAT);
  }
  if (byte_count <= WAL_HEADER_BYTE_COUNT) {
    return SQLITE_OK;
  }
  audit audit;
  int result = read_bytes(wal, wal->frame, WAL_HEADER_BYTE_COUNT, 0);
  if (result != SQLITE_OK) {
    return result;
  }
  if (!begin_audit(&audit, wal->frame)) {
    /* SQLite syncs the header before it writes the first frame. */
    wal->calls->damaged(wal->file, 0);
    return SQLITE_IOERR_DATA;
  }
  for (uint64_t offset = WAL_HEADER_BYTE_COUNT; byte_count - offset >= WAL_FRAME_BYTE_COUNT;
       offset += WAL_FRAME_BYTE_COUNT) {
    result = read_bytes(wal, wal->frame, WAL_FRAME_BYTE_COUNT, offset);
    if (result != SQLITE_OK) {
      return result;
    }
    if (audit_frame(&audit, wal->frame, offset)) {
      wal->calls->damaged(wal->file, audit.broken_offset);
      return SQLITE_IOERR_DATA;
    }
  }
  return wal->is_read_only ? SQLITE_OK : rewrite(wal, audit.last_start, audit.last_end);
}
