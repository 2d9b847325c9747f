/* 64-bit ARM, where NEON and its FMA are always there. Four sums at once hide its latency. */
#include "variants.h"

#if defined(__aarch64__)

#include <arm_neon.h>

static inline float32x4_t add_product(float32x4_t sum, float32x4_t a, float32x4_t b) {
  return vfmaq_f32(sum, a, b);
}

static inline float32x4_t add_squared_difference(float32x4_t sum, float32x4_t a, float32x4_t b) {
  float32x4_t difference = vsubq_f32(a, b);
  return vfmaq_f32(sum, difference, difference);
}

/* The last `count` floats, 1 to 3, and zeros: there is no masked load, so they go one by one. */
static inline float32x4_t load_tail(const float *floats, size_t count) {
  float32x4_t lanes = vsetq_lane_f32(floats[0], vdupq_n_f32(0), 0);
  if (count > 1) {
    lanes = vsetq_lane_f32(floats[1], lanes, 1);
  }
  if (count > 2) {
    lanes = vsetq_lane_f32(floats[2], lanes, 2);
  }
  return lanes;
}

static inline __attribute__((always_inline)) float sum_over(
    float32x4_t (*add)(float32x4_t, float32x4_t, float32x4_t), const float *a, const float *b,
    size_t dimension) {
  float32x4_t sum0 = vdupq_n_f32(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 16 <= dimension; i += 16) {
    sum0 = add(sum0, vld1q_f32(a + i), vld1q_f32(b + i));
    sum1 = add(sum1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
    sum2 = add(sum2, vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
    sum3 = add(sum3, vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
  }
  for (; i + 4 <= dimension; i += 4) {
    sum0 = add(sum0, vld1q_f32(a + i), vld1q_f32(b + i));
  }
  if (i < dimension) {
    sum1 = add(sum1, load_tail(a + i, dimension - i), load_tail(b + i, dimension - i));
  }
  return vaddvq_f32(vaddq_f32(vaddq_f32(sum0, sum1), vaddq_f32(sum2, sum3)));
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

/* Adds up the products of 16 elements; the sum of two, at most 2 * 127 * 127, fits in 16 bits. */
static inline int32x4_t add_code_products(int32x4_t sum, int8x16_t a, int8x16_t b) {
  int16x8_t pairs = vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b);
  return vpadalq_s16(sum, pairs);
}

static inline int32_t dot_int8(const int8_t *a, const int8_t *b, size_t dimension) {
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

static void dot_int8_rows(const int8_t *query, size_t dimension, const int8_t *const *rows,
                          size_t count, int32_t *out) {
  measure_codes(dot_int8, query, dimension, rows, count, out);
}

static bool is_supported(void) {
  return true;
}

const chroma_kernels chroma_kernels_neon = {"neon", is_supported, dot_rows, squared_l2_rows,
                                            dot_int8_rows};

#endif
