/*
 * The WAL index (sqlite.org/walformat.html, section 2): memory that all connections of all
 * processes share, over the file "-shm", with locks of the open file.
 */
#include "chroma_vfs_file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Where the index's header has the page count, in the machine's own byte order (section 2.1). */
#define SHM_PAGE_COUNT_OFFSET 20

uint32_t chroma_vfs_index_page_count(const vfs_file *file) {
  uint32_t count = 0;
  if (file->region_count > 0) {
    memcpy(&count, (const uint8_t *)file->regions[0] + SHM_PAGE_COUNT_OFFSET, sizeof count);
  }
  return count;
}

/* Joins the users of the index; the first one clears what a crash may have left in it. */
static int join_index(vfs_file *file) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  int status = calls->lock(file->index_file, SHM_ALIVE_BYTE, 1, CHROMA_FILE_LOCK_EXCLUSIVE);
  if (status == CHROMA_VFS_OK) {
    status = calls->set_byte_count(file->index_file, 0);
    if (status != CHROMA_VFS_OK) {
      return chroma_vfs_result(status, SQLITE_IOERR_SHMOPEN);
    }
  } else if (status != CHROMA_VFS_BUSY) {
    return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
  }
  /* Busy: the first user is about to clear the index; the caller comes again. */
  status = calls->lock(file->index_file, SHM_ALIVE_BYTE, 1, CHROMA_FILE_LOCK_SHARED);
  return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
}

static int open_index(vfs_file *file) {
  const chroma_vfs_calls *calls = file->vfs->calls;
  void *index = NULL;
  int status = calls->open(file->vfs->context, file->index_path, CHROMA_FILE_CREATE, &index);
  if (status != CHROMA_VFS_OK) {
    return chroma_vfs_result(status, SQLITE_IOERR_SHMOPEN);
  }
  file->index_file = index;
  int result = join_index(file);
  if (result != SQLITE_OK) {
    calls->close(index);
    file->index_file = NULL;
  }
  return result;
}

int chroma_vfs_index_map(sqlite3_file *base, int region, int byte_count, int is_extending,
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
      return chroma_vfs_result(status, SQLITE_IOERR_SHMSIZE);
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
      return chroma_vfs_result(status, SQLITE_IOERR_SHMMAP);
    }
    file->regions[file->region_count] = memory;
    file->region_count += 1;
  }
  *out_memory = file->regions[region];
  return SQLITE_OK;
}

int chroma_vfs_index_lock(sqlite3_file *base, int first, int count, int flags) {
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
  chroma_wal *wal = file->vfs->log == NULL ? NULL : file->vfs->log->wal;
  if (status != CHROMA_VFS_OK || kind != CHROMA_FILE_LOCK_EXCLUSIVE || wal == NULL) {
    return chroma_vfs_result(status, SQLITE_IOERR_SHMLOCK);
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

void chroma_vfs_index_barrier(sqlite3_file *base) {
  (void)base;
  atomic_thread_fence(memory_order_seq_cst);
}

int chroma_vfs_index_unmap(sqlite3_file *base, int is_deleting) {
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
  file->has_joined = false;
  file->vfs->missing_index_path = NULL;
  return SQLITE_OK;
}
