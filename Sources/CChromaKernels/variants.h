/* What the kernel files share: the walk over the rows, and the list of variants. */
#ifndef CHROMA_KERNELS_VARIANTS_H
#define CHROMA_KERNELS_VARIANTS_H

#include "chroma_kernels.h"

extern const chroma_kernels chroma_kernels_scalar;
#if defined(__x86_64__)
extern const chroma_kernels chroma_kernels_avx2;
extern const chroma_kernels chroma_kernels_avx512;
#elif defined(__aarch64__)
extern const chroma_kernels chroma_kernels_neon;
#endif

enum {
  CACHE_LINE_BYTES = 64,
  /* Rows between the one that is asked of memory and the one that is measured. */
  LOOK_AHEAD_ROWS = 2,
  /*
   * Of a row, only its beginning is asked for: from there on the processor's own prefetcher has
   * understood. Whole rows made scans in order 1.4 times slower and gained scattered rows nothing;
   * no rows at all made scattered ones 1.2 times slower (Zen 4, 384 and 1,536 floats).
   */
  LOOK_AHEAD_BYTES = 512,
};

/*
 * Applies `measure` to each row. Always inlined, `measure` with it, into a function that carries a
 * target attribute: so the loop is written once and still compiled for each instruction set.
 */
static inline __attribute__((always_inline)) void measure_rows(
    float (*measure)(const float *, const float *, size_t), const float *query, size_t dimension,
    const float *const *rows, size_t count, float *out) {
  const size_t row_bytes = dimension * sizeof(float);
  const size_t ahead_bytes = row_bytes < LOOK_AHEAD_BYTES ? row_bytes : LOOK_AHEAD_BYTES;
  for (size_t i = 0; i < count; i++) {
    if (i + LOOK_AHEAD_ROWS < count) {
      const char *next = (const char *)rows[i + LOOK_AHEAD_ROWS];
      for (size_t byte = 0; byte < ahead_bytes; byte += CACHE_LINE_BYTES) {
        __builtin_prefetch(next + byte);
      }
    }
    out[i] = measure(query, rows[i], dimension);
  }
}

#endif
