/*
 * x86-64 with AVX-512F and BW (2017 and later). Four sums at once hide the latency of the FMA; a
 * mask takes the tail: lanes that are off are zero, and are not read.
 */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw"))), apply_to = function)

static inline __m512 add_product(__m512 sum, __m512 a, __m512 b) {
  return _mm512_fmadd_ps(a, b, sum);
}

static inline __m512 add_squared_difference(__m512 sum, __m512 a, __m512 b) {
  __m512 difference = _mm512_sub_ps(a, b);
  return _mm512_fmadd_ps(difference, difference, sum);
}

/* Sixteen elements from an index on, or those of a mask and zeros, which is where a row ends. */
static inline __m512 load_f32(const void *row, size_t index, __mmask16 mask, __m512 scale) {
  (void)scale;
  return _mm512_maskz_loadu_ps(mask, (const float *)row + index);
}

static inline __m256i load_halves(const void *row, size_t index, __mmask16 mask) {
  return _mm512_castsi512_si256(_mm512_maskz_loadu_epi16(mask, (const char *)row + 2 * index));
}

static inline __m512 load_f16(const void *row, size_t index, __mmask16 mask, __m512 scale) {
  (void)scale;
  return _mm512_cvtph_ps(load_halves(row, index, mask));
}

static inline __m512 load_bf16(const void *row, size_t index, __mmask16 mask, __m512 scale) {
  (void)scale;
  __m512i bits = _mm512_cvtepu16_epi32(load_halves(row, index, mask));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

static inline __m512 load_int8(const void *row, size_t index, __mmask16 mask, __m512 scale) {
  __m512i codes = _mm512_maskz_loadu_epi8(mask, (const int8_t *)row + index);
  __m512i integers = _mm512_cvtepi8_epi32(_mm512_castsi512_si128(codes));
  return _mm512_mul_ps(_mm512_cvtepi32_ps(integers), scale);
}

static inline __attribute__((always_inline)) float sum_over(
    __m512 (*add)(__m512, __m512, __m512), __m512 (*load)(const void *, size_t, __mmask16, __m512),
    chroma_element element, const float *a, const void *b, size_t dimension) {
  const __mmask16 all = 0xFFFF;
  const __m512 scale = _mm512_set1_ps(element == CHROMA_ELEMENT_INT8 ? scale_of(b, dimension) : 1);
  __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
    sum0 = add(sum0, _mm512_loadu_ps(a + i), load(b, i, all, scale));
    sum1 = add(sum1, _mm512_loadu_ps(a + i + 16), load(b, i + 16, all, scale));
    sum2 = add(sum2, _mm512_loadu_ps(a + i + 32), load(b, i + 32, all, scale));
    sum3 = add(sum3, _mm512_loadu_ps(a + i + 48), load(b, i + 48, all, scale));
  }
  for (; i + 16 <= dimension; i += 16) {
    sum0 = add(sum0, _mm512_loadu_ps(a + i), load(b, i, all, scale));
  }
  if (i < dimension) {
    const __mmask16 mask = (__mmask16)((1u << (dimension - i)) - 1);
    sum1 = add(sum1, _mm512_maskz_loadu_ps(mask, a + i), load(b, i, mask, scale));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sum0, sum1), _mm512_add_ps(sum2, sum3)));
}

ROW_KERNELS(f32, CHROMA_ELEMENT_F32, load_f32)
ROW_KERNELS(f16, CHROMA_ELEMENT_F16, load_f16)
ROW_KERNELS(bf16, CHROMA_ELEMENT_BF16, load_bf16)
ROW_KERNELS(int8, CHROMA_ELEMENT_INT8, load_int8)

/*
 * Adds up the products of 64 elements by fours. The magnitudes of `a` are unsigned and `b` takes
 * their signs, as the instruction wants it; the sum of two products, at most 2 * 127 * 127, is one
 * that its 16 bits hold.
 */
static inline __m512i add_code_products(__m512i sum, __m512i a, __m512i b) {
  __m512i with_sign = _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(a), _mm512_setzero_si512(), b);
  __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(a), with_sign);
  return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

static inline int32_t dot_code(const int8_t *a, const int8_t *b, size_t dimension) {
  __m512i sum = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
    sum = add_code_products(sum, _mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
  }
  if (i < dimension) {
    __mmask64 mask = ((__mmask64)1 << (dimension - i)) - 1;
    sum = add_code_products(sum, _mm512_maskz_loadu_epi8(mask, a + i),
                            _mm512_maskz_loadu_epi8(mask, b + i));
  }
  return _mm512_reduce_add_epi32(sum);
}

static void dot_codes(const int8_t *query, size_t dimension, const int8_t *const *rows,
                      size_t count, int32_t *out) {
  measure_codes(dot_code, query, dimension, rows, count, out);
}

#pragma clang attribute pop

static bool is_supported(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

const chroma_row_kernels chroma_rows_avx512[CHROMA_ELEMENT_COUNT] = ALL_ROW_KERNELS;

const chroma_kernels chroma_kernels_avx512 = {"avx512", is_supported, chroma_rows_avx512,
                                              dot_codes};

#endif
