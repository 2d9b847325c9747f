#define _GNU_SOURCE /* for memmem() */

#include "chroma_find.h"

#include <string.h>

bool chroma_contains(const void *haystack, size_t haystack_byte_count, const void *needle,
                     size_t needle_byte_count) {
  if (needle_byte_count == 0) {
    return true;
  }
  if (haystack_byte_count < needle_byte_count) {
    return false;
  }
  return memmem(haystack, haystack_byte_count, needle, needle_byte_count) != NULL;
}
