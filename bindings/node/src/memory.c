/* What the C arguments of a call point into: a list of blocks, each larger than the one before. */
#include <stdlib.h>
#include <string.h>

#include "addon.h"

/* Room for the ids of a small call; larger calls double it. */
#define BLOCK_BYTE_COUNT_MIN 1024
/* Doubling ends here: 1 MiB. */
#define BLOCK_BYTE_COUNT_MAX ((size_t)1 << 20)

struct memory_block {
  struct memory_block *next;
  size_t used;
  size_t capacity;
  max_align_t bytes[];
};

static struct memory_block *block_add(memory *memory, size_t byte_count) {
  size_t capacity = BLOCK_BYTE_COUNT_MIN;
  if (memory->blocks != NULL) capacity = 2 * memory->blocks->capacity;
  if (capacity > BLOCK_BYTE_COUNT_MAX) capacity = BLOCK_BYTE_COUNT_MAX;
  if (capacity < byte_count) capacity = byte_count;
  if (capacity > SIZE_MAX - sizeof(struct memory_block)) return NULL;
  struct memory_block *block = malloc(sizeof(struct memory_block) + capacity);
  if (block == NULL) return NULL;
  block->next = memory->blocks;
  block->used = 0;
  block->capacity = capacity;
  memory->blocks = block;
  return block;
}

void *memory_allocate(napi_env env, memory *memory, size_t count, size_t size) {
  const size_t alignment = sizeof(max_align_t);
  struct memory_block *block = memory->blocks;
  if (count <= (SIZE_MAX - alignment) / size) {
    size_t byte_count = (count * size + alignment) / alignment * alignment;
    if (block == NULL || block->capacity - block->used < byte_count) {
      block = block_add(memory, byte_count);
    }
    if (block != NULL) {
      void *bytes = (char *)block->bytes + block->used;
      block->used += byte_count;
      return memset(bytes, 0, byte_count);
    }
  }
  throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED",
              "There is no memory for %zu elements of %zu bytes.", count, size);
  return NULL;
}

void memory_free(memory *memory) {
  while (memory->blocks != NULL) {
    struct memory_block *block = memory->blocks;
    memory->blocks = block->next;
    free(block);
  }
}
