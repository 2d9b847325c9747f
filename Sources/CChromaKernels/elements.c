/* From floats to rows and back: each value once, when it is written or looked at. */
#include "elements.h"

#include <float.h>
#include <math.h>

size_t chroma_row_byte_count(chroma_element element, size_t dimension) {
  switch (element) {
    case CHROMA_ELEMENT_F16:
    case CHROMA_ELEMENT_BF16:
      return 2 * dimension;
    case CHROMA_ELEMENT_INT8:
      return scale_offset(dimension) + sizeof(float);
    default:
      return sizeof(float) * dimension;
  }
}

/* The nearest half; infinity from 65,520 on, which is half-way to the first power it lacks. */
static uint16_t half_of(float value) {
  const uint32_t bits = bits_of(value), magnitude = bits & 0x7FFFFFFF;
  const uint32_t sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7F800000) {
    return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
  }
  if (magnitude >= 0x47800000) {
    return (uint16_t)(sign | 0x7C00);
  }
  if (magnitude < 0x38800000) {
    /* A subnormal half counts 2^-24, as the last digit of numbers from 0.5 to 1 does. */
    return (uint16_t)(sign | (bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f)));
  }
  return (uint16_t)(sign | (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13);
}

static uint16_t brain_half_of(float value) {
  const uint32_t bits = bits_of(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) {
    return (uint16_t)(bits >> 16 | 0x40);
  }
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static size_t encode_halves(uint16_t (*half)(float), uint16_t infinity, const float *floats,
                            size_t dimension, void *row) {
  for (size_t i = 0; i < dimension; i++) {
    const uint16_t bits = half(floats[i]);
    if ((bits & 0x7FFF) == infinity && !isinf(floats[i])) {
      return i;
    }
    memcpy((char *)row + i * sizeof(bits), &bits, sizeof(bits));
  }
  return dimension;
}

/*
 * The scale for a largest magnitude: 1/127 of it, raised to 17 significant bits. With the 7 bits of
 * a code that makes 24: every product is a float, exactly. So the largest code is 127, the largest
 * product over 127 is the scale again, and a decoded row encodes to itself. Never below the
 * smallest normal number: there are no 17 bits there.
 */
static float scale_for(float largest) {
  const float scale = float_of((bits_of(largest / 127) + 0x7F) & ~(uint32_t)0x7F);
  return scale < FLT_MIN ? FLT_MIN : scale;
}

/* 127 times the largest such scale of which that is a float. */
static const float int8_magnitude_max = 0x1.FFFFFp+127f;

static size_t encode_int8(const float *floats, size_t dimension, void *row) {
  float largest = 0;
  for (size_t i = 0; i < dimension; i++) {
    const float magnitude = fabsf(floats[i]);
    if (!(magnitude <= int8_magnitude_max)) {
      return i;
    }
    largest = magnitude > largest ? magnitude : largest;
  }
  const float scale = scale_for(largest);
  int8_t *codes = row;
  for (size_t i = 0; i < dimension; i++) {
    codes[i] = (int8_t)lrintf(floats[i] / scale);
  }
  memset(codes + dimension, 0, scale_offset(dimension) - dimension);
  memcpy(codes + scale_offset(dimension), &scale, sizeof(scale));
  return dimension;
}

size_t chroma_row_encode(chroma_element element, const float *floats, size_t dimension, void *row) {
  switch (element) {
    case CHROMA_ELEMENT_F16:
      return encode_halves(half_of, 0x7C00, floats, dimension, row);
    case CHROMA_ELEMENT_BF16:
      return encode_halves(brain_half_of, 0x7F80, floats, dimension, row);
    case CHROMA_ELEMENT_INT8:
      return encode_int8(floats, dimension, row);
    default:
      memcpy(row, floats, sizeof(float) * dimension);
      return dimension;
  }
}

void chroma_row_decode(chroma_element element, const void *row, size_t dimension, float *floats) {
  float scale;
  switch (element) {
    case CHROMA_ELEMENT_F16:
      for (size_t i = 0; i < dimension; i++) {
        floats[i] = f16_at(row, i, 1);
      }
      break;
    case CHROMA_ELEMENT_BF16:
      for (size_t i = 0; i < dimension; i++) {
        floats[i] = bf16_at(row, i, 1);
      }
      break;
    case CHROMA_ELEMENT_INT8:
      scale = scale_of(row, dimension);
      for (size_t i = 0; i < dimension; i++) {
        floats[i] = int8_at(row, i, scale);
      }
      break;
    default:
      memcpy(floats, row, sizeof(float) * dimension);
  }
}
