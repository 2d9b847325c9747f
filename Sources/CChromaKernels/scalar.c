/*
 * The truth: plain sums in double.
 *
 * A product of two floats is exact in double, and no float is so large or so small that it would
 * overflow or vanish there, so the only error is the sum's: about 1e-16 of the sum of magnitudes.
 */
#include "variants.h"

double chroma_dot_in_double(const float *a, const float *b, size_t dimension) {
  /* The order of the sum is nobody's promise, and a fixed one could not be vectorized. */
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    sum += (double)a[i] * (double)b[i];
  }
  return sum;
}

static inline double add_product(double sum, double a, double b) {
  return sum + a * b;
}

static inline double add_squared_difference(double sum, double a, double b) {
  return sum + (a - b) * (a - b);
}

/* Four sums, which compilers turn into vectors without changing the order in which they grow. */
static inline __attribute__((always_inline)) float sum_over(
    double (*add)(double, double, double), float (*load)(const void *, size_t, float),
    chroma_element element, const float *a, const void *b, size_t dimension) {
  const float scale = element == CHROMA_ELEMENT_INT8 ? scale_of(b, dimension) : 1;
  double sums[4] = {0};
  size_t i = 0;
  for (; i + 4 <= dimension; i += 4) {
    for (size_t j = 0; j < 4; j++) {
      sums[j] = add(sums[j], a[i + j], load(b, i + j, scale));
    }
  }
  for (; i < dimension; i++) {
    sums[0] = add(sums[0], a[i], load(b, i, scale));
  }
  return (float)((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

ROW_KERNELS(f32, CHROMA_ELEMENT_F32, f32_at)
ROW_KERNELS(f16, CHROMA_ELEMENT_F16, f16_at)
ROW_KERNELS(bf16, CHROMA_ELEMENT_BF16, bf16_at)
ROW_KERNELS(int8, CHROMA_ELEMENT_INT8, int8_at)

static inline int32_t dot_code(const int8_t *a, const int8_t *b, size_t dimension) {
  int32_t sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    sum += (int32_t)a[i] * (int32_t)b[i];
  }
  return sum;
}

static void dot_codes(const int8_t *query, size_t dimension, const int8_t *const *rows,
                      size_t count, int32_t *out) {
  measure_codes(dot_code, query, dimension, rows, count, out);
}

static bool is_supported(void) {
  return true;
}

static const chroma_row_kernels row_kernels[CHROMA_ELEMENT_COUNT] = ALL_ROW_KERNELS;

const chroma_kernels chroma_kernels_scalar = {"scalar", is_supported, row_kernels, dot_codes};
