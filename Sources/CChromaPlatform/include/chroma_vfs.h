/*
 * SQLite's file layer ("VFS") over whatever file system the caller hands in.
 *
 * What it adds to plain files:
 *   - A checksum in the last 8 bytes of each page, which SQLite keeps free when it is told so
 *     (SQLITE_FCNTL_RESERVE_BYTES); written on a copy of the page, verified at each read, in the
 *     database file and in the write-ahead log.
 *   - An audit of the log before SQLite recovers from it (chroma_wal.h).
 *   - SQLite's own lock bytes and WAL index, but with locks of the open file, not of the process:
 *     another SQLite in the process that opens and closes the database leaves them alone.
 *   - Nothing outside the directory: temporary files live in memory.
 *   - With SQLITE_OPEN_READONLY nothing at all is written, created or removed, whoever else writes,
 *     or was killed writing.
 *
 * A connection has a VFS of its own, so that what failed below it can be told to whoever asked.
 */
#ifndef CHROMA_VFS_H
#define CHROMA_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "chroma_file.h"

/** Bytes of every page of a database behind this VFS. */
#define CHROMA_VFS_PAGE_BYTE_COUNT 4096
/** Bytes at a page's end that SQLite must leave to the VFS. */
#define CHROMA_VFS_TRAILER_BYTE_COUNT 8

/** What the calls below answer. Whatever is not OK, they have recorded the reason of. */
enum {
  CHROMA_VFS_OK = 0,
  CHROMA_VFS_FAILED = 1,
  CHROMA_VFS_FULL = 2,
  /** Not a failure: another open file's lock conflicts. */
  CHROMA_VFS_BUSY = 3,
  /** Not a failure: there is no such file. */
  CHROMA_VFS_MISSING = 4,
};

/** The file system, as C functions. `context` is the caller's, `file` what `open` gave out. */
typedef struct chroma_vfs_calls {
  /** Opens a file (CHROMA_FILE_…) whose directory entry is then durable; path NULL: in memory.
      MISSING: there is none, and the mode does not create it. */
  int (*open)(void *context, const char *path, int mode, void **out_file);
  void (*close)(void *file);
  int (*read)(void *file, void *buffer, size_t byte_count, uint64_t offset, size_t *out_byte_count);
  int (*write)(void *file, const void *bytes, size_t byte_count, uint64_t offset);
  int (*set_byte_count)(void *file, uint64_t byte_count);
  int (*byte_count)(void *file, uint64_t *out_byte_count);
  int (*sync)(void *file);
  /** CHROMA_FILE_UNLOCK, CHROMA_FILE_LOCK_SHARED or CHROMA_FILE_LOCK_EXCLUSIVE. */
  int (*lock)(void *file, uint64_t offset, uint64_t byte_count, int kind);
  /** Whether another open file's lock conflicts with one of this kind. */
  int (*is_locked)(void *file, uint64_t offset, uint64_t byte_count, int kind, bool *out_is_locked);
  /** Shared memory; of a file opened for reading only what is there, and only to be read. */
  int (*map)(void *file, uint64_t offset, size_t byte_count, void **out_memory);
  /** Removes a file; with `durably`, syncs the directory too. */
  int (*remove)(void *context, const char *path, bool durably);
  /** Bytes of a file; MISSING if there is none. */
  int (*path_byte_count)(void *context, const char *path, uint64_t *out_byte_count);
  uint64_t (*random)(void *context);
  void (*sleep)(void *context, uint64_t nanoseconds);
  int64_t (*wall_nanoseconds)(void *context);
  /** Told of bytes that are not what was written, before SQLite is told. */
  void (*damaged)(void *file, uint64_t offset);
} chroma_vfs_calls;

typedef struct chroma_vfs chroma_vfs;

/**
 * Opens a database through a VFS of its own.
 *
 * @param calls    Must outlive the connection.
 * @param context  Handed to the calls; must outlive the connection.
 * @param flags    As of sqlite3_open_v2. With SQLITE_OPEN_READONLY the file has to be there.
 * @param out_vfs  To free with chroma_vfs_free() once the connection is closed, also after a
 *                 failure; NULL if memory ran out.
 * @param out_database  As of sqlite3_open_v2: to close also after a failure, if not NULL.
 * @return A result code of SQLite.
 */
int chroma_vfs_open_database(const chroma_vfs_calls *calls, void *context, const char *path,
                             int flags, chroma_vfs **out_vfs, sqlite3 **out_database);

void chroma_vfs_free(chroma_vfs *vfs);

/** sqlite3_db_config for the options that take a Boolean: Swift cannot call it, as its arguments
    vary. */
int chroma_sqlite_set_option(sqlite3 *database, int option, bool value);

#endif
