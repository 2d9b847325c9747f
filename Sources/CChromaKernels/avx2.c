/* x86-64 with AVX2, FMA and F16C (2013 on). Four sums at once hide the latency of the FMA. */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

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

/*
 * Eight elements from an index on, or the last `count` of them and zeros. `count` is a constant
 * where it is 8. Of what is narrower than a float there is no masked load.
 */
static inline __m256 load_f32(const void *row, size_t index, size_t count, __m256 scale) {
  (void)scale;
  const float *floats = (const float *)row + index;
  return count == 8 ? _mm256_loadu_ps(floats) : _mm256_maskload_ps(floats, tail_mask(count));
}

static inline __m128i load_halves(const void *row, size_t index, size_t count) {
  const char *halves = (const char *)row + 2 * index;
  if (count == 8) {
    return _mm_loadu_si128((const __m128i *)halves);
  }
  uint16_t tail[8] = {0};
  memcpy(tail, halves, 2 * count);
  return _mm_loadu_si128((const __m128i *)tail);
}

static inline __m256 load_f16(const void *row, size_t index, size_t count, __m256 scale) {
  (void)scale;
  return _mm256_cvtph_ps(load_halves(row, index, count));
}

static inline __m256 load_bf16(const void *row, size_t index, size_t count, __m256 scale) {
  (void)scale;
  __m256i bits = _mm256_cvtepu16_epi32(load_halves(row, index, count));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}

static inline __m256 load_int8(const void *row, size_t index, size_t count, __m256 scale) {
  const int8_t *codes = (const int8_t *)row + index;
  int8_t tail[8] = {0};
  if (count != 8) {
    memcpy(tail, codes, count);
    codes = tail;
  }
  __m256i integers = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)codes));
  return _mm256_mul_ps(_mm256_cvtepi32_ps(integers), scale);
}

static inline __attribute__((always_inline)) float sum_over(
    __m256 (*add)(__m256, __m256, __m256), __m256 (*load)(const void *, size_t, size_t, __m256),
    chroma_element element, const float *a, const void *b, size_t dimension) {
  const __m256 scale = _mm256_set1_ps(element == CHROMA_ELEMENT_INT8 ? scale_of(b, dimension) : 1);
  __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 32 <= dimension; i += 32) {
    sum0 = add(sum0, _mm256_loadu_ps(a + i), load(b, i, 8, scale));
    sum1 = add(sum1, _mm256_loadu_ps(a + i + 8), load(b, i + 8, 8, scale));
    sum2 = add(sum2, _mm256_loadu_ps(a + i + 16), load(b, i + 16, 8, scale));
    sum3 = add(sum3, _mm256_loadu_ps(a + i + 24), load(b, i + 24, 8, scale));
  }
  for (; i + 8 <= dimension; i += 8) {
    sum0 = add(sum0, _mm256_loadu_ps(a + i), load(b, i, 8, scale));
  }
  if (i < dimension) {
    const size_t count = dimension - i;
    sum1 = add(sum1, _mm256_maskload_ps(a + i, tail_mask(count)), load(b, i, count, scale));
  }
  return sum_of_lanes(_mm256_add_ps(_mm256_add_ps(sum0, sum1), _mm256_add_ps(sum2, sum3)));
}

ROW_KERNELS(f32, CHROMA_ELEMENT_F32, load_f32)
ROW_KERNELS(f16, CHROMA_ELEMENT_F16, load_f16)
ROW_KERNELS(bf16, CHROMA_ELEMENT_BF16, load_bf16)
ROW_KERNELS(int8, CHROMA_ELEMENT_INT8, load_int8)

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

static inline int32_t dot_code(const int8_t *a, const int8_t *b, size_t dimension) {
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

static void dot_codes(const int8_t *query, size_t dimension, const int8_t *const *rows,
                      size_t count, int32_t *out) {
  measure_codes(dot_code, query, dimension, rows, count, out);
}

#pragma clang attribute pop

static bool is_supported(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static const chroma_row_kernels row_kernels[CHROMA_ELEMENT_COUNT] = ALL_ROW_KERNELS;

const chroma_kernels chroma_kernels_avx2 = {"avx2", is_supported, row_kernels, dot_codes};

#endif
