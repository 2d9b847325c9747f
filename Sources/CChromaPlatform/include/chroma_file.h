/*
 * The operating system's files, as Swift needs them: every call repeats what a signal interrupted,
 * carries a short transfer on to its end, and answers 0 or an errno.
 *
 * Every descriptor stands in a table of this library. A fork closes all of them in the child:
 * open-file-description locks belong to the description, which the child would otherwise share
 * and keep locked after the parent died. chroma_fork_generation() tells a holder that its
 * descriptors are gone; a holder compares it before each call, because the number of a closed
 * descriptor may by then name somebody else's file.
 */
#ifndef CHROMA_FILE_H
#define CHROMA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CHROMA_FILE_READ_ONLY = 0,
  CHROMA_FILE_READ_WRITE = 1,
  CHROMA_FILE_CREATE = 2,
  CHROMA_FILE_CREATE_NEW = 3,
};

enum {
  CHROMA_FILE_KIND_FILE = 0,
  CHROMA_FILE_KIND_DIRECTORY = 1,
  CHROMA_FILE_KIND_OTHER = 2,
};

enum {
  CHROMA_FILE_UNLOCK = 0,
  CHROMA_FILE_LOCK_SHARED = 1,
  CHROMA_FILE_LOCK_EXCLUSIVE = 2,
};

typedef struct chroma_file_attributes {
  int32_t kind;
  uint64_t byte_count;
  uint64_t device;
  uint64_t inode;
} chroma_file_attributes;

/** 0 in the process that loaded the library, one more in each generation of forked children. */
uint64_t chroma_fork_generation(void);

/** Descriptors that are open now: what a test compares before and after. */
size_t chroma_file_open_count(void);

/**
 * Opens a regular file; links, devices and pipes are refused (ELOOP, EINVAL), directories too
 * (EISDIR). The descriptor is closed in executed programs and in forked children.
 */
int chroma_file_open(const char *path, int mode, int *out_descriptor);

/** Closes a descriptor of this process's table; what is not in it (after a fork) is left alone. */
void chroma_file_close(int descriptor);

/** Reads until the buffer is full or the file ends. */
int chroma_file_read(int descriptor, void *buffer, size_t byte_count, uint64_t offset,
                     size_t *out_byte_count);

int chroma_file_write(int descriptor, const void *bytes, size_t byte_count, uint64_t offset);

int chroma_file_set_byte_count(int descriptor, uint64_t byte_count);

int chroma_file_byte_count(int descriptor, uint64_t *out_byte_count);

int chroma_file_sync(int descriptor);

/** Sets or removes a lock of the open file description; EAGAIN if another one's conflicts. */
int chroma_file_lock(int descriptor, uint64_t offset, uint64_t byte_count, int kind);

/** Whether another open file description's lock conflicts with one of this kind. */
int chroma_file_is_locked(int descriptor, uint64_t offset, uint64_t byte_count, int kind,
                          bool *out_is_locked);

/**
 * Maps a region: for writing after making sure that the disk has room for it, for reading only if
 * the file reaches so far (else EINVAL). An access to a page that is not there is a SIGBUS, which
 * nobody could turn into an error.
 */
int chroma_file_map(int descriptor, uint64_t offset, size_t byte_count, bool is_writable,
                    void **out_memory);

void chroma_file_unmap(void *memory, size_t byte_count);

/** Maps the first bytes of a file for reading. The memory outlives the descriptor. */
int chroma_file_map_read_only(int descriptor, size_t byte_count, const void **out_memory);

void chroma_file_unmap_read_only(const void *memory, size_t byte_count);

int chroma_path_attributes(const char *path, chroma_file_attributes *out_attributes);

int chroma_path_create_directory(const char *path);

int chroma_path_rename(const char *source, const char *target);

/** Removes a file or an empty directory. */
int chroma_path_remove(const char *path);

int chroma_path_sync_directory(const char *path);

/** Calls `each` with every name but "." and "..", in no order. */
int chroma_path_list(const char *path, void *context,
                     void (*each)(void *context, const char *name));

/** Describes an errno in English, into the buffer, always NUL-terminated. */
void chroma_error_describe(int error, char *buffer, size_t byte_count);

#endif
