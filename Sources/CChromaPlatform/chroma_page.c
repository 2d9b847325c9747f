/* The checksum of a page; see chroma_page.h. */
#include "chroma_page.h"

#include <string.h>

#include "chroma_crc32c.h"

#define MAGIC_OFFSET (PAGE_BYTE_COUNT - CHROMA_VFS_TRAILER_BYTE_COUNT)
#define CHECKSUM_OFFSET (PAGE_BYTE_COUNT - 4)

static const uint8_t magic[4] = {'C', 'H', 'P', '1'};

static uint32_t checksum_of(const uint8_t *page, uint32_t number) {
  uint8_t prefix[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                       (uint8_t)(number >> 24)};
  return chroma_crc32c(chroma_crc32c(0, prefix, sizeof prefix), page, CHECKSUM_OFFSET);
}

void chroma_page_seal(uint8_t *page, uint32_t number) {
  memcpy(page + MAGIC_OFFSET, magic, sizeof magic);
  uint32_t checksum = checksum_of(page, number);
  for (int index = 0; index < 4; index += 1) {
    page[CHECKSUM_OFFSET + index] = (uint8_t)(checksum >> 8 * index);
  }
}

bool chroma_page_is_intact(const uint8_t *page, uint32_t number) {
  uint32_t stored = 0;
  for (int index = 0; index < 4; index += 1) {
    stored |= (uint32_t)page[CHECKSUM_OFFSET + index] << 8 * index;
  }
  return memcmp(page + MAGIC_OFFSET, magic, sizeof magic) == 0 &&
         stored == checksum_of(page, number);
}
