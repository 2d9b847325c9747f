/* SQLite's file layer over the engine's files: the file system; see chroma_vfs.h. */
#include "chroma_vfs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chroma_vfs_file.h"

/* SQLite's own limit for its unix VFS is 512; ours is the operating system's. */
#define PATH_BYTE_COUNT_MAX 4096

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
  file->path = path;
  file->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  file->lock = SQLITE_LOCK_NONE;
  if (file->is_database) {
    file->index_path = index_path_of(path);
    if (file->index_path == NULL) {
      return SQLITE_NOMEM;
    }
  }
  bool is_stored = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
  bool is_read_only = is_stored && vfs->is_read_only;
  int mode = is_read_only                    ? CHROMA_FILE_READ_ONLY
             : flags & SQLITE_OPEN_CREATE    ? CHROMA_FILE_CREATE
             : flags & SQLITE_OPEN_READWRITE ? CHROMA_FILE_READ_WRITE
                                             : CHROMA_FILE_READ_ONLY;
  int status = vfs->calls->open(vfs->context, is_stored ? path : NULL, mode, &file->file);
  if (status == CHROMA_VFS_MISSING && is_read_only && flags & SQLITE_OPEN_WAL) {
    status = CHROMA_VFS_OK; /* SQLite would create it; until somebody writes it is empty. */
  }
  if (status != CHROMA_VFS_OK) {
    free(file->index_path);
    return chroma_vfs_result(status, SQLITE_CANTOPEN);
  }
  if (flags & SQLITE_OPEN_WAL) {
    file->wal = calloc(1, sizeof *file->wal);
    if (file->wal == NULL) {
      if (file->file != NULL) {
        vfs->calls->close(file->file);
      }
      return SQLITE_NOMEM;
    }
    file->wal->calls = vfs->calls;
    file->wal->file = file->file;
    file->wal->is_read_only = is_read_only;
    vfs->log = file;
  }
  file->base.pMethods = is_read_only ? &chroma_vfs_read_only_methods : &chroma_vfs_file_methods;
  if (out_flags != NULL) {
    const int writable = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    *out_flags = is_read_only ? (flags & ~writable) | SQLITE_OPEN_READONLY : flags;
  }
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int is_durable) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  if (vfs->is_read_only) {
    return SQLITE_READONLY;
  }
  int status = vfs->calls->remove(vfs->context, path, is_durable != 0);
  if (status == CHROMA_VFS_MISSING) {
    return SQLITE_IOERR_DELETE_NOENT;
  }
  return chroma_vfs_result(status, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out_is_there) {
  chroma_vfs *vfs = (chroma_vfs *)base;
  (void)flags;
  uint64_t byte_count = 0;
  int status = vfs->calls->path_byte_count(vfs->context, path, &byte_count);
  /* An empty journal or WAL is none: SQLite's own unix VFS answers so, and SQLite counts on it. */
  *out_is_there = status == CHROMA_VFS_OK && byte_count > 0;
  return status == CHROMA_VFS_MISSING ? SQLITE_OK : chroma_vfs_result(status, SQLITE_IOERR_ACCESS);
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

static chroma_vfs *make_vfs(const chroma_vfs_calls *calls, void *context, bool is_read_only) {
  chroma_vfs *vfs = calloc(1, sizeof *vfs);
  if (vfs == NULL) {
    return NULL;
  }
  vfs->calls = calls;
  vfs->context = context;
  vfs->is_read_only = is_read_only;
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
  chroma_vfs *vfs = make_vfs(calls, context, flags & SQLITE_OPEN_READONLY);
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
