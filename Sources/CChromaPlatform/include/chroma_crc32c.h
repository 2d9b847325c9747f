/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), by the processor's instruction where it
 * has one.
 */
#ifndef CHROMA_CRC32C_H
#define CHROMA_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** The checksum of what `crc` is the checksum of (0: nothing), followed by these bytes. */
uint32_t chroma_crc32c(uint32_t crc, const void *bytes, size_t byte_count);

/** The same by tables: what processors without the instruction run, and the tests' truth. */
uint32_t chroma_crc32c_portable(uint32_t crc, const void *bytes, size_t byte_count);

#endif
