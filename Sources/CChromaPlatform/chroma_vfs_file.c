/* Pages, bytes and locks of SQLite's files; see chroma_vfs_file.h. */
#include "chroma_vfs_file.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that SQLite's format reserves for locks (sqlite.org/src, os.h). */
#define PENDING_BYTE ((uint64_t)0x40000000)
#define RESERVED_BYTE (PENDING_BYTE + 1)
#define SHARED_FIRST (PENDING_BYTE + 2)
#define SHARED_BYTE_COUNT ((uint64_t)510)

int chroma_vfs_result(int status, int failure) {
  switch (status) {
    case CHROMA_VFS_OK:
      return SQLITE_OK;
    case CHROMA_VFS_FULL:
      return SQLITE_FULL;
    case CHROMA_VFS_BUSY:
      return SQLITE_BUSY;
    default:
      return failure;
  }
}

/* ---- Pages ---------------------------------------------------------------------------------- */

/*
 * Reads a whole page and verifies it. Beyond the end of the file it is zeros and SHORT_READ if the
 * database has not reached so far yet: a transaction that makes a page anew asks for its old
 * content. Otherwise that is damage too: SQLite would take the zeros for what was stored there.
 * Who only reads makes no page.
 */
static int read_page(vfs_file *file, uint8_t *page, uint64_t offset) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  uint32_t number = (uint32_t)(offset / PAGE_BYTE_COUNT) + 1;
  size_t byte_count = 0;
  int status = calls->read(file->file, page, PAGE_BYTE_COUNT, offset, &byte_count);
  if (status != CHROMA_VFS_OK) {
    return chroma_vfs_result(status, SQLITE_IOERR_READ);
  }
  if (byte_count == 0 && !file->vfs->is_read_only && number > chroma_vfs_index_page_count(file)) {
    memset(page, 0, PAGE_BYTE_COUNT);
    return SQLITE_IOERR_SHORT_READ;
  }
  if (byte_count < PAGE_BYTE_COUNT || !chroma_page_is_intact(page, number)) {
    calls->damaged(file->file, offset);
    return SQLITE_IOERR_DATA;
  }
  return SQLITE_OK;
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* Writes what the log keeps back. */
static int flush(vfs_file *file) {
  return file->wal == NULL ? SQLITE_OK : chroma_wal_flush(file->wal);
}

int chroma_vfs_file_close(sqlite3_file *base) {
  vfs_file *file = (vfs_file *)base;
  int result = flush(file);
  chroma_vfs_index_unmap(base, 0);
  if (file->file != NULL) {
    file->vfs->calls->close(file->file);
  }
  if (file->wal != NULL) {
    file->vfs->log = NULL;
    free(file->wal);
  }
  free(file->index_path);
  return result;
}

static int read_raw(vfs_file *file, void *buffer, size_t byte_count, uint64_t offset) {
  size_t done = 0;
  int status = file->vfs->calls->read(file->file, buffer, byte_count, offset, &done);
  if (status != CHROMA_VFS_OK) {
    return chroma_vfs_result(status, SQLITE_IOERR_READ);
  }
  if (done < byte_count) {
    memset((uint8_t *)buffer + done, 0, byte_count - done);
    return SQLITE_IOERR_SHORT_READ;
  }
  return SQLITE_OK;
}

int chroma_vfs_file_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 position) {
  vfs_file *file = (vfs_file *)base;
  if (amount < 0 || position < 0) {
    return SQLITE_IOERR_READ;
  }
  size_t byte_count = (size_t)amount;
  uint64_t offset = (uint64_t)position;
  if (file->wal != NULL) {
    return chroma_wal_read(file->wal, buffer, byte_count, offset);
  }
  if (!file->is_database || file->lock == SQLITE_LOCK_NONE) {
    return read_raw(file, buffer, byte_count, offset);
  }
  size_t within = (size_t)(offset % PAGE_BYTE_COUNT);
  if (within == 0 && byte_count == PAGE_BYTE_COUNT) {
    return read_page(file, buffer, offset);
  }
  if (byte_count > PAGE_BYTE_COUNT - within) {
    /* SQLite was told another page size: by damage, or by a file that is not ours. */
    file->vfs->calls->damaged(file->file, offset);
    return SQLITE_IOERR_DATA;
  }
  int result = read_page(file, file->page, offset - within);
  if (result == SQLITE_OK || result == SQLITE_IOERR_SHORT_READ) {
    memcpy(buffer, file->page + within, byte_count);
  }
  return result;
}

