// What libchroma.so would ask a young C library for, for a few calls that it does not need.
//
// The Swift runtime, libstdc++ and libgcc are linked statically, as the toolchain's system has
// them. By these calls they would tie libchroma.so to glibc 2.36; with their stand-ins here it runs
// from 2.34 on. Only libchroma.so has this file, and none of its symbols leaves it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>

#define HERE __attribute__((visibility("hidden")))

// Swift's Glibc module mentions it (glibc 2.35). In doubles nothing overflows on the way.
HERE float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) return INFINITY;
  return (float)sqrt((double)x * (double)x + (double)y * (double)y);
}

// libstdc++'s random_device asks for it (glibc 2.36).
HERE uint32_t arc4random(void) {
  uint32_t value;
  while (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
  }
  return value;
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE

struct search {
  uintptr_t address;
  struct dl_find_object *found;
};

static int looks_into(struct dl_phdr_info *object, size_t size, void *opaque) {
  (void)size;
  struct search *search = opaque;
  const ElfW(Phdr) *frames = NULL;
  int is_inside = 0;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_GNU_EH_FRAME) {
      frames = header;
    } else if (header->p_type == PT_LOAD && search->address - start < header->p_memsz) {
      is_inside = 1;
      search->found->dlfo_map_start = (void *)start;
      search->found->dlfo_map_end = (void *)(start + header->p_memsz);
    }
  }
  if (!is_inside || frames == NULL) return 0;
  search->found->dlfo_eh_frame = (void *)(object->dlpi_addr + frames->p_vaddr);
  return 1;
}

// libgcc finds the unwinding tables of an address by it (glibc 2.35). This is how it did before.
HERE int _dl_find_object(void *address, struct dl_find_object *found) {
  *found = (struct dl_find_object){0};
  struct search search = {(uintptr_t)address, found};
  return dl_iterate_phdr(looks_into, &search) == 1 ? 0 : -1;
}

#endif
