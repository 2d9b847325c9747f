/*
 * A page behind our VFS, wherever it stands: in the database file or in a frame of the log.
 *
 *     | 4088 bytes: SQLite's | "CHP1" | CRC-32C of the page number and the 4092 bytes before: u32 |
 *
 * Numbers little-endian, the page number as u32, counted from 1: a page in another's place fails.
 */
#ifndef CHROMA_PAGE_H
#define CHROMA_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chroma_vfs.h"

#define PAGE_BYTE_COUNT ((size_t)CHROMA_VFS_PAGE_BYTE_COUNT)

void chroma_page_seal(uint8_t *page, uint32_t number);

bool chroma_page_is_intact(const uint8_t *page, uint32_t number);

#endif
