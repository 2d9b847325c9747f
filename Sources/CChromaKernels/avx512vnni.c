/*
 * x86-64 with AVX-512 and VNNI (2019 and later): AVX-512, with an instruction made for codes.
 *
 * It multiplies unsigned by signed bytes. So the row goes in plus 128, which is the flip of one
 * bit, and 128 times the sum of the query, which is known before the first row, goes off the
 * result.
 */
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vnni"))), \
                             apply_to = function)

/* The sum of (row[i] + 128) * query[i]. */
static inline int32_t raised_dot(const int8_t *query, const int8_t *row, size_t dimension) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  __m512i sum0 = _mm512_setzero_si512(), sum1 = sum0;
  size_t i = 0;
  for (; i + 128 <= dimension; i += 128) {
    sum0 = _mm512_dpbusd_epi32(sum0, _mm512_xor_si512(_mm512_loadu_si512(row + i), flip),
                               _mm512_loadu_si512(query + i));
    sum1 = _mm512_dpbusd_epi32(sum1, _mm512_xor_si512(_mm512_loadu_si512(row + i + 64), flip),
                               _mm512_loadu_si512(query + i + 64));
  }
  if (i + 64 <= dimension) {
    sum0 = _mm512_dpbusd_epi32(sum0, _mm512_xor_si512(_mm512_loadu_si512(row + i), flip),
                               _mm512_loadu_si512(query + i));
    i += 64;
  }
  if (i < dimension) {
    __mmask64 mask = ((__mmask64)1 << (dimension - i)) - 1;
    sum1 = _mm512_dpbusd_epi32(sum1, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, row + i), flip),
                               _mm512_maskz_loadu_epi8(mask, query + i));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(sum0, sum1));
}

static void dot_codes(const int8_t *query, size_t dimension, const int8_t *const *rows,
                      size_t count, int32_t *out) {
  measure_codes(raised_dot, query, dimension, rows, count, out);
  int32_t query_sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    query_sum += query[i];
  }
  for (size_t i = 0; i < count; i++) {
    out[i] -= 128 * query_sum;
  }
}

#pragma clang attribute pop

static bool is_supported(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vnni");
}

const chroma_kernels chroma_kernels_avx512vnni = {"avx512vnni", is_supported, chroma_rows_avx512,
                                                  dot_codes};

#endif
