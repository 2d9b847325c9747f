/* x86-64 with AVX-512F. Four sums at once hide the latency of the FMA; a mask takes the tail. */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

static inline __m512 add_product(__m512 sum, __m512 a, __m512 b) {
  return _mm512_fmadd_ps(a, b, sum);
}

static inline __m512 add_squared_difference(__m512 sum, __m512 a, __m512 b) {
  __m512 difference = _mm512_sub_ps(a, b);
  return _mm512_fmadd_ps(difference, difference, sum);
}

static inline __attribute__((always_inline)) float sum_over(__m512 (*add)(__m512, __m512, __m512),
                                                            const float *a, const float *b,
                                                            size_t dimension) {
  __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
    sum0 = add(sum0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
    sum1 = add(sum1, _mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
    sum2 = add(sum2, _mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32));
    sum3 = add(sum3, _mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48));
  }
  for (; i + 16 <= dimension; i += 16) {
    sum0 = add(sum0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
  }
  if (i < dimension) {
    /* Lanes that are off are zero, and are not read. */
    __mmask16 mask = (__mmask16)((1u << (dimension - i)) - 1);
    sum1 = add(sum1, _mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sum0, sum1), _mm512_add_ps(sum2, sum3)));
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
  return __builtin_cpu_supports("avx512f");
}

const chroma_kernels chroma_kernels_avx512 = {"avx512", is_supported, dot_rows, squared_l2_rows};

#endif
