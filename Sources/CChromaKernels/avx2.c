/* x86-64 with AVX2 and FMA (2013 and later). Four sums at once hide the latency of the FMA. */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

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

/*
 * Adds up the products of 32 elements by fours. The magnitudes of `a` are unsigned and `b` takes
 * their signs, as the instruction wants it; the sum of two products, at most 2 * 127 * 127, is one
 * that its 16 bits hold.
 */
static inline __m256i add_code_products(__m256i sum, __m256i a, __m256i b) {
  __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(b, a));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* The last `count` elements, 1 to 31, and zeros: there is no masked load of bytes. */
static inline __m256i load_code_tail(const int8_t *code, size_t count) {
  int8_t elements[32] = {0};
  memcpy(elements, code, count);
  return _mm256_loadu_si256((const __m256i *)elements);
}

static inline int32_t dot_int8(const int8_t *a, const int8_t *b, size_t dimension) {
  __m256i sum0 = _mm256_setzero_si256(), sum1 = sum0;
  size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
    sum0 = add_code_products(sum0, _mm256_loadu_si256((const __m256i *)(a + i)),
                             _mm256_loadu_si256((const __m256i *)(b + i)));
    sum1 = add_code_products(sum1, _mm256_loadu_si256((const __m256i *)(a + i + 32)),
                             _mm256_loadu_si256((const __m256i *)(b + i + 32)));
  }
  if (i + 32 <= dimension) {
    sum0 = add_code_products(sum0, _mm256_loadu_si256((const __m256i *)(a + i)),
                             _mm256_loadu_si256((const __m256i *)(b + i)));
    i += 32;
  }
  if (i < dimension) {
    sum1 = add_code_products(sum1, load_code_tail(a + i, dimension - i),
                             load_code_tail(b + i, dimension - i));
  }
  __m256i sum = _mm256_add_epi32(sum0, sum1);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, _MM_SHUFFLE(2, 3, 0, 1))));
}

static void dot_int8_rows(const int8_t *query, size_t dimension, const int8_t *const *rows,
                          size_t count, int32_t *out) {
  measure_codes(dot_int8, query, dimension, rows, count, out);
}

#pragma clang attribute pop

static bool is_supported(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const chroma_kernels chroma_kernels_avx2 = {"avx2", is_supported, dot_rows, squared_l2_rows,
                                            dot_int8_rows};

#endif
