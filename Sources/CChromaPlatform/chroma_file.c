/* Files of the operating system; see chroma_file.h. */
#define _GNU_SOURCE

#include "chroma_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux moves at most this much in one call; below it a short count means the end, not a limit. */
#define TRANSFER_BYTE_COUNT_MAX ((size_t)0x7FFFF000)

/* ---- The table of descriptors, and fork ----------------------------------------------------- */

/*
 * Guards the table. Opening and closing happen under it, and a fork takes it first: so a child
 * finds every descriptor that exists in the table, and none that was closed.
 */
static pthread_mutex_t table_mutex = PTHREAD_MUTEX_INITIALIZER;
static int *table;
static size_t table_count;
static size_t table_capacity;

static _Atomic uint64_t generation;
/* What kept this library from watching forks, or 0. Then it opens nothing. */
static int fork_error;

static void before_fork(void) {
  pthread_mutex_lock(&table_mutex);
}

static void after_fork_in_parent(void) {
  pthread_mutex_unlock(&table_mutex);
}

static void after_fork_in_child(void) {
  for (size_t index = 0; index < table_count; index += 1) {
    close(table[index]);
  }
  table_count = 0;
  atomic_fetch_add(&generation, 1);
  pthread_mutex_unlock(&table_mutex);
}

