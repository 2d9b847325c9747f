/* Asking memory for what will be read soon, so that the wait passes with other work. */
#ifndef CHROMA_PREFETCH_H
#define CHROMA_PREFETCH_H

#include <stddef.h>

/** Asks for the cache lines of some bytes, of which the first begins one. Any address will do. */
static inline void chroma_prefetch(const void *_Nonnull bytes, size_t byte_count) {
  for (size_t offset = 0; offset < byte_count; offset += 64) {
    __builtin_prefetch((const char *)bytes + offset);
  }
}

#endif
