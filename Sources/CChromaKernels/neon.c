/* 64-bit ARM, where NEON and its FMA are always there. Four sums at once hide its latency. */
#include "variants.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

static inline float32x4_t add_product(float32x4_t sum, float32x4_t a, float32x4_t b) {
  return vfmaq_f32(sum, a, b);
}

static inline float32x4_t add_squared_difference(float32x4_t sum, float32x4_t a, float32x4_t b) {
  float32x4_t difference = vsubq_f32(a, b);
  return vfmaq_f32(sum, difference, difference);
}

/*
 * Four elements from an index on, or the last `count` of them and zeros. `count` is a constant
 * where it is 4. There is no masked load.
 */
static inline float32x4_t load_f32(const void *row, size_t index, size_t count, float32x4_t scale) {
  (void)scale;
  const float *floats = (const float *)row + index;
  float tail[4] = {0};
  if (count != 4) {
    memcpy(tail, floats, count * sizeof(float));
    floats = tail;
  }
  return vld1q_f32(floats);
}

static inline uint16x4_t load_halves(const void *row, size_t index, size_t count) {
  const char *halves = (const char *)row + 2 * index;
  uint16_t bits[4] = {0};
  memcpy(bits, halves, 2 * count);
  return vld1_u16(bits);
}

static inline float32x4_t load_f16(const void *row, size_t index, size_t count, float32x4_t scale) {
  (void)scale;
  return vcvt_f32_f16(vreinterpret_f16_u16(load_halves(row, index, count)));
}

static inline float32x4_t load_bf16(const void *row, size_t index, size_t count,
                                    float32x4_t scale) {
  (void)scale;
  return vreinterpretq_f32_u32(vshll_n_u16(load_halves(row, index, count), 16));
}

static inline float32x4_t load_int8(const void *row, size_t index, size_t count,
                                    float32x4_t scale) {
  int8_t codes[8] = {0};
  memcpy(codes, (const int8_t *)row + index, count);
  int32x4_t integers = vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8(codes))));
  return vmulq_f32(vcvtq_f32_s32(integers), scale);
}

static inline __attribute__((always_inline)) float sum_over(
    float32x4_t (*add)(float32x4_t, float32x4_t, float32x4_t),
    float32x4_t (*load)(const void *, size_t, size_t, float32x4_t), chroma_element element,
    const float *a, const void *b, size_t dimension) {
  const float32x4_t scale =
      vdupq_n_f32(element == CHROMA_ELEMENT_INT8 ? scale_of(b, dimension) : 1);
  float32x4_t sum0 = vdupq_n_f32(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 16 <= dimension; i += 16) {
    sum0 = add(sum0, vld1q_f32(a + i), load(b, i, 4, scale));
    sum1 = add(sum1, vld1q_f32(a + i + 4), load(b, i + 4, 4, scale));
    sum2 = add(sum2, vld1q_f32(a + i + 8), load(b, i + 8, 4, scale));
    sum3 = add(sum3, vld1q_f32(a + i + 12), load(b, i + 12, 4, scale));
  }
  for (; i + 4 <= dimension; i += 4) {
    sum0 = add(sum0, vld1q_f32(a + i), load(b, i, 4, scale));
  }
  if (i < dimension) {
    const size_t count = dimension - i;
    sum1 = add(sum1, load_f32(a, i, count, scale), load(b, i, count, scale));
  }
  return vaddvq_f32(vaddq_f32(vaddq_f32(sum0, sum1), vaddq_f32(sum2, sum3)));
}

ROW_KERNELS(f32, CHROMA_ELEMENT_F32, load_f32)
ROW_KERNELS(f16, CHROMA_ELEMENT_F16, load_f16)
ROW_KERNELS(bf16, CHROMA_ELEMENT_BF16, load_bf16)
ROW_KERNELS(int8, CHROMA_ELEMENT_INT8, load_int8)

/* Adds up the products of 16 elements; the sum of two, at most 2 * 127 * 127, fits in 16 bits. */
static inline int32x4_t add_code_products(int32x4_t sum, int8x16_t a, int8x16_t b) {
  int16x8_t pairs = vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b);
  return vpadalq_s16(sum, pairs);
}

static inline int32_t dot_code(const int8_t *a, const int8_t *b, size_t dimension) {
  int32x4_t sum0 = vdupq_n_s32(0), sum1 = sum0;
  size_t i = 0;
  for (; i + 32 <= dimension; i += 32) {
    sum0 = add_code_products(sum0, vld1q_s8(a + i), vld1q_s8(b + i));
    sum1 = add_code_products(sum1, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
  }
  int32_t sum = vaddvq_s32(vaddq_s32(sum0, sum1));
  for (; i < dimension; i++) {
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

const chroma_kernels chroma_kernels_neon = {"neon", is_supported, row_kernels, dot_codes};

#endif
