/* The kernels of vectors, and long vectors on several threads. */
#ifndef TSR_LEVEL1_RUN_H
#define TSR_LEVEL1_RUN_H

#include "src/core/core.h"

/* The default context's tables; NULL until first asked for. */
extern __attribute__((visibility("hidden"))) const struct tsr_kernels *tsr_level1_kernels;
const struct tsr_kernels *tsr_level1_find(void);

static inline const struct tsr_kernels *tsr_level1_get(void) {
  const struct tsr_kernels *kernels = __atomic_load_n(&tsr_level1_kernels, __ATOMIC_ACQUIRE);
  return __builtin_expect(kernels != NULL, 1) ? kernels : tsr_level1_find();
}

/* Calls run(call, first, end) so that each of `blocks` blocks, 0 <= first < end <= blocks, is done once: all in one call
 * on this thread, or in pieces on several if all `bytes` that are touched do not fit the caches near a core. */
typedef void tsr_level1_body(void *call, int64_t first, int64_t end);
void tsr_level1_split(int64_t blocks, int64_t bytes, tsr_level1_body *run, void *call);

/* Whether so many bytes do not fit any cache. */
bool tsr_level1_far(int64_t bytes);

#endif
