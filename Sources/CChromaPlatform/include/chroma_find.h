/*
 * Substring search. The C library's memmem() is linear in the worst case and uses vector
 * instructions; Swift cannot see it, because headers show it only to programs that ask for it.
 */
#ifndef CHROMA_FIND_H
#define CHROMA_FIND_H

#include <stdbool.h>
#include <stddef.h>

/** Whether the needle stands in the haystack. An empty one always does; NUL is a byte as any. */
bool chroma_contains(const void *haystack, size_t haystack_byte_count, const void *needle,
                     size_t needle_byte_count);

#endif
