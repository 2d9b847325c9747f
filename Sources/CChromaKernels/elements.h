/*
 * One element of a row at a time. Nothing here computes with subnormal floats, which a host that
 * loads code compiled for speed may have made the processor take for zero.
 */
#ifndef CHROMA_KERNELS_ELEMENTS_H
#define CHROMA_KERNELS_ELEMENTS_H

#include <stdint.h>
#include <string.h>

#include "chroma_kernels.h"

static inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static inline uint16_t half_at(const void *row, size_t index) {
  uint16_t bits;
  memcpy(&bits, (const char *)row + index * sizeof(bits), sizeof(bits));
  return bits;
}

/* Where the scale of a row of int8 stands. */
static inline size_t scale_offset(size_t dimension) {
  return (dimension + 3) / 4 * 4;
}

static inline float scale_of(const void *row, size_t dimension) {
  float scale;
  memcpy(&scale, (const char *)row + scale_offset(dimension), sizeof(scale));
  return scale;
}

static inline float f32_at(const void *row, size_t index, float scale) {
  (void)scale;
  return ((const float *)row)[index];
}

static inline float f16_at(const void *row, size_t index, float scale) {
  (void)scale;
  const uint32_t half = half_at(row, index);
  const uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31;
  const uint32_t significand = half & 0x3FF;
  if (exponent == 0) {
    return float_of(sign | bits_of((float)significand * 0x1p-24f));
  }
  return float_of(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | significand << 13);
}

static inline float bf16_at(const void *row, size_t index, float scale) {
  (void)scale;
  return float_of((uint32_t)half_at(row, index) << 16);
}

static inline float int8_at(const void *row, size_t index, float scale) {
  return (float)((const int8_t *)row)[index] * scale;
}

#endif