/* At loading: who opens no file asks for the generation too. */
__attribute__((constructor)) static void watch_forks(void) {
  fork_error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

uint64_t chroma_fork_generation(void) {
  return atomic_load_explicit(&generation, memory_order_relaxed);
}

size_t chroma_file_open_count(void) {
  pthread_mutex_lock(&table_mutex);
  size_t count = table_count;
  pthread_mutex_unlock(&table_mutex);
  return count;
}

/* With the mutex held: makes room for one more entry. */
static int reserve_entry(void) {
  if (table_count < table_capacity) {
    return 0;
  }
  size_t capacity = table_capacity == 0 ? 64 : table_capacity * 2;
  int *larger = realloc(table, capacity * sizeof(int));
  if (larger == NULL) {
    return ENOMEM;
  }
  table = larger;
  table_capacity = capacity;
  return 0;
}

/* With the mutex held: opens a descriptor that executed programs do not get. */
static int open_descriptor(const char *path, int flags, int *out_descriptor) {
  int descriptor;
  do {
    descriptor = open(path, flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) {
    return errno;
  }
  if (descriptor <= STDERR_FILENO) {
    /* The host closed its standard streams; what it prints must not land in a database. */
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(descriptor);
    if (moved < 0) {
      return error;
    }
    descriptor = moved;
  }
  *out_descriptor = descriptor;
  return 0;
}

static int open_registered(const char *path, int flags, int *out_descriptor) {
  if (fork_error != 0) {
    return fork_error;
  }
  pthread_mutex_lock(&table_mutex);
  int error = reserve_entry();
  if (error == 0) {
    error = open_descriptor(path, flags, out_descriptor);
  }
  if (error == 0) {
    table[table_count] = *out_descriptor;
    table_count += 1;
  }
  pthread_mutex_unlock(&table_mutex);
  return error;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static int flags_of(int mode) {
  switch (mode) {
    case CHROMA_FILE_READ_ONLY:
      return O_RDONLY;
    case CHROMA_FILE_CREATE:
      return O_RDWR | O_CREAT;
    case CHROMA_FILE_CREATE_NEW:
      return O_RDWR | O_CREAT | O_EXCL;
    default:
      return O_RDWR;
  }
}

int chroma_file_open(const char *path, int mode, int *out_descriptor) {
  /* O_NONBLOCK: opening a pipe that somebody planted must not wait for its other end. */
  int error = open_registered(path, flags_of(mode) | O_NOFOLLOW | O_NONBLOCK, out_descriptor);
  if (error != 0) {
    return error;
  }
  struct stat status;
  if (fstat(*out_descriptor, &status) != 0) {
    error = errno;
  } else if (S_ISDIR(status.st_mode)) {
    error = EISDIR;
  } else if (!S_ISREG(status.st_mode)) {
    error = EINVAL;
  }
  if (error != 0) {
    chroma_file_close(*out_descriptor);
  }
  return error;
}

void chroma_file_close(int descriptor) {
  pthread_mutex_lock(&table_mutex);
  for (size_t index = 0; index < table_count; index += 1) {
    if (table[index] == descriptor) {
      table_count -= 1;
      table[index] = table[table_count];
      /* Linux has released the number even when it answers EINTR: a second close would hit
         whoever got it since. */
      close(descriptor);
      break;
    }
  }
  pthread_mutex_unlock(&table_mutex);
}

int chroma_file_read(int descriptor, void *buffer, size_t byte_count, uint64_t offset,
                     size_t *out_byte_count) {
  char *target = buffer;
  *out_byte_count = 0;
  if (offset > INT64_MAX || byte_count > INT64_MAX - offset) {
    return EOVERFLOW;
  }
  while (byte_count > 0) {
    size_t wanted = byte_count < TRANSFER_BYTE_COUNT_MAX ? byte_count : TRANSFER_BYTE_COUNT_MAX;
    ssize_t done = pread(descriptor, target, wanted, (off_t)offset);
    if (done < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    if (done == 0) {
      break;
    }
    target += done;
    offset += (uint64_t)done;
    byte_count -= (size_t)done;
    *out_byte_count += (size_t)done;
  }
  return 0;
}

int chroma_file_write(int descriptor, const void *bytes, size_t byte_count, uint64_t offset) {
  const char *source = bytes;
  if (offset > INT64_MAX || byte_count > INT64_MAX - offset) {
    return EFBIG;
  }
  while (byte_count > 0) {
    size_t wanted = byte_count < TRANSFER_BYTE_COUNT_MAX ? byte_count : TRANSFER_BYTE_COUNT_MAX;
    ssize_t done = pwrite(descriptor, source, wanted, (off_t)offset);
    if (done < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    if (done == 0) {
      return ENOSPC; /* Nothing written and no error: repeating it could go on forever. */
    }
    source += done;
    offset += (uint64_t)done;
    byte_count -= (size_t)done;
  }
  return 0;
}

int chroma_file_set_byte_count(int descriptor, uint64_t byte_count) {
  if (byte_count > INT64_MAX) {
    return EFBIG;
  }
  while (ftruncate(descriptor, (off_t)byte_count) != 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int chroma_file_byte_count(int descriptor, uint64_t *out_byte_count) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    return errno;
  }
  *out_byte_count = (uint64_t)status.st_size;
  return 0;
}

int chroma_file_sync(int descriptor) {
  /* Repeated only when a signal ended it early: any other failure may have dropped the pages. */
  for (;;) {
#if defined(__APPLE__)
    int result = fcntl(descriptor, F_FULLFSYNC);
#else
    int result = fdatasync(descriptor);
#endif
    if (result == 0) {
      return 0;
    }
    if (errno != EINTR) {
      return errno;
    }
  }
}

/* ---- Locks ---------------------------------------------------------------------------------- */

static int describe_lock(uint64_t offset, uint64_t byte_count, int kind, struct flock *out_lock) {
  if (byte_count == 0 || offset > INT64_MAX || byte_count > INT64_MAX - offset) {
    return EINVAL;
  }
  memset(out_lock, 0, sizeof *out_lock);
  out_lock->l_type = kind == CHROMA_FILE_LOCK_SHARED      ? F_RDLCK
                     : kind == CHROMA_FILE_LOCK_EXCLUSIVE ? F_WRLCK
                                                          : F_UNLCK;
  out_lock->l_whence = SEEK_SET;
  out_lock->l_start = (off_t)offset;
  out_lock->l_len = (off_t)byte_count;
  return 0;
}

int chroma_file_lock(int descriptor, uint64_t offset, uint64_t byte_count, int kind) {
  struct flock lock;
  int error = describe_lock(offset, byte_count, kind, &lock);
  if (error != 0) {
    return error;
  }
  while (fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
    if (errno != EINTR) {
      return errno == EACCES ? EAGAIN : errno;
    }
  }
  return 0;
}

int chroma_file_is_locked(int descriptor, uint64_t offset, uint64_t byte_count, int kind,
                          bool *out_is_locked) {
  struct flock lock;
  int error = describe_lock(offset, byte_count, kind, &lock);
  if (error != 0) {
    return error;
  }
  while (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  *out_is_locked = lock.l_type != F_UNLCK;
  return 0;
}

/* ---- Shared memory -------------------------------------------------------------------------- */

/* Makes sure that no access to a region is a SIGBUS. */
static int secure_region(int descriptor, uint64_t offset, size_t byte_count, bool is_writable) {
  if (offset > INT64_MAX || byte_count > INT64_MAX - offset) {
    return EFBIG;
  }
  int error;
  if (!is_writable) {
    uint64_t present = 0;
    error = chroma_file_byte_count(descriptor, &present);
    return error == 0 && present < offset + byte_count ? EINVAL : error;
  }
  do {
    error = posix_fallocate(descriptor, (off_t)offset, (off_t)byte_count);
  } while (error == EINTR);
  return error;
}

int chroma_file_map(int descriptor, uint64_t offset, size_t byte_count, bool is_writable,
                    void **out_memory) {
  int error = secure_region(descriptor, offset, byte_count, is_writable);
  if (error != 0) {
    return error;
  }
  int protection = is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void *memory = mmap(NULL, byte_count, protection, MAP_SHARED, descriptor, (off_t)offset);
  if (memory == MAP_FAILED) {
    return errno;
  }
  *out_memory = memory;
  return 0;
}

void chroma_file_unmap(void *memory, size_t byte_count) {
  munmap(memory, byte_count);
}

int chroma_file_map_read_only(int descriptor, size_t byte_count, const void **out_memory) {
  void *memory = mmap(NULL, byte_count, PROT_READ, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) {
    return errno;
  }
  *out_memory = memory;
  return 0;
}

void chroma_file_unmap_read_only(const void *memory, size_t byte_count) {
  munmap((void *)(uintptr_t)memory, byte_count);
}

/* ---- Paths ---------------------------------------------------------------------------------- */

int chroma_path_attributes(const char *path, chroma_file_attributes *out_attributes) {
  struct stat status;
  if (stat(path, &status) != 0) {
    return errno;
  }
  out_attributes->kind = S_ISREG(status.st_mode)   ? CHROMA_FILE_KIND_FILE
                         : S_ISDIR(status.st_mode) ? CHROMA_FILE_KIND_DIRECTORY
                                                   : CHROMA_FILE_KIND_OTHER;
  out_attributes->byte_count = (uint64_t)status.st_size;
  out_attributes->device = (uint64_t)status.st_dev;
  out_attributes->inode = (uint64_t)status.st_ino;
  return 0;
}

int chroma_path_create_directory(const char *path) {
  return mkdir(path, 0777) == 0 ? 0 : errno;
}

int chroma_path_rename(const char *source, const char *target) {
  return rename(source, target) == 0 ? 0 : errno;
}

int chroma_path_remove(const char *path) {
  return remove(path) == 0 ? 0 : errno;
}

int chroma_path_sync_directory(const char *path) {
  int descriptor;
  int error = open_registered(path, O_RDONLY | O_DIRECTORY, &descriptor);
  if (error == EACCES) {
    /* Who may not read a directory cannot sync it, and has hardly written to it: one of those above
       a database. SQLite goes on, too. */
    return 0;
  }
  if (error != 0) {
    return error;
  }
  /* EINVAL: a file system that has no such call, and nothing to be asked for. */
  if (fsync(descriptor) != 0 && errno != EINVAL) {
    error = errno;
  }
  chroma_file_close(descriptor);
  return error;
}

int chroma_path_list(const char *path, void *context,
                     void (*each)(void *context, const char *name)) {
  DIR *directory = opendir(path);
  if (directory == NULL) {
    return errno;
  }
  int error = 0;
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(directory);
    if (entry == NULL) {
      error = errno;
      break;
    }
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      each(context, entry->d_name);
    }
  }
  closedir(directory);
  return error;
}

void chroma_error_describe(int error, char *buffer, size_t byte_count) {
  if (byte_count == 0) {
    return;
  }
  /* With _GNU_SOURCE glibc has the form that returns the text, elsewhere the form that copies. */
#if defined(__GLIBC__)
  char own[128];
  snprintf(buffer, byte_count, "%s", strerror_r(error, own, sizeof own));
#else
  if (strerror_r(error, buffer, byte_count) != 0) {
    snprintf(buffer, byte_count, "error %d", error);
  }
#endif
}
