/*
 * SQLite's file layer over the engine's files; see chroma_vfs.h.
 *
 * Invariants:
 *   - Every page that reaches the database file or the log is sealed (chroma_page.h); SQLite's own
 *     buffer is never changed, only a copy of it.
 *   - No page reaches SQLite unverified once it holds a lock. Before that, SQLite reads the
 *     database's header to learn the page size; a torn first page is then still to be rolled back.
 *   - Locks are on the bytes that SQLite's own unix VFS uses, so both exclude each other.
 */
#include "chroma_vfs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chroma_page.h"
#include "chroma_wal.h"

/* Bytes that SQLite's format reserves for locks (sqlite.org/src, os.h). */
#define PENDING_BYTE ((uint64_t)0x40000000)
#define RESERVED_BYTE (PENDING_BYTE + 1)
#define SHARED_FIRST (PENDING_BYTE + 2)
#define SHARED_BYTE_COUNT ((uint64_t)510)

/* Lock bytes of the WAL index (sqlite.org/walformat.html, section 2.3). */
#define SHM_LOCK_FIRST ((uint64_t)120)
/* Where the index's header has the page count, in the machine's own byte order (section 2.1). */
#define SHM_PAGE_COUNT_OFFSET 20
#define SHM_WRITE_LOCK 0
#define SHM_RECOVERY_LOCK 2
/* Held shared by every user of the index; whoever gets it exclusively is the first, and clears it. */
#define SHM_ALIVE_BYTE ((uint64_t)128)

/* SQLite's own limit for its unix VFS is 512; ours is the operating system's. */
#define PATH_BYTE_COUNT_MAX 4096

struct chroma_vfs {
  sqlite3_vfs base;
  const chroma_vfs_calls *calls;
  void *context;
  /* The log of the connection, while it is open. */
  chroma_wal *wal;
  char name[40];
};

typedef struct vfs_file {
  sqlite3_file base;
  chroma_vfs *vfs;
  void *file;
  /* The database itself, or its log; else a rollback journal or a temporary file. */
  bool is_database;
  chroma_wal *wal;
  /* SQLITE_LOCK_… that is held on the database file. */
  int lock;
  /* The WAL index: NULL until the first region is asked for. */
  void *index_file;
  char *index_path;
  void **regions;
  int region_count;
  uint8_t page[PAGE_BYTE_COUNT];
} vfs_file;

