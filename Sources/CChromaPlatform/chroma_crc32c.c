/*
 * CRC-32C. The portable form takes eight bytes a step through eight tables ("slicing by 8",
 * Kounavis and Berry, 2005); table k holds the effect of a byte that k more bytes follow.
 */
#include "chroma_crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82F63B78u

typedef uint32_t (*crc_function)(uint32_t crc, const uint8_t *bytes, size_t byte_count);

static uint32_t tables[8][256];
static crc_function fastest;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t update_portable(uint32_t crc, const uint8_t *bytes, size_t byte_count) {
  while (byte_count >= 8) {
    uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                          (uint32_t)bytes[3] << 24);
    crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
          tables[4][low >> 24] ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^
          tables[0][bytes[7]];
    bytes += 8;
    byte_count -= 8;
  }
  while (byte_count > 0) {
    crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xFF];
    bytes += 1;
    byte_count -= 1;
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t update_sse42(uint32_t crc, const uint8_t *bytes,
                                                               size_t byte_count) {
  uint64_t wide = crc;
  while (byte_count >= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = _mm_crc32_u64(wide, word);
    bytes += 8;
    byte_count -= 8;
  }
  crc = (uint32_t)wide;
  while (byte_count > 0) {
    crc = _mm_crc32_u8(crc, *bytes);
    bytes += 1;
    byte_count -= 1;
  }
  return crc;
}
#endif

#if defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t update_arm(uint32_t crc, const uint8_t *bytes,
                                                           size_t byte_count) {
  while (byte_count >= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    crc = __crc32cd(crc, word);
    bytes += 8;
    byte_count -= 8;
  }
  while (byte_count > 0) {
    crc = __crc32cb(crc, *bytes);
    bytes += 1;
    byte_count -= 1;
  }
  return crc;
}
#endif

static void prepare(void) {
  for (uint32_t byte = 0; byte < 256; byte += 1) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit += 1) {
      crc = crc >> 1 ^ (POLYNOMIAL & (0u - (crc & 1u)));
    }
    tables[0][byte] = crc;
  }
  for (int table = 1; table < 8; table += 1) {
    for (uint32_t byte = 0; byte < 256; byte += 1) {
      uint32_t crc = tables[table - 1][byte];
      tables[table][byte] = crc >> 8 ^ tables[0][crc & 0xFF];
    }
  }

  fastest = update_portable;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    fastest = update_sse42;
  }
#elif defined(__aarch64__)
  if (getauxval(AT_HWCAP) & (1ul << 7) /* HWCAP_CRC32 */) {
    fastest = update_arm;
  }
#endif
}

uint32_t chroma_crc32c(uint32_t crc, const void *bytes, size_t byte_count) {
  pthread_once(&once, prepare);
  return ~fastest(~crc, bytes, byte_count);
}

uint32_t chroma_crc32c_portable(uint32_t crc, const void *bytes, size_t byte_count) {
  pthread_once(&once, prepare);
  return ~update_portable(~crc, bytes, byte_count);
}
