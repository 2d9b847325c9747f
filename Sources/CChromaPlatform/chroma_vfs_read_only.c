/*
 * A database that is only read: the same pages, log and lock bytes, through files that are opened
 * for reading. Nothing is created, removed or changed, not even by those who find what a killed
 * process left.
 *
 * SQLite finds the commits in the log through an index. Which one depends on who else is there:
 *
 *   - Somebody who writes: his index ("-shm"), mapped for reading, with shared locks.
 *   - Nobody: an index that was left cannot be trusted. SQLite is told so (READONLY_CANTINIT), and
 *     makes one in its own memory from the log, audited first (chroma_wal.h). While SQLite reads,
 *     it holds the index's lock of those who need no log: who comes meanwhile folds nothing back.
 *   - Nobody, and there is no index to lock. Who comes to write makes one before anything else, and
 *     cannot remove it as long as we have the database locked. So after every read we look whether
 *     there is still none; if there is one, what was read may be torn, and SQLite is told that its
 *     snapshot is gone (BUSY_SNAPSHOT).
 *
 * SQLite asks again at the beginning of each read transaction, so writers may come and go.
 */
#include <string.h>

#include "chroma_vfs_file.h"

/* The index begins with two copies of its header, which differ while it is being written and after
   whoever wrote it was killed (sqlite.org/walformat.html, section 2.1). */
#define SHM_HEADER_BYTE_COUNT ((size_t)48)
#define SHM_IS_INITIALIZED_OFFSET 12

/* ---- Reading -------------------------------------------------------------------------------- */

/* A read's result; BUSY_SNAPSHOT if it had no lock and somebody may have written meanwhile. */
static int if_undisturbed(const chroma_vfs *vfs, int result) {
  if (vfs->missing_index_path == NULL) {
    return result;
  }
  uint64_t byte_count = 0;
  int status = vfs->calls->path_byte_count(vfs->context, vfs->missing_index_path, &byte_count);
  if (status == CHROMA_VFS_MISSING) {
    return result;
  }
  return status == CHROMA_VFS_OK ? SQLITE_BUSY_SNAPSHOT : SQLITE_IOERR_READ;
}

/* Opens the log if it has come into being. Nobody removes it while we have the database locked. */
static int find_log(vfs_file *log) {
  if (log->file != NULL) {
    return SQLITE_OK;
  }
  const chroma_vfs *vfs = log->vfs;
  int status = vfs->calls->open(vfs->context, log->path, CHROMA_FILE_READ_ONLY, &log->file);
  if (status == CHROMA_VFS_OK) {
    log->wal->file = log->file;
  }
  return status == CHROMA_VFS_MISSING ? SQLITE_OK : chroma_vfs_result(status, SQLITE_CANTOPEN);
}

static int read_only_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 position) {
  vfs_file *file = (vfs_file *)base;
  int result = file->wal == NULL ? SQLITE_OK : find_log(file);
  if (result != SQLITE_OK) {
    return result;
  }
  if (file->file == NULL) {
    return SQLITE_BUSY; /* There was none, so SQLite reads nothing of it. */
  }
  result = if_undisturbed(file->vfs, chroma_vfs_file_read(base, buffer, amount, position));
  if (file->wal != NULL && result == SQLITE_IOERR_SHORT_READ) {
    return SQLITE_BUSY; /* Somebody has come, and cut it since SQLite asked for its size. */
  }
  return result;
}

static int read_only_size(sqlite3_file *base, sqlite3_int64 *out_size) {
  vfs_file *file = (vfs_file *)base;
  *out_size = 0;
  int result = file->wal == NULL ? SQLITE_OK : find_log(file);
  if (result != SQLITE_OK || file->file == NULL) {
    return result;
  }
  result = chroma_vfs_file_size(base, out_size);
  if (file->wal != NULL && *out_size < (sqlite3_int64)(WAL_HEADER_BYTE_COUNT + 1)) {
    *out_size = 0; /* A header that was cut off while it was written, and nothing else. */
  }
  return result;
}