static int result_of(int status, int failure) {
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

/* Pages of the database as it was last committed, of the WAL index; 0 if that does not say. */
static uint32_t committed_page_count(const vfs_file *file) {
  uint32_t count = 0;
  if (file->region_count > 0) {
    memcpy(&count, (const uint8_t *)file->regions[0] + SHM_PAGE_COUNT_OFFSET, sizeof count);
  }
  return count;
}

/*
 * Reads a whole page and verifies it. Beyond the end of the file it is zeros and SHORT_READ if the
 * database has not reached so far yet: a transaction that makes a page anew asks for its old
 * content. Otherwise that is damage too: SQLite would take the zeros for what was stored there.
 */
static int read_page(vfs_file *file, uint8_t *page, uint64_t offset) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  uint32_t number = (uint32_t)(offset / PAGE_BYTE_COUNT) + 1;
  size_t byte_count = 0;
  int status = calls->read(file->file, page, PAGE_BYTE_COUNT, offset, &byte_count);
  if (status != CHROMA_VFS_OK) {
    return result_of(status, SQLITE_IOERR_READ);
  }
  if (byte_count == 0 && number > committed_page_count(file)) {
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

static int shm_unmap(sqlite3_file *base, int is_deleting);

/* Writes what the log keeps back. */
static int flush(vfs_file *file) {
  return file->wal == NULL ? SQLITE_OK : chroma_wal_flush(file->wal);
}

static int file_close(sqlite3_file *base) {
  vfs_file *file = (vfs_file *)base;
  int result = flush(file);
  shm_unmap(base, 0);
  file->vfs->calls->close(file->file);
  if (file->wal != NULL) {
    file->vfs->wal = NULL;
    free(file->wal);
  }
  free(file->index_path);
  return result;
}

static int read_raw(vfs_file *file, void *buffer, size_t byte_count, uint64_t offset) {
  size_t done = 0;
  int status = file->vfs->calls->read(file->file, buffer, byte_count, offset, &done);
  if (status != CHROMA_VFS_OK) {
    return result_of(status, SQLITE_IOERR_READ);
  }
  if (done < byte_count) {
    memset((uint8_t *)buffer + done, 0, byte_count - done);
    return SQLITE_IOERR_SHORT_READ;
  }
  return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 position) {
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
  int status =
      file->vfs->calls->write(file->file, source, (size_t)amount, (uint64_t)position);
  return result_of(status, SQLITE_IOERR_WRITE);
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
  return result_of(status, SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags) {
  (void)flags;
  vfs_file *file = (vfs_file *)base;
  int result = flush(file);
  if (result != SQLITE_OK) {
    return result;
  }
  return result_of(file->vfs->calls->sync(file->file), SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out_size) {
  vfs_file *file = (vfs_file *)base;
  uint64_t byte_count = 0;
  int result = flush(file);
  if (result != SQLITE_OK) {
    return result;
  }
  int status = file->vfs->calls->byte_count(file->file, &byte_count);
  *out_size = byte_count > INT64_MAX ? INT64_MAX : (sqlite3_int64)byte_count;
  return result_of(status, SQLITE_IOERR_FSTAT);
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
  vfs_file *file = (vfs_file *)base;
  if (operation == SQLITE_FCNTL_LOCKSTATE) {
    *(int *)argument = file->lock;
    return SQLITE_OK;
  }
  return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
  (void)base;
  return (int)PAGE_BYTE_COUNT;
}

static int file_characteristics(sqlite3_file *base) {
  (void)base;
  /* A power cut damages no byte beside those that were being written. */
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- Locks of the database file (sqlite.org/lockingv3.html) --------------------------------- */

static int lock_bytes(vfs_file *file, uint64_t offset, uint64_t byte_count, int kind) {
  return result_of(file->vfs->calls->lock(file->file, offset, byte_count, kind),
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

static int file_lock(sqlite3_file *base, int level) {
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

static int file_unlock(sqlite3_file *base, int level) {
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

static int file_check_reserved(sqlite3_file *base, int *out_is_reserved) {
  vfs_file *file = (vfs_file *)base;
  bool is_locked = file->lock >= SQLITE_LOCK_RESERVED;
  int status = CHROMA_VFS_OK;
  if (!is_locked) {
    status = file->vfs->calls->is_locked(file->file, RESERVED_BYTE, 1, &is_locked);
  }
  *out_is_reserved = is_locked;
  return result_of(status, SQLITE_IOERR_CHECKRESERVEDLOCK);
}

/* ---- The WAL index -------------------------------------------------------------------------- */

/* Joins the users of the index; the first one clears what a crash may have left in it. */
static int join_index(vfs_file *file) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  int status = calls->lock(file->index_file, SHM_ALIVE_BYTE, 1, CHROMA_FILE_LOCK_EXCLUSIVE);
  if (status == CHROMA_VFS_OK) {
    status = calls->set_byte_count(file->index_file, 0);
    if (status != CHROMA_VFS_OK) {
      return result_of(status, SQLITE_IOERR_SHMOPEN);
    }
  } else if (status != CHROMA_VFS_BUSY) {
    return result_of(status, SQLITE_IOERR_SHMLOCK);
  }
  /* Busy: the first user is about to clear the index; the caller comes again. */
  status = calls->lock(file->index_file, SHM_ALIVE_BYTE, 1, CHROMA_FILE_LOCK_SHARED);
  return result_of(status, SQLITE_IOERR_SHMLOCK);
}

static int open_index(vfs_file *file) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  void *index = NULL;
  int status = calls->open(file->vfs->context, file->index_path, CHROMA_FILE_CREATE, &index);
  if (status != CHROMA_VFS_OK) {
    return result_of(status, SQLITE_IOERR_SHMOPEN);
  }
  file->index_file = index;
  int result = join_index(file);
  if (result != SQLITE_OK) {
    calls->close(index);
    file->index_file = NULL;
  }
  return result;
}

static int shm_map(sqlite3_file *base, int region, int byte_count, int is_extending,
                   void volatile **out_memory) {
  vfs_file *file = (vfs_file *)base;
  const chroma_vfs_calls *calls = file->vfs->calls;
  *out_memory = NULL;
  if (region < 0 || byte_count <= 0) {
    return SQLITE_IOERR_SHMMAP;
  }
  if (file->index_file == NULL) {
    int result = open_index(file);
    if (result != SQLITE_OK) {
      return result;
    }
  }
  while (file->region_count <= region) {
    uint64_t offset = (uint64_t)file->region_count * (uint64_t)byte_count;
    uint64_t present = 0;
    int status = calls->byte_count(file->index_file, &present);
    if (status != CHROMA_VFS_OK) {
      return result_of(status, SQLITE_IOERR_SHMSIZE);
    }
    if (present < offset + (uint64_t)byte_count && !is_extending) {
      return SQLITE_OK;
    }
    size_t table_byte_count = ((size_t)file->region_count + 1) * sizeof(void *);
    void **larger = realloc(file->regions, table_byte_count);
    if (larger == NULL) {
      return SQLITE_IOERR_NOMEM;
    }
    file->regions = larger;
    void *memory = NULL;
    status = calls->map(file->index_file, offset, (size_t)byte_count, &memory);
    if (status != CHROMA_VFS_OK) {
      return result_of(status, SQLITE_IOERR_SHMMAP);
    }
    file->regions[file->region_count] = memory;
    file->region_count += 1;
  }
  *out_memory = file->regions[region];
  return SQLITE_OK;
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags) {
  vfs_file *file = (vfs_file *)base;
  if (first < 0 || count <= 0 || first + count > SQLITE_SHM_NLOCK || file->index_file == NULL) {
    return SQLITE_IOERR_SHMLOCK;
  }
  int kind = flags & SQLITE_SHM_UNLOCK   ? CHROMA_FILE_UNLOCK
             : flags & SQLITE_SHM_SHARED ? CHROMA_FILE_LOCK_SHARED
                                         : CHROMA_FILE_LOCK_EXCLUSIVE;
  const chroma_vfs_calls *calls = file->vfs->calls;
  uint64_t offset = SHM_LOCK_FIRST + (uint64_t)first;
  int status = calls->lock(file->index_file, offset, (uint64_t)count, kind);
  chroma_wal *wal = file->vfs->wal;
  if (status != CHROMA_VFS_OK || kind != CHROMA_FILE_LOCK_EXCLUSIVE || wal == NULL) {
    return result_of(status, SQLITE_IOERR_SHMLOCK);
  }
  if (first <= SHM_WRITE_LOCK) {
    wal->has_chain = false; /* Others may have written since. */
  }
  if (first <= SHM_RECOVERY_LOCK && first + count > SHM_RECOVERY_LOCK) {
    int result = chroma_wal_audit(wal);
    if (result != SQLITE_OK) {
      calls->lock(file->index_file, offset, (uint64_t)count, CHROMA_FILE_UNLOCK);
      return result;
    }
  }
  return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base) {
  (void)base;
  atomic_thread_fence(memory_order_seq_cst);
}

static int shm_unmap(sqlite3_file *base, int is_deleting) {
  vfs_file *file = (vfs_file *)base;
  if (file->index_file != NULL) {
    const chroma_vfs_calls *calls = file->vfs->calls;
    if (is_deleting) {
      /* SQLite holds the database exclusively now, so nobody can be about to join. */
      calls->remove(file->vfs->context, file->index_path, false);
    }
    calls->close(file->index_file);
    file->index_file = NULL;
  }
  free(file->regions);
  file->regions = NULL;
  file->region_count = 0;
  return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- The file system ------------------------------------------------------------------------ */

/* The name of the WAL index, which SQLite leaves to the VFS. */
static char *index_path_of(const char *path) {
  size_t byte_count = strlen(path) + sizeof "-shm";
  char *index_path = malloc(byte_count);
  if (index_path != NULL) {
    snprintf(index_path, byte_count, "%s-shm", path);
  }
  return index_path;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *out_file, int flags,
                    int *out_flags) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  vfs_file *file = (vfs_file *)out_file;
  memset(file, 0, sizeof *file);
  if (flags & SQLITE_OPEN_SUPER_JOURNAL) {
    return SQLITE_CANTOPEN; /* One database a connection: nothing to keep together. */
  }
  file->vfs = vfs;
  file->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  file->lock = SQLITE_LOCK_NONE;
  if (file->is_database) {
    file->index_path = index_path_of(path);
    if (file->index_path == NULL) {
      return SQLITE_NOMEM;
    }
  }
  int mode = flags & SQLITE_OPEN_CREATE      ? CHROMA_FILE_CREATE
             : flags & SQLITE_OPEN_READWRITE ? CHROMA_FILE_READ_WRITE
                                             : CHROMA_FILE_READ_ONLY;
  bool is_stored = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
  int status = vfs->calls->open(vfs->context, is_stored ? path : NULL, mode, &file->file);
  if (status != CHROMA_VFS_OK) {
    free(file->index_path);
    return result_of(status, SQLITE_CANTOPEN);
  }
  if (flags & SQLITE_OPEN_WAL) {
    file->wal = calloc(1, sizeof *file->wal);
    if (file->wal == NULL) {
      vfs->calls->close(file->file);
      return SQLITE_NOMEM;
    }
    file->wal->calls = vfs->calls;
    file->wal->file = file->file;
    vfs->wal = file->wal;
  }
  file->base.pMethods = &file_methods;
  if (out_flags != NULL) {
    *out_flags = flags;
  }
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int is_durable) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  int status = vfs->calls->remove(vfs->context, path, is_durable != 0);
  if (status == CHROMA_VFS_MISSING) {
    return SQLITE_IOERR_DELETE_NOENT;
  }
  return result_of(status, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out_is_there) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  (void)flags;
  uint64_t byte_count = 0;
  int status = vfs->calls->path_byte_count(vfs->context, path, &byte_count);
  /* An empty journal or WAL is none: SQLite's own unix VFS answers so, and SQLite counts on it. */
  *out_is_there = status == CHROMA_VFS_OK && byte_count > 0;
  return status == CHROMA_VFS_MISSING ? SQLITE_OK : result_of(status, SQLITE_IOERR_ACCESS);
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int byte_count, char *out_path) {
  (void)base;
  int needed = snprintf(out_path, (size_t)byte_count, "%s", path);
  return needed >= 0 && needed < byte_count ? SQLITE_OK : SQLITE_CANTOPEN;
}

static void *vfs_load(sqlite3_vfs *base, const char *path) {
  (void)base;
  (void)path;
  return NULL;
}

static void vfs_load_error(sqlite3_vfs *base, int byte_count, char *out_message) {
  (void)base;
  snprintf(out_message, (size_t)byte_count, "extensions are not loaded");
}

static void (*vfs_symbol(sqlite3_vfs *base, void *library, const char *name))(void) {
  (void)base;
  (void)library;
  (void)name;
  return NULL;
}

static void vfs_unload(sqlite3_vfs *base, void *library) {
  (void)base;
  (void)library;
}

static int vfs_randomness(sqlite3_vfs *base, int byte_count, char *out_bytes) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  for (int done = 0; done < byte_count;) {
    uint64_t word = vfs->calls->random(vfs->context);
    int count = byte_count - done < 8 ? byte_count - done : 8;
    memcpy(out_bytes + done, &word, (size_t)count);
    done += count;
  }
  return byte_count;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  if (microseconds > 0) {
    vfs->calls->sleep(vfs->context, (uint64_t)microseconds * 1000);
  }
  return microseconds;
}

static int vfs_milliseconds(sqlite3_vfs *base, sqlite3_int64 *out_milliseconds) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  /* Julian days are counted from noon, 24 November 4714 BC; the Unix epoch is day 2440587.5. */
  const sqlite3_int64 unix_epoch = 210866760000000;
  *out_milliseconds = unix_epoch + vfs->calls->wall_nanoseconds(vfs->context) / 1000000;
  return SQLITE_OK;
}

static int vfs_days(sqlite3_vfs *base, double *out_days) {
  sqlite3_int64 milliseconds;
  int result = vfs_milliseconds(base, &milliseconds);
  *out_days = (double)milliseconds / 86400000.0;
  return result;
}

static int vfs_last_error(sqlite3_vfs *base, int byte_count, char *out_message) {
  (void)base;
  (void)byte_count;
  (void)out_message;
  return 0; /* The reasons are recorded above, by the calls. */
}

/* ---- SQLite and fork ------------------------------------------------------------------------ */

/*
 * A thread that forks while another is inside SQLite's allocator would hand the child a locked
 * mutex that nobody unlocks. These are SQLite's process-wide mutexes, outer before inner.
 */
static const int static_mutexes[] = {SQLITE_MUTEX_STATIC_PRNG, SQLITE_MUTEX_STATIC_MAIN,
                                     SQLITE_MUTEX_STATIC_LRU, SQLITE_MUTEX_STATIC_PMEM,
                                     SQLITE_MUTEX_STATIC_MEM};
#define STATIC_MUTEX_COUNT (sizeof static_mutexes / sizeof static_mutexes[0])

static pthread_once_t prepare_once = PTHREAD_ONCE_INIT;
static int prepare_result;

static void enter_static_mutexes(void) {
  for (size_t index = 0; index < STATIC_MUTEX_COUNT; index += 1) {
    sqlite3_mutex_enter(sqlite3_mutex_alloc(static_mutexes[index]));
  }
}

static void leave_static_mutexes(void) {
  for (size_t index = STATIC_MUTEX_COUNT; index > 0; index -= 1) {
    sqlite3_mutex_leave(sqlite3_mutex_alloc(static_mutexes[index - 1]));
  }
}

static void prepare_sqlite(void) {
  prepare_result = sqlite3_initialize();
  if (prepare_result == SQLITE_OK &&
      pthread_atfork(enter_static_mutexes, leave_static_mutexes, leave_static_mutexes) != 0) {
    prepare_result = SQLITE_NOMEM;
  }
}

/* ---- Doors ---------------------------------------------------------------------------------- */

static chroma_vfs *make_vfs(const chroma_vfs_calls *calls, void *context) {
  chroma_vfs *vfs = calloc(1, sizeof *vfs);
  if (vfs == NULL) {
    return NULL;
  }
  vfs->calls = calls;
  vfs->context = context;
  /* Unique among the living, which is all that SQLite's list of names needs. */
  snprintf(vfs->name, sizeof vfs->name, "chroma-%p", (void *)vfs);
  vfs->base = (sqlite3_vfs){
      .iVersion = 2,
      .szOsFile = sizeof(vfs_file),
      .mxPathname = PATH_BYTE_COUNT_MAX,
      .zName = vfs->name,
      .xOpen = vfs_open,
      .xDelete = vfs_delete,
      .xAccess = vfs_access,
      .xFullPathname = vfs_full_path,
      .xDlOpen = vfs_load,
      .xDlError = vfs_load_error,
      .xDlSym = vfs_symbol,
      .xDlClose = vfs_unload,
      .xRandomness = vfs_randomness,
      .xSleep = vfs_sleep,
      .xCurrentTime = vfs_days,
      .xGetLastError = vfs_last_error,
      .xCurrentTimeInt64 = vfs_milliseconds,
  };
  return vfs;
}

int chroma_vfs_open_database(const chroma_vfs_calls *calls, void *context, const char *path,
                             int flags, chroma_vfs **out_vfs, sqlite3 **out_database) {
  *out_vfs = NULL;
  *out_database = NULL;
  pthread_once(&prepare_once, prepare_sqlite);
  if (prepare_result != SQLITE_OK) {
    return prepare_result;
  }
  chroma_vfs *vfs = make_vfs(calls, context);
  if (vfs == NULL) {
    return SQLITE_NOMEM;
  }
  *out_vfs = vfs;
  int result = sqlite3_vfs_register(&vfs->base, 0);
  if (result != SQLITE_OK) {
    return result;
  }
  result = sqlite3_open_v2(path, out_database, flags, vfs->name);
  if (result != SQLITE_OK || !(flags & SQLITE_OPEN_CREATE)) {
    return result;
  }
  /* Takes effect only while the database is empty, which is when it is needed. */
  int trailer_byte_count = CHROMA_VFS_TRAILER_BYTE_COUNT;
  return sqlite3_file_control(*out_database, "main", SQLITE_FCNTL_RESERVE_BYTES,
                              &trailer_byte_count);
}

void chroma_vfs_free(chroma_vfs *vfs) {
  if (vfs != NULL) {
    sqlite3_vfs_unregister(&vfs->base);
    free(vfs);
  }
}

int chroma_sqlite_set_option(sqlite3 *database, int option, bool value) {
  return sqlite3_db_config(database, option, value ? 1 : 0, (int *)NULL);
}
