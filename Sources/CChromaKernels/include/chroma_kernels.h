/*
 * Distances from one query to many rows of vectors, one variant for each instruction set.
 *
 * A query is floats. A row holds as many elements of one of these types, little-endian, and nothing
 * outside it is read:
 *
 *     f32    float32, 4 bytes each
 *     f16    IEEE 754 binary16, 2 bytes each
 *     bf16   the upper half of a float32, 2 bytes each
 *     int8   codes of -127 to 127, 1 byte each; from the next multiple of 4 on the scale, a
 *            float32: an element is its code times the scale, rounded to a float
 *
 * Rows are named by pointers, so that they can stand in chunks, in mapped files or in any order:
 * the caller gathers what it wants to measure, the kernel asks memory for the next rows while it
 * computes. Rows of f32 are aligned as floats are, the others at even addresses, int8 at any.
 *
 * Elements are floats once they are loaded: a variant answers for a row of any type, bit for bit,
 * what it answers for the row of floats that hold the same values.
 *
 * The scalar variant sums in double: it defines the truth that the others are tested against, and
 * serves the processors that have none of the rest. The others sum in float, in an order of their
 * own, so their last bits differ. Infinities and NaN go through all of them as IEEE 754 has it.
 *
 * Everything here is immutable once the library is loaded: any thread, any number at once.
 */
#ifndef CHROMA_KERNELS_H
#define CHROMA_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a row is made of. */
typedef enum chroma_element {
  CHROMA_ELEMENT_F32 = 0,
  CHROMA_ELEMENT_F16 = 1,
  CHROMA_ELEMENT_BF16 = 2,
  CHROMA_ELEMENT_INT8 = 3,
  CHROMA_ELEMENT_COUNT = 4,
} chroma_element;

/** Measures `query` against `count` rows: out[i] is the answer for rows[i]. */
typedef void chroma_distance_kernel(const float *_Nonnull query, size_t dimension,
                                    const void *_Nonnull const *_Nonnull rows, size_t count,
                                    float *_Nonnull out);

/**
 * Measures a code against `count` codes: out[i] is the sum of query[j] * rows[i][j], exactly. Every
 * element is -127 to 127, and `dimension` at most 65,536, so that no sum leaves an int32_t.
 */
typedef void chroma_code_kernel(const int8_t *_Nonnull query, size_t dimension,
                                const int8_t *_Nonnull const *_Nonnull rows, size_t count,
                                int32_t *_Nonnull out);

/** The kernels for rows of one type. */
typedef struct chroma_row_kernels {
  /** Sum of a[i] * b[i]. */
  chroma_distance_kernel *_Nonnull dot;
  /** Sum of (a[i] - b[i])^2: the squared Euclidean distance. */
  chroma_distance_kernel *_Nonnull squared_l2;
} chroma_row_kernels;

/** The kernels of one instruction set. */
typedef struct chroma_kernels {
  const char *_Nonnull name;
  /** Whether this processor, under this operating system, can run them. */
  bool (*_Nonnull is_supported)(void);
  /** CHROMA_ELEMENT_COUNT of them, by element. */
  const chroma_row_kernels *_Nonnull rows;
  /** Sum of a[i] * b[i] of codes. */
  chroma_code_kernel *_Nonnull dot_int8;
} chroma_kernels;

/**
 * The variants that are compiled in for this architecture, supported or not: the scalar one at 0,
 * then each preferred to the one before. NULL past the last.
 */
const chroma_kernels *_Nullable chroma_kernels_variant(size_t index);

/** The last variant that this processor supports; chosen once, when the library is loaded. */
const chroma_kernels *_Nonnull chroma_kernels_best(void);

/**
 * The processor's features that kernels here use or may come to use, as words: "avx2 fma avx512f".
 * Lives as long as the library.
 */
const char *_Nonnull chroma_kernels_cpu_features(void);

/** Sum of a[i] * b[i] in double, where no product of two floats overflows or vanishes. */
double chroma_dot_in_double(const float *_Nonnull a, const float *_Nonnull b, size_t dimension);

/** Bytes of a row. */
size_t chroma_row_byte_count(chroma_element element, size_t dimension);

/**
 * Writes the row that holds each of `dimension` floats, or what is nearest to it, ties to even; of
 * int8 the scale comes from the largest magnitude. What was decoded from a row encodes to the same
 * row.
 *
 * @return `dimension`, or the index of the first element that the type cannot hold: one that is
 *         rounded to infinity or, in int8, is not finite. The row is undefined then.
 */
size_t chroma_row_encode(chroma_element element, const float *_Nonnull floats, size_t dimension,
                         void *_Nonnull row);

/** Writes the elements of a row as floats, which hold them exactly. */
void chroma_row_decode(chroma_element element, const void *_Nonnull row, size_t dimension,
                       float *_Nonnull floats);

#endif