/* ---- What is refused ------------------------------------------------------------------------ */

static int read_only_write(sqlite3_file *base, const void *bytes, int amount,
                           sqlite3_int64 position) {
  (void)base;
  (void)bytes;
  (void)amount;
  (void)position;
  return SQLITE_READONLY;
}

static int read_only_truncate(sqlite3_file *base, sqlite3_int64 size) {
  (void)base;
  (void)size;
  return SQLITE_READONLY;
}

static int read_only_sync(sqlite3_file *base, int flags) {
  (void)base;
  (void)flags;
  return SQLITE_OK;
}

static int read_only_lock(sqlite3_file *base, int level) {
  return level > SQLITE_LOCK_SHARED ? SQLITE_READONLY : chroma_vfs_file_lock(base, level);
}

/* ---- The WAL index -------------------------------------------------------------------------- */

static int is_locked(vfs_file *file, uint64_t offset, int kind, bool *out_is_locked) {
  int status = file->vfs->calls->is_locked(file->index_file, offset, 1, kind, out_is_locked);
  return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
}

static int open_index(vfs_file *file) {
  chroma_vfs *vfs = file->vfs;
  int status =
      vfs->calls->open(vfs->context, file->index_path, CHROMA_FILE_READ_ONLY, &file->index_file);
  if (status == CHROMA_VFS_MISSING) {
    vfs->missing_index_path = file->index_path;
    return SQLITE_READONLY_CANTINIT;
  }
  if (status != CHROMA_VFS_OK) {
    return chroma_vfs_result(status, SQLITE_IOERR_SHMOPEN);
  }
  vfs->missing_index_path = NULL;
  /* The lock that SQLite may believe to have is not on this file. */
  return file->has_index_lock ? SQLITE_BUSY : SQLITE_OK;
}

/* Counts as a user of the index if there is another: nobody clears it any more then. Asked without
   taking the lock first, which would keep the first user from clearing it. */
static int join_index(vfs_file *file) {
  bool is_being_cleared = false;
  bool is_used = false;
  int result = is_locked(file, SHM_ALIVE_BYTE, CHROMA_FILE_LOCK_SHARED, &is_being_cleared);
  if (result == SQLITE_OK) {
    result = is_locked(file, SHM_ALIVE_BYTE, CHROMA_FILE_LOCK_EXCLUSIVE, &is_used);
  }
  if (result != SQLITE_OK || is_being_cleared) {
    return result == SQLITE_OK ? SQLITE_BUSY : result;
  }
  if (!is_used) {
    return SQLITE_READONLY_CANTINIT;
  }
  int status = file->vfs->calls->lock(file->index_file, SHM_ALIVE_BYTE, 1, CHROMA_FILE_LOCK_SHARED);
  file->has_joined = status == CHROMA_VFS_OK;
  return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
}

static bool is_header_whole(const uint8_t *index) {
  return index != NULL && index[SHM_IS_INITIALIZED_OFFSET] != 0 &&
         memcmp(index, index + SHM_HEADER_BYTE_COUNT, SHM_HEADER_BYTE_COUNT) == 0;
}

/* READONLY: the index is in use, and can be used. READONLY_CANTINIT: nobody keeps it. */
static int judge_index(vfs_file *file, int byte_count) {
  int result = file->index_file == NULL ? open_index(file) : SQLITE_OK;
  if (result == SQLITE_OK && !file->has_joined) {
    result = join_index(file);
  }
  void volatile *index = NULL;
  if (result == SQLITE_OK) {
    result = chroma_vfs_index_map((sqlite3_file *)file, 0, byte_count, 0, &index);
  }
  if (result != SQLITE_OK) {
    return result;
  }
  if (is_header_whole((const uint8_t *)index)) {
    return SQLITE_READONLY;
  }
  /* Not made yet, or its writer was killed; else its writer will soon be done. */
  bool is_written = false;
  result = is_locked(file, SHM_LOCK_FIRST + SHM_WRITE_LOCK, CHROMA_FILE_LOCK_SHARED, &is_written);
  return result != SQLITE_OK ? result : is_written ? SQLITE_BUSY : SQLITE_READONLY_CANTINIT;
}

