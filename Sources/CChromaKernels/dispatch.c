/* Which variant this processor gets. Decided when the library is loaded, never changed after. */
#include <string.h>

#include "variants.h"

static const chroma_kernels *const variants[] = {
    &chroma_kernels_scalar,
#if defined(__x86_64__)
    &chroma_kernels_avx2,
    &chroma_kernels_avx512,
    &chroma_kernels_avx512vnni,
#elif defined(__aarch64__)
    &chroma_kernels_neon,
#endif
};

enum { VARIANT_COUNT = sizeof(variants) / sizeof(variants[0]) };

static const chroma_kernels *best = &chroma_kernels_scalar;
static char features[128];

static void note(const char *feature, int is_present) {
  /* Room for the name, a space before it and the end. */
  if (is_present && strlen(features) + strlen(feature) + 2 <= sizeof(features)) {
    if (features[0] != '\0') {
      strcat(features, " ");
    }
    strcat(features, feature);
  }
}

__attribute__((constructor)) static void look_at_processor(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  note("avx2", __builtin_cpu_supports("avx2"));
  note("fma", __builtin_cpu_supports("fma"));
  note("f16c", __builtin_cpu_supports("f16c"));
  note("avx512f", __builtin_cpu_supports("avx512f"));
  note("avx512bw", __builtin_cpu_supports("avx512bw"));
  note("avx512vnni", __builtin_cpu_supports("avx512vnni"));
  note("avx512bf16", __builtin_cpu_supports("avx512bf16"));
#elif defined(__aarch64__)
  note("neon", 1);
#endif
  for (size_t i = 0; i < VARIANT_COUNT; i++) {
    if (variants[i]->is_supported()) {
      best = variants[i];
    }
  }
}

const chroma_kernels *chroma_kernels_variant(size_t index) {
  return index < VARIANT_COUNT ? variants[index] : NULL;
}

const chroma_kernels *chroma_kernels_best(void) {
  return best;
}

const char *chroma_kernels_cpu_features(void) {
  return features;
}
