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

static double squared_l2_in_double(const float *a, const float *b, size_t dimension) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    double difference = (double)a[i] - (double)b[i];
    sum += difference * difference;
  }
  return sum;
}

static inline float dot(const float *a, const float *b, size_t dimension) {
  return (float)chroma_dot_in_double(a, b, dimension);
}

static inline float squared_l2(const float *a, const float *b, size_t dimension) {
  return (float)squared_l2_in_double(a, b, dimension);
}

static void dot_rows(const float *query, size_t dimension, const float *const *rows, size_t count,
                     float *out) {
  measure_rows(dot, query, dimension, rows, count, out);
}

static void squared_l2_rows(const float *query, size_t dimension, const float *const *rows,
                            size_t count, float *out) {
  measure_rows(squared_l2, query, dimension, rows, count, out);
}

static inline int32_t dot_int8(const int8_t *a, const int8_t *b, size_t dimension) {
  int32_t sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    sum += (int32_t)a[i] * (int32_t)b[i];
  }
  return sum;
}

static void dot_int8_rows(const int8_t *query, size_t dimension, const int8_t *const *rows,
                          size_t count, int32_t *out) {
  measure_codes(dot_int8, query, dimension, rows, count, out);
}

static bool is_supported(void) {
  return true;
}

const chroma_kernels chroma_kernels_scalar = {"scalar", is_supported, dot_rows, squared_l2_rows,
                                              dot_int8_rows};
