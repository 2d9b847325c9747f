/*
 * Distances from one query to many rows of float32, one variant for each instruction set.
 *
 * A row is `dimension` floats, aligned as any float is; nothing outside them is read. Rows are
 * named by pointers, so that they can stand in chunks, in mapped files or in any order: the caller
 * gathers what it wants to measure, the kernel asks memory for the next rows while it computes.
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

/** Measures `query` against `count` rows: out[i] is the answer for rows[i]. */
typedef void chroma_distance_kernel(const float *_Nonnull query, size_t dimension,
                                    const float *_Nonnull const *_Nonnull rows, size_t count,
                                    float *_Nonnull out);

/**
 * Measures a code against `count` codes: out[i] is the sum of query[j] * rows[i][j], exactly. Every
 * element is -127 to 127, and `dimension` at most 65,536, so that no sum leaves an int32_t.
 *
 * The whole of a row is asked of memory some rows before it is measured, and with it the cache line
 * in which the byte after its last stands: codes have their scale there.
 */
typedef void chroma_code_kernel(const int8_t *_Nonnull query, size_t dimension,
                                const int8_t *_Nonnull const *_Nonnull rows, size_t count,
                                int32_t *_Nonnull out);

/** The kernels of one instruction set. */
typedef struct chroma_kernels {
  const char *_Nonnull name;
  /** Whether this processor, under this operating system, can run them. */
  bool (*_Nonnull is_supported)(void);
  /** Sum of a[i] * b[i]. */
  chroma_distance_kernel *_Nonnull dot;
  /** Sum of (a[i] - b[i])^2: the squared Euclidean distance. */
  chroma_distance_kernel *_Nonnull squared_l2;
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

#endif
