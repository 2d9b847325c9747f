/*
 * A file that SQLite has open through our VFS: its parts meet here. chroma_vfs_file.c has pages,
 * bytes and locks; chroma_vfs_index.c the WAL index; chroma_vfs_read_only.c both of a database that
 * is only read; chroma_vfs.c the file system around them.
 *
 * Invariants:
 *   - Every page that reaches the database file or the log is sealed (chroma_page.h); SQLite's own
 *     buffer is never changed, only a copy of it.
 *   - No page reaches SQLite unverified once it holds a lock. Before that, SQLite reads the
 *     database's header to learn the page size; a torn first page is then still to be rolled back.
 *   - Locks are on the bytes that SQLite's own unix VFS uses, so both exclude each other.
 */
#ifndef CHROMA_VFS_FILE_H
#define CHROMA_VFS_FILE_H

#include "chroma_page.h"
#include "chroma_vfs.h"
#include "chroma_wal.h"

/* Lock bytes of the WAL index (sqlite.org/walformat.html, section 2.3). */
#define SHM_LOCK_FIRST ((uint64_t)120)
#define SHM_WRITE_LOCK 0
#define SHM_RECOVERY_LOCK 2
/* Held shared by every user of the index; who gets it exclusively is the first, and clears it. */
#define SHM_ALIVE_BYTE ((uint64_t)128)

struct chroma_vfs {
  sqlite3_vfs base;
  const chroma_vfs_calls *calls;
  void *context;
  bool is_read_only;
  /* The log of the connection, while it is open. */
  struct vfs_file *log;
  /* Read-only: where an index file would appear that is not there, so that nothing can be locked
     and every read has to look; else NULL. */
  const char *missing_index_path;
  char name[40];
};

typedef struct vfs_file {
  sqlite3_file base;
  chroma_vfs *vfs;
  /* NULL: a log that is only read, and not there. */
  void *file;
  /* SQLite keeps it until the file is closed. */
  const char *path;
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
  /* Read-only: whether this connection counts as a user of the index; whether SQLite holds one of
     the index's locks. */
  bool has_joined;
  bool has_index_lock;
  uint8_t page[PAGE_BYTE_COUNT];
} vfs_file;

extern const sqlite3_io_methods chroma_vfs_file_methods;
extern const sqlite3_io_methods chroma_vfs_read_only_methods;

/** A result code of SQLite for a status of the calls: `failure` for one that has no code. */
int chroma_vfs_result(int status, int failure);

/** Pages of the database as it was last committed, of the WAL index; 0 if that does not say. */
uint32_t chroma_vfs_index_page_count(const vfs_file *file);

/* What both tables of methods have in common. */
int chroma_vfs_file_close(sqlite3_file *base);
int chroma_vfs_file_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 position);
int chroma_vfs_file_size(sqlite3_file *base, sqlite3_int64 *out_size);
int chroma_vfs_file_lock(sqlite3_file *base, int level);
int chroma_vfs_file_unlock(sqlite3_file *base, int level);
int chroma_vfs_file_check_reserved(sqlite3_file *base, int *out_is_reserved);
int chroma_vfs_file_control(sqlite3_file *base, int operation, void *argument);
int chroma_vfs_file_sector_size(sqlite3_file *base);
int chroma_vfs_file_characteristics(sqlite3_file *base);

int chroma_vfs_index_map(sqlite3_file *base, int region, int byte_count, int is_extending,
                         void volatile **out_memory);
int chroma_vfs_index_lock(sqlite3_file *base, int first, int count, int flags);
void chroma_vfs_index_barrier(sqlite3_file *base);
int chroma_vfs_index_unmap(sqlite3_file *base, int is_deleting);

#endif
