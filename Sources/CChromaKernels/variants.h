/* What the kernel files share: the walk over the rows, and the list of variants. */
#ifndef CHROMA_KERNELS_VARIANTS_H
#define CHROMA_KERNELS_VARIANTS_H

#include "elements.h"

extern const chroma_kernels chroma_kernels_scalar;
#if defined(__x86_64__)
extern const chroma_kernels chroma_kernels_avx2;
extern const chroma_kernels chroma_kernels_avx512;
extern const chroma_kernels chroma_kernels_avx512vnni;
/* What the last two have in common. */
extern const chroma_row_kernels chroma_rows_avx512[CHROMA_ELEMENT_COUNT];
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
  /*
   * Codes are short rows and scattered, and asked for as a whole. Any number from 2 to 16 did as
   * well as 4; four rows in lockstep, which sum faster, gained scattered ones a tenth and made
   * scans in order 1.5 times slower (Zen 4, 384 and 1,536 codes).
   */
  LOOK_AHEAD_CODES = 4,
};

/*
 * Applies `measure` to each row. Always inlined, `measure` with it, into a function that carries a
 * target attribute: so the loop is written once and still compiled for each instruction set.
 */
static inline __attribute__((always_inline)) void measure_rows(
    float (*measure)(const float *, const void *, size_t), chroma_element element,
    const float *query, size_t dimension, const void *const *rows, size_t count, float *out) {
  const size_t row_bytes = chroma_row_byte_count(element, dimension);
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

/*
 * The two kernels for rows of one type: the file that says so has a `sum_over` for its instruction
 * set, the terms of the two sums, and a way to load elements of the type.
 */
#define ROW_KERNELS(type, element, load) \
  static inline float dot_##type(const float *query, const void *row, size_t dimension) { \
    return sum_over(add_product, load, element, query, row, dimension); \
  } \
  static inline float squared_l2_##type(const float *query, const void *row, size_t dimension) { \
    return sum_over(add_squared_difference, load, element, query, row, dimension); \
  } \
  static void dot_##type##_rows(const float *query, size_t dimension, const void *const *rows, \
                                size_t count, float *out) { \
    measure_rows(dot_##type, element, query, dimension, rows, count, out); \
  } \
  static void squared_l2_##type##_rows(const float *query, size_t dimension, \
                                       const void *const *rows, size_t count, float *out) { \
    measure_rows(squared_l2_##type, element, query, dimension, rows, count, out); \
  }

/* By chroma_element. */
#define ALL_ROW_KERNELS \
  { \
    {dot_f32_rows, squared_l2_f32_rows}, {dot_f16_rows, squared_l2_f16_rows}, \
        {dot_bf16_rows, squared_l2_bf16_rows}, { \
      dot_int8_rows, squared_l2_int8_rows \
    } \
  }

/* Asks for a row of codes. */
static inline __attribute__((always_inline)) void prefetch_code(const int8_t *row,
                                                                size_t dimension) {
  for (size_t byte = 0; byte < dimension; byte += CACHE_LINE_BYTES) {
    __builtin_prefetch(row + byte);
  }
}

/* Applies `measure` to each row of codes, inlined as above. */
static inline __attribute__((always_inline)) void measure_codes(
    int32_t (*measure)(const int8_t *, const int8_t *, size_t), const int8_t *query,
    size_t dimension, const int8_t *const *rows, size_t count, int32_t *out) {
  const size_t ahead = count < LOOK_AHEAD_CODES ? count : LOOK_AHEAD_CODES;
  for (size_t i = 0; i < ahead; i++) {
    prefetch_code(rows[i], dimension);
  }
  for (size_t i = 0; i < count; i++) {
    if (i + LOOK_AHEAD_CODES < count) {
      prefetch_code(rows[i + LOOK_AHEAD_CODES], dimension);
    }
    out[i] = measure(query, rows[i], dimension);
  }
}

#endif
