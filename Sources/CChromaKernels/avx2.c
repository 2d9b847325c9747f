/* x86-64 with AVX2 and FMA (2013 and later). Four sums at once hide the latency of the FMA. */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

/* The lanes that hold the last `count` floats, 0 to 7: lanes that are off are not read. */
static inline __m256i tail_mask(size_t count) {
  static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  return _mm256_loadu_si256((const __m256i *)(window + 8 - count));
}

static inline float sum_of_lanes(__m256 lanes) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline __m256 add_product(__m256 sum, __m256 a, __m256 b) {
  return _mm256_fmadd_ps(a, b, sum);
}

static inline __m256 add_squared_difference(__m256 sum, __m256 a, __m256 b) {
  __m256 difference = _mm256_sub_ps(a, b);
  return _mm256_fmadd_ps(difference, difference, sum);
}

static inline __attribute__((always_inline)) float sum_over(__m256 (*add)(__m256, __m256, __m256),
                                                            const float *a, const float *b,
                                                            size_t dimension) {
  __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 32 <= dimension; i += 32) {
    sum0 = add(sum0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    sum1 = add(sum1, _mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
    sum2 = add(sum2, _mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16));
    sum3 = add(sum3, _mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24));
  }
  for (; i + 8 <= dimension; i += 8) {
    sum0 = add(sum0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
  }
  if (i < dimension) {
    __m256i mask = tail_mask(dimension - i);
    sum1 = add(sum1, _mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask));
  }
  return sum_of_lanes(_mm256_add_ps(_mm256_add_ps(sum0, sum1), _mm256_add_ps(sum2, sum3)));
}

static inline float dot(const float *a, const float *b, size_t dimension) {
  return sum_over(add_product, a, b, dimension);
}

static inline float squared_l2(const float *a, const float *b, size_t dimension) {
  return sum_over(add_squared_difference, a, b, dimension);
}

static void dot_rows(const float *query, size_t dimension, const float *const *rows, size_t count,
                     float *out) {
  measure_rows(dot, query, dimension, rows, count, out);
}

static void squared_l2_rows(const float *query, size_t dimension, const float *const *rows,
                            size_t count, float *out) {
  measure_rows(squared_l2, query, dimension, rows, count, out);
}

#pragma clang attribute pop

static bool is_supported(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const chroma_kernels chroma_kernels_avx2 = {"avx2", is_supported, dot_rows, squared_l2_rows};

#endif