static int file_write(sqlite3_file *base, const void *bytes, int amount, sqlite3_int64 position) {
  vfs_file *file = (vfs_file *)base;
  if (amount < 0 || position < 0) {
    return SQLITE_IOERR_WRITE;
  }
  if (file->wal != NULL) {
    return chroma_wal_write(file->wal, bytes, (size_t)amount, (uint64_t)position);
  }
  const void *source = bytes;
  if (file->is_database) {
    if ((size_t)amount != PAGE_BYTE_COUNT || (uint64_t)position % PAGE_BYTE_COUNT != 0) {
      file->vfs->calls->damaged(file->file, (uint64_t)position);
      return SQLITE_IOERR_WRITE;
    }
    memcpy(file->page, bytes, PAGE_BYTE_COUNT);
    chroma_page_seal(file->page, (uint32_t)((uint64_t)position / PAGE_BYTE_COUNT) + 1);
    source = file->page;
  }
  int status = file->vfs->calls->write(file->file, source, (size_t)amount, (uint64_t)position);
  return chroma_vfs_result(status, SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
  vfs_file *file = (vfs_file *)base;
  if (size < 0) {
    return SQLITE_IOERR_TRUNCATE;
  }
  int result = flush(file);
  if (result != SQLITE_OK) {
    return result;
  }
  int status = file->vfs->calls->set_byte_count(file->file, (uint64_t)size);
  return chroma_vfs_result(status, SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags) {
  (void)flags;
  vfs_file *file = (vfs_file *)base;
  int result = flush(file);
  if (result != SQLITE_OK) {
    return result;
  }
  return chroma_vfs_result(file->vfs->calls->sync(file->file), SQLITE_IOERR_FSYNC);
}

int chroma_vfs_file_size(sqlite3_file *base, sqlite3_int64 *out_size) {
  vfs_file *file = (vfs_file *)base;
  uint64_t byte_count = 0;
  int result = flush(file);
  if (result != SQLITE_OK) {
    return result;
  }
  int status = file->vfs->calls->byte_count(file->file, &byte_count);
  *out_size = byte_count > INT64_MAX ? INT64_MAX : (sqlite3_int64)byte_count;
  return chroma_vfs_result(status, SQLITE_IOERR_FSTAT);
}

int chroma_vfs_file_control(sqlite3_file *base, int operation, void *argument) {
  vfs_file *file = (vfs_file *)base;
  if (operation == SQLITE_FCNTL_LOCKSTATE) {
    *(int *)argument = file->lock;
    return SQLITE_OK;
  }
  return SQLITE_NOTFOUND;
}

int chroma_vfs_file_sector_size(sqlite3_file *base) {
  (void)base;
  return (int)PAGE_BYTE_COUNT;
}

int chroma_vfs_file_characteristics(sqlite3_file *base) {
  (void)base;
  /* A power cut damages no byte beside those that were being written. */
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- Locks of the database file (sqlite.org/lockingv3.html) --------------------------------- */

static int lock_bytes(vfs_file *file, uint64_t offset, uint64_t byte_count, int kind) {
  return chroma_vfs_result(file->vfs->calls->lock(file->file, offset, byte_count, kind),
                           SQLITE_IOERR_LOCK);
}

static int lock_shared(vfs_file *file) {
  /* Through the pending byte: a writer that waits for readers to go holds it, and stays first. */
  int result = lock_bytes(file, PENDING_BYTE, 1, CHROMA_FILE_LOCK_SHARED);
  if (result != SQLITE_OK) {
    return result;
  }
  result = lock_bytes(file, SHARED_FIRST, SHARED_BYTE_COUNT, CHROMA_FILE_LOCK_SHARED);
  int unlocked = lock_bytes(file, PENDING_BYTE, 1, CHROMA_FILE_UNLOCK);
  return result != SQLITE_OK ? result : unlocked;
}

static int lock_exclusive(vfs_file *file) {
  if (file->lock < SQLITE_LOCK_PENDING) {
    int result = lock_bytes(file, PENDING_BYTE, 1, CHROMA_FILE_LOCK_EXCLUSIVE);
    if (result != SQLITE_OK) {
      return result;
    }
    file->lock = SQLITE_LOCK_PENDING;
  }
  return lock_bytes(file, SHARED_FIRST, SHARED_BYTE_COUNT, CHROMA_FILE_LOCK_EXCLUSIVE);
}

int chroma_vfs_file_lock(sqlite3_file *base, int level) {
  vfs_file *file = (vfs_file *)base;
  if (file->lock >= level) {
    return SQLITE_OK;
  }
  int result = SQLITE_OK;
  if (file->lock == SQLITE_LOCK_NONE) {
    result = lock_shared(file);
  }
  if (result == SQLITE_OK && level == SQLITE_LOCK_RESERVED) {
    result = lock_bytes(file, RESERVED_BYTE, 1, CHROMA_FILE_LOCK_EXCLUSIVE);
  } else if (result == SQLITE_OK && level >= SQLITE_LOCK_PENDING) {
    result = lock_exclusive(file);
  }
  if (result == SQLITE_OK) {
    file->lock = level;
  }
  return result;
}

int chroma_vfs_file_unlock(sqlite3_file *base, int level) {
  vfs_file *file = (vfs_file *)base;
  if (file->lock <= level) {
    return SQLITE_OK;
  }
  int result = SQLITE_OK;
  if (level == SQLITE_LOCK_SHARED) {
    if (file->lock == SQLITE_LOCK_EXCLUSIVE) {
      result = lock_bytes(file, SHARED_FIRST, SHARED_BYTE_COUNT, CHROMA_FILE_LOCK_SHARED);
    }
    if (result == SQLITE_OK) {
      result = lock_bytes(file, PENDING_BYTE, 2, CHROMA_FILE_UNLOCK);
    }
  } else {
    result = lock_bytes(file, PENDING_BYTE, 2 + SHARED_BYTE_COUNT, CHROMA_FILE_UNLOCK);
  }
  file->lock = level;
  return result == SQLITE_OK ? SQLITE_OK : SQLITE_IOERR_UNLOCK;
}

int chroma_vfs_file_check_reserved(sqlite3_file *base, int *out_is_reserved) {
  vfs_file *file = (vfs_file *)base;
  bool is_locked = file->lock >= SQLITE_LOCK_RESERVED;
  int status = CHROMA_VFS_OK;
  if (!is_locked) {
    status = file->vfs->calls->is_locked(file->file, RESERVED_BYTE, 1, CHROMA_FILE_LOCK_EXCLUSIVE,
                                         &is_locked);
  }
  *out_is_reserved = is_locked;
  return chroma_vfs_result(status, SQLITE_IOERR_CHECKRESERVEDLOCK);
}

/* ---- The table for SQLite -------------------------------------------------------------------- */

const sqlite3_io_methods chroma_vfs_file_methods = {
    .iVersion = 2,
    .xClose = chroma_vfs_file_close,
    .xRead = chroma_vfs_file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = chroma_vfs_file_size,
    .xLock = chroma_vfs_file_lock,
    .xUnlock = chroma_vfs_file_unlock,
    .xCheckReservedLock = chroma_vfs_file_check_reserved,
    .xFileControl = chroma_vfs_file_control,
    .xSectorSize = chroma_vfs_file_sector_size,
    .xDeviceCharacteristics = chroma_vfs_file_characteristics,
    .xShmMap = chroma_vfs_index_map,
    .xShmLock = chroma_vfs_index_lock,
    .xShmBarrier = chroma_vfs_index_barrier,
    .xShmUnmap = chroma_vfs_index_unmap,
};