/* Before SQLite makes an index of its own. */
static int audit_log(vfs_file *file, int byte_count) {
  vfs_file *log = file->vfs->log;
  int result = log == NULL ? SQLITE_OK : find_log(log);
  if (result != SQLITE_OK || log == NULL || log->file == NULL) {
    return result;
  }
  const char *missing_index_path = file->vfs->missing_index_path;
  result = chroma_wal_audit(log->wal);
  bool is_disturbed = result == SQLITE_IOERR_SHORT_READ;
  if (result == SQLITE_IOERR_DATA) {
    is_disturbed = judge_index(file, byte_count) != SQLITE_READONLY_CANTINIT ||
                   file->vfs->missing_index_path != missing_index_path;
  }
  /* Somebody has come, and was cutting or writing what looked damaged. */
  return is_disturbed ? SQLITE_BUSY : result;
}

static int read_only_index_map(sqlite3_file *base, int region, int byte_count, int is_extending,
                               void volatile **out_memory) {
  vfs_file *file = (vfs_file *)base;
  (void)is_extending;
  *out_memory = NULL;
  if (region < 0 || byte_count <= 0) {
    return SQLITE_IOERR_SHMMAP;
  }
  int result = judge_index(file, byte_count);
  if (result == SQLITE_READONLY) {
    int mapped = chroma_vfs_index_map(base, region, byte_count, 0, out_memory);
    return mapped == SQLITE_OK ? SQLITE_READONLY : mapped;
  }
  if (result == SQLITE_READONLY_CANTINIT && !file->has_index_lock) {
    /* With a lock SQLite asks whether the index that it has made may still be used. */
    int audited = audit_log(file, byte_count);
    return audited == SQLITE_OK ? SQLITE_READONLY_CANTINIT : audited;
  }
  return result;
}

static int read_only_index_lock(sqlite3_file *base, int first, int count, int flags) {
  vfs_file *file = (vfs_file *)base;
  bool is_unlocking = flags & SQLITE_SHM_UNLOCK;
  if (first < 0 || count <= 0 || first + count > SQLITE_SHM_NLOCK ||
      (!is_unlocking && !(flags & SQLITE_SHM_SHARED))) {
    return SQLITE_IOERR_SHMLOCK;
  }
  int status = CHROMA_VFS_OK;
  if (file->index_file != NULL) {
    int kind = is_unlocking ? CHROMA_FILE_UNLOCK : CHROMA_FILE_LOCK_SHARED;
    uint64_t offset = SHM_LOCK_FIRST + (uint64_t)first;
    status = file->vfs->calls->lock(file->index_file, offset, (uint64_t)count, kind);
  }
  if (status == CHROMA_VFS_OK) {
    file->has_index_lock = !is_unlocking;
  }
  return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
}

static int read_only_index_unmap(sqlite3_file *base, int is_deleting) {
  (void)is_deleting;
  return chroma_vfs_index_unmap(base, 0);
}

/* ---- The table for SQLite ------------------------------------------------------------------- */

const sqlite3_io_methods chroma_vfs_read_only_methods = {
    .iVersion = 2,
    .xClose = chroma_vfs_file_close,
    .xRead = read_only_read,
    .xWrite = read_only_write,
    .xTruncate = read_only_truncate,
    .xSync = read_only_sync,
    .xFileSize = read_only_size,
    .xLock = read_only_lock,
    .xUnlock = chroma_vfs_file_unlock,
    .xCheckReservedLock = chroma_vfs_file_check_reserved,
    .xFileControl = chroma_vfs_file_control,
    .xSectorSize = chroma_vfs_file_sector_size,
    .xDeviceCharacteristics = chroma_vfs_file_characteristics,
    .xShmMap = read_only_index_map,
    .xShmLock = read_only_index_lock,
    .xShmBarrier = chroma_vfs_index_barrier,
    .xShmUnmap = read_only_index_unmap,
};
